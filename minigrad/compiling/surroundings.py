"""What a function sees besides its arguments: arrays, tensors, modules, random numbers, options.

A recording holds as long as all of these are the same objects. Arrays among them are memory, which
a replay reads as it then is and may change; generators are drawn from in each replay anew.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from ..autograd.arrays import Array
from ..autograd.tensor import Tensor
from ..optim.optimizer import Optimizer
from .program import CompileError, Recorder
from .recording import Traced, source
from .substitutes import Draws

FOREIGN = {*sys.stdlib_module_names, "numpy", "scipy", "minigrad"}
OPAQUE = (type, ModuleType, BuiltinFunctionType, np.ufunc, Optimizer)
PLAIN = (bool, int, float, str, type(None))
MANY = 1000  # elements of a list or dict: beyond, they are not looked at one by one


class Wrapper:
    """Something that calls f, and is looked through."""

    f: Any


class Surroundings:
    """Everything that `f` refers to, and where.

    places: triples (holder, key, what is there); the holder is a dict, a list, or a closure's cell.
    sizes: pairs (dict or list, its length).
    """

    def __init__(self, f: Any) -> None:
        self.places: list[tuple[Any, Any, Any]] = []
        self.sizes: list[tuple[Any, int]] = []
        self.tensors: dict[int, Tensor] = {}
        self.generators: dict[int, np.random.Generator] = {}
        self.names: dict[int, str] = {}  # what things are called, by their ids
        self.seen: dict[int, Any] = {}
        self.inside = False  # the function itself is looked at, wherever it comes from
        self.look(f, "")

    def look(self, x: Any, name: str) -> None:
        if id(x) in self.seen or isinstance(x, OPAQUE):
            return
        self.seen[id(x)] = x
        self.names.setdefault(id(x), name)
        if isinstance(x, Tensor):
            if x._f is None:
                self.tensors[id(x)] = x
                self.names.setdefault(id(x._data), name)
        elif isinstance(x, np.random.Generator):
            self.generators[id(x)] = x
        elif isinstance(x, (dict, list)):
            self.sizes.append((x, len(x)))
            pairs = x.items() if isinstance(x, dict) else enumerate(x)
            for key, value in [*pairs][:MANY]:
                if isinstance(key, (int, str)):
                    self.place(x, key, value, f"{name}.{key}")
        elif isinstance(x, tuple):
            for i, value in enumerate(x[:MANY]):
                self.look(value, f"{name}.{i}")
        elif isinstance(x, MethodType):
            self.look(x.__self__, name)
            self.look(x.__func__, name)
        elif isinstance(x, Wrapper):
            self.look(x.f, name)
        elif isinstance(x, functools.partial):
            self.look((x.func, x.args, x.keywords), name)
        elif isinstance(x, FunctionType):
            if not self.inside or (x.__module__ or "").split(".")[0] not in FOREIGN:
                self.inside = True
                for variable, cell in zip(x.__code__.co_freevars, x.__closure__ or ()):
                    self.place(cell, None, cell.cell_contents, variable)
                for key in global_names(x.__code__):
                    if key in x.__globals__:
                        self.place(x.__globals__, key, x.__globals__[key], key)
                self.look((x.__defaults__, x.__kwdefaults__), name)
        elif hasattr(x, "__dict__"):
            self.inside = True
            attributes = vars(x)
            self.names.setdefault(id(attributes), name)
            self.sizes.append((attributes, len(attributes)))
            for key, value in [*attributes.items()]:
                self.place(attributes, key, value, f"{name}.{key}")
            for kind in type(x).__mro__:
                if kind.__module__.split(".")[0] not in FOREIGN:  # what its class says
                    options = [(k, v) for k, v in vars(kind).items() if isinstance(v, PLAIN)]
                    self.places += [(vars(kind), k, v) for k, v in options if k[:2] != "__"]
            call = getattr(type(x), "forward", None) or vars(type(x)).get("__call__")
            if isinstance(call, FunctionType):
                self.look(call, name)

    def place(self, holder: Any, key: Any, value: Any, name: str) -> None:
        self.places.append((holder, key, value))
        self.look(value, name.removeprefix("."))

    def watched(self) -> list[Any]:
        """What is where, by identity: two recordings are compared if it is the same for both."""
        tensors = self.tensors.values()
        return [
            [(id(holder), key, id(value)) for holder, key, value in self.places],
            [(id(x), n) for x, n in self.sizes],
            [(id(t), id(t._data), t._requires_grad) for t in tensors],
        ]


def global_names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from global_names(constant)


def put(holder: Any, key: Any, value: Any) -> None:
    if isinstance(holder, CellType):
        holder.cell_contents = value
    else:
        holder[key] = value


def get(holder: Any, key: Any) -> Any:
    if isinstance(holder, CellType):
        return holder.cell_contents
    return holder[key] if isinstance(holder, list) else holder.get(key)


class Replaced:
    """While recording: stand-ins in the places of arrays, of tensors' data and of generators.

    On leaving, everything is as it was; if something else was assigned, or the function left a
    gradient behind, that raises, for a replay would not do it.
    """

    def __init__(self, around: Surroundings, recorder: Recorder) -> None:
        self.around, self.recorder = around, recorder
        self.memory: dict[int, tuple[Array, Traced]] = {}

    def stand_in(self, x: Array, name: str = "") -> Traced:
        """One for each array."""
        if id(x) not in self.memory:
            name = name or self.around.names.get(id(x), "")
            self.memory[id(x)] = x, source(self.recorder, "memory", x, x)
            self.names[self.memory[id(x)][1].value] = name
        return self.memory[id(x)][1]

    def __enter__(self) -> Replaced:
        self.names: dict[Any, str] = {}
        self.drawn = [(g, g.bit_generator.state) for g in self.around.generators.values()]
        self.put: list[tuple[Any, Any, Any, Any]] = []
        self.tensors = [(t, t._data, t.grad) for t in self.around.tensors.values()]
        stands: dict[int, Any] = {id(g): Draws(g) for g in self.around.generators.values()}
        values = [data for _, data, _ in self.tensors] + [x for _, _, x in self.around.places]
        for x in values:  # all of them before anything is exchanged: that may raise
            if isinstance(x, np.ndarray):
                stands[id(x)] = self.stand_in(x)
        for t, data, _ in self.tensors:
            t._data = stands.get(id(data), data)
        for holder, key, value in self.around.places:
            new = stands.get(id(value), value)
            if new is not value:
                put(holder, key, new)
            self.put.append((holder, key, value, new))
        return self

    def __exit__(self, failed: Any, *_: object) -> None:
        wrong = ""
        for t, data, gradient in self.tensors:
            t._data = data
            if t.grad is not gradient:
                t.grad = gradient
                wrong = "calls backward(): return grad(...), or give compile() the optimizer"
        for holder, key, _, new in self.put:
            if get(holder, key) is not new:
                wrong = f"assigns to {key!r}: what is not returned must be changed in place"
        for holder, key, value, _ in self.put:  # only now: two functions may refer to one place
            if get(holder, key) is not value:
                put(holder, key, value)
        for container, n in self.around.sizes:
            if len(container) != n:
                wrong = "adds to a list or dict: what it computes must be returned"
        if failed or wrong:
            for g, state in self.drawn:
                g.bit_generator.state = state
        if wrong and not failed:
            raise CompileError(f"compile: the function {wrong}")
