"""Losses of the order of a list. Derived in `chapters/losses/ranking.ipynb`."""

from __future__ import annotations

import numpy as np

from ..activations.relu_family import _softplus
from ..activations.softmax import _log_softmax
from ..autograd.arrays import Array
from ..autograd.tensor import ArrayLike, Tensor, apply
from ..checks import all_elements, flag, number, reals, same_shape
from .common import check_signs, gaps, graded, reduce, times


def margin_ranking_loss(
    input1: ArrayLike,
    input2: ArrayLike,
    target: ArrayLike,
    margin: float = 0.0,
    reduction: str = "mean",
) -> Tensor:
    r"""$\max(0, -y(x_1 - x_2) + m)$: x1 shall be larger (y = 1) or smaller (y = −1) by m.

    Where the maximum's two arguments are equal, the derivative is that of the second.

    Shape: x1, x2 and target y of equal shape, y = ±1; one loss for each element.

    Parameters
    ----------
    margin: m, finite: by how much the one shall lie above the other.

    Raises
    ------
    ValueError: a target that is not ±1.

    Derived in `chapters/losses/ranking.ipynb`.

    >>> margin_ranking_loss([2.0, 2.0], [1.0, 1.0], [1, -1], margin=0.5, reduction="none")
    Tensor([0. , 1.5])
    """
    label = "margin_ranking_loss"
    margin = number(label, "margin", margin)
    a, b, y = reals(label, input1=input1, input2=input2, target=target)
    same_shape(label, input1=a, input2=b, target=y)
    return reduce(label, np.clip(-check_signs(label, y) * (a - b) + margin, 0, None), reduction)


def _pairwise_logistic(s: Tensor, w: Array, sigma: float) -> Tensor:
    """sum over pairs (i, j) of w_ij log(1 + exp(-sigma (s_i - s_j))), for each list."""
    d = np.where(w == 0, 0, gaps(s))  # inf - inf on the diagonal does not count
    return (apply(_softplus, -sigma * d) * w).sum(axis=(-2, -1))


def ranknet_loss(
    scores: ArrayLike,
    relevance: ArrayLike,
    sigma: float = 1.0,
    reduction: str = "mean",
    ties: bool = False,
) -> Tensor:
    r"""$\sum_{r_i > r_j} \log(1 + e^{-\sigma(s_i - s_j)})$: cross-entropy of each pair's order.

    $P_{ij} = 1/(1 + e^{-\sigma(s_i - s_j)})$ is the probability that i ranks above j. A pair costs
    $C_{ij} = \tfrac12(1 - S_{ij})\sigma(s_i - s_j) + \log(1 + e^{-\sigma(s_i - s_j)})$ with
    $S_{ij}$ = 1 for $r_i > r_j$ and −1 for $r_i < r_j$: the same, whichever document is called i.

    Shape: scores s and relevance r (..., n), n documents for each query; one loss for each query,
    0 if all are equally relevant.

    Parameters
    ----------
    relevance: real grades, of which only the order counts; no gradient is taken of them.
    sigma: σ > 0, the steepness.
    ties: whether pairs of equal grades, $S_{ij} = 0$, count too: they are to have equal scores.

    Reference: Burges (2010), From RankNet to LambdaRank to LambdaMART, section 2. Derived in
    `chapters/losses/ranking.ipynb`.

    >>> round(ranknet_loss([2.0, 1.0], [1, 0]).item(), 4)
    0.3133
    """
    sigma = number("ranknet_loss", "sigma", sigma, "(0, inf)")
    s, r = graded("ranknet_loss", scores=scores, relevance=relevance)
    w = (r[..., :, None] > r[..., None, :]).astype(s.dtype)
    if flag("ranknet_loss", "ties", ties):
        n = r.shape[-1]
        w += 0.5 * ((r[..., :, None] == r[..., None, :]) & ~np.eye(n, dtype=bool))
    return reduce("ranknet_loss", _pairwise_logistic(s, w, sigma), reduction)


def lambdarank_loss(
    scores: ArrayLike, relevance: ArrayLike, sigma: float = 1.0, reduction: str = "mean"
) -> Tensor:
    r"""RankNet with each pair weighted by $|\Delta\mathrm{NDCG}|$, what exchanging the two changes.

    $\sum_{r_i > r_j} |\Delta\mathrm{NDCG}_{ij}| \log(1 + e^{-\sigma(s_i - s_j)})$, whose gradient
    is the paper's λ, with $|\Delta\mathrm{NDCG}_{ij}| = |2^{r_i} - 2^{r_j}|\,|D_i - D_j| /
    \mathrm{IDCG}$. $D = 1/\log_2(1 + \text{rank})$ is taken at the present scores (equal ones in
    the order they stand in) as a constant, and IDCG is the DCG of the best order.

    Shape: scores s and relevance r (..., n), n documents for each query; one loss for each query,
    0 if all are equally relevant.

    Parameters
    ----------
    relevance: grades r ≥ 0, the gain being $2^r - 1$; no gradient is taken of them.
    sigma: σ > 0, the steepness.

    Raises
    ------
    ValueError: a negative grade.

    Reference: Burges (2010), From RankNet to LambdaRank to LambdaMART, sections 3 and 4. Derived in
    `chapters/losses/ranking.ipynb`.

    >>> round(lambdarank_loss([1.0, 2.0], [1, 0]).item(), 4)
    0.4847
    """
    label = "lambdarank_loss"
    sigma = number(label, "sigma", sigma, "(0, inf)")
    s, r = graded(label, scores=scores, relevance=relevance)
    all_elements(label, "relevance", r, r >= 0, "at least 0")
    n = r.shape[-1]
    rank = np.argsort(np.argsort(-s.data, axis=-1, kind="stable"), axis=-1)  # from 0
    discount = 1 / np.log2(np.arange(2, n + 2))
    top = r.max(axis=-1, keepdims=True)
    gain = np.exp2(r.astype(float) - top) - np.exp2(-top)  # over 2^top, against overflow
    ideal = np.sum(-np.sort(-gain, axis=-1) * discount, axis=-1)[..., None, None]
    D = np.take(discount, rank)
    delta = np.abs(
        (gain[..., :, None] - gain[..., None, :]) * (D[..., :, None] - D[..., None, :])
    ) / np.where(ideal > 0, ideal, 1)
    w = (delta * (r[..., :, None] > r[..., None, :])).astype(s.dtype)
    return reduce(label, _pairwise_logistic(s, w, sigma), reduction)


def listnet_loss(scores: ArrayLike, relevance: ArrayLike, reduction: str = "mean") -> Tensor:
    r"""$-\sum_i P_r(i) \log P_s(i)$, $P = \operatorname{softmax}$: who is ranked first.

    softmax(r) is the probability of each document to be the first of its list, if lists are drawn
    with the grades r as log-odds (Plackett–Luce), and softmax(s) that by the scores.

    Shape: scores s and relevance r (..., n), n documents for each query; one loss for each query.

    Parameters
    ----------
    relevance: real grades; no gradient is taken of them.

    Reference: Cao et al. (2007), Learning to rank: from pairwise approach to listwise approach,
    sections 4 and 5 (top one probability, φ = exp). Derived in `chapters/losses/ranking.ipynb`.

    >>> round(listnet_loss([0.0, 0.0], [3, 0]).item(), 4)
    0.6931
    """
    s, r = graded("listnet_loss", scores=scores, relevance=relevance)
    p = np.exp(_log_softmax(r))
    return reduce("listnet_loss", -np.sum(times(p, apply(_log_softmax, s)), axis=-1), reduction)
