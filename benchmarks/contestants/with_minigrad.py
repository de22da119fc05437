"""minigrad, through its public names, as a reader of the book would write it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import Tensor, compile
from minigrad.activations import relu
from minigrad.losses import cross_entropy, mse_loss
from minigrad.nn import Linear, Module, Sequential
from minigrad.optim import Adam

from ..tasks import LEARNING_RATE, Task, rosenbrock


def training(
    task: Task, net: Module, loss_function: Callable[..., Tensor], compiled: bool
) -> Callable[[], Any]:
    for p, w in zip(net.parameters(), task.weights, strict=True):
        p.data = w
    opt = Adam(net.parameters(), lr=LEARNING_RATE)
    batches = task.batches_as(np.asarray)
    if compiled:
        whole = compile(lambda x, y: loss_function(net(x), y), opt)
        return lambda: whole(*next(batches))

    def step() -> Tensor:
        x, y = next(batches)
        loss = loss_function(net(x), y)
        loss.backward()
        opt.step()
        opt.zero_grad()
        return loss

    return step


def mlp(task: Task, compiled: bool = False) -> Callable[[], Any]:
    layers: list[Any] = []
    for w in task.weights[::2]:
        layers += [Linear(w.shape[1], w.shape[0], dtype=task.dtype), relu]
    return training(task, Sequential(*layers[:-1]), cross_entropy, compiled)


def deep(task: Task, compiled: bool = False) -> Callable[[], Any]:
    from minigrad.nn import LayerNorm

    layers: list[Any] = []
    for w in task.weights[:-2:4]:
        width = len(w)
        layers += [Linear(width, width, dtype=task.dtype), LayerNorm(width, dtype=task.dtype), relu]
    layers += [Linear(width, len(task.weights[-1]), dtype=task.dtype)]
    return training(task, Sequential(*layers), cross_entropy, compiled)


def transformer(task: Task, compiled: bool = False) -> Callable[[], Any]:
    from minigrad.activations import gelu
    from minigrad.nn import LayerNorm, MultiheadAttention

    class Block(Module):
        def __init__(self, width: int, heads: int, dtype: Any) -> None:
            self.norm1 = LayerNorm(width, dtype=dtype)
            self.attention = MultiheadAttention(width, heads, dtype=dtype)
            self.norm2 = LayerNorm(width, dtype=dtype)
            self.up = Linear(width, 4 * width, dtype=dtype)
            self.down = Linear(4 * width, width, dtype=dtype)

        def forward(self, x: Any) -> Tensor:
            x = x + self.attention(self.norm1(x), is_causal=True)
            return x + self.down(gelu(self.up(self.norm2(x)), approximate="tanh"))

    net = Block(len(task.weights[0]), task.heads, task.dtype)
    return training(task, net, mse_loss, compiled)


def two_numbers(task: Task, compiled: bool = False) -> Callable[[], Any]:
    x = Tensor(task.weights[0], requires_grad=True)
    opt = Adam([x], lr=LEARNING_RATE)
    if compiled:
        return compile(lambda: rosenbrock(x), opt)

    def step() -> Tensor:
        loss = rosenbrock(x)
        loss.backward()
        opt.step()
        opt.zero_grad()
        return loss

    return step
