"""When to record, what must hold for a replay, and what a step leaves behind."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.calculus import grad
from ..autograd.tensor import Tensor
from ..checks import function, number
from ..optim.clip import clip_grad_norm
from ..optim.optimizer import Optimizer
from .program import CompileError, Differs, Otherwise, current, mapped
from .replaying import Changed, Program
from .stepping import NotYet, Recorded, record, tensor
from .surroundings import Wrapper
from .writing import Branched

RECORDING = threading.RLock()  # one recording at a time: it exchanges what modules see as np
FIRST_CHECK, RARER = 8, 16  # calls 8, 128, 2048, … are recorded again, and compared
PROGRAMS = 64  # kept at most, one for each combination of shapes


def compile(
    f: Callable[..., Any], optimizer: Optimizer | None = None, clip: float | None = None
) -> Compiled:
    r"""The same function, recorded once and replayed: as fast as NumPy written by hand.

    With an optimizer, `f` computes a loss, and a call is a whole step of training: gradients,
    clipping, `optimizer.step()`. It returns the loss as a NumPy number, and leaves in each
    parameter's `.grad` its gradient, until the next call. Without, a call returns what `f` returns,
    which may be gradients and Hessian-vector products; tensors come without their history.

    Parameters
    ----------
    f: a function of arrays or Tensors; other arguments (numbers, strings, None) are options, and
        each value of them is recorded by itself, as is each shape and dtype.
    optimizer: whose parameters a call changes. A rule that cannot be replayed (one that decides by
        numbers it has computed) is stepped as usual, on compiled gradients.
    clip: the largest norm of all gradients together, as in `clip_grad_norm`.

    The first call is an ordinary one. The next two are recorded, and must do the same; then calls
    are replayed. Parameters, rates, states and arrays that `f` refers to are read as they are at
    each call. A recording is checked again at calls 8, 128, 2048, …: a part of the surroundings
    that cannot be watched (a number computed elsewhere) is stale until then, and raises there.

    Raises
    ------
    CompileError (a TypeError): what cannot be replayed, with the line: a decision by a computed
        number, draws from a generator that is not known, changes by assignment. Parameters and
        states are then as they were before the call.

    `print(compiled.source)` shows the program. While a call is recorded (the second and third),
    no other thread may use the same network.

    Example
    -------
    >>> from minigrad import Tensor, grad
    >>> def slope(x):
    ...     return grad((x**3).sum(), x)
    >>> fast = compile(slope)
    >>> [fast(Tensor([2.0], requires_grad=True)).item() for _ in range(4)]
    [12.0, 12.0, 12.0, 12.0]

    Derived in `chapters/autograd/compiling-the-tape.ipynb`.
    """
    return Compiled(f, optimizer, clip)


class Compiled(Wrapper):
    """What `compile` gives. `source` is the program of the last replay, to be printed."""

    def __init__(
        self, f: Callable[..., Any], optimizer: Optimizer | None = None, clip: float | None = None
    ) -> None:
        function("compile", "f", f)
        inner = getattr(optimizer, "opt", optimizer)  # Lookahead has one inside
        if optimizer is not None and not hasattr(inner, "param_groups"):
            raise TypeError(f"compile: optimizer must be one of minigrad.optim, got {optimizer!r}")
        if clip is not None and optimizer is None:
            raise ValueError("compile: clip is for the gradients that an optimizer steps with")
        if clip is not None:
            clip = number("compile", "clip", clip, "[0, inf]")
        self.f, self.optimizer, self._clip = f, optimizer, clip
        self.calls, self.check_at, self.checked_at = 0, FIRST_CHECK, 0
        self.programs: dict[Any, Program] = {}
        self.pending: dict[Any, Recorded] = {}
        self.last: Program | None = None
        self.lock = threading.RLock()

    @property
    def source(self) -> str:
        if self.last is None:
            raise ValueError("compile: there is no program before the third call")
        return self.last.source

    @property
    def params(self) -> list[Tensor]:
        opt: Any = getattr(self.optimizer, "opt", self.optimizer)
        return [] if opt is None else [p for group in opt.param_groups for p in group["params"]]

    def __call__(self, *args: Any) -> Any:
        lock = self.lock
        if not lock.acquire(False):
            if current.recorder is not None:  # this thread must not wait: others wait for it
                return self.inlined(args)
            lock.acquire()
        try:
            self.calls += 1
            try:
                if self.last is None or self.calls >= self.check_at:
                    raise Changed
                return self.last.run(*args)
            except Changed:
                otherwise = self.find
            except Branched:
                otherwise = self.branched
            return otherwise(args)
        except BaseException:
            for p in self.params:  # gradients may have been half overwritten
                p.grad = None
            raise
        finally:
            lock.release()

    def eager(self, args: tuple[Any, ...]) -> Any:
        """The call, not compiled."""
        if self.optimizer is None:
            return detached(self.f(*args))
        self.optimizer.zero_grad()
        loss = self.f(*args)
        for p, g in zip(self.params, grad(loss, self.params, allow_unused=True)):
            p.grad = None if g is None else np.array(g._data)
        if self._clip is not None:
            clip_grad_norm(self.params, self._clip)
        self.optimizer.step()
        return loss._data.reshape(())[()]

    def inlined(self, args: tuple[Any, ...]) -> Any:
        """Called by what is being recorded itself."""
        if self.optimizer is not None:
            raise CompileError("compile: a step of training inside of a compiled function")
        return self.f(*args)

    def branched(self, args: tuple[Any, ...]) -> Any:
        """A check of the library came out otherwise: it says so itself, or goes another way."""
        assert self.last is not None
        for generator, state in zip(self.last.generators, self.last.states):
            generator.bit_generator.state = state
        return self.eager(args)

    def find(self, args: tuple[Any, ...]) -> Any:
        """Replay the program for these arguments, or record it."""
        if current.recorder is not None:
            return self.inlined(args)
        with RECORDING:
            key = tuple(map(kind_of, args))
            self.last = program = self.programs.get(key)
            checked = program is not None and self.calls >= self.check_at
            if program is not None and not checked:
                try:
                    return program.run(*args)
                except Changed:
                    del self.programs[key]
                    self.last = program = None
                except Branched:
                    pass
                if program is not None:
                    return self.branched(args)
            if self.calls == 1:
                return self.eager(args)
            before = program.recorded if program is not None else self.pending.pop(key, None)
            since = ""
            if program is not None:  # does it still do the same?
                since = f"; it has been so since some call after number {self.checked_at}"
                self.check_at, self.checked_at = RARER * self.calls, self.calls
            named = dict(zip(names_of(self.f, args), args))
            for p in self.params:
                p.grad = None
            try:
                recorded = record(self.f, self.optimizer, self._clip, named, before)
            except NotYet:
                return self.eager(args)
            except Exception as failed:  # what was recorded before holds no longer
                self.programs.pop(key, None)
                self.last = None
                if isinstance(failed, Otherwise):
                    return self.eager(args)
                if isinstance(failed, Differs):
                    raise CompileError(f"{failed}{since}") from None
                raise
            if program is None and before is not None and recorded.program is before.program:
                if len(self.programs) >= PROGRAMS:
                    self.programs.pop(next(iter(self.programs)))
                self.last = Program(self.f, self.optimizer, recorded, named)
                self.programs[key] = self.last
            elif program is None:
                self.pending[key] = recorded
            result = recorded.commit()
            if self.optimizer is not None and not recorded.steps:
                self.optimizer.step()
            return result


def kind_of(x: Any) -> Any:
    """What a program is recorded for."""
    if isinstance(x, Tensor):
        return (Tensor, x._requires_grad, *kind_of(x._data))
    if isinstance(x, np.ndarray):
        return np.ndarray, x.shape, x.dtype, x.strides
    if isinstance(x, np.generic):
        return (type(x),)
    if x is None or isinstance(x, (int, float, str, bool)):
        return type(x), x
    raise TypeError(
        "compile: arguments are arrays, Tensors, numbers, strings or None, got "
        f"{type(x).__name__}: make it an array, or let the function refer to it from outside"
    )


def names_of(f: Callable[..., Any], args: tuple[Any, ...]) -> list[str]:
    """What the arguments are called; a0, a1, … if that is not known."""
    names = [f"a{i}" for i in range(len(args))]
    try:
        for i, p in enumerate(inspect.signature(f).parameters.values()):
            if i < len(args) and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
                names[i] = p.name
    except (TypeError, ValueError):
        pass
    return names


def detached(x: Any) -> Any:
    return mapped(lambda a: tensor(a._data) if isinstance(a, Tensor) else a, x)
