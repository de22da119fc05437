"""Checks of arguments, in one vocabulary.

A domain in words is the test and the message at once:

    >>> eps = number("layer_norm", "eps", -1.0, "[0, inf)")
    Traceback (most recent call last):
    ValueError: layer_norm: eps must be in [0, inf), got -1.0

Every check is told who asks (the public name that was called) and the name of the argument, and
gives back the value as what it is needed as. A wrong type raises TypeError, a value outside
ValueError, both before anything is computed. True is no number, and neither is "1".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from numbers import Integral, Real
from typing import Any

import numpy as np

from .autograd.arrays import Array, as_array
from .autograd.tensor import ArrayLike, Tensor

BOOL = (bool, np.bool_)  # to isinstance, True is an int

# --- options


def number(who: str, key: str, value: Any, domain: str = "(-inf, inf)") -> float:
    """The value as a Python float, which leaves float32 arrays float32."""
    if type(value) is not float and (isinstance(value, BOOL) or not isinstance(value, Real)):
        raise TypeError(f"{who}: {key} must be a number in {domain}, got {value!r}")
    if not contains(domain, value):
        raise ValueError(f"{who}: {key} must be in {domain}, got {value!r}")
    return float(value)


def integer(who: str, key: str, value: Any, domain: str = "{1, 2, ...}") -> int:
    if type(value) is not int and (isinstance(value, BOOL) or not isinstance(value, Integral)):
        raise TypeError(f"{who}: {key} must be an integer in {domain}, got {value!r}")
    if not contains(domain, value):
        raise ValueError(f"{who}: {key} must be in {domain}, got {value!r}")
    return int(value)


def contains(domain: str, value: Any) -> bool:
    """Whether a number lies in "[0, 1)", "(-inf, inf)" or "{1, 2, ...}"; NaN lies in none."""
    low, high, with_low, with_high = limits(domain)
    return bool(low < value < high or (value == low and with_low) or (value == high and with_high))


@lru_cache
def limits(domain: str) -> tuple[float, float, bool, bool]:
    """The ends of a domain, and whether they belong to it."""
    if domain[0] == "{":
        return float(domain[1:-1].split(", ")[0]), np.inf, True, False
    low, high = domain[1:-1].split(", ")
    return float(low), float(high), domain[0] == "[", domain[-1] == "]"


def flag(who: str, key: str, value: Any) -> bool:
    if not isinstance(value, BOOL):
        raise TypeError(f"{who}: {key} must be True or False, got {value!r}")
    return bool(value)


def choice(who: str, key: str, value: Any, *allowed: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{who}: {key} must be {either(allowed)}, got {value!r}")
    if value not in allowed:
        raise ValueError(f"{who}: {key} must be {either(allowed)}, got {value!r}")
    return value


def either(words: Any) -> str:
    """The words in quotes: "a", "b" or "c"."""
    *most, last = (f'"{w}"' for w in words)
    return f"{', '.join(most)} or {last}" if most else last


def option(who: str, key: str, value: Any, domain: str | tuple[str, ...]) -> Any:
    """An option by its domain: "[0, 1)", "{1, 2, ...}", "{False, True}", or some words."""
    if isinstance(domain, tuple):
        return choice(who, key, value, *domain)
    if domain == "{False, True}":
        return flag(who, key, value)
    return (integer if domain[0] == "{" else number)(who, key, value, domain)


def each(who: str, domain: str, **values: Any) -> None:
    """Several options of one domain: each("linear", "[0, 1]", start_factor=s, end_factor=e)."""
    for key, value in values.items():
        option(who, key, value, domain)


def numbers(who: str, key: str, value: Any, n: int, domain: str) -> tuple[float, ...]:
    """n numbers, such as (0.9, 0.999), each in the domain."""
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"{who}: {key} must be {n} numbers in {domain}, got {value!r}")
    if len(value) != n:
        raise ValueError(f"{who}: {key} must be {n} numbers in {domain}, got {value!r}")
    return tuple(number(who, f"{key}[{i}]", v, domain) for i, v in enumerate(value))


def function(who: str, key: str, value: Any, what: str = "a function") -> Callable[..., Any]:
    if not callable(value):
        raise TypeError(f"{who}: {key} must be {what}, got {value!r}")
    return value  # type: ignore[no-any-return]


def generator(who: str, rng: Any) -> np.random.Generator:
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"{who}: rng must be a numpy Generator, such as np.random.default_rng(0), got {rng!r}"
        )
    return rng


def generator_or_new(who: str, rng: Any) -> np.random.Generator:
    """rng, or for None one whose numbers differ from run to run."""
    return np.random.default_rng() if rng is None else generator(who, rng)


def float_dtype(who: str, dtype: Any) -> np.dtype[Any]:
    """A dtype of parameters."""
    try:
        found: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        found = np.dtype(bool)
    if dtype is None or found.kind != "f":
        raise TypeError(f'{who}: dtype must be floating, such as "float32", got {dtype!r}')
    return found


def sizes(who: str, key: str, value: Any, domain: str = "{1, 2, ...}") -> tuple[int, ...]:
    """A shape: an integer, or several."""
    if type(value) is tuple:
        if {*map(type, value)} == {int} and all(contains(domain, n) for n in value):
            return value
    else:
        if isinstance(value, Integral):
            return (integer(who, key, value, domain),)
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise TypeError(f"{who}: {key} must be integers in {domain}, got {value!r}")
    return tuple([integer(who, f"{key}[{i}]", n, domain) for i, n in enumerate(value)])


# --- arrays


def array(who: str, key: str, x: ArrayLike) -> Tensor | Array:
    """x, or the array it makes, if it holds real numbers or booleans."""
    if isinstance(x, Tensor) or (type(x) is np.ndarray and x.dtype.kind in "fiub"):
        return x
    return as_array(f"{who}: {key}", x)


def real(who: str, key: str, x: ArrayLike) -> Tensor:
    """x as a Tensor of floating-point numbers; integers become float64."""
    if isinstance(x, Tensor) and x._data.dtype.kind == "f":
        return x
    a = array(who, key, x)
    if a.dtype.kind != "f":
        a = a.astype(np.float64)
    return a if isinstance(a, Tensor) else Tensor(a)


def reals(who: str, **given: ArrayLike) -> list[Tensor]:
    """Tensors of floats; integers and lists get the dtype of the float arrays beside them."""
    tensors = [real(who, key, x) for key, x in given.items()]
    own = [getattr(getattr(x, "dtype", None), "kind", "") == "f" for x in given.values()]
    if all(own) or not any(own):
        return tensors
    dtype = np.result_type(*[x.dtype for x, keeps in zip(tensors, own) if keeps])
    return [x if keeps else x.astype(dtype) for x, keeps in zip(tensors, own)]


def floats(who: str, key: str, x: ArrayLike) -> Array:
    """x as an array of floating-point numbers, without its gradient; True is none."""
    if array(who, key, x).dtype.kind == "b":
        raise TypeError(f"{who}: {key} must hold real numbers, got booleans")
    return real(who, key, x).data


def same_shape(who: str, **arrays: Any) -> None:
    """Raise if two arrays, given by the names the user knows them by, differ in shape."""
    (first, a), *others = arrays.items()
    for key, b in others:
        if a.shape != b.shape:
            raise ValueError(
                f"{who}: {first} {a.shape} and {key} {b.shape} must have the same shape: reshape "
                "one of them, nothing is broadcast"
            )


def all_elements(who: str, key: str, x: Any, holds: Any, must_be: str) -> None:
    """Raise, naming the first element that fails, unless the condition holds for every one."""
    if np.asarray(holds).all():
        return
    at = tuple(map(int, np.argwhere(~np.asarray(holds))[0]))
    where = "" if not at else f" at row {at[0]}" if len(at) == 1 else f" at {at}"
    found = (x._data if isinstance(x, Tensor) else x)[at]
    raise ValueError(f"{who}: {key} must be {must_be}, got {found}{where}")


def one_axis(who: str, x: Any, value: Any) -> int:
    """An axis of x that is not empty."""
    if isinstance(value, BOOL) or not isinstance(value, Integral):
        raise TypeError(f"{who}: axis must be an integer, got {value!r}")
    if not -x.ndim <= value < x.ndim:
        raise ValueError(f"{who}: axis {value} is not one of the {x.ndim} axes of shape {x.shape}")
    if x.shape[value] == 0:
        raise ValueError(f"{who}: axis {value} of shape {x.shape} is empty; it needs a number")
    return int(value)


def some_axes(who: str, x: Any, value: Any) -> int | tuple[int, ...] | None:
    """An axis, several in a tuple, or None for all."""
    if value is None:
        if x.size == 0:
            raise ValueError(f"{who}: x of shape {x.shape} is empty; it needs a number")
        return None
    if not isinstance(value, tuple):
        return one_axis(who, x, value)
    found = tuple(one_axis(who, x, a) for a in value)
    if len({a % x.ndim for a in found}) < len(found):
        raise ValueError(f"{who}: axis {value} names one twice")
    return found
