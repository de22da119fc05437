"""One step of every optimizer, the gradients being given: on 10, 10⁴ and 10⁷ parameters."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

import minigrad
from minigrad import optim

from .measure import Step, check_agreement, in_turn
from .tasks import Array

# As the layers of a network would have them; matrices, for the optimizers that need those.
SHAPES = {10: [(2, 5)], 10**4: [(50, 100)] * 2, 10**7: [(1000, 1000)] * 10}

# name: options of minigrad's, and PyTorch's class with its options, if it has one
OPTIMIZERS: dict[str, tuple[dict[str, Any], str | None, dict[str, Any]]] = {
    "SGD": ({}, "SGD", {}),
    "SGD momentum": ({"momentum": 0.9}, "SGD", {"momentum": 0.9}),
    "Adagrad": ({}, "Adagrad", {}),
    "RMSprop": ({}, "RMSprop", {}),
    "Adadelta": ({}, "Adadelta", {}),
    "Adam": ({}, "Adam", {}),
    "AdamW": ({}, "AdamW", {}),
    "Adamax": ({}, "Adamax", {}),
    "NAdam": ({}, "NAdam", {}),
    "RAdam": ({}, "RAdam", {}),
    "Adafactor": ({}, "Adafactor", {}),
    "Muon": ({}, "Muon", {}),
    "SGDW": ({"lr": 1e-3, "momentum": 0.9}, None, {}),
    "AdaBound": ({}, None, {}),
    "AMSBound": ({}, None, {}),
    "LARS": ({"lr": 1e-3}, None, {}),
    "LAMB": ({}, None, {}),
    "SWATS": ({}, None, {}),
    "Lion": ({}, None, {}),
    "Sophia": ({}, None, {}),
    "Shampoo": ({"lr": 1e-3}, None, {}),
    "SOAP": ({}, None, {}),
    "ScheduleFreeSGD": ({"lr": 1e-3}, None, {}),
    "ScheduleFreeAdamW": ({}, None, {}),
}
FUSED = {"SGD", "Adagrad", "Adam", "AdamW"}  # those that PyTorch has a fused kernel for on the CPU
# Not on 10⁷: products of 1000 × 1000 matrices do not depend on how an optimizer is written.
MATRICES = {"Muon", "Shampoo", "SOAP"}
# Muon iterates in bfloat16 in PyTorch, in the parameters' precision in minigrad.
ROUGH = {"Muon": 0.05}

WORKLOADS = [
    f"{name} {n}" for name in OPTIMIZERS for n in SHAPES if n < 10**7 or name not in MATRICES
]


def with_minigrad(name: str, theta: list[Array], g: list[Array]) -> tuple[Step, Any]:
    params = [minigrad.Tensor(a, requires_grad=True) for a in theta]
    for p, a in zip(params, g):
        p.grad = a
    opt = getattr(optim, name.split()[0])(params, **OPTIMIZERS[name][0])
    return opt.step, lambda: params[0].numpy()


def with_torch(
    name: str, theta: list[Array], g: list[Array], fused: bool = False
) -> tuple[Step, Any]:
    params = [torch.tensor(a, requires_grad=True) for a in theta]
    for p, a in zip(params, g):
        p.grad = torch.from_numpy(a)
    _, label, options = OPTIMIZERS[name]
    opt = getattr(torch.optim, str(label))(params, **options, **({"fused": True} if fused else {}))
    return opt.step, lambda: params[0].detach().numpy()


def contestants(name: str, n: int, dtype: Any) -> dict[str, tuple[Step, Callable[[], Array]]]:
    """Of each, its step and what its first parameter is by then."""
    rng = np.random.default_rng(0)
    theta, g = ([rng.standard_normal(s, dtype) for s in SHAPES[n]] for _ in "tg")
    made = {"minigrad": with_minigrad(name, theta, g)}
    if OPTIMIZERS[name][1]:
        made["PyTorch"] = with_torch(name, theta, g)
    if name.split()[0] in FUSED:
        made["PyTorch fused"] = with_torch(name, theta, g, fused=True)
    return made


def check(name: str) -> None:
    """All contestants move the first parameter alike in five steps."""
    # 1e-7, because PyTorch keeps some products of coefficients in float32 even then
    for dtype, rtol in ((np.float64, 1e-7), (np.float32, 1e-3)):
        start = contestants(name, 10**4, dtype)["minigrad"][1]().copy()
        moved = {}
        for key, (step, value) in contestants(name, 10**4, dtype).items():
            for _ in range(5):
                step()
            moved[key] = value() - start
        check_agreement(moved, ROUGH.get(name, rtol))


def measure(workload: str, rounds: int, seconds: float) -> dict[str, Any]:
    name, _, n = workload.rpartition(" ")
    check(name)
    steps = {key: step for key, (step, _) in contestants(name, int(n), np.float32).items()}
    turns = {key: partial(lambda s: s, s) for key, s in steps.items()}
    return {"seconds": in_turn(turns, rounds, seconds)}
