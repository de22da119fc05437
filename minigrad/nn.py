"""Modules: parameters with names, put together into networks.

A module is a class with Parameters, arrays and other modules as attributes, and a `forward` that
computes with them. Everything else here only walks over those attributes. First used in
`chapters/autograd/training-loop.ipynb`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from . import init
from .tensor import Array, ArrayLike, Tensor, apply, primitive, rows


class Parameter(Tensor):
    """A leaf that a module trains: a Tensor with `requires_grad=True`.

    >>> Parameter(np.zeros(2))
    Parameter([0., 0.])
    """

    __slots__ = ()

    def __init__(self, data: ArrayLike, dtype: Any = None) -> None:
        super().__init__(data, requires_grad=True, dtype=dtype)

    def __repr__(self) -> str:
        return f"Parameter({np.array2string(self.data, separator=', ', prefix='Parameter(')})"


class Module:
    """Something with parameters: a layer, or a network of layers.

    Whatever Parameters and modules (also in lists) and plain arrays (state that is not trained,
    such as running averages) a subclass assigns to its attributes are found here by name.

    >>> class Scale(Module):
    ...     def __init__(self):
    ...         self.gain = Parameter(np.ones(3))
    ...
    ...     def forward(self, x):
    ...         return self.gain * x
    >>> net = Sequential(Scale(), Linear(3, 2))
    >>> [name for name, _ in net.named_parameters()]
    ['0.gain', '1.weight', '1.bias']
    """

    training: bool = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define forward(...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly inside, with their names."""
        for key, value in vars(self).items():
            if isinstance(value, Module):
                yield key, value
            elif isinstance(value, (list, tuple)):
                for i, v in enumerate(value):
                    if isinstance(v, Module):
                        yield f"{key}.{i}", v

    def modules(self) -> Iterator[Module]:
        """This module and all inside it."""
        yield self
        for _, child in self.children():
            yield from child.modules()

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """(name, parameter) pairs; one that stands in several places comes once."""
        seen: set[int] = set()
        for key, value in self._named_state():
            if isinstance(value, Parameter) and id(value) not in seen:
                seen.add(id(value))
                yield key, value

    def parameters(self) -> list[Parameter]:
        """All parameters, each once: what an optimizer is given."""
        return [p for _, p in self.named_parameters()]

    def _named_state(self) -> Iterator[tuple[str, Parameter | Array]]:
        for key, value in vars(self).items():
            if isinstance(value, (Parameter, np.ndarray)):
                yield key, value
            elif isinstance(value, (list, tuple)):
                for i, v in enumerate(value):
                    if isinstance(v, Parameter):
                        yield f"{key}.{i}", v
        for key, child in self.children():
            for name, value in child._named_state():
                yield f"{key}.{name}", value

    def train(self, mode: bool = True) -> Module:
        """Switch to training mode: dropout drops, batch norm uses the batch. Returns self."""
        for m in self.modules():
            m.training = mode
        return self

    def eval(self) -> Module:
        """Switch to evaluation mode. Returns self."""
        return self.train(False)

    def state_dict(self) -> dict[str, Array]:
        """Copies of all parameters and plain arrays, by name; `minigrad.save` writes them."""
        return {
            key: np.array(value.data if isinstance(value, Parameter) else value)
            for key, value in self._named_state()
        }

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Copy in what `state_dict()` gave, if all names and shapes agree; else change nothing."""
        if not isinstance(state, Mapping):
            raise TypeError(
                f"load_state_dict: state must be a dict by name, got {type(state).__name__}"
            )
        own = dict(self._named_state())
        if missing := sorted(own.keys() - state.keys()):
            raise ValueError(f"load_state_dict: the state lacks {', '.join(missing)}")
        if extra := sorted(state.keys() - own.keys()):
            raise ValueError(f"load_state_dict: the module has no {', '.join(extra)}")
        for key, value in own.items():
            if np.shape(state[key]) != value.shape:
                raise ValueError(
                    f"load_state_dict: {key} has shape {value.shape}, "
                    f"the state's {np.shape(state[key])}"
                )
            if not np.can_cast(given := np.asarray(state[key]).dtype, value.dtype, "same_kind"):
                raise ValueError(
                    f"load_state_dict: {key} has dtype {value.dtype}, which the state's {given} "
                    "cannot become"
                )
        for key, value in own.items():
            if isinstance(value, Parameter):
                value.data = state[key]
            else:
                value[...] = state[key]

    def extra_repr(self) -> str:
        """What the tree shows of this module besides its name: its sizes and options."""
        return ""

    def __repr__(self) -> str:
        n = sum(p.size for p in self.parameters())
        head = f"{type(self).__name__}({self.extra_repr()})"
        lines = [f"{head}  {n:,} parameters" if n else head]
        for key, child in self.children():
            first, *rest = repr(child).split("\n")
            lines += [f"  {key.removeprefix('layers.')}: {first}", *("  " + line for line in rest)]
        return "\n".join(lines)


class Sequential(Module):
    """Modules (or any functions of a Tensor) one after the other.

    >>> net = Sequential(Linear(4, 8), np.tanh, Linear(8, 3))
    >>> net
    Sequential()  67 parameters
      0: Linear(4, 8)  40 parameters
      2: Linear(8, 3)  27 parameters
    """

    def __init__(self, *layers: Any) -> None:
        for i, layer in enumerate(layers):
            if not callable(layer):
                raise TypeError(
                    f"Sequential: layer {i} must be a module or a function, got {layer!r}"
                )
        self.layers = layers

    def forward(self, x: ArrayLike) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def children(self) -> Iterator[tuple[str, Module]]:
        return ((str(i), m) for i, m in enumerate(self.layers) if isinstance(m, Module))

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, i: int) -> Any:
        return self.layers[i]


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
    return apply(_linear, operand(x), operand(weight), bias if bias is None else operand(bias))


def operand(a: ArrayLike) -> Any:
    """a as a Tensor or an array."""
    return a if isinstance(a, Tensor) else np.asarray(a)


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
        for label, n in (("in_features", in_features), ("out_features", out_features)):
            if not isinstance(n, (int, np.integer)) or n < 1:
                raise ValueError(f"Linear: {label} must be a positive integer, got {n!r}")
        rng = np.random.default_rng() if rng is None else rng
        bound = 1 / np.sqrt(in_features)
        self.weight = Parameter(
            init.uniform((out_features, in_features), -bound, bound, rng=rng), dtype
        )
        self.bias = (
            Parameter(init.uniform((out_features,), -bound, bound, rng=rng), dtype)
            if bias
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
        for label, n in (("num_embeddings", num_embeddings), ("embedding_dim", embedding_dim)):
            if not isinstance(n, (int, np.integer)) or n < 1:
                raise ValueError(f"Embedding: {label} must be a positive integer, got {n!r}")
        rng = np.random.default_rng() if rng is None else rng
        rows = init.normal((num_embeddings, embedding_dim), rng=rng)
        if padding_idx is not None:
            if not isinstance(padding_idx, (int, np.integer)) or not (
                -num_embeddings <= padding_idx < num_embeddings
            ):
                raise ValueError(
                    f"Embedding: padding_idx must be an integer in [{-num_embeddings}, "
                    f"{num_embeddings}), got {padding_idx!r}"
                )
            padding_idx = int(padding_idx) % num_embeddings
            rows[padding_idx] = 0
        self.padding_idx = padding_idx
        self.weight = Parameter(rows, dtype)

    def forward(self, indices: ArrayLike) -> Tensor:
        i = np.asarray(indices)
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
    p: in [0, 1].
    training: False gives x as it is.
    rng: a numpy Generator; without one the elements dropped differ from run to run.

    Reference: Srivastava et al. 2014, "inverted" as in PyTorch.
    Derived in `chapters/activations/gelu-silu-swish.ipynb`, with the GELU as its mean.

    >>> dropout(np.ones(6), 0.5, rng=np.random.default_rng(1))
    Tensor([0., 2., 2., 2., 0., 0.])
    """
    init.check_number("dropout", "p", p, low=0, high=1)
    y = x if isinstance(x, Tensor) else Tensor(x)
    if not training or p == 0:
        return y
    rng = np.random.default_rng() if rng is None else rng
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
        init.check_number("Dropout", "p", p, low=0, high=1)
        self.p = p
        self.rng = np.random.default_rng() if rng is None else init.generator("Dropout", rng)

    def forward(self, x: ArrayLike) -> Tensor:
        return dropout(x, self.p, self.training, self.rng)

    def extra_repr(self) -> str:
        return f"{self.p:g}"


# The other modules stand with their functions, and are built on those above: hence down here.
from .attention import KVCache, MultiheadAttention  # noqa: E402
from .norms import (  # noqa: E402
    BatchNorm1d,
    BatchNorm2d,
    DeepNorm,
    GroupNorm,
    InstanceNorm2d,
    LayerNorm,
    PostNorm,
    PreNorm,
    RMSNorm,
)

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "DeepNorm",
    "Dropout",
    "Embedding",
    "GroupNorm",
    "InstanceNorm2d",
    "KVCache",
    "LayerNorm",
    "Linear",
    "Module",
    "MultiheadAttention",
    "Parameter",
    "PostNorm",
    "PreNorm",
    "RMSNorm",
    "Sequential",
    "dropout",
    "linear",
]
