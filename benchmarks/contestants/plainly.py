"""NumPy as one writes it: the derivatives by hand, expressions as in the formulas, no buffers.

This is what one's own code would be without an engine; `by_hand.py` is what can be made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import pi, sqrt

import numpy as np

from ..tasks import LAYER_NORM_EPS, LEARNING_RATE, Array, Task


class Adam:
    def __init__(self, params: Sequence[Array]) -> None:
        self.params, self.t = params, 0
        self.m, self.v = ([np.zeros_like(p) for p in params] for _ in "mv")

    def step(self, grads: Sequence[Array]) -> None:
        self.t += 1
        for p, g, m, v in zip(self.params, grads, self.m, self.v, strict=True):
            m[...] = 0.9 * m + (1 - 0.9) * g
            v[...] = 0.999 * v + (1 - 0.999) * g**2
            m_hat, v_hat = m / (1 - 0.9**self.t), v / (1 - 0.999**self.t)
            p -= LEARNING_RATE * m_hat / (np.sqrt(v_hat) + 1e-8)


# Each function gives what comes out and what its derivative needs; the derivative of each takes
# dL/dy and gives dL/dx, and those by its parameters from the last to the first.


def linear_back(g: Array, x: Array, W: Array) -> tuple[Array, Array, Array]:
    by_rows = g.reshape(-1, g.shape[-1])
    return g @ W, by_rows.sum(axis=0), by_rows.T @ x.reshape(-1, x.shape[-1])


def layer_norm(x: Array, gain: Array, shift: Array) -> tuple[Array, tuple[Array, ...]]:
    r = 1 / np.sqrt(x.var(axis=-1, keepdims=True) + LAYER_NORM_EPS)
    z = (x - x.mean(axis=-1, keepdims=True)) * r
    return z * gain + shift, (z, r, gain)


def layer_norm_back(g: Array, saved: tuple[Array, ...]) -> tuple[Array, Array, Array]:
    z, r, gain = saved
    rows = tuple(range(g.ndim - 1))
    dz = g * gain
    along_z = z * (dz * z).mean(axis=-1, keepdims=True)
    dx = r * (dz - dz.mean(axis=-1, keepdims=True) - along_z)
    return dx, g.sum(axis=rows), (g * z).sum(axis=rows)


def softmax(s: Array) -> Array:
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def cross_entropy(z: Array, y: Array) -> tuple[float, Array]:
    """The loss and its derivative by z."""
    n = np.arange(len(y))
    p = softmax(z)
    loss = -np.log(p[n, y]).mean()
    p[n, y] -= 1
    return float(loss), p / len(y)


# --- the networks


def classifier(task: Task, norm: bool) -> Callable[[], float]:
    """Linear layers with ReLU between them, and with layer norm before it or not."""
    params = [w.copy() for w in task.weights]
    size = 4 if norm else 2  # arrays a layer
    *hidden, (W_out, b_out) = [params[i : i + size] for i in range(0, len(params), size)]
    opt = Adam(params)
    batches = task.batches_as(np.asarray)

    def step() -> float:
        x, y = next(batches)
        h, trace = x, []
        for W, b, *gain_and_shift in hidden:
            z, saved = h @ W.T + b, None
            if norm:
                z, saved = layer_norm(z, *gain_and_shift)
            trace.append((W, h, saved, z))
            h = np.maximum(z, 0)
        loss, g = cross_entropy(h @ W_out.T + b_out, y)
        g, *grads = linear_back(g, h, W_out)
        for W, h, saved, z in reversed(trace):
            g = g * (z > 0)
            if saved is not None:
                g, *by_norm = layer_norm_back(g, saved)
                grads += by_norm
            g, *by_linear = linear_back(g, h, W)
            grads += by_linear
        opt.step(grads[::-1])
        return loss

    return step


def mlp(task: Task) -> Callable[[], float]:
    return classifier(task, norm=False)


def deep(task: Task) -> Callable[[], float]:
    return classifier(task, norm=True)


def transformer(task: Task) -> Callable[[], float]:
    params = [w.copy() for w in task.weights]
    gain1, shift1, Wq, bq, Wk, bk, Wv, bv, Wo, bo, gain2, shift2, Wu, bu, Wd, bd = params
    opt = Adam(params)
    batches = task.batches_as(np.asarray)
    batch, length, width = task.batches[0][0].shape
    root = sqrt(width // task.heads)
    future = np.triu(np.ones((length, length), bool), 1)
    c = sqrt(2 / pi)

    def split(x: Array) -> Array:
        return x.reshape(batch, length, task.heads, -1).swapaxes(1, 2)

    def join(x: Array) -> Array:
        return x.swapaxes(1, 2).reshape(batch, length, width)

    def step() -> float:
        x, target = next(batches)
        n1, saved1 = layer_norm(x, gain1, shift1)
        q, k, v = split(n1 @ Wq.T + bq), split(n1 @ Wk.T + bk), split(n1 @ Wv.T + bv)
        p = softmax(np.where(future, -np.inf, q @ k.swapaxes(-1, -2) / root))
        a = join(p @ v)
        h = x + a @ Wo.T + bo
        n2, saved2 = layer_norm(h, gain2, shift2)
        u = n2 @ Wu.T + bu
        t = np.tanh(c * (u + 0.044715 * u * u * u))
        f = 0.5 * u * (1 + t)
        error = h + f @ Wd.T + bd - target
        loss = (error**2).mean()

        dy = 2 * error / error.size
        df, *grads = linear_back(dy, f, Wd)
        du = df * 0.5 * (1 + t + u * (1 - t**2) * c * (1 + 3 * 0.044715 * u**2))
        dn2, *by_up = linear_back(du, n2, Wu)
        dh, *by_norm2 = layer_norm_back(dn2, saved2)
        dh = dh + dy
        da, *by_out = linear_back(dh, a, Wo)
        da = split(da)
        dp = da @ v.swapaxes(-1, -2)
        ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True)) / root
        dq, dk, dv = ds @ k, ds.swapaxes(-1, -2) @ q, p.swapaxes(-1, -2) @ da
        from_v, *by_v = linear_back(join(dv), n1, Wv)
        from_k, *by_k = linear_back(join(dk), n1, Wk)
        from_q, *by_q = linear_back(join(dq), n1, Wq)
        _, *by_norm1 = layer_norm_back(from_q + from_k + from_v, saved1)
        grads += by_up + by_norm2 + by_out + by_v + by_k + by_q + by_norm1
        opt.step(grads[::-1])
        return float(loss)

    return step


def two_numbers(task: Task) -> Callable[[], float]:
    theta = task.weights[0].copy()
    opt = Adam([theta])

    def step() -> float:
        x, y = theta
        a, b = 1 - x, y - x * x
        opt.step([np.array([-2 * a - 400 * b * x, 200 * b])])
        return float(a * a + 100 * b * b)

    return step
