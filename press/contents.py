"""The contents of the book, ``_toc.yml``: what is written, and the whole book as it is planned.

Jupyter Book reads the chapters that are written. Below ``meta: planned:`` stands every part with
all of its chapters in order, by file name if written, with a title if not. So chapters have their
numbers from the beginning: ``8.7`` is the seventh of the eighth part, however many are written.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import yaml

from .notebook import ROOT

PREFIX = "chapters/"


@dataclass(frozen=True)
class Entry:
    """A chapter of the plan: ``title`` is ``"中文 · English"`` until it is written, then None."""

    number: str
    name: str
    title: str | None


@dataclass(frozen=True)
class Part:
    """A part of the plan; ``caption`` is ``"中文 · English"``."""

    number: int
    caption: str
    entries: list[Entry]


def contents(root: Path = ROOT) -> dict:
    """``_toc.yml`` with paths as they are seen from ``chapters/``."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    return json.loads(json.dumps(toc).replace(f'"{PREFIX}', '"'))


def plan(meta: dict) -> list[Part]:
    """The parts of the book as planned, from what stands below ``meta`` in ``_toc.yml``."""
    parts = []
    for number, part in enumerate(meta.get("planned", []), 1):
        entries = []
        for place, item in enumerate(part["chapters"], 1):
            ((name, title),) = item.items() if isinstance(item, dict) else [(item, None)]
            entries.append(Entry(f"{number}.{place}", name.removeprefix(PREFIX), title))
        parts.append(Part(number, part["caption"], entries))
    return parts


def faults(toc: dict) -> list[str]:
    """Where the plan and the chapters that are written (as `contents` gives them) disagree."""
    found, parts = [], {part["caption"]: part["chapters"] for part in toc["parts"]}
    for part in plan(toc["meta"]):
        written = [chapter["file"] for chapter in parts.get(part.caption, [])]
        expected = [entry.name for entry in part.entries if entry.title is None]
        if written != expected:
            found.append(f"{part.caption}: {written} are written, by the plan {expected}")
        if [*dict.fromkeys(entry.name for entry in part.entries)] != [e.name for e in part.entries]:
            found.append(f"{part.caption}: a chapter is planned twice")
    return found
