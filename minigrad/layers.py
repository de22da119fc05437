"""Linear maps, embeddings, dropout. First used in `chapters/autograd/training-loop.ipynb`."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import init
from .autograd.arrays import rows
from .autograd.tensor import ArrayLike, Tensor, apply, primitive
from .checks import array, flag, float_dtype, generator, generator_or_new, integer, number, real
from .module import Module, Parameter


# y = x W^T + b for rows x, with the two products derived in chapters/autograd/tensor-engine.ipynb:
# dL/dx = g W, dL/dW = g^T x (summed over all leading axes), dL/db = g (summed by the walk).
# x.dot(W) is x @ W, and on small matrices takes NumPy half as long.
@primitive(
    lambda g, y, x, W, b: rows(g).dot(W).reshape(x.shape),
    lambda g, y, x, W, b: rows(g).T.dot(rows(x)),
    lambda g, y, x, W, b: rows(g),
)
def _linear(x: Any, W: Any, b: Any) -> Any:
    if W.ndim != 2 or x.shape[-1:] != W.shape[1:] or (b is not None and b.shape != W.shape[:1]):
        raise ValueError("x must be (..., in), weight (out, in) and bias (out,)")
    y = rows(x).dot(W.T)
    if b is not None and b.dtype == y.dtype:
        y += b  # in place for an array; a Tensor gives a new one
    elif b is not None:
        y = y + b
    return y if x.ndim == 2 else y.reshape(x.shape[:-1] + W.shape[:1])


def linear(x: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None) -> Tensor:
    r"""$y = x W^\top + b$ for every row x of the last axis.

    Shape: x (..., in), weight (out, in), bias (out,) or None; returns (..., out).

    >>> linear(np.ones((1, 2)), np.array([[1.0, 2.0]]), np.array([0.5]))
    Tensor([[3.5]])
    """
    x, weight = array("linear", "x", x), array("linear", "weight", weight)
    return apply(_linear, x, weight, None if bias is None else array("linear", "bias", bias))


class Linear(Module):
    r"""The affine map $y = x W^\top + b$ of the last axis.

    Parameters
    ----------
    in_features, out_features: sizes of the last axis before and after.
    bias: whether there is a b.
    rng: a numpy Generator for the initial values, $U(\pm 1/\sqrt{\text{in}})$ as PyTorch's; without
        one they differ from run to run. `minigrad.init` has the schemes to replace them by.
    dtype: of the parameters; float64 by default.

    Example
    -------
    >>> Linear(3, 2, rng=np.random.default_rng(0))(np.ones((5, 3))).shape
    (5, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        rng: np.random.Generator | None = None,
        dtype: Any = np.float64,
    ) -> None:
        in_features = integer("Linear", "in_features", in_features)
        out_features = integer("Linear", "out_features", out_features)
        rng, dtype = generator_or_new("Linear", rng), float_dtype("Linear", dtype)
        bound = 1 / np.sqrt(in_features)
        self.weight = Parameter(
            init.uniform((out_features, in_features), -bound, bound, rng=rng), dtype
        )
        self.bias = (
            Parameter(init.uniform((out_features,), -bound, bound, rng=rng), dtype)
            if flag("Linear", "bias", bias)
            else None
        )

    def forward(self, x: ArrayLike) -> Tensor:
        return linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        out_features, in_features = self.weight.shape
        return f"{in_features}, {out_features}{'' if self.bias is not None else ', bias=False'}"


