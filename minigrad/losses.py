"""Losses: functions of predictions and targets, with `reduction="mean" | "sum" | "none"`.

Predictions and targets may be Tensors or anything NumPy makes an array of; integers, and lists next
to an array, take the dtype of the others. Nothing is broadcast between predictions and targets:
their shapes must agree. `reduction="none"` gives the single losses in the shape that the docstring
names, "sum" and "mean" one number; the mean over nothing is refused. Derived in `chapters/losses/`.

Every function raises TypeError where something does not hold real numbers, and ValueError where
shapes do not agree, a number is outside its range, or `reduction` is none of the three; what else
it refuses stands in its docstring.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import _log_softmax, _logsumexp, _softplus
from .checks import array, number, real, reals
from .rules import logistic
from .tensor import Array, ArrayLike, Tensor, apply, array_of, primitive, sums

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "circle_loss",
    "clip_loss",
    "contrastive_loss",
    "cosent_loss",
    "cosine_embedding_loss",
    "cross_entropy",
    "focal_loss",
    "hinge_embedding_loss",
    "huber_loss",
    "info_nce_loss",
    "js_divergence",
    "kl_div",
    "kl_divergence",
    "l1_loss",
    "lambdarank_loss",
    "listnet_loss",
    "log_cosh_loss",
    "margin_ranking_loss",
    "mse_loss",
    "nce_loss",
    "nll_loss",
    "quantile_loss",
    "ranknet_loss",
    "smooth_l1_loss",
    "triplet_margin_loss",
]

LOG2 = float(np.log(2))

# --- what comes in and what goes out


def reduce(label: str, loss: Any, reduction: str, total: float | None = None) -> Tensor:
    """The losses as they are ("none"), their sum, or their mean: the sum over `total`, if given."""
    if reduction == "none":
        result: Tensor = loss
    elif reduction == "sum":
        result = loss.sum()
    elif reduction == "mean":
        if (loss.size if total is None else total) == 0:
            raise ValueError(
                f"{label}: the mean over no losses does not exist (shape {loss.shape}, and none "
                'counts): leave the batch out, or take reduction="sum"'
            )
        result = loss.mean() if total is None else loss.sum() / total
    else:
        raise ValueError(f'{label}: reduction must be "mean", "sum" or "none", got {reduction!r}')
    return result


def same_shape(label: str, **arrays: Any) -> None:
    """Raise if two arrays, given by the names the user knows them by, differ in shape."""
    (first, a), *others = arrays.items()
    for key, b in others:
        if a.shape != b.shape:
            raise ValueError(
                f"{label}: {first} {a.shape} and {key} {b.shape} must have the same shape: reshape "
                "one of them, nothing is broadcast"
            )


def all_of(label: str, key: str, x: Any, holds: Any, must_be: str) -> None:
    """Raise, with the first offender, unless every element of x is what it must be."""
    if np.asarray(holds).all():
        return
    at = tuple(map(int, np.argwhere(~np.asarray(holds))[0]))
    where = "" if not at else f" at row {at[0]}" if len(at) == 1 else f" at {at}"
    raise ValueError(f"{label}: {key} must be {must_be}, got {array_of(x)[at]}{where}")


def signs(label: str, target: Tensor) -> Array:
    """A target of 1 and -1, as an array."""
    y = target.data
    all_of(label, "target", y, (y == 1) | (y == -1), "1 or -1")
    return y


def distributions(label: str, key: str, p: Tensor) -> None:
    """Raise unless p >= 0 and its sums over the last axis are 1, up to rounding."""
    a = p.data
    if a.ndim == 0 or a.shape[-1] == 0:
        raise ValueError(
            f"{label}: {key} must hold distributions on its last axis, got shape {a.shape}"
        )
    all_of(label, key, a, a >= 0, "probabilities, at least 0")
    sums = a.sum(axis=-1)
    tolerance = max(1e-5, 8 * float(np.finfo(a.dtype).eps))
    all_of(label, f"the sum of {key}", sums, np.abs(sums - 1) <= tolerance, "1")


def weights(label: str, key: str, value: ArrayLike, shape: tuple[int, ...], dtype: Any) -> Array:
    """Weights that broadcast to a shape, as an array: no gradient is taken of them."""
    w = real(label, value).data
    if w.ndim > len(shape) or any(m not in (1, n) for m, n in zip(w.shape[::-1], shape[::-1])):
        raise ValueError(f"{label}: {key} must broadcast to shape {shape}, got shape {w.shape}")
    all_of(label, key, w, (w >= 0) & (w < np.inf), "finite and at least 0")
    return np.asarray(w, dtype)


# --- regression


def _difference(label: str, input: ArrayLike, target: ArrayLike) -> Tensor:
    x, y = reals(label, input, target)
    same_shape(label, input=x, target=y)
    return x - y


def _element_weights(label: str, weight: ArrayLike, loss: Any) -> Array:
    w = weights(label, "weight", weight, loss.shape, loss.dtype)
    same_shape(label, weight=w, input=loss)
    return w


def mse_loss(
    input: ArrayLike,
    target: ArrayLike,
    reduction: str = "mean",
    weight: ArrayLike | None = None,
) -> Tensor:
    r"""$(x - y)^2$: minus the log-likelihood of a Gaussian; the mean of y minimises it.

    Shape: input x and target y of equal shape; one loss for each element.

    Parameters
    ----------
    weight: factors w ≥ 0 of that shape; the mean is then $\sum w\,l / \sum w$, as in PyTorch.

    Derived in `chapters/losses/regression.ipynb`.

    >>> mse_loss([1.0, 2.0], [1.0, 4.0])
    Tensor(2.)
    """
    loss = np.square(_difference("mse_loss", input, target))
    if weight is None:
        return reduce("mse_loss", loss, reduction)
    w = _element_weights("mse_loss", weight, loss)
    return reduce("mse_loss", loss * w, reduction, float(w.sum()))


def l1_loss(
    input: ArrayLike,
    target: ArrayLike,
    reduction: str = "mean",
    weight: ArrayLike | None = None,
) -> Tensor:
    r"""$|x - y|$, with derivative 0 at 0: Laplace's likelihood; the median of y minimises it.

    Shape: input x and target y of equal shape; one loss for each element.

    Parameters
    ----------
    weight: factors w ≥ 0 of that shape; the mean is then $\sum w\,l / \sum w$, as in PyTorch.

    Derived in `chapters/losses/regression.ipynb`.

    >>> l1_loss([1.0, 2.0], [1.0, 4.0])
    Tensor(1.)
    """
    loss = np.abs(_difference("l1_loss", input, target))
    if weight is None:
        return reduce("l1_loss", loss, reduction)
    w = _element_weights("l1_loss", weight, loss)
    return reduce("l1_loss", loss * w, reduction, float(w.sum()))


# With c = clip(d, -delta, delta), c (d - c/2) is d^2/2 inside and delta (|d| - delta/2) outside,
# and the derivative is c, the clipped residual.
@primitive(lambda g, y, d, delta: g * np.clip(d, -delta, delta), None)
def _huber(d: Any, delta: float) -> Any:
    c = np.clip(d, -delta, delta)
    return c * (d - c / 2)


def huber_loss(
    input: ArrayLike,
    target: ArrayLike,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: ArrayLike | None = None,
) -> Tensor:
    r"""$d^2/2$ for $|d| \le \delta$, else $\delta(|d| - \delta/2)$, with $d = x - y$.

    The derivative is d, clipped to ±δ.

    Shape: input x and target y of equal shape; one loss for each element.

    Parameters
    ----------
    delta: δ > 0, from where on a residual counts linearly.
    weight: factors w ≥ 0 of that shape; the mean is $\sum w\,l / n$, as in PyTorch (for this loss,
        unlike `mse_loss`, it divides by the number of elements).

    Reference: Huber (1964), Robust estimation of a location parameter, section 4. Derived in
    `chapters/losses/regression.ipynb`.

    >>> huber_loss([0.5, 3.0], [0.0, 0.0], reduction="none")
    Tensor([0.125, 2.5  ])
    """
    delta = number("huber_loss", "delta", delta, "positive and finite")
    loss = apply(_huber, _difference("huber_loss", input, target), delta)
    if weight is not None:
        loss = loss * _element_weights("huber_loss", weight, loss)
    return reduce("huber_loss", loss, reduction)


def smooth_l1_loss(
    input: ArrayLike, target: ArrayLike, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    r"""$d^2/(2\beta)$ for $|d| < \beta$, else $|d| - \beta/2$: Huber's loss with δ = β, over β.

    Shape: input x and target y of equal shape, $d = x - y$; one loss for each element.

    Parameters
    ----------
    beta: β ≥ 0; with 0 it is `l1_loss`.

    Reference: Girshick (2015), Fast R-CNN, eq. 3 (β = 1). Derived in
    `chapters/losses/regression.ipynb`.

    >>> smooth_l1_loss([0.5, 3.0], [0.0, 0.0], reduction="none", beta=2.0)
    Tensor([0.0625, 2.    ])
    """
    beta = number("smooth_l1_loss", "beta", beta, "non-negative and finite")
    d = _difference("smooth_l1_loss", input, target)
    if beta < np.finfo(d.dtype).tiny:  # |d| - beta/2 is |d| to all digits, and 1/beta overflows
        return reduce("smooth_l1_loss", np.abs(d), reduction)
    return reduce("smooth_l1_loss", apply(_huber, d, beta) / beta, reduction)


# cosh d = 1 + 2 sinh^2(d/2) keeps the digits of a small d, cosh d = e^|d| (1 + e^-2|d|) / 2 cannot
# overflow for a large one.
@primitive(lambda g, y, d: g * np.tanh(d))
def _log_cosh(d: Any) -> Any:
    a = np.abs(d)
    small = np.log1p(2 * np.square(np.sinh(np.minimum(a, 1) / 2)))
    return np.where(a < 1, small, a + np.log1p(np.exp(-2 * a)) - LOG2)


def log_cosh_loss(input: ArrayLike, target: ArrayLike, reduction: str = "mean") -> Tensor:
    r"""$\log\cosh(x - y)$: about $d^2/2$ for small residuals d, $|d| - \log 2$ for large ones.

    The derivative is $\tanh d$.

    Shape: input x and target y of equal shape; one loss for each element.

    Derived in `chapters/losses/regression.ipynb`.

    >>> log_cosh_loss([0.0, 1000.0], [0.0, 0.0], reduction="none").numpy().round(4)
    array([  0.    , 999.3069])
    """
    return reduce(
        "log_cosh_loss", apply(_log_cosh, _difference("log_cosh_loss", input, target)), reduction
    )


def quantile_loss(
    input: ArrayLike, target: ArrayLike, q: float = 0.5, reduction: str = "mean"
) -> Tensor:
    r"""$\max(q d, (q - 1) d)$ with $d = y - x$: the q-quantile of y minimises it.

    Also called pinball loss. With q = 1/2 it is half of `l1_loss`. At d = 0 the derivative is the
    mean of the two slopes.

    Shape: input x and target y of equal shape; one loss for each element.

    Parameters
    ----------
    q: in (0, 1).

    Reference: Koenker & Bassett (1978), Regression quantiles. Derived in
    `chapters/losses/regression.ipynb`.

    >>> quantile_loss([0.0, 0.0], [1.0, -1.0], q=0.9, reduction="none").numpy().round(4)
    array([0.9, 0.1])
    """
    q = number("quantile_loss", "q", q, "in (0, 1)")
    d = -_difference("quantile_loss", input, target)
    return reduce("quantile_loss", np.maximum(q * d, (q - 1) * d), reduction)


# --- classification


# -log p[y] from logits z, with dL/dz = p - onehot(y), derived in
# chapters/losses/entropy-cross-entropy-kl.ipynb. The softmax p is handed on to the rule.
def _cross_entropy(z: Any, y: Any, mean: bool = False) -> tuple[Any, Any]:
    z = z - z.max(axis=-1, keepdims=True)
    e = np.exp(z)
    total = sums(e)
    loss = np.log(total)[:, 0] - z[np.arange(len(y)), y]
    return (loss.sum() / len(y) if mean else loss), e / total


def _cross_entropy_rule(g: Any, out: Any, z: Any, y: Any, mean: bool = False) -> Any:
    onehot = np.zeros(z.shape, z.dtype)
    onehot[np.arange(len(y)), y] = 1
    return (g / len(y) if mean else g[:, None]) * (out[1] - onehot)


_cross_entropy = primitive(_cross_entropy_rule, None)(_cross_entropy)


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


def _class_targets(
    label: str, y: Array, K: int, shape: tuple[int, ...], ignore_index: int | None = None
) -> tuple[Array, Array | None]:
    """Class numbers, flat, and which rows count (None: all); a row that does not gets class 0."""
    if y.shape != shape or (y.dtype.kind not in "iu" and y.size):
        raise ValueError(
            f"{label}: targets must be class numbers (integers) of shape {shape}, got {y.dtype} of "
            f"shape {y.shape}"
        )
    flat = y.reshape(-1)
    counts = None
    # NumPy finds where the extremes are many times faster than what they are
    inside = not y.size or (flat[flat.argmin()] >= 0 and flat[flat.argmax()] < K)
    if not inside or (ignore_index is not None and 0 <= ignore_index < K):
        valid = (y >= 0) & (y < K)
        if ignore_index is not None:
            counts = flat != ignore_index
            valid |= ~counts.reshape(shape)
            flat = np.where(counts, flat, 0)
        all_of(label, "targets", y, valid, f"in [0, {K})")
    return flat.astype(np.intp, copy=False), counts


def _class_number(label: str, ignore_index: Any) -> int:
    if not isinstance(ignore_index, (int, np.integer)):
        raise TypeError(f"{label}: ignore_index must be an integer, got {ignore_index!r}")
    return int(ignore_index)


def _class_weights(
    label: str, key: str, weight: ArrayLike | None, K: int, dtype: Any
) -> Array | None:
    if weight is None:
        return None
    w = weights(label, key, weight, (K,), dtype)
    if w.shape != (K,):
        raise ValueError(
            f"{label}: {key} must have one entry for each of the {K} classes, got shape {w.shape}"
        )
    return w


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
        total = float(w[y].sum() if counts is None else w[y][counts].sum())
    elif counts is not None:
        total = float(counts.sum())
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
    x = real(label, input)
    z, shape = _class_rows(label, x)
    K = z.shape[1]
    ignore_index = _class_number(label, ignore_index)
    eps = number(label, "label_smoothing", label_smoothing, "in [0, 1]")
    w = _class_weights(label, "weight", weight, K, z.dtype)
    given = array(label, target)
    if given.shape == x.shape:
        t = _class_rows(label, reals(label, input, target)[1])[0]
        distributions(label, "target", t)
        if ignore_index >= 0:
            raise ValueError(
                f"{label}: ignore_index is for class numbers, got {ignore_index} and distributions"
            )
        t = (1 - eps) * t + eps / K
        loss: Any = -np.sum((t if w is None else t * w) * apply(_log_softmax, z), axis=-1)
        return reduce(label, loss.reshape(shape), reduction)
    y, counts = _class_targets(label, array_of(given), K, shape, ignore_index)
    if reduction == "mean" and w is None and counts is None and eps == 0 and len(y):
        return apply(_cross_entropy, z, y, mean=True)
    loss = apply(_cross_entropy, z, y)
    if w is not None:
        loss = loss * w[y]
    if eps:
        log_p = apply(_log_softmax, z)
        uniform = -np.sum(log_p if w is None else log_p * w, axis=-1) / K
        loss = (1 - eps) * loss + eps * uniform
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
    log_p, shape = _class_rows("nll_loss", real("nll_loss", input))
    K = log_p.shape[1]
    ignore_index = _class_number("nll_loss", ignore_index)
    w = _class_weights("nll_loss", "weight", weight, K, log_p.dtype)
    target = array_of(array("nll_loss", target))
    y, counts = _class_targets("nll_loss", target, K, shape, ignore_index)
    loss = -log_p[np.arange(len(y)), y]
    if w is not None:
        loss = loss * w[y]
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
    all_of(label, key, x, (x >= 0) & (x <= 1), "in [0, 1]")


def _binary(label: str, input: ArrayLike, target: ArrayLike) -> tuple[Tensor, Tensor]:
    x, t = reals(label, input, target)
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
        loss = loss * weights(label, "weight", weight, x.shape, x.dtype)
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
    # softplus(x) = max(x, 0) + log(1 + e^-|x|), and softplus(-x) is less by x
    return p * t * (top - x + rest) + (1 - t) * (top + rest)


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
        p = weights(label, "pos_weight", pos_weight, x.shape, x.dtype)
    loss = apply(_bce_with_logits, x, t, p)
    if weight is not None:
        loss = loss * weights(label, "weight", weight, x.shape, x.dtype)
    return reduce(label, loss, reduction)


# p = sigmoid(s), log p = -softplus(-s), 1 - p = e^-softplus(s):  y = -(1 - p)^gamma log p  and
# dy/ds = (1 - p)^gamma (gamma p log p + p - 1), derived in chapters/losses/focal.ipynb.
@primitive(
    lambda g, y, s, gamma: (
        -g * np.exp(-gamma * _softplus(s)) * (gamma * logistic(s) * _softplus(-s) + logistic(-s))
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
    gamma: γ ≥ 0.
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
    z = real(label, logits)
    t = array_of(array(label, targets))
    gamma = number(label, "gamma", gamma, "non-negative and finite")
    a: Any = None  # the weight of each target
    if t.shape == z.shape:
        all_of(label, "targets", t, (t == 0) | (t == 1), "0 or 1")
        s = np.where(t == 1, z, -z)
        if alpha is not None:
            alpha = number(label, "alpha", alpha, "in [0, 1]")
            a = np.where(t == 1, alpha, 1 - alpha)
    else:
        if z.ndim == 0 or z.shape[-1] < 2:
            raise ValueError(
                f"{label}: logits must be (..., K) with K >= 2 classes, or of the shape of the "
                f"targets {t.shape}, got {z.shape}"
            )
        K = z.shape[-1]
        y = _class_targets(label, t, K, z.shape[:-1])[0].reshape(t.shape)
        true = y[..., None] == np.arange(K)
        others = apply(_logsumexp, np.where(true, -np.inf, z), axis=-1)
        s = np.sum(np.where(true, z, 0), axis=-1) - others
        if alpha is not None:
            w = _class_weights(label, "alpha", alpha, K, z.dtype)
            a = None if w is None else w[y]
    loss = apply(_focal, s, gamma)
    return reduce(label, loss if a is None else loss * a.astype(z.dtype), reduction)


# --- divergences


# p (log p - log q), and 0 for p = 0 whatever log q is. There the derivative by p, -inf, is given
# with log p replaced by 0, so that it stays finite.
@primitive(
    lambda g, y, log_q, p: -g * p,
    lambda g, y, log_q, p: g * (np.log(np.where(p > 0, p, 1)) + 1 - log_q),
)
def _kl(log_q: Any, p: Any) -> Any:
    log_p = np.log(np.where(p > 0, p, 1))
    return np.where(p > 0, p * (log_p - np.where(p > 0, log_q, 0)), 0)


# The same from log p; e^-inf (-inf - log q) is 0 too.
@primitive(
    lambda g, y, log_q, log_p: -g * np.exp(log_p),
    lambda g, y, log_q, log_p: g * (y + np.exp(log_p)),
)
def _kl_of_logs(log_q: Any, log_p: Any) -> Any:
    p = np.exp(log_p)
    return p * (np.where(p > 0, log_p, 0) - np.where(p > 0, log_q, 0))


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
    log_q, p = reals("kl_div", input, target)
    same_shape("kl_div", input=log_q, target=p)
    if log_target:
        loss = apply(_kl_of_logs, log_q, p)
    else:
        all_of("kl_div", "target", p, p >= 0, "probabilities, at least 0")
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


def _two_distributions(label: str, *pq: ArrayLike) -> tuple[Tensor, Tensor]:
    p, q = reals(label, *pq)
    same_shape(label, p=p, q=q)
    distributions(label, "p", p)
    distributions(label, "q", q)
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
    p, q = _two_distributions("kl_divergence", p, q)
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
    p, q = _two_distributions("js_divergence", p, q)
    # p log(p / m) = (2p) log(2p / (p + q)) / 2: p + q cannot underflow, p/2 could
    both = apply(_rel_entr, 2 * p, p + q) + apply(_rel_entr, 2 * q, p + q)
    return reduce("js_divergence", np.sum(both, axis=-1) / 4, reduction)


# --- ranking


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
    margin: m, finite.

    Raises
    ------
    ValueError: a target that is not ±1.

    Derived in `chapters/losses/ranking.ipynb`.

    >>> margin_ranking_loss([2.0, 2.0], [1.0, 1.0], [1, -1], margin=0.5, reduction="none")
    Tensor([0. , 1.5])
    """
    label = "margin_ranking_loss"
    margin = number(label, "margin", margin, "finite")
    a, b, y = reals(label, input1, input2, target)
    same_shape(label, input1=a, input2=b, target=y)
    return reduce(label, np.clip(-signs(label, y) * (a - b) + margin, 0, None), reduction)


