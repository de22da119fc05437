"""What needs a process of its own. Prints what it finds as JSON.

python -m benchmarks.child graph minigrad 1000
python -m benchmarks.child memory with_minigrad wide
python -m benchmarks.child workload training wide 15 0.05

Memory does for a plain reason, and training a network because glibc keeps freed memory or gives it
back to the system depending on the largest array that the process has ever freed: a network that is
trained after a larger one can be faster than alone.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from .measure import attempt, clock


def resident() -> int:
    """Bytes of memory that the process has now."""
    return status("VmRSS")


def peak() -> int:
    """Bytes of memory that the process has had at most, since `forget_peak`."""
    return status("VmHWM")


def status(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith(key)))


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


# --- a chain of n operations on single numbers, y <- 0.999 y and y <- y + 0.001 in turn


def chain(x: Any, n: int) -> Any:
    for _ in range(n // 2):
        x = 0.999 * x
        x = x + 0.001
    return x


def graph_with_minigrad() -> Callable[[int], float]:
    from minigrad import Tensor

    def derivative(n: int) -> float:
        x = Tensor(1.0, requires_grad=True)
        chain(x, n).backward()
        return float(x.grad)  # type: ignore[arg-type]

    return derivative


def graph_with_torch() -> Callable[[int], float]:
    import torch

    torch.set_num_threads(1)

    def derivative(n: int) -> float:
        x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
        chain(x, n).backward()
        return float(x.grad)  # type: ignore[arg-type]

    return derivative


def graph_with_autograd() -> Callable[[int], float]:
    from autograd import grad

    return lambda n: float(grad(lambda x: chain(x, n))(1.0))


def graph_with_micrograd() -> Callable[[int], float]:
    from micrograd.engine import Value

    def derivative(n: int) -> float:
        x = Value(1.0)
        chain(x, n).backward()
        return float(x.grad)

    return derivative


def graph(library: str, operations: str) -> dict[str, Any]:
    """Seconds an operation, forward and backward, and the bytes that the graph takes."""
    n = int(operations)
    derivative = globals()[f"graph_with_{library}"]()
    derivative(10)
    before = resident()
    forget_peak()
    try:
        value = derivative(n)
    except RecursionError:
        return {"failed": "recursion too deep"}
    taken = peak() - before
    if abs(value - 0.999 ** (n // 2)) > 1e-9:
        return {"failed": f"computes {value}"}
    seconds = []
    while not seconds or sum(seconds) < 0.2:
        start = clock()
        derivative(n)
        seconds.append(clock() - start)
    return {"seconds": sorted(seconds)[len(seconds) // 2] / n, "bytes": taken}


# --- a network in training


def memory(library: str, name: str) -> dict[str, Any]:
    """The bytes that training takes at most, beyond the modules and the data."""
    import numpy as np

    from .tasks import TASKS

    module, _, option = library.partition("+")
    contestant = import_module(f".contestants.{module}", __package__)
    options = {option: True} if option else {}
    warm_up = contestant.mlp(TASKS["iris"](np.float32), **options)
    float(warm_up())  # so that all code is in memory
    task = TASKS[name](np.float32)
    gc.collect()
    before = resident()
    step = getattr(contestant, task.network)(task, **options)
    for _ in range(3):
        float(step())
    forget_peak()
    for _ in range(5):
        float(step())
    return {"bytes": peak() - before}


# --- a workload of another module


def workload(section: str, name: str, rounds: str, seconds: str) -> dict[str, Any]:
    return attempt(section, name, int(rounds), float(seconds))


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    print(json.dumps(globals()[command](*arguments)))
