"""From results to tables: whole lines of keys and numbers, which `press` shows in two languages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .measure import quartiles, ratio

RESULTS = Path(__file__).with_name("results.json")  # of the last whole run
OURS = {"ratios": "minigrad", "compiled": "minigrad compiled"}  # key: whose time over others'
NOTES = """\
Times of minigrad, and their ratio to the others': the median over the rounds of the run, with the
quartiles in brackets; below 1 minigrad is faster. In training, ten steps come before those timed;
what they take, compiling included, is under `start`."""


@dataclass(frozen=True)
class Table:
    """What was measured: ``rows`` begin with the name of a workload, ``head`` names contestants."""

    about: str
    head: list[str]
    rows: list[list[str]]


# -- What is kept of a run


def summary(workload: dict[str, Any]) -> dict[str, Any]:
    """Medians and quartiles of what `measure` found, and of the ratios round by round."""
    if "seconds" not in workload:
        return workload
    seconds = workload["seconds"]
    kept = workload | {"seconds": {who: short(quartiles(s)) for who, s in seconds.items()}}
    for key, ours in OURS.items():
        if ours in seconds:
            others = (who for who in seconds if who != ours)
            kept[key] = {who: short(ratio(seconds[ours], seconds[who])) for who in others}
    return kept


def short(values: list[float]) -> list[float]:
    return [float(f"{value:.5g}") for value in values]


def write(path: Path, results: dict[str, Any]) -> None:
    """Write results with a workload a line, so that a new run is a readable difference."""
    lines = [f'{{"machine": {json.dumps(results["machine"], indent=1)},', '"workloads": {']
    for section, workloads in results["workloads"].items():
        rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(w)}" for name, w in workloads.items())
        lines += [f" {json.dumps(section)}: {{", rows, " },"]
    lines[-1] = lines[-1].rstrip(",")
    path.write_text("\n".join([*lines, "}}"]) + "\n")


# -- Tables


def tables(section: str, workloads: dict[str, Any]) -> Iterator[Table]:
    """The tables of a section."""
    if section == "processes":
        yield from process_tables(workloads)
        return
    for key, ours in OURS.items():
        names = dict.fromkeys(who for w in workloads.values() for who in w.get(key, {}))
        if not names and key != "ratios":
            continue
        rows = []
        for name, w in workloads.items():
            if "skipped" in w:
                rows.append([name, w["skipped"], *[""] * len(names)])
            else:
                ratios = (spread(w[key][who]) if who in w[key] else "" for who in names)
                rows.append([name, duration(w["seconds"][ours][0]), *ratios])
        about = section if key == "ratios" else key
        yield Table(about, [ours, *(f"/ {who}" for who in names)], rows)
    started = {name: w["start"] for name, w in workloads.items() if "start" in w}
    if started:
        names = dict.fromkeys(who for w in started.values() for who in w)
        rows = [
            [name, *(duration(w[who]) if who in w else "" for who in names)]
            for name, w in started.items()
        ]
        yield Table("start", [*names], rows)


def process_tables(workloads: dict[str, Any]) -> Iterator[Table]:
    graphs = {name: w for name, w in workloads.items() if name.startswith("graph")}
    names = dict.fromkeys(
        who for w in graphs.values() for who in (*w["seconds"], *w.get("failed", {}))
    )
    if graphs:
        rows = [
            [name] + [
                f"{duration(w['seconds'][who][0])}, {size(w['bytes'][who])}"
                if who in w["seconds"] else w["failed"][who]
                for who in names
            ]
            for name, w in graphs.items()
        ]  # fmt: skip
        yield Table("graph", [*names], rows)
    for name, w in workloads.items():
        if name not in graphs:
            cells = ({who: size(n) for who, n in w["bytes"].items()} if "bytes" in w
                     else {who: duration(s[0]) for who, s in w["seconds"].items()})  # fmt: skip
            yield Table(name, [*cells], [[name, *cells.values()]])


def report(results: dict[str, Any]) -> str:
    """All tables as text, for the terminal."""
    lines = [NOTES, "", *(f"{key}: {value}" for key, value in results["machine"].items())]
    for section, workloads in results["workloads"].items():
        for table in tables(section, workloads):
            lines += ["", f"== {section}" if table.about == section else f"== {table.about}"]
            rows = [["", *table.head], *table.rows]
            widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
            lines += ["  ".join(cell.ljust(n) for cell, n in zip(row, widths)) for row in rows]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def spread(q: list[float]) -> str:
    return f"{q[0]:.2f} ({q[1]:.2f}–{q[2]:.2f})"


def duration(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def size(n: float) -> str:
    return f"{n / 1e6:.1f} MB"
