"""Post-norm for very deep networks. Derived in `chapters/normalization/deep-norm.ipynb`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.tensor import ArrayLike
from ..checks import number, real
from .residual_and_norm import _Residual


class DeepNorm(_Residual):
    """norm(alpha · x + branch(x)): Post-Norm with the stream weighed up, for very deep networks.

    Parameters
    ----------
    norm, branch: modules or functions.
    alpha: > 0, from `init.deepnorm_alpha_beta`, which also gives the β for the branch's weights;
        1 is Post-Norm.

    Further arguments of a call go to the branch.
    Reference: Wang et al. 2022, DeepNet: Scaling Transformers to 1,000 Layers, section 3.
    Derived in `chapters/normalization/deep-norm.ipynb`.

    >>> import numpy as np
    >>> from minigrad.norms import LayerNorm
    >>> DeepNorm(LayerNorm(2), np.tanh, alpha=2.0)
    DeepNorm(alpha=2)  4 parameters
      norm: LayerNorm(2)  4 parameters
    """

    def __init__(self, norm: Callable[..., Any], branch: Callable[..., Any], alpha: float) -> None:
        super().__init__(norm, branch)
        self.alpha = number("DeepNorm", "alpha", alpha, "(0, inf)")

    def forward(self, x: ArrayLike, *args: Any, **kwargs: Any) -> Any:
        x = real("DeepNorm", "x", x)
        return self.norm(self.alpha * x + self.branched(x, *args, **kwargs))

    def extra_repr(self) -> str:
        return f"alpha={self.alpha:.4g}"
