"""Whether operations note where their results come from: a matter of each thread.

`no_grad` switches it off, for a block, a function or a generator.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from contextlib import ContextDecorator
from functools import partial, wraps
from typing import Any


class Recording(threading.local):
    """Whether the operations of this thread note where their results come from."""

    def __init__(self) -> None:
        self.on = True
        self.before: list[bool] = []  # what `recording` will go back to, innermost last
        self.depth = 0  # how many functions of `calculus.py` are evaluating theirs


state = Recording()


class recording(ContextDecorator):
    """`with recording(True): ...` or `with recording(False): ...`"""

    def __init__(self, on: bool) -> None:
        self.on = on

    def __enter__(self) -> None:
        state.before.append(state.on)
        state.on = self.on

    def __exit__(self, *exc: object) -> None:
        state.on = state.before.pop()

    def __call__(self, f: Any) -> Any:
        """As a decorator. A generator computes so until each `yield`, and not what lies between."""
        if not inspect.isgeneratorfunction(f):
            return super().__call__(f)

        @wraps(f)
        def steps(*args: Any, **kwargs: Any) -> Any:
            running = f(*args, **kwargs)
            advance: Callable[[], Any] = lambda: next(running)  # noqa: E731
            try:
                while True:
                    try:
                        with self:
                            value = advance()
                    except StopIteration as end:
                        return end.value
                    try:
                        sent = yield value
                        advance = partial(running.send, sent)
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        advance = partial(running.throw, error)
            finally:
                with self:
                    running.close()

        return steps


def no_grad(f: Callable[..., Any] | None = None) -> Any:
    """Compute without recording: `with no_grad(): ...`, or `@no_grad` above a function.

    It holds for this thread. Above a generator it holds while that runs, not for the loop that it
    feeds; `with no_grad(): ... yield` inside one would hold for the loop, too.

    >>> from minigrad import Tensor
    >>> x = Tensor(3.0, requires_grad=True)
    >>> with no_grad():
    ...     (x * x).requires_grad
    False
    """
    if f is None:
        return recording(False)
    if not callable(f):
        raise TypeError(f"no_grad: takes no argument, or the function it decorates, got {f!r}")
    return recording(False)(f)
