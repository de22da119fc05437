"""From results.json to tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .measure import quartiles, ratio

HAND = "NumPy by hand"
TITLES = {
    "training": "Training: one step, float32",
    "second_order": "A derivative of a derivative, float32",
    "optimizers": "Optimizers: one step, float32, the gradients being given",
    "functions": "Activations, norms and losses: forward and backward, float32",
    "processes": "Graphs, memory, importing: each in a process of its own",
}
NOTES = """\
A ratio is the median over the rounds of the run, with the quartiles in brackets; below 1 the first
named is faster. "By hand" is NumPy with every array allocated beforehand, BLAS for sums, and no
graph: the limit for an engine on NumPy. "Plainly" is NumPy as one writes it, with the derivatives
worked out by hand and expressions as in the formulas. "Fused" is PyTorch with `fused=True` in its
optimizer. JAX compiles the whole step, Adam included, before it is timed. autograd is HIPS autograd
with Adam in plain NumPy. Everyone has first been checked to compute the same."""


def report(results: dict[str, Any]) -> str:
    lines = ["# minigrad beside others", "", NOTES, "", "## Machine", "", "| | |", "|---|---|"]
    lines += [f"| {key} | {value} |" for key, value in results["machine"].items()]
    for section, workloads in results["workloads"].items():
        lines += ["", f"## {TITLES[section]}", ""]
        if section == "processes":
            lines += process_tables(workloads)
            continue
        if any(HAND in w.get("seconds", {}) for w in workloads.values()):
            lines += ["Times of all, as ratios to NumPy by hand:", ""]
            lines += ratio_table(workloads, HAND, over=True)
            lines += ["", "minigrad's time, as ratios to the others':", ""]
        lines += ratio_table(workloads, "minigrad", over=False)
    return "\n".join(lines) + "\n"


def columns(workloads: dict[str, Any], but: str = "") -> list[str]:
    """All contestants, in the order in which they first appear."""
    names = dict.fromkeys(name for w in workloads.values() for name in w.get("seconds", {}))
    return [name for name in names if name != but]


def ratio_table(workloads: dict[str, Any], reference: str, over: bool) -> Iterable[str]:
    """Everyone's time over the reference's (`over`), or the reference's over everyone's."""
    others = columns(workloads, but=reference)
    labels = others if over else [f"/ {name}" for name in others]
    yield row("", reference, *labels)
    yield "|---|" + "--:|" * (len(others) + 1)
    for workload in workloads.values():
        if "skipped" in workload:
            yield row(workload["title"], f"not measured: {workload['skipped']}")
            continue
        seconds = workload["seconds"]
        base = seconds[reference]
        cells = [
            ""
            if name not in seconds
            else spread(ratio(seconds[name], base) if over else ratio(base, seconds[name]))
            for name in others
        ]
        yield row(workload["title"], duration(quartiles(base)[0]), *cells)


def process_tables(workloads: dict[str, Any]) -> Iterable[str]:
    graphs = {k: w for k, w in workloads.items() if k.startswith("graph")}
    if graphs:
        yield from [
            "Time an operation, forward and backward, and the memory that the graph takes:",
            "",
        ]
        names = dict.fromkeys(
            n for w in graphs.values() for n in (*w.get("seconds", {}), *w.get("failed", {}))
        )
        yield row("", *names)
        yield "|---|" + "--:|" * len(names)
        for w in graphs.values():
            yield row(
                w["title"],
                *(
                    f"{duration(w['seconds'][n][0])}, {size(w['bytes'][n])}"
                    if n in w["seconds"]
                    else w["failed"][n]
                    for n in names
                ),
            )
    for key, heading in (
        ("memory wide", "Most memory while training the wide MLP, beyond modules and data:"),
        ("import", "Time to import:"),
    ):
        if key in workloads:
            w = workloads[key]
            cells = (
                {n: size(b) for n, b in w["bytes"].items()}
                if "bytes" in w
                else {n: duration(quartiles(s)[0]) for n, s in w["seconds"].items()}
            )
            yield from [
                "",
                heading,
                "",
                row(*cells),
                "|" + "--:|" * len(cells),
                row(*cells.values()),
            ]


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def spread(q: list[float]) -> str:
    return f"{q[0]:.2f} ({q[1]:.2f}–{q[2]:.2f})"


def duration(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def size(n: float) -> str:
    return f"{n / 1e6:.1f} MB"
