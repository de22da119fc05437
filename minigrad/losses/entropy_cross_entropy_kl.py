"""Losses of classes and of distributions.

Derived in `chapters/losses/entropy-cross-entropy-kl.ipynb`; compared with squared error in
`chapters/losses/choosing-a-loss.ipynb`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..activations.relu_family import _softplus
from ..activations.softmax import _log_softmax, below_largest
from ..autograd.arrays import Array, largest, numbered
from ..autograd.operators import array_of
from ..autograd.rules import logistic, sums
from ..autograd.tensor import ArrayLike, Tensor, apply, primitive
from ..checks import all_elements, array, choice, flag, integer, number, real, reals, same_shape
from .common import check_weights, class_targets, class_weights, reduce, times


def _cross_entropy_rule(g: Any, out: Any, z: Any, y: Any, mean: bool = False) -> Any:
    onehot = np.zeros(z.shape, z.dtype)
    onehot[numbered(len(y)), y] = 1
    return (g / len(y) if mean else g[:, None]) * (out[1] - onehot)


# -log p[y] from logits z, with dL/dz = p - onehot(y), derived in
# chapters/losses/entropy-cross-entropy-kl.ipynb. The softmax p is handed on to the rule.
@primitive(_cross_entropy_rule, None)
def _cross_entropy(z: Any, y: Any, mean: bool = False) -> tuple[Any, Any]:
    s = z - largest(array_of(z)) if mean else below_largest(z)
    e = np.exp(s)
    total = sums(e)
    loss = np.log(total)[:, 0] - s[numbered(len(y)), y]
    if not mean:
        return loss, e / total
    average = loss.sum() / len(y)
    if average != average:  # NaN: an infinite logit, perhaps; one test of a number costs nothing
        loss, p = _cross_entropy(z, y)
        return loss.sum() / len(y), p
    return average, e / total


def _class_rows(label: str, x: Tensor) -> tuple[Any, tuple[int, ...]]:
    """(N, K, d...) or (K,) as rows (M, K) of classes, and the shape of the M losses."""
    shape = x.shape
    if len(shape) == 2 and shape[1] > 0:
        return x, shape[:1]
    if len(shape) == 0 or shape[min(len(shape) - 1, 1)] == 0:
        raise ValueError(
            f"{label}: input must be (K,), (N, K) or (N, K, d...) with K >= 1 classes, got {shape}"
        )
    if len(shape) == 1:
        return x.reshape(1, -1), ()
    rows: Any = np.moveaxis(x, 1, -1)  # type: ignore[type-var]
    return rows.reshape(-1, shape[1]), rows.shape[:-1]


def _reduce_classes(
    label: str,
    loss: Any,
    reduction: str,
    shape: tuple[int, ...],
    y: Array,
    counts: Array | None,
    w: Array | None,
) -> Tensor:
    """Losses of rows that do not count are 0; the mean is over the weights of those that do."""
    if counts is not None:
        loss = np.where(counts, loss, 0)
    total = None
    if w is not None:
        own = np.take(w, y)
        total = (own if counts is None else np.where(counts, own, 0)).sum()
    elif counts is not None:
        total = counts.sum().astype(loss.dtype)
    return reduce(label, loss if loss.shape == shape else loss.reshape(shape), reduction, total)


def cross_entropy(
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    r"""$-\sum_k w_k t_k \log p_k$, p = softmax(input): the code length of the target under p.

    The target is a class y (then t is its one-hot vector, and the loss $-w_y \log p_y$) or a
    distribution t. The derivative by the logits is $p - t$, without weights.

    Shape: input (K,), (N, K) or (N, K, d...), logits; target integers of that shape without K, or
    distributions of the same shape. One loss for each target.

    Parameters
    ----------
    weight: (K,), w ≥ 0; the mean over classes y is then $\sum l / \sum w_y$, that over
        distributions remains $\sum l / N$, as in PyTorch.
    ignore_index: targets of this value are left out, also of the mean. Integer targets only.
    label_smoothing: ε in [0, 1]: t becomes $(1 - \varepsilon)t + \varepsilon/K$.

    Raises
    ------
    ValueError: a class number outside [0, K); a distribution with a negative entry or a sum other
        than 1; the mean over targets that are all ignored.

    Reference: label smoothing, Szegedy et al. (2016), Rethinking the Inception architecture,
    section 7. Derived in `chapters/losses/entropy-cross-entropy-kl.ipynb`.

    >>> round(cross_entropy([[2.0, 0.0]], [0]).item(), 4)
    0.1269
    """
    label = "cross_entropy"
    x = real(label, "input", input)
    z, shape = _class_rows(label, x)
    K = z.shape[1]
    ignore_index = integer(label, "ignore_index", ignore_index, "(-inf, inf)")
    eps = number(label, "label_smoothing", label_smoothing, "[0, 1]")
    w = class_weights(label, "weight", weight, K, z.dtype)
    given = array(label, "target", target)
    if given.shape == x.shape:
        t = _class_rows(label, reals(label, input=input, target=target)[1])[0]
        check_distributions(label, "target", t)
        if ignore_index >= 0:
            raise ValueError(
                f"{label}: ignore_index is for class numbers, got {ignore_index} and distributions"
            )
        t = (1 - eps) * t + eps / K
        log_p: Any = apply(_log_softmax, z)
        # 0 log 0 = 0; the derivative by t there, which is infinite, is given as 0
        log_p = np.where((array_of(t) == 0) & np.isneginf(log_p), 0, log_p)
        loss: Any = -np.sum(t * log_p if w is None else t * times(w, log_p), axis=-1)
        return reduce(label, loss.reshape(shape), reduction)
    y, counts = class_targets(label, "target", array_of(given), K, shape, ignore_index)
    if reduction == "mean" and w is None and counts is None and eps == 0 and len(y):
        return apply(_cross_entropy, z, y, mean=True)
    loss = apply(_cross_entropy, z, y)
    if w is not None:
        loss = times(np.take(w, y), loss)
    if eps:
        log_p = apply(_log_softmax, z)
        uniform = -np.sum(log_p if w is None else times(w, log_p), axis=-1) / K
        loss = times(1 - eps, loss) + eps * uniform
    return _reduce_classes(label, loss, reduction, shape, y, counts, w)


def nll_loss(
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    r"""$-w_y \log p_y$, where input holds $\log p$: `cross_entropy` is this after `log_softmax`.

    Shape: input (K,), (N, K) or (N, K, d...), log-probabilities; target integers of that shape
    without K. One loss for each target.

    Parameters
    ----------
    weight, ignore_index: as in `cross_entropy`.

    Raises
    ------
    ValueError: a class number outside [0, K); the mean over targets that are all ignored.

    Derived in `chapters/losses/entropy-cross-entropy-kl.ipynb`.

    >>> round(nll_loss(np.log([[0.8, 0.2]]), [0]).item(), 4)
    0.2231
    """
    log_p, shape = _class_rows("nll_loss", real("nll_loss", "input", input))
    K = log_p.shape[1]
    ignore_index = integer("nll_loss", "ignore_index", ignore_index, "(-inf, inf)")
    w = class_weights("nll_loss", "weight", weight, K, log_p.dtype)
    target = array_of(array("nll_loss", "target", target))
    y, counts = class_targets("nll_loss", "target", target, K, shape, ignore_index)
    loss = -log_p[numbered(len(y)), y]
    if w is not None:
        loss = times(np.take(w, y), loss)
    return _reduce_classes("nll_loss", loss, reduction, shape, y, counts, w)


def _smallest(x: Any, bound: float) -> float:
    """bound, or the smallest normal number of x's dtype if bound is less than that."""
    return max(bound, float(np.finfo(x.dtype).tiny))


