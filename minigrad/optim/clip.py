"""Clipping of gradients by their norm. First used in `chapters/optimizers/unified-view.ipynb`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..autograd.arrays import Array
from ..autograd.tensor import Tensor
from ..checks import flag, number


def clip_grad_norm(
    params: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    r"""Scale all gradients by one factor, so that together they are no longer than `max_norm`.

    $$g \leftarrow \min\!\left(1, \frac{\text{max\_norm}}{\|g\| + 10^{-6}}\right) g$$

    where ‖g‖ is the norm of all gradients laid end to end.

    Parameters
    ----------
    params: tensors; those without gradient are left alone.
    max_norm: >= 0, the largest length that the gradients may have together.
    norm_type: p > 0 of the p-norm; `inf` for the largest absolute value.
    error_if_nonfinite: raise, and change nothing, if ‖g‖ is infinite or not a number.

    Returns
    -------
    ‖g‖ before clipping, as a Python number.

    Raises
    ------
    ValueError: max_norm or norm_type out of range. RuntimeError: see error_if_nonfinite.

    Reference: Pascanu, Mikolov & Bengio 2013, Algorithm 1; as `torch.nn.utils.clip_grad_norm_`.

    Example
    -------
    >>> x = Tensor([3.0, 4.0], requires_grad=True)
    >>> (x * x / 2).sum().backward()
    >>> clip_grad_norm([x], max_norm=1.0), x.grad.round(3)
    (5.0, array([0.6, 0.8]))
    """
    max_norm = number("clip_grad_norm", "max_norm", max_norm, "[0, inf]")
    norm_type = number("clip_grad_norm", "norm_type", norm_type, "(0, inf]")
    error_if_nonfinite = flag("clip_grad_norm", "error_if_nonfinite", error_if_nonfinite)
    given = [params] if isinstance(params, Tensor) else params
    if not isinstance(given, Iterable):
        raise TypeError(f"clip_grad_norm: params must be tensors, got {params!r}")
    given = list(given)
    for p in given:
        if not isinstance(p, Tensor):
            raise TypeError(f"clip_grad_norm: params must be tensors, got {p!r}")
    total, factor = clip_factor([p.grad for p in given if p.grad is not None], max_norm, norm_type)
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeError(
            f"clip_grad_norm: the norm of the gradients is {total}: look for the operation that "
            "overflows, or lower the learning rate"
        )
    if factor != 1.0:
        with np.errstate(invalid="ignore"):  # inf · 0: what is not finite becomes nan
            for p in given:
                if p.grad is not None:
                    p.grad = np.asarray(p.grad * factor)
    return total


def clip_factor(
    gradients: Sequence[Array], max_norm: float, norm_type: float = 2.0
) -> tuple[float, float]:
    """The norm of all gradients together, and what they are to be multiplied by."""
    # in float64: the squares of exploding float32 gradients would overflow
    norms = [
        np.linalg.norm(np.asarray(g, np.float64).ravel(), norm_type) for g in gradients if g.size
    ]
    total = float(np.linalg.norm(norms, norm_type)) if norms else 0.0
    factor = float(np.minimum(1.0, max_norm / (total + 1e-6))) if max_norm < np.inf else 1.0
    return total, factor
