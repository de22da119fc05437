"""Checking that contestants agree, and timing them in turn."""

from __future__ import annotations

import gc
import os
import random
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

Step = Callable[[], object]
# Steps before those that are timed. JAX compiles in the first, minigrad.compile records the second
# and third and the eighth (and again at 128, 2048, …, which is in the times, as it is in training).
WARM_UP = 10

# Time on the wall; `--cpu-time` makes it the processor's. The children of this process inherit it.
clock = getattr(time, os.environ.get("BENCHMARK_CLOCK", "perf_counter"))


class Disagreement(Exception):
    """Contestants computed different things."""


def check_agreement(results: dict[str, Any], rtol: float) -> None:
    """Raise unless everyone computed what the first did, to `rtol` of its largest number."""
    (reference, expected), *others = results.items()
    expected = np.asarray(expected, float)
    if not np.all(np.isfinite(expected)):
        raise Disagreement(f"{reference} computed {expected}")
    scale = np.max(np.abs(expected)) or 1.0
    for name, got in others:
        error = np.max(np.abs(np.asarray(got, float) - expected)) / scale
        if not error <= rtol:
            raise Disagreement(
                f"{name} and {reference} differ by {error:.1e}, more than {rtol:.0e}"
            )


def attempt(section: str, name: str, rounds: int, seconds: float) -> dict[str, Any]:
    """What `section`.measure(name) finds, or why it found nothing."""
    try:
        found = import_module(f".{section}", __package__).measure(name, rounds, seconds)
        return dict(found)
    except (ImportError, AttributeError) as error:  # minigrad does not have it
        return {"skipped": str(error)}
    except Disagreement as error:
        return {"skipped": str(error), "wrong": True}


def in_turn(
    makers: dict[str, Callable[[], Step]], rounds: int, seconds: float, warm_up: int = 3
) -> dict[str, list[float]]:
    """Seconds per step of every contestant, one number a round.

    Each round makes each contestant anew (training on and on would end in numbers too small for
    the fast units of a processor), warms it up, the same number of steps for everyone, and then
    lets it run for about `seconds`.
    """
    order = list(makers)
    times: dict[str, list[float]] = {name: [] for name in order}
    steps: dict[str, int] = {}
    random.seed(0)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            step = makers[name]()
            if name not in steps:
                run(step, 2)  # compiles, allocates
                steps[name] = max(1, round(seconds / min(run(step, 1) for _ in range(3))))
            run(step, warm_up)
            gc.collect()
            times[name].append(run(step, steps[name]))
            del step
    return times


def run(step: Step, n: int) -> float:
    """Seconds per step over n steps. Reading the last result waits for all of them."""
    start = clock()
    for _ in range(n):
        result = step()
    if result is not None:
        float(result)  # type: ignore[arg-type]
    return (clock() - start) / n


def ratio(times: Sequence[float], of: Sequence[float]) -> list[float]:
    """Median and quartiles of times / of, round by round."""
    return quartiles([a / b for a, b in zip(times, of)])


def quartiles(values: Sequence[float]) -> list[float]:
    """Median, lower and upper quartile."""
    return [float(q) for q in np.quantile(values, (0.5, 0.25, 0.75))]