def _log_odds(x: Any) -> Any:
    """log(x / (1 - x)), each logarithm cut off at -100."""
    least = _smallest(x, float(np.exp(-100)))
    return np.log(np.maximum(x, least)) - np.log(np.maximum(1 - x, least))


# As PyTorch: the logarithms are cut off at -100, and the slope (x - t) / (x (1 - x)) stays finite.
@primitive(
    lambda g, y, x, t: g * (x - t) / np.maximum(x * (1 - x), _smallest(x, 1e-12)),
    lambda g, y, x, t: -g * _log_odds(x),
)
def _bce(x: Any, t: Any) -> Any:
    with np.errstate(divide="ignore"):
        return -(t * np.maximum(np.log(x), -100) + (1 - t) * np.maximum(np.log1p(-x), -100))


def _in_unit_interval(label: str, key: str, x: Tensor) -> None:
    all_elements(label, key, x, (x >= 0) & (x <= 1), "in [0, 1]")


def _binary(label: str, input: ArrayLike, target: ArrayLike) -> tuple[Tensor, Tensor]:
    x, t = reals(label, input=input, target=target)
    same_shape(label, input=x, target=t)
    _in_unit_interval(label, "target", t)
    return x, t


def binary_cross_entropy(
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""$-w\,(t \log x + (1 - t)\log(1 - x))$ of probabilities x.

    Logarithms are cut off at −100, so that x = 0 and 1 are allowed. From logits, use
    `binary_cross_entropy_with_logits`, which needs no cut.

    Shape: input x and target t of equal shape, both in [0, 1]; one loss for each element.

    Parameters
    ----------
    weight: w ≥ 0, of a shape that broadcasts to theirs; the mean divides by the number of losses.

    Raises
    ------
    ValueError: an input or a target outside [0, 1].

    Derived in `chapters/losses/entropy-cross-entropy-kl.ipynb`.

    >>> binary_cross_entropy([0.5, 0.0], [1.0, 1.0], reduction="none").numpy().round(4)
    array([  0.6931, 100.    ])
    """
    label = "binary_cross_entropy"
    x, t = _binary(label, input, target)
    _in_unit_interval(label, "input", x)
    loss = apply(_bce, x, t)
    if weight is not None:
        loss = loss * check_weights(label, "weight", weight, x.shape, x.dtype)
    return reduce(label, loss, reduction)


# -log sigmoid(x) = softplus(-x) makes it a sum of terms >= 0, in which nothing cancels. Its
# derivative by x is sigmoid(x) - t, for p = 1.
@primitive(
    lambda g, y, x, t, p: g * ((1 - t) * logistic(x) - p * t * logistic(-x)),
    lambda g, y, x, t, p: g * (p * _softplus(-x) - _softplus(x)),
    None,
)
def _bce_with_logits(x: Any, t: Any, p: Any) -> Any:
    top, rest = np.maximum(x, 0), np.log1p(np.exp(-np.abs(x)))
    # softplus(x) = max(x, 0) + log(1 + e^-|x|)
    return times(p * t, np.maximum(-x, 0) + rest) + times(1 - t, top + rest)


def binary_cross_entropy_with_logits(
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    reduction: str = "mean",
    pos_weight: ArrayLike | None = None,
) -> Tensor:
    r"""$-w\,(p\,t \log\sigma(x) + (1 - t)\log(1 - \sigma(x)))$ of logits x, exact for all x.

    Shape: input x and target t of equal shape, t in [0, 1]; one loss for each element.

    Parameters
    ----------
    weight, pos_weight: w ≥ 0 and p ≥ 0, of shapes that broadcast to theirs; the mean divides by the
        number of losses. p > 1 raises recall, p < 1 precision.

    Raises
    ------
    ValueError: a target outside [0, 1].

    Derived in `chapters/losses/entropy-cross-entropy-kl.ipynb`.

    >>> binary_cross_entropy_with_logits([1000.0, 0.0], [0.0, 1.0], reduction="sum").item()
    1000.6931471805599
    """
    label = "binary_cross_entropy_with_logits"
    x, t = _binary(label, input, target)
    p: Any = 1.0
    if pos_weight is not None:
        p = check_weights(label, "pos_weight", pos_weight, x.shape, x.dtype)
    loss = apply(_bce_with_logits, x, t, p)
    if weight is not None:
        loss = loss * check_weights(label, "weight", weight, x.shape, x.dtype)
    return reduce(label, loss, reduction)


def check_distributions(label: str, key: str, p: Tensor) -> None:
    """Raise unless p >= 0 and its sums over the last axis are 1, up to rounding."""
    a = p.data
    if a.ndim == 0 or a.shape[-1] == 0:
        raise ValueError(
            f"{label}: {key} must hold distributions on its last axis, got shape {a.shape}"
        )
    all_elements(label, key, a, a >= 0, "probabilities, at least 0")
    sums = a.sum(axis=-1)
    tolerance = max(1e-5, 8 * float(np.finfo(a.dtype).eps))
    all_elements(label, f"the sum of {key}", sums, np.abs(sums - 1) <= tolerance, "1")


# p (log p - log q), and 0 for p = 0, however small q is. There the derivative by p, -inf, is given
# with log p replaced by 0, so that it stays finite.
@primitive(
    lambda g, y, log_q, p: -g * p,
    lambda g, y, log_q, p: g * (np.log(np.where(p > 0, p, 1)) + 1 - log_q),
)
def _kl(log_q: Any, p: Any) -> Any:
    return p * (np.log(np.where(p > 0, p, 1)) - np.where((p > 0) | np.isnan(log_q), log_q, 0))


# The same from log p; e^-inf (-inf - log q) is 0 too.
@primitive(
    lambda g, y, log_q, log_p: -g * np.exp(log_p),
    lambda g, y, log_q, log_p: g * (y + np.exp(log_p)),
)
def _kl_of_logs(log_q: Any, log_p: Any) -> Any:
    p = np.exp(log_p)
    return p * (np.where(p > 0, log_p, 0) - np.where((p > 0) | np.isnan(log_q), log_q, 0))


def kl_div(
    input: ArrayLike, target: ArrayLike, reduction: str = "mean", log_target: bool = False
) -> Tensor:
    r"""$p (\log p - \log q)$ of each element, input holding $\log q$ and target p.

    PyTorch's function: note the order, the logarithm, and that "mean" divides by the number of
    elements. `kl_divergence` takes two distributions and gives their divergence.

    Shape: input and target of equal shape; one term for each element.

    Parameters
    ----------
    reduction: also "batchmean", the sum over the size of the first axis: the mean divergence, if
        the distributions are rows.
    log_target: whether target holds $\log p$.

    Raises
    ------
    ValueError: a negative target.

    Derived in `chapters/losses/entropy-cross-entropy-kl.ipynb`.

    >>> round(kl_div(np.log([[0.5, 0.5]]), [[1.0, 0.0]], reduction="batchmean").item(), 4)
    0.6931
    """
    choice("kl_div", "reduction", reduction, "mean", "sum", "none", "batchmean")
    log_target = flag("kl_div", "log_target", log_target)
    log_q, p = reals("kl_div", input=input, target=target)
    same_shape("kl_div", input=log_q, target=p)
    if log_target:
        loss = apply(_kl_of_logs, log_q, p)
    else:
        all_elements("kl_div", "target", p, p >= 0, "probabilities, at least 0")
        loss = apply(_kl, log_q, p)
    if reduction == "batchmean":
        return reduce("kl_div", loss, "mean", float(loss.shape[0] if loss.ndim else 1))
    return reduce("kl_div", loss, reduction)


def _rel_entr_dp(g: Any, y: Any, p: Any, q: Any) -> Any:
    with np.errstate(divide="ignore"):  # log 0: q = 0 < p, where y is infinite
        log_ratio = np.log(np.where(p > 0, p, 1)) - np.log(np.where(p > 0, q, 1))
    return g * (log_ratio + 1)


def _rel_entr_dq(g: Any, y: Any, p: Any, q: Any) -> Any:
    with np.errstate(divide="ignore"):
        return -g * p / np.where(p > 0, q, 1)


# p log(p / q): 0 for p = 0, infinite for q = 0 < p. At p = 0 the derivative by p, -inf, is given
# with log(p / q) replaced by 0.
@primitive(_rel_entr_dp, _rel_entr_dq)
def _rel_entr(p: Any, q: Any) -> Any:
    with np.errstate(divide="ignore"):
        return p * (np.log(np.where(p > 0, p, 1)) - np.log(np.where(p > 0, q, 1)))


def _two_distributions(label: str, **pq: ArrayLike) -> tuple[Tensor, Tensor]:
    p, q = reals(label, **pq)
    same_shape(label, p=p, q=q)
    check_distributions(label, "p", p)
    check_distributions(label, "q", q)
    return p, q


def kl_divergence(p: ArrayLike, q: ArrayLike, reduction: str = "mean") -> Tensor:
    r"""$\mathrm{KL}(p \| q) = \sum_i p_i \log(p_i / q_i)$: nats lost by coding p with q's code.

    $0 \log 0 = 0$; infinite where some $q_i = 0 < p_i$. At $p_i = 0$ the derivative by $p_i$, which
    is −∞, is given as 1 (the logarithm taken as 0), so that it stays finite.

    Shape: p and q of equal shape, distributions on the last axis; one divergence for each.

    Raises
    ------
    ValueError: a negative entry, or a sum other than 1.

    Reference: Kullback & Leibler (1951), On information and sufficiency, section 2. Derived in
    `chapters/losses/entropy-cross-entropy-kl.ipynb`.

    >>> round(kl_divergence([1.0, 0.0], [0.5, 0.5]).item(), 4)
    0.6931
    """
    p, q = _two_distributions("kl_divergence", p=p, q=q)
    return reduce("kl_divergence", np.sum(apply(_rel_entr, p, q), axis=-1), reduction)


def js_divergence(p: ArrayLike, q: ArrayLike, reduction: str = "mean") -> Tensor:
    r"""$\tfrac12 \mathrm{KL}(p \| m) + \tfrac12 \mathrm{KL}(q \| m)$, $m = (p + q)/2$.

    Symmetric, and at most log 2, which it is for distributions without common support. Derivatives
    at 0 as in `kl_divergence`.

    Shape: p and q of equal shape, distributions on the last axis; one divergence for each.

    Raises
    ------
    ValueError: a negative entry, or a sum other than 1.

    Reference: Lin (1991), Divergence measures based on the Shannon entropy, section IV. Derived in
    `chapters/losses/entropy-cross-entropy-kl.ipynb`.

    >>> round(js_divergence([1.0, 0.0], [0.0, 1.0]).item(), 4)
    0.6931
    """
    p, q = _two_distributions("js_divergence", p=p, q=q)
    # p log(p / m) = (2p) log(2p / (p + q)) / 2: p + q cannot underflow, p/2 could
    both = apply(_rel_entr, 2 * p, p + q) + apply(_rel_entr, 2 * q, p + q)
    return reduce("js_divergence", np.sum(both, axis=-1) / 4, reduction)
