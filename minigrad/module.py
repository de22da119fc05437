"""Modules: parameters with names, put together into networks.

A module is a class with Parameters, arrays and other modules as attributes, and a `forward` that
computes with them. Everything else here only walks over those attributes. First used in
`chapters/autograd/training-loop.ipynb`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .autograd.arrays import Array
from .autograd.tensor import ArrayLike, Tensor
from .checks import flag, float_dtype, function


class Parameter(Tensor):
    """A leaf that a module trains: a Tensor with `requires_grad=True`.

    >>> Parameter(np.zeros(2))
    Parameter([0., 0.])
    """

    __slots__ = ()

    def __init__(self, data: ArrayLike, dtype: Any = None) -> None:
        if dtype is not None:
            dtype = float_dtype("Parameter", dtype)
        super().__init__(data, requires_grad=True, dtype=dtype)

    def __repr__(self) -> str:
        return f"Parameter({np.array2string(self.data, separator=', ', prefix='Parameter(')})"


class Module:
    """Something with parameters: a layer, or a network of layers.

    Whatever Parameters and modules (also in lists) and plain arrays (state that is not trained,
    such as running averages) a subclass assigns to its attributes are found here by name.

    >>> from minigrad.nn import Linear
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
        mode = flag("train", "mode", mode)
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

    >>> from minigrad.nn import Linear
    >>> net = Sequential(Linear(4, 8), np.tanh, Linear(8, 3))
    >>> net
    Sequential()  67 parameters
      0: Linear(4, 8)  40 parameters
      2: Linear(8, 3)  27 parameters
    """

    def __init__(self, *layers: Any) -> None:
        for i, layer in enumerate(layers):
            function("Sequential", f"layer {i}", layer, "a module or a function")
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
