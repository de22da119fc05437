"""NumPy written out by hand: no graph, every array allocated beforehand, `out=` everywhere.

This is the limit for an engine on NumPy. Sums over rows and columns are products with ones, which
BLAS does faster; numbers are 0-d arrays, which NumPy need not convert at each call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

import numpy as np

from ..tasks import LAYER_NORM_EPS, LEARNING_RATE, Array, Task


class Parameters:
    """All weights in one buffer, all gradients in another, and Adam on the two."""

    def __init__(self, weights: Sequence[Array]) -> None:
        self.theta = np.concatenate([w.ravel() for w in weights])
        self.g = np.zeros_like(self.theta)
        ends = np.cumsum([w.size for w in weights])
        pairs = [
            (
                self.theta[end - w.size : end].reshape(w.shape),
                self.g[end - w.size : end].reshape(w.shape),
            )
            for w, end in zip(weights, ends)
        ]
        self.pairs = iter(pairs)  # (weight, its gradient), to be taken in turn
        self.t = 0
        self.m, self.v, self.s = (np.zeros_like(self.theta) for _ in "mvs")
        dtype = self.theta.dtype
        self.beta1, self.beta2 = np.array(0.9, dtype), np.array(0.999, dtype)
        self.eps, self.rate = np.empty((), dtype), np.empty((), dtype)

    def adam(self) -> None:
        """Ten passes: m and v are kept without their factors 1 - β; ε and the rate have them."""
        theta, g, m, v, s = self.theta, self.g, self.m, self.v, self.s
        self.t += 1
        root = sqrt((1 - 0.999) / (1 - 0.999**self.t))
        self.eps[()] = 1e-8 / root
        self.rate[()] = LEARNING_RATE * (1 - 0.9) / (1 - 0.9**self.t) / root
        np.multiply(m, self.beta1, out=m)
        np.add(m, g, out=m)
        np.multiply(v, self.beta2, out=v)
        np.multiply(g, g, out=s)
        np.add(v, s, out=v)
        np.sqrt(v, out=s)
        np.add(s, self.eps, out=s)
        np.divide(m, s, out=s)
        np.multiply(s, self.rate, out=s)
        np.subtract(theta, s, out=theta)


class Linear:
    def __init__(self, p: Parameters, rows: int, first: bool = False) -> None:
        (self.W, self.dW), (self.b, self.db) = next(p.pairs), next(p.pairs)
        out_features, in_features = self.W.shape
        self.WT = self.W.T
        self.y = np.empty((rows, out_features), self.W.dtype)
        self.dx = None if first else np.empty((rows, in_features), self.W.dtype)
        self.ones = np.ones(rows, self.W.dtype)

    def forward(self, x: Array) -> Array:
        self.x = x
        np.dot(x, self.WT, out=self.y)
        return np.add(self.y, self.b, out=self.y)

    def backward(self, g: Array) -> Array | None:
        np.dot(g.T, self.x, out=self.dW)
        np.dot(self.ones, g, out=self.db)
        return self.dx if self.dx is None else np.dot(g, self.W, out=self.dx)


class Relu:
    """In place, both ways."""

    def __init__(self, like: Array) -> None:
        self.positive = np.empty(like.shape, bool)
        self.zero = np.zeros((), like.dtype)

    def forward(self, x: Array) -> Array:
        self.y = np.maximum(x, self.zero, out=x)
        return x

    def backward(self, g: Array) -> Array:
        np.greater(self.y, self.zero, out=self.positive)
        return np.multiply(g, self.positive, out=g)


class LayerNorm:
    def __init__(self, p: Parameters, rows: int, first: bool = False) -> None:
        (self.w, self.dw), (self.b, self.db) = next(p.pairs), next(p.pairs)
        n, dtype = self.w.size, self.w.dtype
        self.z, self.y, self.dx, self.s = (np.empty((rows, n), dtype) for _ in range(4))
        self.r, self.row = np.empty((rows, 1), dtype), np.empty((rows, 1), dtype)
        self.nth, self.ones = np.full((n, 1), 1 / n, dtype), np.ones(rows, dtype)
        self.eps, self.first = np.array(LAYER_NORM_EPS, dtype), first

    def forward(self, x: Array) -> Array:
        z, y, r = self.z, self.y, self.r
        np.dot(x, self.nth, out=r)
        np.subtract(x, r, out=z)
        np.multiply(z, z, out=y)
        np.dot(y, self.nth, out=r)
        np.add(r, self.eps, out=r)
        np.sqrt(r, out=r)
        np.divide(z, r, out=z)
        np.multiply(z, self.w, out=y)
        return np.add(y, self.b, out=y)

    def backward(self, g: Array) -> Array | None:
        z, s, dx, row = self.z, self.s, self.dx, self.row
        np.multiply(g, z, out=s)
        np.dot(self.ones, s, out=self.dw)
        np.dot(self.ones, g, out=self.db)
        if self.first:
            return None
        np.multiply(g, self.w, out=dx)
        np.multiply(dx, z, out=s)
        np.dot(s, self.nth, out=row)
        np.multiply(z, row, out=s)
        np.dot(dx, self.nth, out=row)
        np.subtract(dx, row, out=dx)
        np.subtract(dx, s, out=dx)
        return np.divide(dx, self.r, out=dx)


class Gelu:
    """x (1 + t) / 2 with t = tanh(x (c + a x²))."""

    def __init__(self, like: Array) -> None:
        self.t, self.square, self.y, self.dx = (np.empty_like(like) for _ in range(4))
        c = sqrt(2 / np.pi)
        numbers = (c, 0.044715 * c, 3 * 0.044715 * c, 1.0, 0.5)
        self.c, self.a, self.a3, self.one, self.half = (np.array(v, like.dtype) for v in numbers)

    def forward(self, x: Array) -> Array:
        self.x, t, y = x, self.t, self.y
        np.multiply(x, x, out=self.square)
        np.multiply(self.square, self.a, out=t)
        np.add(t, self.c, out=t)
        np.multiply(t, x, out=t)
        np.tanh(t, out=t)
        np.add(t, self.one, out=y)
        np.multiply(y, x, out=y)
        return np.multiply(y, self.half, out=y)

    def backward(self, g: Array) -> Array:
        # dy/dx = (1 + t) / 2 (1 + (1 - t) x (c + 3 a x²))
        t, dx, s = self.t, self.dx, self.square
        np.multiply(s, self.a3, out=s)
        np.add(s, self.c, out=s)
        np.multiply(s, self.x, out=s)
        np.subtract(self.one, t, out=dx)
        np.multiply(s, dx, out=s)
        np.add(s, self.one, out=s)
        np.add(t, self.one, out=t)
        np.multiply(t, s, out=dx)
        np.multiply(dx, self.half, out=dx)
        return np.multiply(dx, g, out=dx)


class Attention:
    """Causal. The projections to queries, keys and values are one matrix."""

    def __init__(self, p: Parameters, batch: int, length: int, heads: int) -> None:
        rows = batch * length
        self.qkv = Linear(p, rows)
        self.out = Linear(p, rows)
        dtype, width = self.out.W.dtype, self.out.W.shape[1]
        self.y, self.g = np.empty((rows, width), dtype), np.empty((rows, 3 * width), dtype)

        def by_head(a: Array) -> Array:
            """(rows, width) as (batch, heads, length, width / heads), the same memory."""
            return a.reshape(batch, length, heads, -1).swapaxes(1, 2)

        def thirds(a: Array) -> Array:
            """The queries, keys and values in (rows, 3 width), by head."""
            return a.reshape(batch, length, 3, heads, -1).transpose(2, 0, 3, 1, 4)

        self.by_head = by_head
        self.q, self.k, self.v = thirds(self.qkv.y)
        self.dq, self.dk, self.dv = thirds(self.g)
        self.yh = by_head(self.y)
        self.p, self.s = (np.empty((batch, heads, length, length), dtype) for _ in "ps")
        self.row = np.empty((batch, heads, length, 1), dtype)
        self.scale = np.array(1 / sqrt(width // heads), dtype)
        self.mask = np.where(np.tri(length, dtype=bool), 0, -np.inf).astype(dtype)
        self.ones = np.ones((length, 1), dtype)

    def forward(self, x: Array) -> Array:
        self.qkv.forward(x)
        p, row = self.p, self.row
        np.matmul(self.q, self.k.swapaxes(-1, -2), out=p)
        np.multiply(p, self.scale, out=p)
        np.add(p, self.mask, out=p)
        np.maximum.reduce(p, axis=-1, keepdims=True, out=row)
        np.subtract(p, row, out=p)
        np.exp(p, out=p)
        np.dot(p.reshape(-1, len(self.ones)), self.ones, out=row.reshape(-1, 1))
        np.divide(p, row, out=p)
        np.matmul(p, self.v, out=self.yh)
        return self.out.forward(self.y)

    def backward(self, g: Array) -> Array:
        g = self.by_head(self.out.backward(g))
        p, s, row = self.p, self.s, self.row
        np.matmul(p.swapaxes(-1, -2), g, out=self.dv)
        np.matmul(g, self.v.swapaxes(-1, -2), out=s)
        np.multiply(s, p, out=s)
        np.dot(s.reshape(-1, len(self.ones)), self.ones, out=row.reshape(-1, 1))
        np.multiply(p, row, out=p)
        np.subtract(s, p, out=s)
        np.multiply(s, self.scale, out=s)
        np.matmul(s, self.k, out=self.dq)
        np.matmul(s.swapaxes(-1, -2), self.q, out=self.dk)
        return self.qkv.backward(self.g)


class CrossEntropy:
    def __init__(self, like: Array) -> None:
        n, classes = like.shape
        self.rows, self.p = np.arange(n), np.empty_like(like)
        self.row, self.ones = np.empty((n, 1), like.dtype), np.ones((classes, 1), like.dtype)
        self.n, self.nth = np.array(n, like.dtype), np.array(1 / n, like.dtype)

    def forward(self, z: Array, y: Array) -> float:
        self.y, p, row = y, self.p, self.row
        np.maximum.reduce(z, axis=1, keepdims=True, out=row)
        np.subtract(z, row, out=z)
        np.exp(z, out=p)
        np.dot(p, self.ones, out=row)
        return float(np.add.reduce(np.log(row), axis=None) - np.add.reduce(z[self.rows, y])) / len(
            y
        )

    def backward(self) -> Array:
        np.multiply(self.row, self.n, out=self.row)
        np.divide(self.p, self.row, out=self.p)
        self.p[self.rows, self.y] -= self.nth
        return self.p


def classifier(task: Task, p: Parameters, layers: Sequence[Linear | Relu | LayerNorm]) -> Callable:
    loss, back = CrossEntropy(layers[-1].y), layers[::-1]
    batches = task.batches_as(np.asarray)

    def step() -> float:
        h, y = next(batches)
        for layer in layers:
            h = layer.forward(h)
        value = loss.forward(h, y)
        g = loss.backward()
        for layer in back:
            g = layer.backward(g)
        p.adam()
        return value

    return step


def mlp(task: Task) -> Callable[[], float]:
    p, batch = Parameters(task.weights), len(task.batches[0][1])
    layers = [Linear(p, batch, first=True)]
    for _ in task.weights[2::2]:
        layers += [Relu(layers[-1].y), Linear(p, batch)]
    return classifier(task, p, layers)


def deep(task: Task) -> Callable[[], float]:
    p, batch = Parameters(task.weights), len(task.batches[0][1])
    layers = []
    for _ in task.weights[:-2:4]:
        layers += [Linear(p, batch, first=not layers), LayerNorm(p, batch)]
        layers += [Relu(layers[-1].y)]
    return classifier(task, p, [*layers, Linear(p, batch)])


def transformer(task: Task) -> Callable[[], float]:
    w, b, Wq, bq, Wk, bk, Wv, bv, *rest = task.weights
    p = Parameters([w, b, np.concatenate([Wq, Wk, Wv]), np.concatenate([bq, bk, bv]), *rest])
    batch, length, width = task.batches[0][0].shape
    rows = batch * length
    norm1, attention = LayerNorm(p, rows, first=True), Attention(p, batch, length, task.heads)
    norm2, up = LayerNorm(p, rows), Linear(p, rows)
    gelu, down = Gelu(up.y), Linear(p, rows)
    h, g, s = (np.empty((rows, width), task.dtype) for _ in "hgs")
    two_nths = np.array(2 / h.size, task.dtype)
    batches = task.batches_as(lambda a: a.reshape(rows, width))

    def step() -> float:
        x, y = next(batches)
        np.add(x, attention.forward(norm1.forward(x)), out=h)
        np.add(h, down.forward(gelu.forward(up.forward(norm2.forward(h)))), out=g)
        np.subtract(g, y, out=g)
        value = float(np.vdot(g, g)) / g.size
        np.multiply(g, two_nths, out=g)
        np.add(g, norm2.backward(up.backward(gelu.backward(down.backward(g)))), out=s)
        norm1.backward(attention.backward(s))
        p.adam()
        return value

    return step


def two_numbers(task: Task) -> Callable[[], float]:
    p = Parameters(task.weights)
    theta, g = p.theta, p.g

    def step() -> float:
        x, y = theta.tolist()
        a, b = 1 - x, y - x * x
        g[0] = -2 * a - 400 * b * x
        g[1] = 200 * b
        p.adam()
        return a * a + 100 * b * b

    return step
