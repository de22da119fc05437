"""Stage 3, write: the planned program as the source of a Python function, one line an instruction.

    dot(x, layers_0_weight_T, t1)      # train.py:12  loss = cross_entropy(net(x), y)
    add(t1, layers_0_bias, t1)
    ...

Every array has been allocated and every view taken beforehand; single numbers are Python's
variables. What the function works on is bound to names that only it sees.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable
from keyword import iskeyword
from types import CodeType
from typing import Any

import numpy as np

from .planning import Plan
from .program import VIEWS, Instruction, Line, Value
from .recording import getitem

INFIX: dict[Any, str] = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.power: "**",
    np.less: "<", np.less_equal: "<=", np.greater: ">", np.greater_equal: ">=",
    np.equal: "==", np.not_equal: "!=", np.bitwise_and: "&", np.bitwise_or: "|",
    np.remainder: "%", np.floor_divide: "//", operator.add: "+", operator.sub: "-",
    operator.mul: "*", operator.truediv: "/", operator.pow: "**",
}  # fmt: skip
PAGE = 100  # lines


class Branched(Exception):
    """A check of the library comes out otherwise than it did when it was recorded."""


@functools.cache
def identifier(text: str) -> str:
    return re.sub(r"\W", "_", text.replace("-", "m")) or "x"


class Writer:
    """Turns a plan into lines of source, and collects what their names stand for."""

    def __init__(self, plan: Plan, names: dict[Value, str], params: list[str]) -> None:
        self.plan, self.labels = plan, names
        self.buffer = aligned(plan.size)
        self.start = address(self.buffer)
        self.scope: dict[str, Any] = {"Branched": Branched}
        self.named: dict[Any, str] = {}
        self.temporaries = 0
        self.arrays: dict[Value, Any] = {}
        self.starts: dict[Value, int] = {}  # the address of each
        self.places: dict[Value, str] = {}
        self.lines: list[tuple[str, Line | None]] = []
        self.variables: dict[Value, str] = {}
        self.declared = set(params)
        self.errors: tuple[tuple[str, str], ...] = ()
        for instruction in plan.program:
            if instruction.out in plan.roots:
                self.arrange(instruction.out)

    # --- names

    def bind(self, thing: Any, hint: str, key: Any = None) -> str:
        """A name for an object, the same one each time."""
        key = id(thing) if key is None else key
        if key not in self.named:
            self.named[key] = name = self.unused(hint)
            self.scope[name] = thing
        return self.named[key]

    def unused(self, hint: str) -> str:
        name = base = f"c{identifier(hint)}" if hint[0].isdigit() else identifier(hint)
        n = 1
        while name in self.scope or name in self.declared or iskeyword(name):
            n += 1
            name = f"{base}_{n}"
        return name

    def reserve(self, hint: str) -> str:
        """A name that nothing else has."""
        name = self.unused(hint)
        self.declared.add(name)
        return name

    def arrange(self, v: Value) -> None:
        """Make the array at v's place."""
        made, plan = v.made, self.plan
        if made.kind == "view":
            source, start = self.arrays[made.args[0]], self.starts[made.args[0]]
            array = VIEWS[made.f](source, made.args[1])
            assert array.size == 0 or np.may_share_memory(array, source), "a view became a copy"
            start = address(array) if made.f == "getitem" else start
        elif made.kind == "setitem" and v not in plan.copied:
            array, start = self.arrays[made.args[0]], self.starts[made.args[0]]
        elif (region := plan.regions[plan.roots[v]]).memory is not None:
            array, start = region.memory, address(region.memory)
        else:
            offset = region.offset + (region.inside.offset if region.inside else 0)
            strides = v.strides if v.size else None
            array = np.ndarray(v.shape, v.dtype, self.buffer.data, offset, strides)
            start = self.start + offset
        self.arrays[v], self.starts[v] = array, start

    def place(self, v: Value) -> str:
        """The name of the array at v's place. Equal arrays have one name."""
        if v in self.places:
            return self.places[v]
        array = self.arrays[v]
        key = (self.starts[v], array.dtype, array.shape, array.strides)
        made, hint = v.made, "t"
        first = self.plan.regions[self.plan.roots[v]].values[0]
        if v in self.labels or (first in self.labels and made.kind != "view"):
            hint = self.labels.get(v) or self.labels[first]
        elif made.kind == "view" and made.args[0] in self.arrays:
            hint = self.place(made.args[0]) + ("_T" if made.f == "transpose" else "_")
        if hint == "t" and key not in self.named:
            self.temporaries += 1
            hint = f"t{self.temporaries}"
        self.places[v] = name = self.bind(array, hint, key if array.size else None)
        return name

    def text(self, x: Any, dtype: Any = None) -> str:
        """An argument. With a dtype, Python's numbers become arrays of it, which is quicker."""
        if isinstance(x, Value):
            return self.place(x) if x in self.plan.roots else self.variable(x)
        if type(x) in (int, float) and dtype is not None and dtype.kind == "f":
            return self.bind(np.full((), x, dtype), repr(x), (dtype, repr(x)))
        if isinstance(x, np.generic) and dtype is not None:
            return self.bind(np.asarray(x), repr(x.item()), (x.dtype, repr(x), "0-d"))
        if x is None or x is Ellipsis or type(x) in (int, bool, str):
            return repr(x) if x is not Ellipsis else "..."
        if type(x) is float and abs(x) < np.inf:
            return repr(x)
        if type(x) is tuple:
            return f"({', '.join(map(self.text, x))}{',' * (len(x) == 1)})"
        if type(x) is list:
            return f"[{', '.join(map(self.text, x))}]"
        if type(x) is slice:
            parts = f"{self.text(x.start)}, {self.text(x.stop)}, {self.text(x.step)}"
            return f"{self.bind(slice, 'slice')}({parts})"
        return self.bind(x, getattr(x, "__name__", None) or "k")

    def variable(self, v: Value) -> str:
        if v not in self.variables:
            hint = self.labels.get(v) or f"v{len(self.variables)}"
            self.variables[v] = hint if v.made.kind == "input" else self.reserve(hint)
        return self.variables[v]

    # --- lines

    def line(self, text: str, instruction: Instruction | None = None) -> None:
        errors = instruction.errors if instruction is not None else ()
        if errors != self.errors and errors:
            options = ", ".join(f"{k}={v!r}" for k, v in errors)
            self.lines.append((f"with {self.bind(np.errstate, 'errstate')}({options}):", None))
        self.errors = errors
        line = instruction.line if instruction is not None else None
        self.lines.append(("    " * bool(errors) + text, line))

    def write(self) -> None:
        for instruction in self.plan.program:
            kind, v = instruction.kind, instruction.out
            if kind in ("input", "number", "memory"):
                continue
            if kind == "guard":
                test = f"{'not ' * instruction.f}{self.text(instruction.args[0])}"
                self.line(f"if {test}: raise Branched({str(instruction.line)!r})", instruction)
            elif v not in self.plan.roots:
                self.line(f"{self.variable(v)} = {self.expression(instruction)}", instruction)
            elif kind != "view":
                self.statement(instruction)
        self.line("", None)

    def expression(self, i: Instruction) -> str:
        """What makes a number, or an array anew."""
        args = [self.text(a) for a in i.args]
        if i.kind == "ufunc" and i.f in INFIX and i.f is not np.power:
            args = [self.scalar(a, i) for a in i.args]
        if i.kind == "view":
            source, what = args[0], i.args[1]
            if i.f == "getitem":
                return f"{source}[{args[1]}]"
            if i.f == "broadcast_to":
                return f"{self.bind(np.broadcast_to, 'broadcast_to')}({source}, {what})"
            return f"{source}.T" if what is None else f"{source}.{i.f}({what})"
        if i.kind in ("ufunc", "call") and i.f in INFIX and len(args) == 2:
            return f"{args[0]} {INFIX[i.f]} {args[1]}"
        if i.kind in ("ufunc", "call") and i.f in (np.negative, operator.neg):
            return f"-{args[0]}"
        if i.kind == "copy":
            return args[0] + "[()]" * (i.args[0] in self.plan.roots)
        if i.kind == "cast":
            return f"{args[0]}.astype({self.bind(i.out.dtype, str(i.out.dtype))})"
        if i.kind == "pick":
            return f"{args[0]}[{i.f}]"
        if i.kind == "item":
            index = i.args[1] if isinstance(i.args[1], tuple) else (i.args[1],)
            copies = i.out.shape == () or any(np.shape(j) != () for j in index)
            args[1] = args[1] if len(index) > 1 else self.text(index[0])
            return f"{args[0]}[{args[1]}]" if copies else f"{self.text(getitem)}({', '.join(args)})"
        if i.kind == "reduce":
            f = self.bind(i.f.reduce, f"{i.f.__name__}_reduce", (i.f, "reduce"))
            keepdims = ", None, None, True" * i.kwargs["keepdims"]
            return f"{f}({args[0]}, {i.kwargs['axis']}{keepdims})"
        options = "".join(f", {k}={self.text(x)}" for k, x in i.kwargs.items())
        if isinstance(i.f, str):  # a method
            return f"{args[0]}.{i.f}({', '.join(args[1:])}{options})".replace("(, ", "(")
        return f"{self.text(i.f)}({', '.join(args)}{options})".replace("(, ", "(")

    def scalar(self, x: Any, i: Instruction) -> str:
        """A Python number as the NumPy number that it is going to be beside the others."""
        dtype = next((a.dtype for a in i.args if isinstance(a, Value) and a.dtype), None)
        if type(x) not in (int, float) or dtype is None or dtype.kind != "f" or abs(x) > 1e4:
            return self.text(x)
        return self.bind(dtype.type(x), repr(x), (dtype.type, repr(x)))

    def statement(self, i: Instruction) -> None:
        """What writes its result to its place."""
        v, out = i.out, self.place(i.out)
        if i.kind == "ufunc":
            floats = [a.dtype for a in i.args if getattr(a, "dtype", None) is not None]
            dtype = next((d for d in floats if d.kind == "f"), v.dtype)
            # np.power and SciPy's functions choose another loop for a whole number
            exact = dtype if getattr(np, i.f.__name__, None) is i.f is not np.power else None
            args = [self.argument(a, exact, i) for a in i.args]
            out = f"out={out}" if i.f in (np.maximum, np.minimum) else out  # as NumPy wants it
            self.line(f"{self.bind(i.f, i.f.__name__)}({', '.join([*args, out])})", i)
        elif i.kind == "dot":
            args = [self.text(a) for a in i.args]
            self.line(f"{self.bind(i.f, i.f.__name__)}({', '.join([*args, out])})", i)
        elif i.kind == "reduce":
            f = self.bind(i.f.reduce, f"{i.f.__name__}_reduce", (i.f, "reduce"))
            keepdims = ", True" * i.kwargs["keepdims"]
            self.line(f"{f}({self.text(i.args[0])}, {i.kwargs['axis']}, None, {out}{keepdims})", i)
        elif i.kind == "cast":
            self.line(f"{self.copyto}({out}, {self.text(i.args[0])}, 'unsafe')", i)
        elif i.kind == "copy":
            source = i.args[0]
            if source.shape != v.shape:  # of another shape: through a view that has the source's
                out = self.bind(self.arrays[v].reshape(source.shape), f"{out}_")
            self.line(f"{self.copyto}({out}, {self.text(source)})", i)
        elif i.kind == "zeros":
            self.line(f"{out}.fill(0)", i)
        elif i.kind == "concatenate":
            self.concatenate(i, out)
        else:
            base, index, new = i.args
            if v in self.plan.copied and base.made.kind == "zeros":
                self.line(f"{out}.fill(0)", i)
            elif v in self.plan.copied:
                self.line(f"{self.copyto}({out}, {self.text(base)})", i)
            if i.f is None:
                self.line(f"{out}[{self.text(index)}] = {self.text(new)}", i)
            else:
                at = self.bind(i.f.at, f"{i.f.__name__}_at", (i.f, "at"))
                self.line(f"{at}({out}, {self.text(index)}, {self.text(new)})", i)

    @property
    def copyto(self) -> str:
        return self.bind(np.copyto, "copyto")

    def argument(self, x: Any, dtype: Any, i: Instruction) -> str:
        """A number of the step is put into an array, as NumPy would do at each of its uses."""
        if not isinstance(x, Value) or x.dtype is not None or dtype is None or dtype.kind != "f":
            return self.text(x, dtype)
        name = self.variable(x)
        first = (id(x), dtype) not in self.named
        array = self.bind(np.empty((), dtype), f"{name}_", (id(x), dtype))
        if first:
            self.line(f"{array}[()] = {name}", i)
        return array

    def concatenate(self, i: Instruction, out: str) -> None:
        axis, parts = i.f % len(i.out.shape), i.args[0]
        regions, roots = self.plan.regions, self.plan.roots
        placed = [isinstance(v, Value) and v in roots for v in parts]
        there = [p and regions[roots[v]].inside is regions[i.out] for p, v in zip(placed, parts)]
        if not any(there) and all(v.shape for v in parts):
            concatenate = self.bind(np.concatenate, "concatenate")
            self.line(f"{concatenate}({self.text(parts)}, {axis}, {out})", i)
            return
        at = 0
        for v, done in zip(parts, there):
            to = at + (v.shape[axis] if v.shape else 1)
            if not v.shape:
                self.line(f"{out}[{at}] = {self.text(v)}", i)
            elif not done:
                place = self.arrays[i.out][(slice(None),) * axis + (slice(at, to),)]
                self.line(f"{self.copyto}({self.bind(place, f'{out}_part')}, {self.text(v)})", i)
            at = to

    def build(self, name: str, args: list[str], more: str) -> Callable[..., Any]:
        """The function. A long one is cut into pages, each a function that the last one calls.

        Why: of a function, Python's parser needs 5 kB of memory a line.
        """
        lines = [text for text, _ in self.lines]
        inside = " ", "except"  # of `with` or `try`
        heads = [i for i, text in enumerate(lines) if not text.startswith(inside)]
        cuts = [0, *heads[PAGE::PAGE], len(lines)]
        pages = [lines[i:j] for i, j in zip(cuts, cuts[1:])]
        words = [{*re.findall(r"\w+", " ".join(p))} for p in pages if len(pages) > 1]
        known, calls = {*args, more}, []
        for k, page in enumerate(pages[:-1]):
            made = self.declared.intersection(re.findall(r"(\w+) = ", "\n".join(page)))
            given = "".join(f"{x}, " for x in made.intersection(set().union(*words[k + 1 :])))
            taken = "".join(f"{x}, " for x in known & words[k])
            page_k = self.unused(f"page_{k + 1}")
            self.define(page_k, taken, [*page, f"return {given}"])
            calls.append(f"{given}{'= ' * bool(given)}{page_k}({taken})")
            known |= made
        parameters = "".join(f"{x}=None, " for x in args)
        self.define(name, f"{parameters}*{more}", calls + pages[-1])
        return self.scope[name]  # type: ignore[no-any-return]

    def define(self, name: str, parameters: str, lines: list[str]) -> None:
        source = "\n    ".join([f"def {name}({parameters}):", *lines])
        exec(code(source, f"<{name}, compiled>"), self.scope)


