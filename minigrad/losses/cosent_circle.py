"""Losses of similarities. Derived in `chapters/losses/cosent-circle.ipynb`."""

from __future__ import annotations

import numpy as np

from ..activations.relu_family import _softplus
from ..activations.softmax import _logsumexp
from ..autograd.tensor import ArrayLike, Tensor, apply
from ..checks import number, reals
from .common import gaps, graded, reduce, times


def cosent_loss(
    similarities: ArrayLike, labels: ArrayLike, scale: float = 20, reduction: str = "mean"
) -> Tensor:
    r"""$\log(1 + \sum_{y_i > y_j} e^{\lambda(s_j - s_i)})$: similarities in the labels' order.

    Shape: similarities s and labels y (..., n), the cosines of n pairs of sentences and how similar
    these are; one loss for each batch of n, 0 if all labels are equal.

    Parameters
    ----------
    labels: real grades, of which only the order counts; no gradient is taken of them.
    scale: λ > 0: how steeply a pair in the wrong order is punished.

    Reference: Su (2022), CoSENT, kexue.fm/archives/8847, the form for graded pairs. Derived in
    `chapters/losses/cosent-circle.ipynb`.

    >>> round(cosent_loss([0.8, 0.8], [1, 0]).item(), 4)
    0.6931
    """
    scale = number("cosent_loss", "scale", scale, "(0, inf)")
    s, y = graded("cosent_loss", similarities=similarities, labels=labels)
    d = np.where(y[..., :, None] > y[..., None, :], -scale * gaps(s), -np.inf)
    return reduce("cosent_loss", apply(_softplus, apply(_logsumexp, d, axis=(-2, -1))), reduction)


def circle_loss(
    sp: ArrayLike,
    sn: ArrayLike,
    m: float = 0.25,
    gamma: float = 256,
    reduction: str = "mean",
) -> Tensor:
    r"""Pulls each similarity the more, the further it is from its optimum.

    $\log(1 + \sum_j e^{\gamma\alpha_n^j(s_n^j - m)} \sum_i e^{-\gamma\alpha_p^i(s_p^i - 1 + m)})$
    with $\alpha_p = [1 + m - s_p]_+$ and $\alpha_n = [s_n + m]_+$, constants for the gradient. The
    decision boundary is the circle $s_n^2 + (1 - s_p)^2 = 2m^2$.

    Shape: sp (..., K) and sn (..., L), the similarities of an anchor with K of its class and L of
    others; one loss for each anchor.

    Parameters
    ----------
    m: relaxation margin, finite; gamma: scale γ > 0.

    Reference: Sun et al. (2020), Circle loss: a unified perspective of pair similarity
    optimization, section 3. Derived in `chapters/losses/cosent-circle.ipynb`.

    >>> round(circle_loss([0.75], [0.25]).item(), 4)
    0.6931
    """
    label = "circle_loss"
    m = number(label, "m", m)
    gamma = number(label, "gamma", gamma, "(0, inf)")
    p, n = reals(label, sp=sp, sn=sn)
    if not p.ndim or not n.ndim or p.shape[:-1] != n.shape[:-1] or 0 in (p.shape[-1], n.shape[-1]):
        raise ValueError(
            f"{label}: sp must be (..., K) and sn (..., L) with equal leading axes, K and L at "
            f"least 1, got {p.shape} and {n.shape}"
        )
    alpha_p = np.maximum(1 + m - p.data, 0)
    alpha_n = np.maximum(n.data + m, 0)
    negatives = apply(_logsumexp, times(gamma * alpha_n, n - m))
    positives = apply(_logsumexp, times(-gamma * alpha_p, p - (1 - m)))
    return reduce(label, apply(_softplus, negatives + positives), reduction)
