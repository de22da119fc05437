"""What a rule is, and what it reports."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

RULES = {}


def rule(function):
    """Register a rule under its name."""
    RULES[function.__name__.replace("_", "-")] = function
    return function


@dataclass(frozen=True)
class Fault:
    """One violation: the text and the line where, and of which rule."""

    path: Path
    line: int | None
    rule: str
    message: str

    def __str__(self):
        where = "" if self.line is None else f"{self.line}:"
        return f"{self.path}:{where} [{self.rule}] {self.message}"


def difference(zh, en):
    """What only one of two collections has, in words."""
    zh, en = Counter(zh), Counter(en)
    only = [(name, sorted(map(str, (a - b).elements())))
            for name, a, b in (("Chinese", zh, en), ("English", en, zh))]  # fmt: skip
    return "; ".join(f"only in {name}: {', '.join(items)}" for name, items in only if items)


def omits(book):
    """What the chapter leaves out, and why: ``book.omits`` of its metadata."""
    return book.node.metadata.get("book", {}).get("omits", {})
