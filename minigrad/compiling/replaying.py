"""A recorded call as a Python function: what must be as it was, the program, what a step leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.tensor import Tensor, clock
from ..optim.optimizer import Optimizer
from .planning import plan
from .program import Value, mapped
from .stepping import Leaf, Recorded, tensor
from .writing import Writer, listing


class Changed(Exception):
    """Something is not what it was when the program was recorded."""


class Program:
    """`run(*args)` replays the call. It raises Changed before it has changed anything."""

    def __init__(
        self,
        f: Callable[..., Any],
        optimizer: Optimizer | None,
        recorded: Recorded,
        args: dict[str, Any],
    ) -> None:
        self.recorded, self.optimizer = recorded, optimizer
        self.generators = [*recorded.around.generators.values()]
        self.states: list[Any] = []  # of the generators, before draws that a check may follow
        outputs = [g for _, g, _ in recorded.gradients]
        outputs += [x.value for _, _, _, x in recorded.numbers if x is not None]
        mapped(lambda x: outputs.append(x.value) if is_made(x) else None, recorded.result)
        writes = [(old, new) for old, new, _, _ in recorded.writes if old is not new]
        planned = plan(recorded.program, outputs, writes)
        self.writer = writer = Writer(planned, recorded.names, [*args])
        name = getattr(f, "__name__", "")
        name = name if name.isidentifier() else "f" if optimizer is None else "step"
        name, more, result = map(writer.reserve, (name, "more", "result"))
        self.test(args, more)
        self.read_numbers()
        writer.write()
        writer.line(f"{result} = {self.returned(recorded.result)}")
        for old, new in planned.writes:
            memory = writer.bind(old.made.f, recorded.names.get(old) or "memory")
            writer.line(f"{writer.copyto}({memory}, {writer.text(new)})")
        self.leave()
        writer.line(f"return {result}")
        self.run = writer.build(name, [*args], more)
        self.listing, self.buffer = (name, [*args], writer.lines), writer.buffer
        del self.writer  # what it knows of each value takes more memory than the program

    @property
    def source(self) -> str:
        return listing(*self.listing)

    def poison(self) -> None:
        """NaN in all arrays of the program: what is read before it is written shows."""
        self.buffer.fill(255)

    def not_ours(self, x: Any) -> Any:
        """An argument, copied if it lies where the program is going to write."""
        return x.copy("K") if np.may_share_memory(x, self.buffer) else x

    def name(self, t: Tensor) -> str:
        return self.writer.bind(t, f"{self.recorded.around.names.get(id(t)) or 'p'}_")

    # --- what must be as it was

    def test(self, args: dict[str, Any], more: str) -> None:
        bind = self.writer.bind
        kind, size = bind(type, "type"), bind(len, "len")
        tests = [more]
        for name, x in args.items():
            tests.append(f"{kind}({name}) is not {bind(type(x), type(x).__name__)}")
            if isinstance(x, Tensor):
                tests.append(f"{name}._requires_grad is not {x._requires_grad}")
                self.unless(tests)
                self.writer.line(f"{name} = {name}._data")
                x = x._data
                tests = [f"{kind}({name}) is not {bind(type(x), type(x).__name__)}"]
            if isinstance(x, np.ndarray):
                for key in ("shape", "dtype", "strides"):
                    value = getattr(x, key)
                    tests.append(f"{name}.{key} != {bind(value, key, (key, value))}")
            elif not isinstance(x, np.generic):
                tests.append(f"{name} != {self.writer.text(x)}")
        self.unless(tests)
        for name, x in args.items():  # a gradient that a step has left, say
            if isinstance(x, (np.ndarray, Tensor)):
                own = bind(self.not_ours, "not_ours", "not_ours")
                self.writer.line(f"if {name}.base is not None: {name} = {own}({name})")
        around, names = self.recorded.around, self.recorded.around.names
        tests = [f"{size}({bind(x, names.get(id(x)) or 'around')}) != {n}" for x, n in around.sizes]
        for holder, key, value in around.places:
            where = ".cell_contents" if key is None else f"[{key!r}]"
            name = names.get(id(value)) or (key if isinstance(key, str) else "x")
            plain = isinstance(value, (bool, type(None)))
            known = repr(value) if plain else bind(value, f"{name}_")
            place = bind(holder, names.get(id(holder)) or ("globals" if key else "cell"))
            tests.append(f"{place}{where} is not {known}")
        for t in around.tensors.values():
            data = bind(t._data, f"{self.name(t)}data")
            tests.append(f"{self.name(t)}._data is not {data}")
            tests.append(f"{self.name(t)}._requires_grad is not {t._requires_grad}")
        if self.optimizer is not None:
            groups = getattr(self.optimizer, "opt", self.optimizer).param_groups
            tests.append(f"{size}({bind(groups, 'groups')}) != {len(groups)}")
            for group in groups:
                params = bind(group["params"], "params")
                tests.append(f"{bind(group, 'group')}['params'] is not {params}")
        if self.optimizer is not None and self.recorded.steps:
            tests.append(f"{self.opt}._schedule is not {self.schedule}")
            for group in groups:
                for key, value in group.options.items():
                    if key != "lr":
                        tests.append(f"{bind(group, 'group')}[{key!r}] is not {bind(value, key)}")
        gone = bind((KeyError, ValueError), "Gone")  # an entry, what was in a closure's cell
        for i in range(0, len(tests), 100):
            self.writer.line("try:")
            self.unless(tests[i : i + 100], "    ")
            self.writer.line(f"except {gone}: raise Changed")

    def unless(self, tests: list[str], indent: str = "") -> None:
        changed = self.writer.bind(Changed, "Changed")
        for i in range(0, len(tests), 4):
            self.writer.line(f"{indent}if {' or '.join(tests[i : i + 4])}: raise {changed}")

    # --- what differs from call to call

    @property
    def opt(self) -> str:
        return self.writer.bind(self.optimizer, "optimizer")

    @property
    def schedule(self) -> str:
        schedule = getattr(self.optimizer, "_schedule", None)
        return "None" if schedule is None else self.writer.bind(schedule, "schedule")

    def read_numbers(self) -> None:
        writer = self.writer
        kinds = [x.kind for x in self.recorded.program]
        if "draw" in kinds and "guard" in kinds[kinds.index("draw") :]:
            writer.line(f"{writer.bind(self.save, 'save_generators')}()")
        if self.recorded.steps and self.schedule != "None":
            writer.line(f"{self.opt}.follow_schedule()")
        for holder, key, value, _ in self.recorded.numbers:
            place = writer.bind(holder, "group" if key == "lr" else "state")
            writer.line(f"{writer.variable(value)} = {place}[{key!r}]")

    def save(self) -> None:
        self.states = [g.bit_generator.state for g in self.generators]

    # --- what is returned, and what is left

    def returned(self, x: Any) -> str:
        """The expression that makes what f returned."""
        text, bind = self.writer.text, self.writer.bind
        if type(x) in (tuple, list):
            inside = ", ".join(map(self.returned, x))
            return f"[{inside}]" if type(x) is list else f"({inside}{',' * (len(x) == 1)})"
        if type(x) is dict:
            return "{" + ", ".join(f"{text(k)}: {self.returned(v)}" for k, v in x.items()) + "}"
        if not isinstance(x, Leaf):
            return text(x)
        if not is_made(x):  # a tensor that is always the same
            return f"{bind(tensor, 'Tensor')}({bind(x.value, 'same')}._data)"
        made, placed = text(x.value), x.value in self.writer.plan.roots
        if x.kind == "loss":
            return made + "[()]" * placed
        made += ".copy('K')" * (placed or x.value.shape != ())
        return f"{bind(tensor, 'Tensor')}({made})" if x.kind == "tensor" else made

    def leave(self) -> None:
        writer, recorded = self.writer, self.recorded
        for holder, key, _, x in recorded.numbers:
            if x is not None:
                writer.line(f"{writer.bind(holder, 'state')}[{key!r}] = {writer.text(x.value)}")
        for p, g, _ in recorded.gradients:
            text = writer.text(g)
            if g not in writer.plan.roots:  # a single number
                text = f"{writer.bind(np.asarray, 'asarray')}({text})"
            writer.line(f"{self.name(p)}.grad = {text}")
        if self.optimizer is not None:
            writer.line(f"{self.opt}.steps += 1" if recorded.steps else f"{self.opt}.step()")
        following = writer.bind(next, "next")
        for t in recorded.changed:
            writer.line(f"{self.name(t)}._number = {following}({writer.bind(clock, 'clock')})")


def is_made(x: Any) -> bool:
    return isinstance(x, Leaf) and isinstance(x.value, Value)
