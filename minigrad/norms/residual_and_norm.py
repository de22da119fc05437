"""Where a residual block has its norm.

Derived in `chapters/normalization/residual-and-norm.ipynb`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.tensor import ArrayLike, Tensor
from ..checks import array, function, real
from ..module import Module


class _Residual(Module):
    def __init__(self, norm: Callable[..., Any], branch: Callable[..., Any]) -> None:
        name, part = type(self).__name__, "a module or a function"
        self.norm = function(name, "norm", norm, part)
        self.branch = function(name, "branch", branch, part)

    def branched(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        """branch(x, ...), which must keep x's shape to be added to it."""
        y = array(type(self).__name__, "what branch returns", self.branch(x, *args, **kwargs))
        if y.shape != x.shape:
            raise ValueError(
                f"{type(self).__name__}: branch must return the shape of its input {x.shape}, "
                f"got {y.shape}"
            )
        return y


class PreNorm(_Residual):
    """x + branch(norm(x)): the stream itself is never normalized.

    Further arguments of a call go to the branch: `block(x, is_causal=True)`.
    Reference: Xiong et al. 2020, On Layer Normalization in the Transformer Architecture, Figure 1.
    Derived in `chapters/normalization/residual-and-norm.ipynb`.

    >>> import numpy as np
    >>> from minigrad.norms import RMSNorm
    >>> PreNorm(RMSNorm(2), np.tanh)(np.zeros((1, 2))).numpy()
    array([[0., 0.]])
    """

    def forward(self, x: ArrayLike, *args: Any, **kwargs: Any) -> Any:
        x = real("PreNorm", "x", x)
        return x + self.branched(self.norm(x), *args, **kwargs)


class PostNorm(_Residual):
    """norm(x + branch(x)): the original transformer's order.

    Reference: Vaswani et al. 2017, section 3.1. Further arguments of a call go to the branch.
    Derived in `chapters/normalization/residual-and-norm.ipynb`.

    >>> import numpy as np
    >>> from minigrad.norms import LayerNorm
    >>> PostNorm(LayerNorm(2), np.tanh)(np.array([[0.0, 2.0]])).numpy().round(3)
    array([[-1.,  1.]])
    """

    def forward(self, x: ArrayLike, *args: Any, **kwargs: Any) -> Any:
        x = real("PostNorm", "x", x)
        return self.norm(x + self.branched(x, *args, **kwargs))
