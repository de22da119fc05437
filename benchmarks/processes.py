"""Large graphs, memory, and importing: each measurement in a process of its own."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import Any

from .measure import clock

GRAPHS = {
    "minigrad": "minigrad",
    "PyTorch": "torch",
    "autograd": "autograd",
    "micrograd": "micrograd",
}
TRAINING = {
    "NumPy by hand": "by_hand",
    "minigrad": "with_minigrad",
    "minigrad compiled": "with_minigrad+compiled",
    "PyTorch": "with_torch",
    "PyTorch fused": "with_torch+fused",
    "JAX compiled": "with_jax",
    "autograd": "with_autograd",
}
IMPORTS = {
    "NumPy alone": "numpy",
    "minigrad": "minigrad",
    "PyTorch": "torch",
    "JAX compiled": "jax",
    "autograd": "autograd.numpy",
    "micrograd": "micrograd.engine",
}
WORKLOADS = [*(f"graph {10**k}" for k in (3, 4, 5, 6)), "memory wide", "import"]

TIMED_IMPORT = """
from time import {clock} as clock
start = clock()
import {module}
print(clock() - start)
"""


def python(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, *arguments], check=True, capture_output=True, text=True
    ).stdout


def measure(workload: str, rounds: int, seconds: float) -> dict[str, Any]:
    kind, _, what = workload.partition(" ")
    if kind == "import":
        return {"seconds": importing(rounds)}
    if kind == "memory":
        measured = {
            name: json.loads(python("-m", "benchmarks.child", "memory", library, what))
            for name, library in TRAINING.items()
        }
        return {"bytes": pick(measured, "bytes")}
    measured = {
        name: json.loads(python("-m", "benchmarks.child", "graph", library, what))
        for name, library in GRAPHS.items()
    }
    return {
        "seconds": {name: [s] for name, s in pick(measured, "seconds").items()},
        "bytes": pick(measured, "bytes"),
        "failed": pick(measured, "failed"),
    }


def pick(measured: dict[str, dict[str, Any]], key: str) -> dict[str, Any]:
    return {name: found[key] for name, found in measured.items() if key in found}


def importing(rounds: int) -> dict[str, list[float]]:
    """Seconds that `import …` takes in a new process, its files being in memory already."""
    order = list(IMPORTS)
    times: dict[str, list[float]] = {name: [] for name in order}
    for i in range(rounds + 1):
        random.shuffle(order)
        for name in order:
            taken = float(
                python("-c", TIMED_IMPORT.format(clock=clock.__name__, module=IMPORTS[name]))
            )
            if i:  # the first round brings the files into memory
                times[name].append(taken)
    return times