def _graded(label: str, **both: ArrayLike) -> tuple[Tensor, Array]:
    """Scores and grades of lists on the last axis, the grades as an array without gradient."""
    s, r = reals(label, *both.values())
    same_shape(label, **dict(zip(both, (s, r))))
    scores, grades = both
    if s.ndim == 0 or s.shape[-1] == 0:
        raise ValueError(f"{label}: {scores} must be lists (..., n) with n >= 1, got {s.shape}")
    all_of(label, grades, r, np.isfinite(r.data), "finite")
    return s, r.data


def _gaps(s: Tensor) -> Tensor:
    """s_i - s_j in row i and column j."""
    return s[..., :, None] - s[..., None, :]


def _pairwise_logistic(s: Tensor, w: Array, sigma: float) -> Tensor:
    """sum over pairs (i, j) of w_ij log(1 + exp(-sigma (s_i - s_j))), for each list."""
    return (apply(_softplus, -sigma * _gaps(s)) * w).sum(axis=(-2, -1))


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
    sigma = number("ranknet_loss", "sigma", sigma, "positive and finite")
    s, r = _graded("ranknet_loss", scores=scores, relevance=relevance)
    w = (r[..., :, None] > r[..., None, :]).astype(s.dtype)
    if ties:
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
    sigma = number(label, "sigma", sigma, "positive and finite")
    s, r = _graded(label, scores=scores, relevance=relevance)
    all_of(label, "relevance", r, r >= 0, "at least 0")
    n = r.shape[-1]
    rank = np.argsort(np.argsort(-s.data, axis=-1, kind="stable"), axis=-1)  # from 0
    discount = 1 / np.log2(np.arange(2, n + 2))
    top = r.max(axis=-1, keepdims=True)
    gain = np.exp2(r.astype(float) - top) - np.exp2(-top)  # over 2^top, against overflow
    ideal = np.sum(-np.sort(-gain, axis=-1) * discount, axis=-1)[..., None, None]
    D = discount[rank]
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
    s, r = _graded("listnet_loss", scores=scores, relevance=relevance)
    p = np.exp(_log_softmax(r))
    return reduce("listnet_loss", -np.sum(p * apply(_log_softmax, s), axis=-1), reduction)


