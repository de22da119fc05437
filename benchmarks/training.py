"""Training the networks of `tasks.py`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .contestants import (
    by_hand,
    plainly,
    with_autograd,
    with_jax,
    with_micrograd,
    with_minigrad,
    with_torch,
)
from .measure import WARM_UP, Step, check_agreement, clock, in_turn, run
from .tasks import TASKS, Task

CONTESTANTS = {
    "NumPy by hand": by_hand,
    "NumPy plainly": plainly,
    "minigrad": with_minigrad,
    "minigrad compiled": with_minigrad,
    "PyTorch": with_torch,
    "PyTorch fused": with_torch,
    "PyTorch compiled": with_torch,
    "JAX compiled": with_jax,
    "autograd": with_autograd,
    "micrograd": with_micrograd,
}
OPTIONS = {
    "PyTorch fused": {"fused": True},
    "PyTorch compiled": {"fused": True, "compiled": True},
    "minigrad compiled": {"compiled": True},
}
# A ReLU whose input is about 0 can be on in one float32 run and off in another, and from then on
# the runs part: so the strict check is that in float64, and float32 has a few steps to compare.
CHECKS: tuple[tuple[Any, int, float], ...] = ((np.float64, 10, 1e-9), (np.float32, 3, 5e-3))


def makers(task: Task) -> dict[str, Callable[[], Step]]:
    """Of each contestant that can take part, what makes its step."""
    made = {}
    for name, module in CONTESTANTS.items():
        build = getattr(module, task.network, None)
        if name == "PyTorch compiled" and shutil.which(os.environ.get("CXX", "g++")) is None:
            continue  # torch.compile writes C++
        if build is not None:
            made[name] = partial(build, task, **OPTIONS.get(name, {}))
    return made


def check(make: Callable[[Any], Task]) -> None:
    """All contestants lose the same, step after step."""
    for dtype, steps, rtol in CHECKS:
        losses = {}
        for name, maker in makers(make(dtype)).items():
            step = maker()
            losses[name] = [float(step()) for _ in range(steps)]  # type: ignore[arg-type]
        check_agreement(losses, rtol)


WORKLOADS = list(TASKS)


def start(makers: dict[str, Callable[[], Step]]) -> dict[str, float]:
    """Seconds until the steps that warm up are done: what compiling takes is in them."""
    seconds = {}
    for name, maker in makers.items():
        begin = clock()
        run(maker(), WARM_UP)
        seconds[name] = clock() - begin
    return seconds


def measure(name: str, rounds: int, seconds: float) -> dict[str, Any]:
    contestants = makers(TASKS[name](np.float32))
    started = start(contestants)  # first of all: JAX compiles once for all that follow
    check(TASKS[name])
    return {"seconds": in_turn(contestants, rounds, seconds, WARM_UP), "start": started}
