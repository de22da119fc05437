"""Blocks: parameters side by side in one array, so that a step is a handful of NumPy calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..autograd.arrays import Array
from ..autograd.tensor import Tensor, clock

# Elements. Chosen so that the five or so arrays of a step (1 MB each in float32) stay in the cache.
PIECE = 1 << 18


class State(dict[str, Any]):
    """What an optimizer remembers about parameters that it steps together.

    `state["t"]` is the number of the step, from 1. Any other entry that is asked for before it is
    set is an array of zeros like theta: that is how moments start.
    """

    def __init__(self, theta: Array) -> None:
        super().__init__(t=0)
        self.shape, self.dtype = theta.shape, theta.dtype

    def __missing__(self, key: str) -> Array:
        self[key] = zeros = np.zeros(self.shape, self.dtype)
        return zeros


class Block:
    """Parameters that are stepped together. Their `data` are views of one array.

    The array is flat, and stepped piece by piece if it is long; each piece has its own state. But
    layerwise, the block is one parameter in its own shape, and one piece. What is stepped, theta,
    is that array itself; of float16 parameters a float32 copy, in which neither the squares of
    small gradients nor an ε of 1e-8 are 0.
    """

    def __init__(
        self, params: Sequence[Tensor], states: Sequence[dict[str, Any]], layerwise: bool
    ) -> None:
        self.params = list(params)
        self.shapes = [p.shape for p in self.params]
        self.places: list[Any]  # where in theta each parameter lies
        if layerwise:
            self.data = np.empty(self.shapes[0] or (1,), self.params[0].dtype)
            self.places = [...]
        else:
            ends = np.cumsum([p.size for p in self.params]).tolist()
            self.data = np.empty(ends[-1], self.params[0].dtype)
            self.places = [slice(end - p.size, end) for p, end in zip(self.params, ends)]
        self.theta = self.data.astype(np.promote_types(self.data.dtype, np.float32), copy=False)
        self.g: Array | None = None  # where the gradients are put side by side
        self.bind_views()

        starts = range(0, 1 if layerwise else self.theta.size, PIECE)
        self.where: list[Any] = [slice(i, i + PIECE) for i in starts] if len(starts) > 1 else [...]
        self.states = [State(self.theta[w]) for w in self.where]
        for key, value in states[0].items():
            if not layerwise and isinstance(value, np.ndarray):
                value = np.concatenate([s[key].ravel() for s in states])
            for w, state in zip(self.where, self.states):
                array = isinstance(value, np.ndarray)
                state[key] = np.array(value[w], self.theta.dtype) if array else value

    def bind_views(self) -> None:
        """Make the parameters' data views again, if another optimizer has bound them since."""
        data = self.data
        for p, place in zip(self.params, self.places):
            if p._data.base is not data:
                view = data[place].reshape(p.shape)
                view[...] = p._data
                p._data = view
        if self.theta is not data:
            self.theta[...] = data

    def commit(self) -> None:
        """Give the parameters what is in theta, and new numbers.

        A graph that still needs the old values will raise.
        """
        if self.theta is not self.data:
            self.data[...] = self.theta
        for p in self.params:
            p._number = next(clock)

    def pieces(self, *arrays: Array) -> Iterator[tuple[Any, ...]]:
        """theta, its state, and the same part of each of the arrays, piece by piece."""
        if len(self.states) == 1:
            yield self.theta, self.states[0], *arrays
        else:
            for where, state in zip(self.where, self.states):
                yield self.theta[where], state, *(x[where] for x in arrays)

    def gradient(self) -> Array:
        """The gradients, side by side as the parameters are. Not to be written to."""
        grads = [np.asarray(p.grad) for p in self.params]
        if [g.shape for g in grads] != self.shapes:
            for g, shape in zip(grads, self.shapes):
                if g.shape != shape:
                    raise ValueError(f"a parameter of shape {shape} has a .grad of shape {g.shape}")
        dtype = self.theta.dtype
        try:
            if len(grads) == 1:
                g = grads[0].astype(dtype, casting="same_kind", copy=False)
                return g.reshape(self.theta.shape)
            self.g = np.empty_like(self.theta) if self.g is None else self.g
            return np.concatenate([g.ravel() for g in grads], out=self.g, casting="same_kind")
        except TypeError:
            wrong = next(g.dtype for g in grads if not np.can_cast(g.dtype, dtype, "same_kind"))
            dtype = self.data.dtype
            raise TypeError(f"a parameter of {dtype} numbers has a .grad of {wrong}") from None

    def split_states(self) -> list[dict[str, Any]]:
        """A copy of the state for each parameter, the arrays in the parameter's shape."""
        first, *others = self.states
        whole = {
            key: np.concatenate([value, *(state[key] for state in others)])
            if others and isinstance(value, np.ndarray)
            else value
            for key, value in first.items()
        }

        def part(value: Any, p: Tensor, place: Any) -> Any:
            if not isinstance(value, np.ndarray):
                return value
            return value.copy() if place is ... else value[place].reshape(p.shape).copy()

        return [
            {key: part(value, p, place) for key, value in whole.items()}
            for p, place in zip(self.params, self.places)
        ]

    def split(self, first: Sequence[bool]) -> list[Block]:
        """Two blocks in place of this one: of the parameters for which `first` is true, and not."""
        pairs = list(zip(self.params, self.split_states(), first))
        return [
            Block(
                [p for p, _, f in pairs if f is side], [s for _, s, f in pairs if f is side], False
            )
            for side in (True, False)
        ]


def make_blocks(
    params: Sequence[Tensor], states: Sequence[dict[str, Any]], layerwise: bool
) -> list[Block]:
    """Parameters with equal dtype and step count share a block, unless the rule is layerwise.

    One of PIECE elements or more has its own, so that its gradient need not be copied. One without
    elements has none: there is nothing to step.
    """
    alike: dict[Any, list[tuple[Tensor, dict[str, Any]]]] = {}
    for i, (p, s) in enumerate(zip(params, states)):
        if p.size == 0:
            continue
        age = frozenset((k, None if isinstance(v, np.ndarray) else v) for k, v in s.items())
        alone = layerwise or p.size >= PIECE
        alike.setdefault(i if alone else (p.dtype, age), []).append((p, s))
    return [Block([p for p, _ in x], [s for _, s in x], layerwise) for x in alike.values()]


def with_gradient(blocks: list[Block]) -> list[Block]:
    """Those whose parameters have gradients.

    A block with gradients for only some of its parameters is permanently split into those with and
    those without.
    """
    for block in [*blocks]:
        have = [p.grad is not None for p in block.params]
        if any(have) and not all(have):
            blocks.remove(block)
            blocks += block.split(have)
    return [block for block in blocks if block.params[0].grad is not None]
