"""The contents of the book, ``_toc.yml``: what is written, and the whole book as it is planned.

Jupyter Book reads the chapters that are written. Below ``meta: planned:`` stands every part with
all of its chapters in order, by file name if written, with a title if not. So chapters have their
numbers from the beginning: ``8.7`` is the seventh of the eighth part, however many are written.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from .notebook import ROOT
from .words import one_language

PREFIX = "chapters/"


@dataclass(frozen=True)
class Entry:
    """A chapter; what is not written yet has a ``title``, ``"中文 · English"``."""

    number: str
    name: str
    title: str | None = None


@dataclass(frozen=True)
class Part:
    """A part of the book; ``caption`` is ``"中文 · English"``, ``number`` 0 outside the plan."""

    number: int
    caption: str
    entries: list[Entry]


def contents(root: Path = ROOT) -> dict:
    """``_toc.yml`` with paths as they are seen from ``chapters/``."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    return json.loads(json.dumps(toc).replace(f'"{PREFIX}', '"'))


def listed(toc: dict) -> list[str]:
    """The pages of the contents, in order, without the first of all."""

    def below(items: list[dict]) -> Iterator[str]:
        for item in items:
            yield item["file"]
            yield from below(item.get("sections", []))

    return [page for part in toc["parts"] for page in below(part["chapters"])]


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


def outline(site, language: str) -> list[Part]:
    """The whole book in one edition: what is written, by its name in Sphinx, and what is planned.

    Args:
        site: the contents as Sphinx has them, captions already in that language.
        language: of the titles of what is planned.
    """

    def files(tree) -> Iterator[str]:  # with those below them, as the modules of the reference
        for item in tree.items:
            yield str(item)
            for below in site[item].subtrees:
                yield from files(below)

    trees = {tree.caption or "": [*files(tree)] for tree in site.root.subtrees}
    written = {name.removeprefix(PREFIX): name for names in trees.values() for name in names}
    planned = {}
    for part in plan(site.meta):
        entries = [
            Entry(e.number, written.get(e.name, e.name), one_language(e.title or "", language))
            for e in part.entries
        ]
        caption = one_language(part.caption, language)
        planned[caption] = Part(part.number, caption, entries)
    parts = [Part(0, "", [Entry("", site.root.docname)])]
    for caption, names in trees.items():
        own = [Entry("", name) for name in names]
        parts.append(planned.pop(caption, None) or Part(0, caption, own))
    for part in planned.values():  # nothing of them is written yet
        before = [i for i, one in enumerate(parts) if 0 < one.number < part.number]
        parts.insert(max(before, default=0) + 1, part)
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
