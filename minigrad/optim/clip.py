"""Clipping of gradients by their norm. First used in `chapters/optimizers/unified-view.ipynb`."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

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
    max_norm: >= 0.
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
    # in float64: the squares of exploding float32 gradients would overflow
    norms = [
        np.linalg.norm(p.grad.astype(np.float64).ravel(), norm_type)
        for p in given
        if p.grad is not None and p.grad.size > 0
    ]
    total = float(np.linalg.norm(norms, norm_type)) if norms else 0.0
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeError(
            f"clip_grad_norm: the norm of the gradients is {total}: look for the operation that "
            "overflows, or lower the learning rate"
        )
    factor = float(np.minimum(1.0, max_norm / (total + 1e-6))) if max_norm < np.inf else 1.0
    if factor != 1.0:
        with np.errstate(invalid="ignore"):  # inf · 0: what is not finite becomes nan
            for p in given:
                if p.grad is not None:
                    p.grad = np.asarray(p.grad * factor)
    return total
