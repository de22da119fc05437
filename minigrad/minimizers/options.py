"""Checks of options, each with what was got and what must hold."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any


def is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def check_option(name: str, value: Any, also: str | None = None, who: str = "minimize") -> None:
    """Raise if an option cannot mean anything; `also` is one more scaling that is allowed."""
    allowed: dict[str, tuple[Any, ...]] = {
        "line_search": ("strong_wolfe", "backtracking"),
        "beta": ("polak-ribiere", "fletcher-reeves"),
        "scaling": ("first", "none", *([also] if also else [])),
        "damping": (True, False),
    }
    if name in allowed:
        good = any(value is a or isinstance(value, str) and value == a for a in allowed[name])
        must = f"one of {', '.join(map(repr, allowed[name]))}"
    elif name in ("maxiter", "memory"):
        least = int(name == "memory")
        good = is_whole(value) and value >= least
        must = f"a whole number >= {least}"
    elif name in ("gtol", "rtol", "atol"):
        good, must = is_number(value) and 0 <= value < math.inf, "a number >= 0"
    else:  # lr, penalty
        good, must = is_number(value) and 0 < value < math.inf, "a number > 0"
        if name == "lr":
            good, must = good or value is None, f"{must}, or None"
    if not good:
        raise ValueError(f"{who}: {name} must be {must}, got {value!r}")


def check_search(
    who: str,
    alpha: float,
    c1: float,
    maxiter: int,
    c2: float | None = None,
    shrink: float | None = None,
) -> None:
    if not (is_number(alpha) and 0 < alpha < math.inf):
        raise ValueError(f"{who}: alpha must be a number > 0, got {alpha!r}")
    top = 1 if c2 is None else c2
    if not (is_number(c1) and is_number(top) and 0 < c1 < top <= 1) or c2 == 1:
        names = "c1 must satisfy 0 < c1 < 1" if c2 is None else "0 < c1 < c2 < 1 must hold"
        raise ValueError(f"{who}: {names}, got c1 = {c1!r}{'' if c2 is None else f', c2 = {c2!r}'}")
    if shrink is not None and not (is_number(shrink) and 0 < shrink < 1):
        raise ValueError(f"{who}: shrink must be in (0, 1), got {shrink!r}")
    if not (is_whole(maxiter) and maxiter >= 1):
        raise ValueError(f"{who}: maxiter must be a whole number >= 1, got {maxiter!r}")
