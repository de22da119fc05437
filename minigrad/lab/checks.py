"""Checks that a chapter runs beside its formulas."""

import numpy as np

from .words import typeset


def check(label, condition):
    """Print ``✓ label`` if ``condition`` holds.

    Args:
        label: what is checked, usually an equation's label.
        condition: a bool, or an array of bools that must all be true and not be empty.

    Raises:
        AssertionError: naming the label, if it does not hold.

    >>> check("eq:square", 3**2 == 9)
    ✓ eq:square
    """
    condition = np.asarray(condition)
    if condition.dtype != bool or condition.size == 0:
        raise TypeError(
            f"check({label!r}): the condition must be a bool or a non-empty array of bools, "
            f"got {condition.dtype} of shape {condition.shape}; for numbers use check_close"
        )
    if not condition.all():
        where = f" ({(~condition).sum()} of {condition.size} entries)" if condition.ndim else ""
        raise AssertionError(f"{label} does not hold{where}")
    print(f"✓ {label}")


def check_close(label, got, want, tol=1e-12):
    """Print ``✓ label  |Δ| ≤ tol`` if ``|got - want| ≤ tol · max(1, |want|)`` everywhere.

    The tolerance is printed and not the measured difference, which is rounding noise and differs
    between processors. Tensors count as their arrays.

    Raises:
        AssertionError: with the largest scaled difference; NaN never passes.
        ValueError: if the shapes differ (a scalar ``want`` fits any) or the arrays are empty.

    >>> check_close("eq:sum", sum([0.1] * 10), 1.0)
    ✓ eq:sum  |Δ| ≤ 10⁻¹²
    """
    got, want = (np.asarray(getattr(x, "data", x) if hasattr(x, "requires_grad") else x)
                 for x in (got, want))  # fmt: skip
    if want.ndim and got.shape != want.shape:
        raise ValueError(f"check_close({label!r}): shapes differ, {got.shape} against {want.shape}")
    if got.size == 0:
        raise ValueError(f"check_close({label!r}): nothing to compare, the arrays are empty")
    difference = np.max(np.abs(got - want) / np.maximum(1, np.abs(want)))
    if not difference <= tol:
        raise AssertionError(f"{label}: |difference| is {difference:.3g}, must be ≤ {tol:g}")
    print(f"✓ {label}  |Δ| ≤ {typeset(f'{tol:g}')}")
