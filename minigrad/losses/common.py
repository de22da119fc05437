"""What the losses share: the reduction, and the checks of their arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.arrays import Array, extremes
from ..autograd.operators import array_of
from ..autograd.tensor import ArrayLike, Tensor
from ..checks import all_elements, choice, real, reals, same_shape


def reduce(label: str, loss: Any, reduction: str, total: Any = None) -> Tensor:
    """The losses as they are ("none"), their sum, or their mean: the sum over `total`, if given."""
    choice(label, "reduction", reduction, "mean", "sum", "none")
    result: Tensor = loss
    if reduction == "mean":
        if (loss.size if total is None else total) == 0:
            raise ValueError(
                f"{label}: the mean over no losses does not exist (shape {loss.shape}, and none "
                'counts): leave the batch out, or take reduction="sum"'
            )
        result = loss.mean() if total is None else loss.sum() / total
    elif reduction == "sum":
        result = loss.sum()
    return result


def times(w: Any, x: Any) -> Any:
    """w x, and 0 where w is 0, also if x is infinite there: what has no weight does not count."""
    return w * np.where(array_of(w) == 0, 0, x)


def check_signs(label: str, target: Tensor) -> Array:
    """A target of 1 and -1, as an array."""
    y = target.data
    all_elements(label, "target", y, (y == 1) | (y == -1), "1 or -1")
    return y


def check_weights(
    label: str, key: str, value: ArrayLike, shape: tuple[int, ...], dtype: Any
) -> Array:
    """Weights that broadcast to a shape, as an array: no gradient is taken of them."""
    w = real(label, key, value).data
    if w.ndim > len(shape) or any(m not in (1, n) for m, n in zip(w.shape[::-1], shape[::-1])):
        raise ValueError(f"{label}: {key} must broadcast to shape {shape}, got shape {w.shape}")
    all_elements(label, key, w, (w >= 0) & (w < np.inf), "finite and at least 0")
    return np.asarray(w, dtype)


def graded(label: str, **both: ArrayLike) -> tuple[Tensor, Array]:
    """Scores and grades of lists on the last axis, the grades as an array without gradient."""
    s, r = reals(label, **both)
    same_shape(label, **dict(zip(both, (s, r))))
    scores, grades = both
    if s.ndim == 0 or s.shape[-1] == 0:
        raise ValueError(f"{label}: {scores} must be lists (..., n) with n >= 1, got {s.shape}")
    all_elements(label, grades, r, np.isfinite(r.data), "finite")
    return s, r.data


def gaps(s: Tensor) -> Tensor:
    """s_i - s_j in row i and column j."""
    return s[..., :, None] - s[..., None, :]


def class_targets(
    label: str, key: str, y: Array, K: int, shape: tuple[int, ...], ignore_index: int | None = None
) -> tuple[Array, Array | None]:
    """Class numbers, flat, and which rows count (None: all); a row that does not gets class 0."""
    if y.dtype.kind not in "iu" and y.size:
        raise TypeError(f"{label}: {key} must be class numbers (integers), got {y.dtype}")
    if y.shape != shape:
        raise ValueError(f"{label}: {key} must be class numbers of shape {shape}, got {y.shape}")
    flat = y.reshape(-1)
    counts = None
    least, most = extremes(flat) if flat.size else (0, 0)
    inside = least >= 0 and most < K
    if not inside or (ignore_index is not None and 0 <= ignore_index < K):
        valid = (y >= 0) & (y < K)
        if ignore_index is not None:
            counts = flat != ignore_index
            valid |= ~counts.reshape(shape)
            flat = np.where(counts, flat, 0)
        all_elements(label, key, y, valid, f"in [0, {K})")
    return flat.astype(np.intp, copy=False), counts


def class_weights(
    label: str, key: str, weight: ArrayLike | None, K: int, dtype: Any
) -> Array | None:
    if weight is None:
        return None
    w = check_weights(label, key, weight, (K,), dtype)
    if w.shape != (K,):
        raise ValueError(
            f"{label}: {key} must have one entry for each of the {K} classes, got shape {w.shape}"
        )
    return w