def cosent_loss(
    similarities: ArrayLike, labels: ArrayLike, scale: float = 20, reduction: str = "mean"
) -> Tensor:
    r"""$\log(1 + \sum_{y_i > y_j} e^{\lambda(s_j - s_i)})$: similarities in the labels' order.

    Shape: similarities s and labels y (..., n), the cosines of n pairs of sentences and how similar
    these are; one loss for each batch of n, 0 if all labels are equal.

    Parameters
    ----------
    labels: real grades, of which only the order counts; no gradient is taken of them.
    scale: λ > 0.

    Reference: Su (2022), CoSENT, kexue.fm/archives/8847, the form for graded pairs. Derived in
    `chapters/losses/cosent-circle.ipynb`.

    >>> round(cosent_loss([0.8, 0.8], [1, 0]).item(), 4)
    0.6931
    """
    scale = number("cosent_loss", "scale", scale, "positive and finite")
    s, y = _graded("cosent_loss", similarities=similarities, labels=labels)
    d = np.where(y[..., :, None] > y[..., None, :], -scale * _gaps(s), -np.inf)
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
    m = number(label, "m", m, "finite")
    gamma = number(label, "gamma", gamma, "positive and finite")
    p, n = reals(label, sp, sn)
    if not p.ndim or not n.ndim or p.shape[:-1] != n.shape[:-1] or 0 in (p.shape[-1], n.shape[-1]):
        raise ValueError(
            f"{label}: sp must be (..., K) and sn (..., L) with equal leading axes, K and L at "
            f"least 1, got {p.shape} and {n.shape}"
        )
    alpha_p = np.maximum(1 + m - p.data, 0)
    alpha_n = np.maximum(n.data + m, 0)
    negatives = apply(_logsumexp, gamma * alpha_n * (n - m))
    positives = apply(_logsumexp, -gamma * alpha_p * (p - (1 - m)))
    return reduce(label, apply(_softplus, negatives + positives), reduction)


