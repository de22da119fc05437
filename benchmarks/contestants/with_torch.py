"""PyTorch: eager, with its default optimizer and with the fused one; and its loss compiled."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..tasks import LEARNING_RATE, Task, rosenbrock

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))

# networks with their compiled losses: to compile takes seconds to minutes, and is done once for all
# the rounds, as JAX does it
COMPILED: dict[Any, tuple[nn.Module, Callable[..., Tensor]]] = {}


def training(
    task: Task, net: nn.Module, loss_function: Callable[..., Tensor], fused: bool, compiled: bool
) -> Callable[[], Tensor]:
    def loss_of(x: Tensor, y: Tensor) -> Tensor:
        return loss_function(net(x), y)

    if compiled:
        key = task.network, task.dtype, *(w.shape for w in task.weights)
        net, loss_of = COMPILED.setdefault(key, (net, torch.compile(loss_of)))
    with torch.no_grad():
        for p, w in zip(net.parameters(), task.weights, strict=True):
            p.copy_(torch.from_numpy(w))
    opt = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE, fused=fused)
    batches = task.batches_as(torch.from_numpy)

    def step() -> Tensor:
        x, y = next(batches)
        loss = loss_of(x, y)
        loss.backward()
        opt.step()
        opt.zero_grad()
        return loss.detach()

    return step


def dtype_of(task: Task) -> torch.dtype:
    return torch.from_numpy(task.weights[0]).dtype


def mlp(task: Task, fused: bool = False, compiled: bool = False) -> Callable[[], Tensor]:
    layers: list[nn.Module] = []
    for w in task.weights[::2]:
        layers += [nn.Linear(w.shape[1], w.shape[0], dtype=dtype_of(task)), nn.ReLU()]
    return training(task, nn.Sequential(*layers[:-1]), F.cross_entropy, fused, compiled)


def deep(task: Task, fused: bool = False, compiled: bool = False) -> Callable[[], Tensor]:
    layers: list[nn.Module] = []
    dtype = dtype_of(task)
    for w in task.weights[:-2:4]:
        width = len(w)
        layers += [nn.Linear(width, width, dtype=dtype), nn.LayerNorm(width, dtype=dtype)]
        layers += [nn.ReLU()]
    layers += [nn.Linear(width, len(task.weights[-1]), dtype=dtype)]
    return training(task, nn.Sequential(*layers), F.cross_entropy, fused, compiled)


class Block(nn.Module):
    def __init__(self, width: int, heads: int, dtype: Any) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width, dtype=dtype)
        self.query, self.key, self.value, self.output = (
            nn.Linear(width, width, dtype=dtype) for _ in range(4)
        )
        self.norm2 = nn.LayerNorm(width, dtype=dtype)
        self.up = nn.Linear(width, 4 * width, dtype=dtype)
        self.down = nn.Linear(4 * width, width, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm1(x)
        q, k, v = (
            f(h).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for f in (self.query, self.key, self.value)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.output(y.transpose(1, 2).flatten(-2))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


def transformer(task: Task, fused: bool = False, compiled: bool = False) -> Callable[[], Tensor]:
    net = Block(len(task.weights[0]), task.heads, dtype_of(task))
    return training(task, net, F.mse_loss, fused, compiled)


def two_numbers(task: Task, fused: bool = False, compiled: bool = False) -> Callable[[], Tensor]:
    x = torch.tensor(task.weights[0], requires_grad=True)
    opt = torch.optim.Adam([x], lr=LEARNING_RATE, fused=fused)
    f = torch.compile(rosenbrock) if compiled else rosenbrock

    def step() -> Tensor:
        loss = f(x)
        loss.backward()
        opt.step()
        opt.zero_grad()
        return loss.detach()

    return step
