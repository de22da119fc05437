"""The glossary: one word for one thing, in both languages."""

import csv

from .notebook import CHAPTERS

GLOSSARY = CHAPTERS / "glossary.csv"


def glossary():
    """The rows: a term (``en``, ``zh``), what it is (``is_en``, ``is_zh``), words to ``avoid``."""
    with open(GLOSSARY, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row | {"avoid": row["avoid"].split(";") if row["avoid"] else []} for row in rows]
