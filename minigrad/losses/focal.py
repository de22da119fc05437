"""Cross-entropy for classes of very different size. Derived in `chapters/losses/focal.ipynb`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..activations.relu_family import _softplus
from ..activations.softmax import _logsumexp
from ..autograd.operators import array_of
from ..autograd.rules import logistic
from ..autograd.tensor import ArrayLike, Tensor, apply, primitive
from ..checks import all_elements, array, number, real
from .common import class_targets, class_weights, reduce


# p = sigmoid(s), log p = -softplus(-s), 1 - p = e^-softplus(s):  y = -(1 - p)^gamma log p  and
# dy/ds = (1 - p)^gamma (gamma p log p + p - 1), derived in chapters/losses/focal.ipynb.
@primitive(
    lambda g, y, s, gamma: (
        -g
        * np.exp(-gamma * _softplus(s))  # logistic(s) is 0 long before s = -1e4, and 0 inf is NaN
        * (gamma * logistic(s) * _softplus(-np.maximum(s, -1e4)) + logistic(-s))
    ),
    None,
)
def _focal(s: Any, gamma: float) -> Any:
    return np.exp(-gamma * _softplus(s)) * _softplus(-s)


def focal_loss(
    logits: ArrayLike,
    targets: ArrayLike,
    gamma: float = 2.0,
    alpha: ArrayLike | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""$-\alpha_t (1 - p_t)^\gamma \log p_t$, $p_t$ the probability given to the true class.

    With γ = 0 it is cross-entropy; γ = 2 makes an example with $p_t = 0.9$ count 100 times less.
    It is computed from the log-odds of the true class, so that $1 - p_t$ keeps its digits.

    Shape: logits (..., K) and targets (...) integers in [0, K), for softmax over K ≥ 2 classes; or
    logits and targets of equal shape, targets 0 or 1, for a sigmoid. One loss for each target.

    Parameters
    ----------
    gamma: γ ≥ 0; the larger, the less examples count that are already right. 0 is cross-entropy.
    alpha: None for no weights; for a sigmoid a number in [0, 1]: α for targets 1, 1 − α for 0; for
        K classes their weights, shape (K,), at least 0.

    Raises
    ------
    ValueError: a target that is no class.

    Reference: Lin et al. (2017), Focal loss for dense object detection, eq. 4 and 5 (the mean there
    is over the examples that are not background). Derived in `chapters/losses/focal.ipynb`.

    >>> round(focal_loss([[0.0, 0.0]], [1]).item(), 4)  # log(2) / 4
    0.1733
    """
    label = "focal_loss"
    z = real(label, "logits", logits)
    t = array_of(array(label, "targets", targets))
    gamma = number(label, "gamma", gamma, "[0, inf)")
    a: Any = None  # the weight of each target
    if t.shape == z.shape:
        all_elements(label, "targets", t, (t == 0) | (t == 1), "0 or 1")
        s = np.where(t == 1, z, -z)
        if alpha is not None:
            alpha = number(label, "alpha", alpha, "[0, 1]")
            a = np.where(t == 1, alpha, 1 - alpha)
    else:
        if z.ndim == 0 or z.shape[-1] < 2:
            raise ValueError(
                f"{label}: logits must be (..., K) with K >= 2 classes, or of the shape of the "
                f"targets {t.shape}, got {z.shape}"
            )
        K = z.shape[-1]
        y = class_targets(label, "targets", t, K, z.shape[:-1])[0].reshape(t.shape)
        true = y[..., None] == np.arange(K)
        others = apply(_logsumexp, np.where(true, -np.inf, z), axis=-1)
        s = np.sum(np.where(true, z, 0), axis=-1) - others
        if alpha is not None:
            w = class_weights(label, "alpha", alpha, K, z.dtype)
            a = None if w is None else np.take(w, y)
    loss = apply(_focal, s, gamma)
    return reduce(label, loss if a is None else loss * a.astype(z.dtype), reduction)