class Embedding(Module):
    r"""A vector for each of a number of things: row i of the weight for index i.

    Shape: indices (...), integers in [0, num_embeddings); returns (..., embedding_dim).

    Parameters
    ----------
    num_embeddings, embedding_dim: number and size of the vectors.
    padding_idx: an index (negative ones count from the end) whose vector is 0 at the beginning and
        gets no gradient.
    rng: a numpy Generator for the initial values, N(0, 1) as PyTorch's.
    dtype: of the weight.

    Raises
    ------
    ValueError: an index out of range. TypeError: indices that are not integers.

    Example
    -------
    >>> Embedding(10, 4, rng=np.random.default_rng(0))([[1, 2, 3]]).shape
    (1, 3, 4)

    First used in `chapters/attention/tiny-llama.ipynb`.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        rng: np.random.Generator | None = None,
        dtype: Any = np.float64,
    ) -> None:
        n = integer("Embedding", "num_embeddings", num_embeddings)
        embedding_dim = integer("Embedding", "embedding_dim", embedding_dim)
        rng, dtype = generator_or_new("Embedding", rng), float_dtype("Embedding", dtype)
        rows = init.normal((n, embedding_dim), rng=rng)
        if padding_idx is not None:
            padding_idx = integer("Embedding", "padding_idx", padding_idx, f"[{-n}, {n})") % n
            rows[padding_idx] = 0
        self.padding_idx = padding_idx
        self.weight = Parameter(rows, dtype)

    def forward(self, indices: ArrayLike) -> Tensor:
        i: Any = array("Embedding", "indices", indices)
        i = i._data if isinstance(i, Tensor) else i
        if i.dtype.kind not in "iu":
            raise TypeError(f"Embedding: indices must be integers, got {i.dtype}")
        n = self.weight.shape[0]
        if i.size and not (0 <= i.min() and i.max() < n):
            at = tuple(map(int, np.argwhere((i < 0) | (i >= n))[0]))
            raise ValueError(f"Embedding: indices must be in [0, {n}), got {i[at]} at {at}")
        rows = self.weight[i]
        if self.padding_idx is None:
            return rows
        padding = np.expand_dims(i == self.padding_idx, -1)
        return np.where(padding, rows.numpy(), rows)  # type: ignore[return-value]

    def extra_repr(self) -> str:
        n, d = self.weight.shape
        return f"{n}, {d}{'' if self.padding_idx is None else f', padding_idx={self.padding_idx}'}"


def dropout(
    x: ArrayLike,
    p: float = 0.5,
    training: bool = True,
    rng: np.random.Generator | None = None,
) -> Tensor:
    r"""Each element 0 with probability p, else divided by 1 − p: the mean stays.

    Parameters
    ----------
    p: in [0, 1], the probability to drop an element.
    training: False gives x as it is.
    rng: a numpy Generator; without one the elements dropped differ from run to run.

    Reference: Srivastava et al. 2014, "inverted" as in PyTorch.
    Derived in `chapters/activations/gelu-silu-swish.ipynb`, with the GELU as its mean.

    >>> dropout(np.ones(6), 0.5, rng=np.random.default_rng(1))
    Tensor([0., 2., 2., 2., 0., 0.])
    """
    p = number("dropout", "p", p, "[0, 1]")
    y = real("dropout", "x", x)
    if rng is not None:
        generator("dropout", rng)
    if not flag("dropout", "training", training) or p == 0:
        return y
    rng = generator_or_new("dropout", rng)
    kept = (rng.random(y.shape, np.float32) >= p).astype(y.dtype)
    return apply(np.multiply, y, kept / (1 - p) if p < 1 else kept)


class Dropout(Module):
    r"""`dropout` while training; in eval mode the identity.

    Parameters
    ----------
    p: in [0, 1], the probability to drop an element.
    rng: a numpy Generator; without one the elements dropped differ from run to run.

    Example
    -------
    >>> Dropout(0.5).eval()(np.ones(3))
    Tensor([1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, rng: np.random.Generator | None = None) -> None:
        self.p = number("Dropout", "p", p, "[0, 1]")
        self.rng = generator_or_new("Dropout", rng)

    def forward(self, x: ArrayLike) -> Tensor:
        return dropout(x, self.p, self.training, self.rng)

    def extra_repr(self) -> str:
        return f"{self.p:g}"
