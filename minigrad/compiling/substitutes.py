"""What the library sees, while a function is recorded, in place of NumPy and of random numbers."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from .program import current, owner
from .recording import Number, Traced, arithmetic, call, refuse, stands_in, zeros


class Draws:
    """Stands in for a Generator: a draw is an instruction, in its order."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    __class__ = property(lambda self: np.random.Generator)

    def __getattr__(self, name: str) -> Any:
        draw = getattr(self._rng, name)

        def drawn(*args: Any, **kwargs: Any) -> Any:
            if stands_in((*args, *kwargs.values())) or kwargs.get("out") is not None:
                raise refuse("draws with arrays of the step as arguments")
            return call("draw", draw, args, kwargs, draw(*args, **kwargs), pure=False)

        if not callable(draw) or name in ("spawn", "shuffle"):
            raise refuse(f"uses the generator's .{name}")
        return drawn


# Functions that NumPy's protocols do not hand over, or whose result is going to be written to. They
# do as ever in a thread that records nothing.


def asarray(x: Any, dtype: Any = None, **kwargs: Any) -> Any:
    if type(x) is Traced:
        return x if dtype is None else x.astype(dtype, copy=False)
    return np.asarray(x, dtype, **kwargs)


def array(x: Any, dtype: Any = None, **kwargs: Any) -> Any:
    if type(x) is Traced:
        return x.copy("K") if dtype is None else x.astype(dtype)
    return np.array(x, dtype, **kwargs)


def made(real: Callable[..., Any]) -> Callable[..., Any]:
    def make(shape: Any, dtype: Any = float, **kwargs: Any) -> Any:
        recorded = current.recorder is not None and not kwargs
        return zeros(shape, dtype) if recorded else real(shape, dtype, **kwargs)

    return make


def full(shape: Any, x: Any, dtype: Any = None, **kwargs: Any) -> Any:
    if type(x) is not Traced:
        return np.full(shape, x, dtype, **kwargs)
    y = zeros(shape, dtype)
    y[...] = x
    return y


def take(x: Any, indices: Any, axis: Any = None, **kwargs: Any) -> Any:
    if type(indices) is Traced and isinstance(x, np.ndarray):
        plain: Any = getattr(x, "data") if stands_in(x) else x  # noqa: B009
        return call("call", np.take, (x, indices, axis), {}, np.take(plain, indices.data, axis))
    return np.take(x, indices, axis, **kwargs)


def sqrt(x: Any) -> Any:
    return arithmetic(math.sqrt, x) if type(x) is Number else math.sqrt(x)


numpy = ModuleType("numpy")
vars(numpy).update(vars(np), asarray=asarray, array=array, full=full, take=take)
vars(numpy).update(zeros=made(np.zeros), empty=made(np.empty))
EXCHANGED: dict[str, tuple[Any, Any]] = {"np": (np, numpy), "sqrt": (math.sqrt, sqrt)}


@functools.lru_cache(1)
def places(modules: int) -> list[tuple[dict[str, Any], str]]:
    """Where they stand in the library's modules, as long as there are so many modules."""
    return [
        (vars(sys.modules[module]), name)
        for module in sys.modules
        if owner(module) == "library"
        for name, (old, _) in EXCHANGED.items()
        if vars(sys.modules[module]).get(name) is old
    ]


class Substitutes:
    """While recording, they stand in the library's modules."""

    def __enter__(self) -> None:
        self.places = places(len(sys.modules))
        for module, name in self.places:
            module[name] = EXCHANGED[name][1]

    def __exit__(self, *_: object) -> None:
        for module, name in self.places:
            module[name] = EXCHANGED[name][0]