@functools.lru_cache(32)
def code(source: str, name: str) -> CodeType:
    """Python's parser takes a third of a recording; the same network from another seed has it."""
    return compile(source, name, "exec")


def aligned(size: int, to: int = 64) -> Any:
    """So many bytes, from an address that is a multiple of a line of the cache."""
    raw = np.empty(size + to, np.uint8)
    start = -address(raw) % to
    return raw[start : start + size]


def address(x: Any) -> int:
    return int(x.__array_interface__["data"][0])


def listing(name: str, params: list[str], lines: list[tuple[str, Line | None]]) -> str:
    """The program to be read: beside each line, the user's that it comes from."""
    rows, before = [(f"def {name}({', '.join(params)}):", "")], None
    tests = sum(text.count(" or ") + 1 for text, _ in lines if text.endswith("raise Changed"))
    rows.append((f"    # {tests} tests whether all is as it was when this was recorded", ""))
    for text, line in lines:
        if text.endswith("raise Changed") or text == "try:":
            continue
        note = ""
        if line is not None:
            note = f"# {'∂ ' * line.back}{line}"
            if (line.file, line.number, line.back) != before:
                note += f"  {line.text}"
            before = (line.file, line.number, line.back)
        if text:
            rows.append((f"    {text}", note))
    width = min(max((len(text) for text, note in rows if note), default=0), 72)
    return "\n".join(f"{text:{width}}  {note}".rstrip() for text, note in rows) + "\n"
