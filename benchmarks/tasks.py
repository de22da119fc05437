"""The networks that are trained: sizes, first weights, data. The same arrays for everyone.

The data are random, of the shapes that the chapters train on: what is measured is time, and labels
that cannot be learned keep all gradients alive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np

Array = np.ndarray
LEARNING_RATE = 1e-3
LAYER_NORM_EPS = 1e-5


@dataclass(frozen=True)
class Task:
    """One step of training: forward, loss, backward, Adam.

    network: the function of every contestant that builds it.
    weights: in the order in which the layers use them, matrices as (out, in).
    batches: pairs (x, y).
    heads: of the attention.
    """

    network: str
    weights: list[Array]
    batches: list[tuple[Array, Array]]
    heads: int = 0

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.weights[0].dtype

    def batches_as(self, convert: Callable[[Array], Any]) -> Iterator[tuple[Any, Any]]:
        """The batches for ever, in a contestant's own arrays."""
        return cycle([(convert(x), convert(y)) for x, y in self.batches])


def linear(rng: np.random.Generator, fan_in: int, fan_out: int) -> list[Array]:
    """Weight and bias, initialized as He et al. (2015)."""
    return [rng.normal(0, (2 / fan_in) ** 0.5, (fan_out, fan_in)), np.zeros(fan_out)]


def layer_norm(width: int) -> list[Array]:
    return [np.ones(width), np.zeros(width)]


def classification(
    network: str, weights: list[Array], batch: int, features: int, dtype: Any
) -> Task:
    rng = np.random.default_rng(1)
    batches = [
        (rng.normal(size=(batch, features)).astype(dtype), rng.integers(0, len(weights[-1]), batch))
        for _ in range(8)
    ]
    return Task(network, [w.astype(dtype) for w in weights], batches)


def mlp(*sizes: int, batch: int) -> Callable[[Any], Task]:
    """Linear layers with ReLU between them."""

    def make(dtype: Any) -> Task:
        rng = np.random.default_rng(0)
        weights = [w for m, n in zip(sizes, sizes[1:]) for w in linear(rng, m, n)]
        return classification("mlp", weights, batch, sizes[0], dtype)

    return make


def deep(depth: int, width: int, classes: int, batch: int) -> Callable[[Any], Task]:
    """`depth` times linear, layer norm, ReLU; then a linear layer."""

    def make(dtype: Any) -> Task:
        rng = np.random.default_rng(0)
        weights = []
        for _ in range(depth):
            weights += linear(rng, width, width) + layer_norm(width)
        weights += linear(rng, width, classes)
        return classification("deep", weights, batch, width, dtype)

    return make


def transformer(batch: int, length: int, width: int, heads: int) -> Callable[[Any], Task]:
    """x + attention(norm(x)), causal, then x + ffn(norm(x)) with GELU (tanh); squared error."""

    def make(dtype: Any) -> Task:
        rng = np.random.default_rng(0)
        weights = layer_norm(width)
        for _ in ("query", "key", "value", "output"):
            weights += linear(rng, width, width)
        weights += layer_norm(width) + linear(rng, width, 4 * width) + linear(rng, 4 * width, width)
        batches = [tuple(rng.normal(size=(2, batch, length, width)).astype(dtype)) for _ in "1234"]
        return Task("transformer", [w.astype(dtype) for w in weights], batches, heads)

    return make


def rosenbrock(x: Any) -> Any:
    """As in `minigrad.lab.problems`: any library's arrays will do."""
    a, b = 1 - x[..., 0], x[..., 1] - x[..., 0] * x[..., 0]
    return a * a + 100 * b * b


def two_numbers(dtype: Any) -> Task:
    """Rosenbrock's function: nothing to compute, so all of the time is overhead."""
    return Task("two_numbers", [np.array([-1.2, 1.0], dtype)], [])


#: By the name under which results are kept; what each is called on a page is in press/words.yml.
TASKS: dict[str, Callable[[Any], Task]] = {
    "iris": mlp(4, 16, 3, batch=32),
    "digits": mlp(64, 128, 64, 10, batch=64),
    "wide": mlp(784, 512, 512, 10, batch=256),
    "deep": deep(50, 64, 10, batch=64),
    "transformer": transformer(batch=8, length=32, width=64, heads=4),
    "two-numbers": two_numbers,
}
