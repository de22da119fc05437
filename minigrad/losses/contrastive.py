"""Losses of embeddings. Derived in `chapters/losses/contrastive.ipynb`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.arrays import Array
from ..autograd.tensor import ArrayLike, Tensor, apply
from ..checks import all_elements, flag, number, real, reals, same_shape
from .common import check_signs, reduce
from .entropy_cross_entropy_kl import _cross_entropy


def hinge_embedding_loss(
    input: ArrayLike, target: ArrayLike, margin: float = 1.0, reduction: str = "mean"
) -> Tensor:
    r"""$x$ for y = 1, $\max(0, m - x)$ for y = −1, where x is a distance.

    Where m = x, the derivative is that of m − x.

    Shape: input x and target y = ±1 of equal shape; one loss for each element.

    Parameters
    ----------
    margin: m, finite: how far the dissimilar shall be apart.

    Raises
    ------
    ValueError: a target that is not ±1.

    Derived in `chapters/losses/contrastive.ipynb`.

    >>> hinge_embedding_loss([0.5, 0.5, 2.0], [1, -1, -1], reduction="none")
    Tensor([0.5, 0.5, 0. ])
    """
    label = "hinge_embedding_loss"
    margin = number(label, "margin", margin)
    x, y = reals(label, input=input, target=target)
    same_shape(label, input=x, target=y)
    return reduce(
        label, np.where(check_signs(label, y) == 1, x, np.clip(margin - x, 0, None)), reduction
    )


def _norm(x: Tensor, p: float = 2.0) -> Any:
    """The p-norm over the last axis, with derivative 0 at 0; by the largest |x|, no overflow."""
    infinite = np.isinf(x.data)
    if infinite.any():  # k equal components have the norm k^(1/p) of one
        k = infinite.sum(axis=-1)
        longest = np.where(infinite | np.isnan(x.data), np.abs(x), 0).sum(axis=-1)
        rest: Any = np.where(k[..., None] > 0, 0, x)
        share = (np.maximum(k, 1) ** (1 / p - 1)).astype(x.dtype)
        return np.where(k > 0, longest * share, _norm(rest, p))
    if p == np.inf:
        return np.max(np.abs(x), axis=-1)
    if p == 1:
        return np.sum(np.abs(x), axis=-1)
    top = np.max(np.abs(x.data), axis=-1, keepdims=True)
    top = np.where(top > 0, top, 1)
    z: Any = x / top
    if p == 2:
        return np.linalg.norm(z, axis=-1) * top[..., 0]
    some = z != 0
    sums = np.sum(np.where(some, np.abs(np.where(some, z, 1)) ** p, 0), axis=-1)
    zero = ~some.any(axis=-1)
    return np.where(zero, 0, np.where(zero, 1, sums) ** (1 / p)) * top[..., 0]


def _directed(x: Tensor) -> Any:
    """x, where a vector with infinite components is replaced by one of its direction."""
    infinite = np.isinf(x.data)
    if not infinite.any():
        return x
    finite = np.where(np.isnan(x.data), x.data, 0)
    some = infinite.any(axis=-1, keepdims=True)
    return np.where(some, np.where(infinite, np.sign(x.data), finite), x)


def _vectors(label: str, **both: Tensor) -> None:
    """Raise unless all have the same shape (..., D)."""
    same_shape(label, **both)
    key, x = next(iter(both.items()))
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(f"{label}: {key} must hold vectors on its last axis, got shape {x.shape}")


def _one_for_each(label: str, key: str, y: Tensor, x: Tensor) -> None:
    """Raise unless y has one entry for each vector of x."""
    if y.shape != x.shape[:-1]:
        raise ValueError(
            f"{label}: {key} must have one entry for each vector, shape {x.shape[:-1]}, "
            f"got {y.shape}"
        )


def triplet_margin_loss(
    anchor: ArrayLike,
    positive: ArrayLike,
    negative: ArrayLike,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    r"""$\max(d(a, p) - d(a, n) + m, 0)$ with $d(x, y) = \|x - y + \varepsilon\|_p$.

    Where the maximum's two arguments are equal, the derivative is that of the first.

    Shape: anchor, positive and negative of equal shape (..., D); one loss for each vector.

    Parameters
    ----------
    margin: m > 0: how much further away the negative shall be than the positive.
    p: of the norm, p > 0, also `np.inf`.
    eps: ε ≥ 0, added to each component of the difference, as in PyTorch.
    swap: take min(d(a, n), d(p, n)) for d(a, n), the harder of the two.

    Reference: Schroff, Kalenichenko & Philbin (2015), FaceNet, section 3.1 (squared distances
    there); swap: Balntas et al. (2016), Learning local feature descriptors with triplets and
    shallow convolutional neural networks. Derived in `chapters/losses/contrastive.ipynb`.

    >>> triplet_margin_loss([0.0], [1.0], [3.0], margin=2.5, eps=0.0)
    Tensor(0.5)
    """
    label = "triplet_margin_loss"
    margin = number(label, "margin", margin, "(0, inf)")
    p = number(label, "p", p, "(0, inf]")
    eps = number(label, "eps", eps, "[0, inf)")
    a, b, c = reals(label, anchor=anchor, positive=positive, negative=negative)
    _vectors(label, anchor=a, positive=b, negative=c)
    near, far = _norm(a - b + eps, p), _norm(a - c + eps, p)
    if flag(label, "swap", swap):
        far = np.minimum(far, _norm(b - c + eps, p))
    return reduce(label, np.clip(near - far + margin, 0, None), reduction)


def _almost_unit(x: Tensor) -> Any:
    """x / sqrt(|x|^2 + 1e-12) on the last axis, without overflow of the squares."""
    x = _directed(x)
    top = np.maximum(np.max(np.abs(x.data), axis=-1, keepdims=True), 1)
    z = x / top
    eps = np.maximum(np.square(1e-6 / top), np.finfo(x.dtype).tiny)  # 1e-12 is 0 in float16
    return z / np.sqrt(np.sum(np.square(z), axis=-1, keepdims=True) + eps)


def cosine_embedding_loss(
    input1: ArrayLike,
    input2: ArrayLike,
    target: ArrayLike,
    margin: float = 0.0,
    reduction: str = "mean",
) -> Tensor:
    r"""$1 - \cos(x_1, x_2)$ for y = 1, $\max(0, \cos(x_1, x_2) - m)$ for y = −1.

    Where cos = m, the derivative is that of cos − m. As in PyTorch $10^{-12}$ is added to the
    squared lengths, so that a vector of zeros has cosine 0 with all.

    Shape: x1 and x2 (..., D), target y = ±1 (...); one loss for each pair.

    Parameters
    ----------
    margin: m in [−1, 1], the cosine below which a dissimilar pair is left alone; best in [0, 0.5].

    Raises
    ------
    ValueError: a target that is not ±1.

    Derived in `chapters/losses/contrastive.ipynb`.

    >>> cosine_embedding_loss([[1.0, 0.0]], [[0.0, 1.0]], [1]).item()
    1.0
    """
    label = "cosine_embedding_loss"
    margin = number(label, "margin", margin, "[-1, 1]")
    a, b, y = reals(label, input1=input1, input2=input2, target=target)
    _vectors(label, input1=a, input2=b)
    _one_for_each(label, "target", y, a)
    cos = (_almost_unit(a) * _almost_unit(b)).sum(axis=-1)
    loss = np.where(check_signs(label, y) == 1, 1 - cos, np.clip(cos - margin, 0, None))
    return reduce(label, loss, reduction)


def contrastive_loss(
    x1: ArrayLike,
    x2: ArrayLike,
    similar: ArrayLike,
    margin: float = 1.0,
    reduction: str = "mean",
) -> Tensor:
    r"""$\tfrac12 D^2$ for similar = 1, $\tfrac12 \max(0, m - D)^2$ for 0, $D = \|x_1 - x_2\|$.

    For two equal vectors that are dissimilar the derivative is 0: no direction is distinguished.

    Shape: x1 and x2 (..., D), similar (...), 1 or 0; one loss for each pair.

    Parameters
    ----------
    margin: m > 0: how far the dissimilar shall be apart.

    Raises
    ------
    ValueError: an entry of similar that is neither 0 nor 1.

    Reference: Hadsell, Chopra & LeCun (2006), Dimensionality reduction by learning an invariant
    mapping, eq. 4 (whose Y is 1 − similar). Derived in `chapters/losses/contrastive.ipynb`.

    >>> contrastive_loss([[0.0, 0.0]], [[0.3, 0.4]], [0])
    Tensor(0.125)
    """
    label = "contrastive_loss"
    margin = number(label, "margin", margin, "(0, inf)")
    a, b, y = reals(label, x1=x1, x2=x2, similar=similar)
    _vectors(label, x1=a, x2=b)
    _one_for_each(label, "similar", y, a)
    all_elements(label, "similar", y, (y == 0) | (y == 1), "0 or 1")
    Y = y.data.astype(a.dtype)
    d = a - b
    D = _norm(d)
    near = np.sum(np.square(np.where(Y[..., None] == 1, d, 0)), axis=-1)  # others could overflow
    loss = (near + (1 - Y) * np.square(np.clip(margin - D, 0, None))) / 2
    return reduce(label, loss, reduction)


def _unit(x: Tensor) -> Any:
    """Vectors of length 1 on the last axis; one of zeros stays zero. The largest |x| cancels."""
    x = _directed(x)
    top = np.max(np.abs(x.data), axis=-1, keepdims=True)
    z: Any = x / np.where(top > 0, top, 1)
    return z / np.where(top > 0, np.linalg.norm(z, axis=-1, keepdims=True), 1)


def _logits(label: str, temperature: ArrayLike, **sides: ArrayLike) -> tuple[Tensor, Array]:
    """Cosine over temperature of each row of one side with each of the other; and 0, ..., N - 1."""
    a, b = reals(label, **sides)
    same_shape(label, **dict(zip(sides, (a, b))))
    if a.ndim != 2 or 0 in a.shape:
        raise ValueError(
            f"{label}: {' and '.join(sides)} must be (N, D), neither being 0, got {a.shape}"
        )
    tau: Any = temperature
    if isinstance(tau, Tensor):
        if tau.size != 1:
            raise ValueError(f"{label}: temperature must be one number, got shape {tau.shape}")
        number(label, "temperature", tau.item(), "(0, inf)")
        tau = real(label, "temperature", tau).reshape(())
    else:
        tau = number(label, "temperature", tau, "(0, inf)")
    return _unit(a) @ _unit(b).T / tau, np.arange(len(a))


def info_nce_loss(
    query: ArrayLike, key: ArrayLike, temperature: ArrayLike = 0.1, reduction: str = "mean"
) -> Tensor:
    r"""$-\log \frac{e^{\cos(q_i, k_i)/\tau}}{\sum_j e^{\cos(q_i, k_j)/\tau}}$: which key is mine?

    Cross-entropy of choosing the i-th key for the i-th query among the N of the batch. Rows are
    normalised here; one of zeros has cosine 0 with all.

    Shape: query and key (N, D); one loss for each query.

    Parameters
    ----------
    temperature: τ > 0, a number, or a Tensor to learn it.

    Reference: van den Oord, Li & Vinyals (2018), Representation learning with contrastive
    predictive coding, eq. 4 (with cosines over τ as scores, as in Chen et al. (2020), SimCLR, eq.
    1). Derived in `chapters/losses/contrastive.ipynb`.

    >>> round(info_nce_loss([[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 3.0]], 1.0).item(), 4)
    0.3133
    """
    logits, own = _logits("info_nce_loss", temperature, query=query, key=key)
    return reduce("info_nce_loss", apply(_cross_entropy, logits, own), reduction)


def clip_loss(
    image: ArrayLike, text: ArrayLike, temperature: ArrayLike = 0.07, reduction: str = "mean"
) -> Tensor:
    r"""The mean of `info_nce_loss(image, text)` and `info_nce_loss(text, image)`.

    Shape: image and text (N, D); one loss for each pair.

    Parameters
    ----------
    temperature: τ > 0, a number, or a Tensor to learn it.

    Reference: Radford et al. (2021), Learning transferable visual models from natural language
    supervision, figure 3. Derived in `chapters/losses/contrastive.ipynb`.

    >>> round(clip_loss([[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 3.0]], 1.0).item(), 4)
    0.3133
    """
    logits, own = _logits("clip_loss", temperature, image=image, text=text)
    loss = (apply(_cross_entropy, logits, own) + apply(_cross_entropy, logits.T, own)) / 2
    return reduce("clip_loss", loss, reduction)