# --- embeddings and contrasts


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
    margin = number(label, "margin", margin, "finite")
    x, y = reals(label, input, target)
    same_shape(label, input=x, target=y)
    return reduce(label, np.where(signs(label, y) == 1, x, np.clip(margin - x, 0, None)), reduction)


def _norm(x: Tensor, p: float = 2.0) -> Any:
    """The p-norm over the last axis, with derivative 0 at 0; by the largest |x|, no overflow."""
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
    margin: m > 0.
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
    margin = number(label, "margin", margin, "positive and finite")
    p = number(label, "p", p, "positive")
    eps = number(label, "eps", eps, "non-negative and finite")
    a, b, c = reals(label, anchor, positive, negative)
    _vectors(label, anchor=a, positive=b, negative=c)
    near, far = _norm(a - b + eps, p), _norm(a - c + eps, p)
    if swap:
        far = np.minimum(far, _norm(b - c + eps, p))
    return reduce(label, np.clip(near - far + margin, 0, None), reduction)


def _almost_unit(x: Tensor) -> Any:
    """x / sqrt(|x|^2 + 1e-12) on the last axis, without overflow of the squares."""
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
    margin: m in [−1, 1], best in [0, 0.5].

    Raises
    ------
    ValueError: a target that is not ±1.

    Derived in `chapters/losses/contrastive.ipynb`.

    >>> cosine_embedding_loss([[1.0, 0.0]], [[0.0, 1.0]], [1]).item()
    1.0
    """
    label = "cosine_embedding_loss"
    margin = number(label, "margin", margin, "in [-1, 1]")
    a, b, y = reals(label, input1, input2, target)
    _vectors(label, input1=a, input2=b)
    _one_for_each(label, "target", y, a)
    cos = (_almost_unit(a) * _almost_unit(b)).sum(axis=-1)
    loss = np.where(signs(label, y) == 1, 1 - cos, np.clip(cos - margin, 0, None))
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
    margin = number(label, "margin", margin, "positive and finite")
    a, b, y = reals(label, x1, x2, similar)
    _vectors(label, x1=a, x2=b)
    _one_for_each(label, "similar", y, a)
    all_of(label, "similar", y, (y == 0) | (y == 1), "0 or 1")
    Y = y.data.astype(a.dtype)
    d = a - b
    D = _norm(d)
    near = np.sum(np.square(d * Y[..., None]), axis=-1)  # the others could overflow
    loss = (near + (1 - Y) * np.square(np.clip(margin - D, 0, None))) / 2
    return reduce(label, loss, reduction)


def _unit(x: Tensor) -> Any:
    """Vectors of length 1 on the last axis; one of zeros stays zero. The largest |x| cancels."""
    top = np.max(np.abs(x.data), axis=-1, keepdims=True)
    z: Any = x / np.where(top > 0, top, 1)
    return z / np.where(top > 0, np.linalg.norm(z, axis=-1, keepdims=True), 1)


def _logits(label: str, temperature: ArrayLike, **sides: ArrayLike) -> tuple[Tensor, Array]:
    """Cosine over temperature of each row of one side with each of the other; and 0, ..., N - 1."""
    a, b = reals(label, *sides.values())
    same_shape(label, **dict(zip(sides, (a, b))))
    if a.ndim != 2 or 0 in a.shape:
        raise ValueError(
            f"{label}: {' and '.join(sides)} must be (N, D), neither being 0, got {a.shape}"
        )
    tau: Any = temperature
    if isinstance(tau, Tensor):
        if tau.size != 1:
            raise ValueError(f"{label}: temperature must be one number, got shape {tau.shape}")
        number(label, "temperature", tau.item(), "positive and finite")
        tau = real(label, tau).reshape(())
    else:
        tau = number(label, "temperature", tau, "positive and finite")
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


def nce_loss(
    log_model: ArrayLike,
    log_noise: ArrayLike,
    log_model_at_noise: ArrayLike,
    log_noise_at_noise: ArrayLike,
    reduction: str = "mean",
) -> Tensor:
    r"""$-\log h(x) - \sum_{i=1}^k \log(1 - h(y_i))$: is it data x, or noise y?

    $h(u) = \sigma(\log p_m(u) - \log(k\,p_n(u)))$ is the probability that u is data, when there are
    k samples of noise for each. The model $p_m$ need not be normalised: its $-\log Z$ is one more
    parameter.

    Shape: log_model = $\log p_m(x)$ and log_noise = $\log p_n(x)$ (...), one for each data point;
    log_model_at_noise and log_noise_at_noise (..., k), at its k samples of noise. One loss for each
    data point.

    Reference: Gutmann & Hyvärinen (2012), Noise-contrastive estimation of unnormalized statistical
    models, section 2 ($-J_T$, with ν = k; k = 1 is the paper of 2010 up to its factor ½). Derived
    in `chapters/losses/nce.ipynb`.

    >>> round(nce_loss([0.0], [0.0], [[0.0]], [[0.0]]).item(), 4)
    1.3863
    """
    label = "nce_loss"
    mx, nx, my, ny = reals(label, log_model, log_noise, log_model_at_noise, log_noise_at_noise)
    same_shape(label, log_model=mx, log_noise=nx)
    same_shape(label, log_model_at_noise=my, log_noise_at_noise=ny)
    if my.ndim != mx.ndim + 1 or my.shape[:-1] != mx.shape or my.shape[-1] == 0:
        raise ValueError(
            f"{label}: log_model_at_noise must be {mx.shape} and one more axis of k >= 1 samples, "
            f"got {my.shape}"
        )
    log_k = float(np.log(my.shape[-1]))
    data, noise = mx - nx - log_k, my - ny - log_k  # the log-odds of "data" against "noise"
    loss = apply(_softplus, -data) + apply(_softplus, noise).sum(axis=-1)
    return reduce(label, loss, reduction)
