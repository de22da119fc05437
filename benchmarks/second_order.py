"""The product of a Hessian and a vector: a derivative of a derivative."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import autograd.numpy as anp
import jax
import jax.numpy as jnp
import numpy as np
import torch
from autograd.differential_operators import hessian_vector_product

import minigrad
from minigrad.losses import cross_entropy

from .measure import WARM_UP, Step, check_agreement, in_turn
from .tasks import Array

SIZES, BATCH = (64, 128, 64, 10), 64
SHAPES = [s for m, n in zip(SIZES, SIZES[1:]) for s in ((n, m), (n,))]
WORKLOADS = ["hvp"]


def network(np: Any, theta: Any, x: Any) -> Any:
    """Logits of an MLP with tanh whose weights lie side by side in theta."""
    start = 0
    weights = []
    for shape in SHAPES:
        size = shape[0] * (shape[1] if len(shape) > 1 else 1)
        weights.append(theta[start : start + size].reshape(shape))
        start += size
    for W, b in zip(weights[:-2:2], weights[1:-2:2]):
        x = np.tanh(x @ W.T + b)
    return x @ weights[-2].T + weights[-1]


def mean_cross_entropy(np: Any, z: Any, y: Any) -> Any:
    z = z - np.max(z, axis=1, keepdims=True)
    log_p = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(len(y)), y])


def by_hand(theta: Array, v: Array, x: Array, y: Array) -> Callable[[], Array]:
    """Pearlmutter's R{·}: the derivative along v of each line of the gradient."""

    def split(a: Array) -> list[Array]:
        ends = np.cumsum([np.prod(s) for s in SHAPES])
        return [a[e - np.prod(s) : e].reshape(s) for s, e in zip(SHAPES, ends)]

    Ws, Vs = split(theta), split(v)
    out = np.empty_like(theta)
    Hs = split(out)
    ones, rows = np.ones(len(x), x.dtype), np.arange(len(x))
    layers = list(zip(Ws[::2], Ws[1::2], Vs[::2], Vs[1::2], Hs[::2], Hs[1::2]))

    def step() -> Array:
        h, Rh = [x], [np.zeros_like(x)]
        for i, (W, b, V, c, _, _) in enumerate(layers):
            z = h[i] @ W.T + b
            Rz = h[i] @ V.T + c
            if i:
                Rz += Rh[i] @ W.T
            if i < len(layers) - 1:
                z = np.tanh(z)
                Rz *= 1 - z * z
            h.append(z)
            Rh.append(Rz)
        e = np.exp(h[-1] - h[-1].max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        Rg = p * (Rh[-1] - (p * Rh[-1]).sum(axis=1, keepdims=True)) / len(x)
        g = p
        g[rows, y] -= 1
        g /= len(x)
        for i, (W, _, V, _, H, d) in reversed([*enumerate(layers)]):
            np.matmul(Rg.T, h[i], out=H)
            np.matmul(ones, Rg, out=d)
            if i:
                H += g.T @ Rh[i]
                slope = 1 - h[i] * h[i]
                dh = g @ W
                Rg = (Rg @ W + g @ V) * slope - 2 * dh * h[i] * Rh[i]
                g = dh * slope
        return out

    return step


def with_minigrad(theta: Array, v: Array, x: Array, y: Array) -> Callable[[], Any]:
    def loss(theta: minigrad.Tensor) -> minigrad.Tensor:
        return cross_entropy(network(np, theta, x), y)

    return lambda: minigrad.hvp(loss, theta, v).data


def with_minigrad_compiled(theta: Array, v: Array, x: Array, y: Array) -> Callable[[], Any]:
    def loss(theta: minigrad.Tensor, x: Array, y: Array) -> minigrad.Tensor:
        return cross_entropy(network(np, theta, x), y)

    product = minigrad.compile(
        lambda theta, v, x, y: minigrad.hvp(lambda t: loss(t, x, y), theta, v)
    )
    return lambda: product(theta, v, x, y).data


def with_torch(theta: Array, v: Array, x: Array, y: Array) -> Callable[[], Any]:
    t, u, a, b = map(torch.from_numpy, (theta, v, x, y))

    def loss(theta: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(network(torch, theta, a), b)

    return lambda: torch.autograd.functional.vhp(loss, t, u)[1]


@cache
def compiled() -> Callable[..., Any]:
    def loss(theta: Any, x: Any, y: Any) -> Any:
        return mean_cross_entropy(jnp, network(jnp, theta, x), y)

    return jax.jit(
        lambda theta, v, x, y: jax.jvp(lambda t: jax.grad(loss)(t, x, y), (theta,), (v,))[1]
    )


def with_jax(theta: Array, v: Array, x: Array, y: Array) -> Callable[[], Any]:
    jax.config.update("jax_enable_x64", theta.dtype == np.float64)
    arrays = [jnp.asarray(a) for a in (theta, v, x, y)]
    return lambda: compiled()(*arrays).block_until_ready()


def with_autograd(theta: Array, v: Array, x: Array, y: Array) -> Callable[[], Any]:
    def loss(theta: Any) -> Any:
        return mean_cross_entropy(anp, network(anp, theta, x), y)

    product = hessian_vector_product(loss)
    return lambda: product(theta, v)


CONTESTANTS = {
    "NumPy by hand": by_hand,
    "minigrad": with_minigrad,
    "minigrad compiled": with_minigrad_compiled,
    "PyTorch": with_torch,
    "JAX compiled": with_jax,
    "autograd": with_autograd,
}


def measure(name: str, rounds: int, seconds: float) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    n = sum(int(np.prod(s)) for s in SHAPES)
    x, y = rng.normal(size=(BATCH, SIZES[0])), rng.integers(0, SIZES[-1], BATCH)
    theta, v = rng.normal(0, 0.1, (2, n))
    for dtype, rtol in ((np.float64, 1e-9), (np.float32, 1e-4)):
        data = [a.astype(dtype) for a in (theta, v, x)]
        steps = {name: f(*data, y) for name, f in CONTESTANTS.items()}
        check_agreement({name: np.asarray(step()) for name, step in steps.items()}, rtol)
    turns = {name: partial(silent, s) for name, s in steps.items()}
    return {"seconds": in_turn(turns, rounds, seconds, WARM_UP)}


def silent(step: Callable[[], Any]) -> Step:
    """The step, returning nothing: all contestants are done when it returns."""

    def run() -> None:
        step()

    return run
