"""What a call of a NumPy function means for minigrad: its arguments in the order that a rule takes.

A rule, or a function written in place of NumPy's, takes some of the arguments of NumPy's signature.
A call is read with that signature; what the rule does not take must be what it is by default, or
the call is refused with the option's name, before anything is computed.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from .messages import name, public_name

accepted: set[tuple[Any, ...]] = set()  # calls that fit as they are

UFUNC_OPTIONS: dict[str, Any] = {
    "out": None, "where": True, "casting": "same_kind", "order": "K", "dtype": None, "subok": True
}  # fmt: skip


@lru_cache
def signature(f: Callable[..., Any], skip: int = 0) -> inspect.Signature:
    """The signature of a function; of a rule without g and y."""
    found = inspect.signature(f)
    return found.replace(parameters=list(found.parameters.values())[skip:])


def fit(
    f: Any, known: Callable[..., Any], skip: int, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with which `known`, which stands for f, is called in place of f."""
    if type(kwargs.get("axis")) is list:
        kwargs = kwargs | {"axis": tuple(kwargs["axis"])}
    call = (f, len(args), *kwargs)
    if call in accepted:
        return args, kwargs
    own = signature(known, skip)
    try:
        own.bind(*args, **kwargs)
        accepted.add(call)
        return args, kwargs
    except TypeError:
        pass
    if isinstance(f, np.ufunc):
        if len(args) > f.nin:  # an array to write into, by position
            raise refusal(f, own, ["out"])
        left = [key for key, v in kwargs.items() if not is_default(v, UFUNC_OPTIONS.get(key, args))]
        if left or len(args) < f.nin:
            raise refusal(f, own, left)
        return args, {}
    try:
        theirs = signature(f)
        given = theirs.bind(*args, **kwargs).arguments
    except (TypeError, ValueError) as error:
        raise TypeError(f"{public_name(f)}: {error}") from None
    new_args, new_kwargs = [], {}
    order = [p for p in theirs.parameters.values() if p.kind is not p.KEYWORD_ONLY]
    for i, p in enumerate(own.parameters.values()):
        key = p.name
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty:
            key = order[i].name if i < len(order) else key
            if key in given:
                new_args.append(given.pop(key))
        elif key in given:
            new_kwargs[key] = given.pop(key)
    left = [key for key, v in given.items() if not is_default(v, theirs.parameters[key].default)]
    try:
        own.bind(*new_args, **new_kwargs)
    except TypeError as error:
        raise TypeError(f"{public_name(f)}: {error}") from None
    if left:
        raise refusal(f, own, left)
    return tuple(new_args), new_kwargs


def is_default(value: Any, default: Any) -> bool:
    """Whether an option says nothing."""
    if value is default or value is None or value is np._NoValue:
        return True
    return type(value) is type(default) and not isinstance(value, np.ndarray) and value == default


def refusal(f: Any, own: inspect.Signature, left: list[str]) -> TypeError:
    options = [p.name for p in own.parameters.values() if p.default is not p.empty]
    given = f", {', '.join(f'{key}=' for key in left)}" if left else ""
    return TypeError(
        f"{public_name(f)} was called with options that minigrad does not differentiate{given}: "
        f"of the options only {', '.join(options) or 'none'}"
    )


def named(f: Any, error: Exception) -> Exception:
    """The error, saying in which function of the user's."""
    if re.match(r"[\w.]+:|np\.", str(error)):
        return error
    return type(error)(f"{public_name(f)}: {error}")


def refuse_out(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise if a function that gives plain arrays is told to write into one."""
    out = kwargs.get("out")
    parts = [*(out if isinstance(out, tuple) else (out,)), *args[getattr(f, "nin", len(args)) :]]
    if any(part is not None for part in parts):
        raise TypeError(f"{public_name(f)}: out= is not written to: use what it returns")


def no_rule(f: Any) -> TypeError:
    return TypeError(
        f"{public_name(f)} has no derivative rule in minigrad: write it with functions that have "
        "one (minigrad/autograd/rules.py lists them), or call it on x.numpy() if no gradient is "
        "needed"
    )


def no_method(f: np.ufunc, method: str) -> TypeError:
    return TypeError(f"np.{name(f)}.{method} has no derivative rule in minigrad")
