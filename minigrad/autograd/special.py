"""Rules of SciPy's special functions.

To load SciPy takes longer than to load all the rest, so this module is imported when one of its
functions first meets a Tensor, or an activation needs one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import erf, expit, ndtr

from .tensor import RULES

__all__ = ["density", "erf", "expit", "ndtr"]

TWO_OVER_SQRT_PI = float(2 / np.sqrt(np.pi))
ONE_OVER_SQRT_2PI = float(1 / np.sqrt(2 * np.pi))


def density(x: Any) -> Any:
    """The density of N(0, 1). Beyond 40 it is 0 in every dtype, and x^2 might overflow."""
    return ONE_OVER_SQRT_2PI * np.exp(-np.square(np.clip(x, -40, 40)) / 2)


RULES.update(
    {
        expit: (lambda g, y, x: g * y * (1 - y),),
        erf: (lambda g, y, x: g * TWO_OVER_SQRT_PI * np.exp(-x * x),),
        ndtr: (lambda g, y, x: g * density(x),),
    }
)
