"""Activations, norms and losses: forward and backward, at three sizes, beside PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from minigrad import Tensor, activations, losses, norms

from .measure import Step, check_agreement, in_turn
from .tasks import Array

SIDES = (8, 64, 1024)  # of square inputs

# name: minigrad's function and PyTorch's, of the tensors that `inputs` makes for that kind
Functions = dict[str, tuple[Callable[..., Any], Callable[..., Any]]]

ACTIVATIONS: Functions = {
    "relu": (activations.relu, F.relu),
    "leaky_relu": (activations.leaky_relu, F.leaky_relu),
    "elu": (activations.elu, F.elu),
    "sigmoid": (activations.sigmoid, torch.sigmoid),
    "tanh": (activations.tanh, torch.tanh),
    "softplus": (activations.softplus, F.softplus),
    "silu": (activations.silu, F.silu),
    "gelu": (activations.gelu, F.gelu),
    "gelu-tanh": (
        lambda x: activations.gelu(x, approximate="tanh"),
        lambda x: F.gelu(x, approximate="tanh"),
    ),
    "mish": (activations.mish, F.mish),
    "hard_swish": (activations.hard_swish, F.hardswish),
    "glu": (activations.glu, F.glu),
    "softmax": (activations.softmax, lambda x: F.softmax(x, -1)),
    "log_softmax": (activations.log_softmax, lambda x: F.log_softmax(x, -1)),
}
NORMS: Functions = {
    "batch_norm": (
        lambda x, w, b: norms.batch_norm(x, None, None, w, b, training=True),
        lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
    ),
    "layer_norm": (
        lambda x, w, b: norms.layer_norm(x, x.shape[-1], w, b),
        lambda x, w, b: F.layer_norm(x, x.shape[-1:], w, b),
    ),
    "rms_norm": (
        lambda x, w, b: norms.rms_norm(x, x.shape[-1], w),
        lambda x, w, b: F.rms_norm(x, x.shape[-1:], w),
    ),
    "group_norm": (
        lambda x, w, b: norms.group_norm(x, 2, w, b),
        lambda x, w, b: F.group_norm(x, 2, w, b),
    ),
    "instance_norm": (
        lambda x, w, b: norms.instance_norm(x.reshape(len(x) // 4, 4, -1)),
        lambda x, w, b: F.instance_norm(x.reshape(len(x) // 4, 4, -1)),
    ),
}
# of predictions x; and of targets: t real numbers, p probabilities, y classes
LOSSES: Functions = {
    "mse_loss": (lambda x, t, p, y: losses.mse_loss(x, t), lambda x, t, p, y: F.mse_loss(x, t)),
    "l1_loss": (lambda x, t, p, y: losses.l1_loss(x, t), lambda x, t, p, y: F.l1_loss(x, t)),
    "huber_loss": (
        lambda x, t, p, y: losses.huber_loss(x, t),
        lambda x, t, p, y: F.huber_loss(x, t),
    ),
    "cross_entropy": (
        lambda x, t, p, y: losses.cross_entropy(x, y),
        lambda x, t, p, y: F.cross_entropy(x, y),
    ),
    "nll_loss": (lambda x, t, p, y: losses.nll_loss(x, y), lambda x, t, p, y: F.nll_loss(x, y)),
    "binary_cross_entropy_with_logits": (
        lambda x, t, p, y: losses.binary_cross_entropy_with_logits(x, p),
        lambda x, t, p, y: F.binary_cross_entropy_with_logits(x, p),
    ),
    "kl_div": (
        lambda x, t, p, y: losses.kl_div(x, p, reduction="sum"),
        lambda x, t, p, y: F.kl_div(x, p, reduction="sum"),
    ),
}
FUNCTIONS = ACTIVATIONS | NORMS | LOSSES
WORKLOADS = [f"{name} {side * side}" for name in FUNCTIONS for side in SIDES]


def inputs(name: str, side: int, dtype: Any) -> tuple[list[Array], list[Array]]:
    """Arrays that gradients are taken of, and others."""
    rng = np.random.default_rng(0)
    x, t = rng.standard_normal((2, side, side)).astype(dtype)
    if name in ACTIVATIONS:
        return [x], []
    if name in NORMS:
        return [x, np.ones(side, dtype), np.zeros(side, dtype)], []
    p = np.exp(t)
    return [x], [t, p / p.sum(axis=-1, keepdims=True), rng.integers(0, side, side)]


Contestant = tuple[Step, Callable[[], list[Array]]]


def with_minigrad(name: str, side: int, dtype: Any) -> Contestant:
    f = FUNCTIONS[name][0]
    leaves, rest = inputs(name, side, dtype)
    tensors = [Tensor(a, requires_grad=True) for a in leaves]
    y = f(*tensors, *rest)
    g = np.random.default_rng(1).standard_normal(y.shape).astype(dtype)

    def step() -> None:
        for x in tensors:
            x.grad = None
        f(*tensors, *rest).backward(g)

    return step, lambda: [
        f(*tensors, *rest).numpy(),
        *(np.asarray(x.grad) for x in tensors if x.grad is not None),
    ]


def with_torch(name: str, side: int, dtype: Any) -> Contestant:
    f = FUNCTIONS[name][1]
    leaves, rest = (list(map(torch.from_numpy, arrays)) for arrays in inputs(name, side, dtype))
    for x in leaves:
        x.requires_grad_()
    y = f(*leaves, *rest)
    g = torch.from_numpy(
        np.asarray(np.random.default_rng(1).standard_normal(tuple(y.shape))).astype(dtype)
    )

    def step() -> None:
        for x in leaves:
            x.grad = None
        f(*leaves, *rest).backward(g)

    return step, lambda: [
        f(*leaves, *rest).detach().numpy(),
        *(x.grad.numpy() for x in leaves if x.grad is not None),
    ]


CONTESTANTS = {"minigrad": with_minigrad, "PyTorch": with_torch}


def check(name: str) -> None:
    """Values and gradients agree."""
    for dtype, rtol in ((np.float64, 1e-9), (np.float32, 1e-4)):
        found = {}
        for key, make in CONTESTANTS.items():
            step, results = make(name, 64, dtype)
            step()
            found[key] = results()
        for results in zip(*found.values(), strict=True):
            check_agreement(dict(zip(found, results)), rtol)


def measure(workload: str, rounds: int, seconds: float) -> dict[str, Any]:
    name, size = workload.split()
    check(name)
    side = round(int(size) ** 0.5)
    steps = {key: make(name, side, np.float32)[0] for key, make in CONTESTANTS.items()}
    turns = {key: partial(lambda s: s, s) for key, s in steps.items()}
    return {"seconds": in_turn(turns, rounds, seconds)}
