"""Where a residual block has its norm.

Derived in `chapters/normalization/residual-and-norm.ipynb`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.tensor import ArrayLike
from ..module import Module


class _Residual(Module):
    def __init__(self, norm: Callable[..., Any], branch: Callable[..., Any]) -> None:
        for label, part in (("norm", norm), ("branch", branch)):
            if not callable(part):
                raise TypeError(
                    f"{type(self).__name__}: {label} must be a module or a function, got {part!r}"
                )
        self.norm, self.branch = norm, branch

    def branched(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """branch(x, ...), which must keep x's shape to be added to it."""
        y = self.branch(x, *args, **kwargs)
        if np.shape(y) != np.shape(x):
            raise ValueError(
                f"{type(self).__name__}: branch must return the shape of its input {np.shape(x)}, "
                f"got {np.shape(y)}"
            )
        return y


class PreNorm(_Residual):
    """x + branch(norm(x)): the stream itself is never normalized.

    Further arguments of a call go to the branch: `block(x, is_causal=True)`.
    Reference: Xiong et al. 2020, On Layer Normalization in the Transformer Architecture, Figure 1.
    Derived in `chapters/normalization/residual-and-norm.ipynb`.

    >>> from minigrad.norms import RMSNorm
    >>> PreNorm(RMSNorm(2), np.tanh)(np.zeros((1, 2))).numpy()
    array([[0., 0.]])
    """

    def forward(self, x: ArrayLike, *args: Any, **kwargs: Any) -> Any:
        return x + self.branched(self.norm(x), *args, **kwargs)


class PostNorm(_Residual):
    """norm(x + branch(x)): the original transformer's order.

    Reference: Vaswani et al. 2017, section 3.1. Further arguments of a call go to the branch.
    Derived in `chapters/normalization/residual-and-norm.ipynb`.

    >>> from minigrad.norms import LayerNorm
    >>> PostNorm(LayerNorm(2), np.tanh)(np.array([[0.0, 2.0]])).numpy().round(3)
    array([[-1.,  1.]])
    """

    def forward(self, x: ArrayLike, *args: Any, **kwargs: Any) -> Any:
        return self.norm(x + self.branched(x, *args, **kwargs))
