"""minigrad's minimizers beside SciPy's: calls of f on the problems of Moré, Garbow and Hillstrom.

`python -m benchmarks.minimizers` writes minimizers.md. Both get the same f, gradient (and Hessian's
products, which count as calls) from minigrad. Solved means max |∇f| <= 1e-5 at the point returned,
whatever is claimed; SciPy's Newton-CG, which would go on, is stopped there.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.optimize

from minigrad import Tensor, grad, hvp, minimize
from minigrad.lab.standard_problems import PROBLEMS, Problem

GTOL = 1e-5
SCIPYS: dict[str, tuple[str, dict[str, Any]]] = {
    "cg": ("CG", {"gtol": GTOL}),
    "bfgs": ("BFGS", {"gtol": GTOL}),
    "l-bfgs": ("L-BFGS-B", {"gtol": GTOL, "ftol": 0, "maxfun": 100_000}),
    "newton-cg": ("Newton-CG", {"xtol": 1e-10}),
}


class Run(NamedTuple):
    """Whether the gradient vanishes, whether success was claimed, calls of f."""

    solved: bool
    claimed: bool
    calls: int


def slope(problem: Problem, x: Any) -> tuple[float, Any]:
    leaf = Tensor(x, requires_grad=True)
    y = problem.f(leaf)
    return float(y.item()), grad(y, leaf).data


def vanishes(problem: Problem, x: Any) -> bool:
    return bool(np.abs(slope(problem, x)[1]).max() <= GTOL)


def ours(problem: Problem, start: Any, method: str) -> Run:
    try:
        result = minimize(problem.f, start, method=method, gtol=GTOL, maxiter=1000)
    except ValueError:  # f is not finite there
        return Run(False, False, 1)
    return Run(vanishes(problem, result.x), result.success, result.nfev + result.nhev)


def theirs(problem: Problem, start: Any, method: str) -> Run:
    name, options = SCIPYS[method]
    calls = 0

    def f(x: Any) -> tuple[float, Any]:
        nonlocal calls
        calls += 1
        return slope(problem, x)

    def product(x: Any, v: Any) -> Any:
        nonlocal calls
        calls += 1
        return hvp(problem.f, x, v).data

    def stop(x: Any) -> None:
        if vanishes(problem, x):
            raise StopIteration

    more = {"hessp": product, "callback": stop} if method == "newton-cg" else {}
    result = scipy.optimize.minimize(
        f, start, jac=True, method=name, options=options | {"maxiter": 1000}, **more
    )
    solved = vanishes(problem, result.x)
    stopped = result.status == 99  # by the callback, where the gradient vanishes
    return Run(solved, bool(result.success) or stopped, calls)


def table(factor: float) -> list[str]:
    """Calls of f by minigrad and by SciPy for each problem and method, and what they come to."""
    runs = {
        name: {
            method: (
                ours(problem, factor * problem.start, method),
                theirs(problem, factor * problem.start, method),
            )
            for method in SCIPYS
        }
        for name, problem in PROBLEMS.items()
    }
    lines = [
        f"## From {'' if factor == 1 else f'{factor:g} times '}the standard starts",
        "",
        "| problem | " + " | ".join(f"{m} | {SCIPYS[m][0]}" for m in SCIPYS) + " |",
        "|---" + "|--:" * 2 * len(SCIPYS) + "|",
    ]
    for name, row in runs.items():
        cells = [
            str(r.calls) if r.solved else f"({r.calls})" for pair in row.values() for r in pair
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    sums: dict[str, list[str]] = {
        "solved": [], "success claimed wrongly": [], "solved, no success claimed": [],
        "ratio of calls": [],
    }  # fmt: skip
    for method in SCIPYS:
        pairs = [row[method] for row in runs.values()]
        for side in zip(*pairs):
            sums["solved"].append(str(sum(r.solved for r in side)))
            sums["success claimed wrongly"].append(
                str(sum(r.claimed and not r.solved for r in side))
            )
            sums["solved, no success claimed"].append(
                str(sum(r.solved and not r.claimed for r in side))
            )
        ratios = [np.log(a.calls / b.calls) for a, b in pairs if a.solved and b.solved]
        sums["ratio of calls"] += [f"{np.exp(np.mean(ratios)):.2f}", f"of {len(ratios)}"]
    lines += [f"| **{name}** | " + " | ".join(cells) + " |" for name, cells in sums.items()]
    return [*lines, ""]


def main() -> None:
    warnings.simplefilter("ignore")
    with np.errstate(all="ignore"):
        parts = [line for factor in (1, 10, 100) for line in table(factor)]
    head = [
        "# Minimizers",
        "",
        "Calls of f and its gradient (newton-cg: and products with the Hessian) until",
        "max \\|∇f\\| <= 1e-5, at most 1000 iterations, by minigrad and SciPy",
        f"{scipy.__version__}; in brackets where that was not reached. The last lines count over",
        "the 35 problems; the ratio is minigrad's calls over SciPy's, the geometric mean over",
        "those both solve. Written by `python -m benchmarks.minimizers`.",
        "",
    ]
    path = Path(__file__).with_suffix(".md")
    path.write_text("\n".join(head + parts), encoding="utf-8")
    print(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
