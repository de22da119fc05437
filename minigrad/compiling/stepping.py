"""One call, recorded: the function, and with an optimizer the way back and the step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autograd.arrays import Array
from ..autograd.recording import recording
from ..autograd.tensor import Tensor, clock, seed_gradient, walk
from ..optim.clip import clip_factor
from ..optim.optimizer import Optimizer
from .program import (
    CompileError,
    Differs,
    Instruction,
    Recorder,
    Value,
    mapped,
    same,
    values,
)
from .recording import Number, Traced, call, data_of, source, value_of
from .substitutes import Substitutes
from .surroundings import Replaced, Surroundings


class NotYet(Exception):
    """A parameter gets its first gradient: its state comes into being in an ordinary step."""


@dataclass
class Leaf:
    """A Tensor, array or number in what f returns."""

    kind: str
    value: Any  # a Value; or the thing itself, if it does not differ from call to call
    data: Any = None


@dataclass
class Recorded:
    """The program of one call, and what to do with its values.

    result: what f returned, with Leaf in it. loss: of a step.
    writes: (memory, what it becomes, that array, its new data).
    gradients: (parameter, its gradient, the data).
    numbers: (holder, key, value before, its stand-in after the step) of the optimizer.
    steps: whether the optimizer's step is in the program.
    """

    program: list[Instruction]
    calls: list[Value]
    around: Surroundings
    names: dict[Value, str]
    result: Any
    writes: list[tuple[Value, Value, Array, Any]]
    gradients: list[tuple[Tensor, Value, Any]]
    numbers: list[tuple[Any, str, Value, Any]]
    steps: bool
    optimizer: Optimizer | None
    watched: list[Any]

    def __post_init__(self) -> None:
        tensors = self.around.tensors.values()
        self.changed = [
            t for t in tensors if any(np.may_share_memory(t._data, x) for _, _, x, _ in self.writes)
        ]

    @property
    def made(self) -> list[Any]:
        """What must be as in an earlier recording besides the calls."""
        result = mapped(lambda x: x.value if isinstance(x, Leaf) else x, self.result)
        return [result, [(id(p), g) for p, g, _ in self.gradients], self.steps]

    def commit(self) -> Any:
        """Let the call have happened, and return what it returns. No array of it is kept."""
        for _, _, memory, data in self.writes:
            memory[...] = data
        for holder, key, _, after in self.numbers:
            if after is not None:
                holder[key] = after.data
        if self.steps and self.optimizer is not None:
            self.optimizer.steps += 1
        for t in self.changed:
            t._number = next(clock)
        for p, _, data in self.gradients:
            p.grad = np.array(data)
        result = mapped(plain, self.result)
        self.writes = [(old, new, memory, None) for old, new, memory, _ in self.writes]
        self.gradients = [(p, g, None) for p, g, _ in self.gradients]
        self.result = mapped(
            lambda x: Leaf(x.kind, x.value) if isinstance(x, Leaf) else x, self.result
        )
        return result


def plain(x: Any) -> Any:
    """What is returned in the place of a leaf."""
    if not isinstance(x, Leaf):
        return x
    data = x.data.copy(order="K") if isinstance(x.data, np.ndarray) else x.data
    return tensor(data) if x.kind == "tensor" else data[()] if x.kind == "loss" else data


def tensor(data: Any) -> Tensor:
    """A Tensor without history, made without checks."""
    t = Tensor.__new__(Tensor)
    t._data, t.grad, t._f, t._requires_grad, t._number = data, None, None, False, next(clock)
    return t


def leaf(x: Any) -> Any:
    kind, inside = ("tensor", x._data) if isinstance(x, Tensor) else ("array", x)
    if type(inside) in (Traced, Number):
        return Leaf(kind, value_of(inside), data_of(inside))
    return Leaf(kind, x, inside) if kind == "tensor" else x


def stand_in(recorder: Recorder, name: str, x: Any) -> Any:
    """In the place of an argument."""
    frozen = f"its argument {name}"
    if isinstance(x, Tensor):
        t = tensor(source(recorder, "input", name, x._data, frozen))
        t._requires_grad = x._requires_grad
        return t
    if isinstance(x, (np.ndarray, np.generic)):
        return source(recorder, "input", name, x, frozen)
    return x


def record(
    f: Callable[..., Any],
    optimizer: Optimizer | None,
    clip: float | None,
    args: dict[str, Any],
    before: Recorded | None = None,
) -> Recorded:
    """One call, recorded: along an earlier recording of the same, whose program it then has."""
    around = Surroundings(f)
    step = None
    if optimizer is not None:
        step = Step(optimizer, clip)
        around.tensors.update((id(p), p) for p in step.params)
    watched = around.watched()
    for group in getattr(optimizer, "param_groups", ()):
        watched.append([(k, v) for k, v in group.options.items() if k != "lr"])
    if before is not None and before.watched != watched:
        before = None
    if before is not None and step is not None:
        step.inside = before.steps
    along = None if before is None else before.calls
    with Substitutes(), Recorder(along) as recorder, Replaced(around, recorder) as memory:
        result = f(*(stand_in(recorder, name, x) for name, x in args.items()))
        if step is not None:
            step.record(recorder, memory, result)
            loss = leaf(result._data.reshape(()))
            result = Leaf("loss", loss.value, loss.data)
        else:
            result = mapped(leaf, result)
        written = [(x, t) for x, t in memory.memory.values() if t.changed is not None]
        program = recorder.program if before is None else before.program
        sources = {id(i.f): i.out for i in program if i.kind == "memory"}
        writes = [(sources[id(x)], t.solid(), x, t.data) for x, t in written]
        if before is None:
            check_overlaps(program, [*memory.memory.values()])
        elif recorder.at != len(before.calls):
            raise Differs("compile: the function does not do the same in two calls")
    names = memory.names | {i.out: i.f for i in program if i.kind in ("input", "number")}
    recorded = Recorded(
        program, along or recorder.calls, around, names, result, writes,
        gradients=step.gradients if step else [],
        numbers=step.numbers if step else [],
        steps=step is not None and step.inside,
        optimizer=optimizer,
        watched=watched,
    )  # fmt: skip
    if before is not None and not same(recorded.made, before.made):
        raise Differs("compile: the function does not do the same in two calls")
    return recorded


def check_overlaps(program: list[Instruction], memory: list[tuple[Array, Traced]]) -> None:
    """An array that has been changed must not be read again under the name of another one."""
    for x, t in memory:
        if t.changed is None:
            continue
        others = {id(y) for y, u in memory if u is not t and np.may_share_memory(x, y)}
        later = program[t.changed :] if others else []
        if any(id(v.made.f) in others for i in later for v in roots_of(i)):
            raise CompileError(
                "compile: an array is changed, and then read as a part of another one"
            )


def roots_of(instruction: Instruction) -> set[Value]:
    found = set()
    for v in values([list(instruction.args), instruction.kwargs]):
        while v.made.kind == "view":
            v = v.made.args[0]
        found.add(v)
    return found


# --- the step of an optimizer


class Step:
    """The way back from the loss, clipping, and the optimizer's rule."""

    def __init__(self, optimizer: Optimizer, clip: float | None) -> None:
        self.optimizer, self.clip = optimizer, clip
        inner = getattr(optimizer, "opt", optimizer)  # Lookahead has one inside
        self.params = [p for group in inner.param_groups for p in group["params"]]
        self.gradients: list[tuple[Tensor, Value, Any]] = []
        self.numbers: list[tuple[Any, str, Value, Any]] = []
        # a rule that is not the usual one, or looks at its numbers, is stepped as always
        self.inside = type(optimizer).step is Optimizer.step and not optimizer.needs_finite

    def record(self, recorder: Recorder, memory: Replaced, loss: Any) -> None:
        if not isinstance(loss, Tensor):
            raise CompileError(f"compile: with an optimizer, f returns the loss, got {type(loss)}")
        seed = seed_gradient("compile: gradient", loss, None)
        with recording(False):
            found = {id(p): g for p, g in walk([loss], [seed], None)}
        gs = own(recorder, [(p, found[id(p)]) for p in self.params if id(p) in found])
        if self.clip is not None and gs:
            real = [g.data for g in gs.values()]
            given = [*gs.values()], self.clip
            _, factor = call("call", clip_factor, given, {}, clip_factor(real, self.clip))
            with np.errstate(invalid="ignore"):
                gs = {p: g * factor for p, g in gs.items()}
        if self.inside:
            self.optimizer.follow_schedule()
            program, calls, numbers = len(recorder.program), len(recorder.calls), [*self.numbers]
            memory_before = dict(memory.memory)
            try:
                return self.rule_of_the_step(recorder, memory, gs)
            except (CompileError, TypeError, AttributeError, KeyError, ValueError):
                del recorder.program[program:], recorder.calls[calls:]
                self.inside, self.numbers, memory.memory = False, numbers, memory_before
        self.gradients = [(p, g.solid(), g.data) for p, g in gs.items()]

    def rule_of_the_step(
        self, recorder: Recorder, memory: Replaced, gs: dict[Tensor, Traced]
    ) -> None:
        """The rule is asked on an optimizer without attributes: it knows but its arguments."""
        bare = object.__new__(type(self.optimizer))
        gradients = []
        for group in self.optimizer.param_groups:
            lr = source(recorder, "number", "lr", group["lr"])
            self.numbers.append((group, "lr", lr.value, None))
            options = group.arguments | {"lr": lr}
            for block in group.blocks:
                found = [gs[p] for p in block.params if p in gs]
                if not found:
                    continue
                if block.theta is not block.data:
                    raise TypeError("float16 parameters, which are stepped in float32")
                if len(found) < len(block.params) or block.states[0]["t"] == 0:
                    raise NotYet
                block.g = None  # gradients are going to lie side by side in the program
                flat = [g.astype(block.theta.dtype, copy=False).reshape(-1) for g in found]
                g = flat[0] if len(flat) == 1 else np.concatenate(flat)
                parts = [g] if len(flat) == 1 else [g[place] for place in block.places]
                for p, part in zip(block.params, parts):
                    view: Any = part.reshape(p._data.shape)
                    gradients.append((p, view.solid(), view.data))
                g = g.reshape(block.theta.shape)
                g = -g if group["maximize"] else g
                for where, state in zip(block.where, block.states):
                    stands: dict[str, Any] = {}
                    for key, x in state.items():
                        if isinstance(x, np.ndarray):
                            stands[key] = memory.stand_in(x, key)
                        elif type(x) in (int, float):
                            stands[key] = source(recorder, "number", key, x)
                        else:
                            stands[key] = x
                    before = dict(stands)
                    stands["t"] = stands["t"] + 1
                    theta = memory.stand_in(
                        block.theta if where is ... else view_of(block, where), "theta"
                    )
                    bare.update(theta, g[where], stands, **options)
                    if stands.keys() != before.keys():
                        raise KeyError("a state that has changed its form")
                    for key, x in stands.items():
                        if type(x) is Number:
                            self.numbers.append((state, key, before[key].value, x))
                        elif type(x) is Traced and type(before[key]) is Traced:
                            if x is not before[key]:  # assigned anew: into the same array
                                before[key][...] = x
                        elif x is not before[key]:
                            raise TypeError("a state that has been exchanged")
        self.gradients = gradients


def view_of(block: Any, where: Any) -> Array:
    """A part of theta, the same object each time: it is known by its id."""
    parts = vars(block).setdefault("_parts", {})
    return parts.setdefault(where.start, block.theta[where])  # type: ignore[no-any-return]


def own(recorder: Recorder, found: list[tuple[Tensor, Any]]) -> dict[Tensor, Traced]:
    """Each parameter's gradient, in an array of its own."""
    gs: dict[Tensor, Traced] = {}
    taken: set[Value] = set()
    for p, d in found:
        g: Any = (
            d if type(d) is Traced else source(recorder, "memory", np.asarray(d), np.asarray(d))
        )
        value = g.solid()
        if g.base is not None or value in taken or value.made.kind in ("memory", "input", "view"):
            g = call("copy", None, (g,), {}, g.data.copy(order="K"), pure=False)
        taken.add(g.value)
        gs[p] = g
    return gs
