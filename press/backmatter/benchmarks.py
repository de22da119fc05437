"""``{benchmarks} training``: what the last whole run of ``make bench`` measured, as tables."""

import json
import re
from collections.abc import Iterator
from math import isqrt

from docutils import nodes
from docutils.statemachine import StringList

from benchmarks.report import RESULTS, Table, tables

from .gathering import Gathered

WIDE = 6  # columns: in a table with more, an interval stands below its number


class Benchmarks(Gathered):
    section = "benchmarks"
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(RESULTS))
        results = json.loads(RESULTS.read_text(encoding="utf-8"))
        about = self.arguments[0]
        if about == "machine":
            rows = [[self.word(key), value] for key, value in results["machine"].items()]
            lines = ["| | |", "|---|---|", *map(row, rows)]
        else:
            lines = [line for table in tables(about, results["workloads"][about])
                     for line in self.markdown(table)]  # fmt: skip
        node = nodes.Element()
        self.state.nested_parse(StringList(lines), 0, node)
        return node.children

    def markdown(self, table: Table) -> Iterator[str]:
        """A table as Markdown, in the language of the edition."""
        if table.about in self.words:
            yield from (self.words[table.about], "")
        yield row([self.words["workload"], *map(self.word, table.head)])
        yield "|---|" + "--:|" * len(table.head)
        for name, *cells in table.rows:
            said = row([self.title(table.about, name), *map(self.word, cells)])
            yield re.sub(r" (\([\d.]+–)", r"<br>\1", said) if len(table.head) > WIDE else said
        yield ""

    def word(self, key: str) -> str:
        """What a contestant, a cell or a property of the machine is called."""
        slash = "/ " if key.startswith("/ ") else ""
        key = key.removeprefix(slash)
        return slash + self.words.get(key, key)

    def title(self, about: str, name: str) -> str:
        """What a workload is called: ``SGD 10`` of the optimizers is SGD, 10 parameters."""
        what, _, n = name.rpartition(" ")
        if about == "functions":
            return f"{what}, {isqrt(int(n))} × {isqrt(int(n))}"
        key = "parameters" if about == "optimizers" else what if what == "graph" else name
        return self.words[f"title {key}"].format(what=what, n=int(n) if n.isdigit() else n)


def row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
