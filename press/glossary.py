"""The glossary: one word for one thing, in both languages."""

import csv

from .notebook import CHAPTERS

GLOSSARY = CHAPTERS / "glossary.csv"


def glossary():
    """The rows: a term (``en``, ``zh``), what it is (``is_en``, ``is_zh``), words to ``avoid``,
    other names of it, which readers may look for (``also``), and the place that explains it
    (``at``, ``page#anchor``) if that is not where it is first used."""
    with open(GLOSSARY, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, restval=""))
    lists = ("avoid", "also")
    return [row | {key: row[key].split(";") if row[key] else [] for key in lists} for row in rows]
