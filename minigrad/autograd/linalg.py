r"""Linear algebra: inv, solve, det, slogdet, cholesky, eigh, svd, pinv, norm and their kin.

All work on stacks of matrices. The rules are those of Giles 2008, "Collected matrix derivative
results for forward and reverse mode algorithmic differentiation", with ᵀ for the last two axes.

Where a function has no derivative:

- `inv`, `solve`, `slogdet` at a singular matrix raise NumPy's LinAlgError; `det` has a derivative
  there, the cofactors, and gives it.
- `cholesky`, `eigh`, `eigvalsh` read one triangle of the matrix only, and so does the gradient:
  entries of the other triangle get 0, and those read the sum of both places.
- Eigenvectors of an eigenvalue that occurs twice, singular vectors of a singular value that occurs
  twice or is 0, are not unique, and no function of the matrix. What uses only the values (and
  the vectors of others) has its right first derivative there; what uses those vectors gets NaN,
  even where it does not depend on the choice (V Vᵀ). Second derivatives there are refused.
- `pinv` jumps where the rank changes. Its derivative is that along matrices of the same rank.
- The norms of `ord` 1, inf, 2, -2, "nuc" have kinks; there they give one of the slopes (shared
  equally among ties, as np.max).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import rules
from .composites import vecdot
from .operators import array_of
from .rearranging import axes_of, given
from .rules import nonzero
from .tensor import COMPOSITES, RULES, Tensor, apply, primitive


def T(a: Any) -> Any:
    return np.swapaxes(a, -1, -2)


def matrices(label: str, a: Any, square: bool = True) -> Any:
    """The argument as matrices of floats, in a stack."""
    a = given(label, a)
    if a.ndim < 2 or (square and a.shape[-1] != a.shape[-2]):
        kind = "square matrices (..., n, n)" if square else "matrices (..., m, n)"
        raise ValueError(f"{label}: needs {kind}, got shape {a.shape}")
    if a.dtype == np.float16:
        raise TypeError(f"{label}: NumPy has no linear algebra in float16: use .astype(np.float32)")
    return a if a.dtype.kind == "f" else a.astype(float)


# --- inverse, determinant


def solve_rule(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """a y = b:  dL/db = a⁻ᵀ g,  dL/da = −(dL/db) yᵀ."""
    vector = b.ndim == 1
    gb = np.linalg.solve(T(a), g[..., None] if vector else g)
    ga = -gb @ T(y[..., None] if vector else y)
    return ga, gb[..., 0] if vector else gb


def det_rule(g: Any, y: Any, a: Any) -> Any:
    """Each entry gets its cofactor: those of an invertible matrix are det(a) a⁻ᵀ."""
    n, eps = a.shape[-1], float(np.finfo(a.dtype).eps)
    g = np.reshape(g, (*g.shape, 1, 1))
    if np.all(np.linalg.matrix_rank(a, eps**0.5) == n):
        return g * np.reshape(y, (*y.shape, 1, 1)) * T(np.linalg.inv(a))
    rest = np.array([[j for j in range(n) if j != i] for i in range(n)], int).reshape(n, n - 1)
    minors = a[..., rest[:, None, :, None], rest[None, :, None, :]]
    signs = (-1.0) ** np.add.outer(np.arange(n), np.arange(n))
    return g * np.linalg.det(minors) * signs.astype(a.dtype)


@primitive(lambda g, y, a: np.reshape(g, (*g.shape, 1, 1)) * T(np.linalg.inv(a)))
def logabsdet(a: Any) -> Any:
    """log |det a|"""
    return np.linalg.slogdet(a)[1]


def slogdet(a: Any) -> Any:
    a = matrices("np.linalg.slogdet", a)
    kind = type(np.linalg.slogdet(np.eye(1)))
    return kind(np.linalg.slogdet(array_of(a))[0], apply(logabsdet, a))


def cholesky_rule(g: Any, y: Any, a: Any) -> Any:
    """L Lᵀ = a:  S = L⁻ᵀ Φ(Lᵀ g) L⁻¹, Φ the lower triangle with half the diagonal (Murray 2016)."""
    P = np.tril(T(y) @ np.tril(g))
    P = P - P * np.eye(y.shape[-1], dtype=y.dtype) / 2
    S = np.linalg.solve(T(y), T(np.linalg.solve(T(y), T(P))))
    return folded(S)


def folded(S: Any, upper: bool = False) -> Any:
    """The gradient by a symmetric matrix, as one by the triangle that is read."""
    both = S + T(S)
    half = both * (1 - np.eye(S.shape[-1], dtype=S.dtype) / 2)
    return np.triu(half) if upper else np.tril(half)


RULES.update(
    {
        np.linalg.inv: (lambda g, y, a: -T(y) @ g @ T(y),),
        np.linalg.solve: solve_rule,
        np.linalg.det: (det_rule,),
        np.linalg.cholesky: (cholesky_rule,),
    }
)


def checked(f: Any, label: str) -> Any:
    def call(a: Any) -> Any:
        return apply(f, matrices(label, a))

    return call


def solve(a: Any, b: Any) -> Any:
    a, b = matrices("np.linalg.solve", a), given("np.linalg.solve", b)
    b = b if b.dtype.kind == "f" else b.astype(a.dtype)
    if b.ndim == 0 or b.shape[-1 if b.ndim == 1 else -2] != a.shape[-1]:
        raise ValueError(
            f"np.linalg.solve: a of shape {a.shape} needs b of shape ({a.shape[-1]},) or "
            f"(..., {a.shape[-1]}, k), got {b.shape}"
        )
    return apply(np.linalg.solve, a, b)


def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    a = matrices("np.linalg.cholesky", a)
    return T(apply(np.linalg.cholesky, T(a))) if upper else apply(np.linalg.cholesky, a)


def pinv_rule(g: Any, y: Any, a: Any, rtol: Any) -> Any:
    """Golub & Pereyra 1973, for a matrix whose rank does not change."""
    left, right = np.eye(a.shape[-2]) - a @ y, np.eye(a.shape[-1]) - y @ a
    return -T(y) @ g @ T(y) + left @ T(g) @ y @ T(y) + T(y) @ y @ T(g) @ right


@primitive(pinv_rule, None)
def _pinv(a: Any, rtol: Any) -> Any:
    return np.linalg.pinv(a) if rtol is None else np.linalg.pinv(a, rtol)


def pinv(a: Any, rcond: Any = None) -> Any:
    return apply(_pinv, matrices("np.linalg.pinv", a, square=False), rcond)


# --- eigenvalues, singular values: the parts of the result lie side by side in one array


def packed(stack: tuple[int, ...], *parts: Any) -> Any:
    """Arrays of a stack of this shape, each made flat, in a row."""
    sizes = [int(np.prod(p.shape[len(stack) :])) for p in parts]
    return np.concatenate([np.reshape(p, (*stack, n)) for p, n in zip(parts, sizes)], -1)


def unpacked(x: Any, *shapes: tuple[int, ...]) -> list[Any]:
    """The parts of `packed`, with these shapes behind those of the stack."""
    parts, start = [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        parts.append(np.reshape(x[..., start : start + size], (*x.shape[:-1], *shape)))
        start += size
    return parts


def apart(label: str, a: Any, vectors: Any, values: Any, power: int) -> Any:
    """a_ij / (v_j − v_i), or / (v_j² − v_i²), and 0 on the diagonal.

    Where two values are equal but for rounding, it is 0 if nothing depends on their vectors (the
    gradients in the columns of `vectors` are 0), and else NaN: what depends on them may be a
    function of the matrix, as V w³ Vᵀ, but not even its derivative can be told from theirs.
    """
    v, n = array_of(values), values.shape[-1]
    size = np.sum(np.abs(v), axis=-1)[..., None, None]
    off = ~np.eye(n, dtype=bool)
    gap = np.abs(v[..., None, :] - v[..., :, None])
    equal = (gap <= 100 * float(np.finfo(v.dtype).eps) * size) & off
    if isinstance(a, Tensor) and equal.any():
        raise ValueError(
            f"{label}: second derivatives do not exist where two of the values are equal: their "
            "vectors are not unique"
        )
    powers = values if power == 1 else values * values
    between = np.where(
        off & ~equal, powers[..., None, :] - powers[..., :, None], np.ones((), v.dtype)
    )
    used = np.any(array_of(vectors) != 0, axis=-2)
    undefined = equal & (used[..., None, :] | used[..., :, None])
    return np.where(off & ~equal, a, np.where(undefined, np.nan, 0)) / between


def eigh_rule(g: Any, y: Any, a: Any, UPLO: str) -> Any:
    """dL/da = V (diag(gw) + F ∘ Vᵀ gV) Vᵀ with F_ij = 1 / (w_j − w_i)."""
    n = a.shape[-1]
    (w, V), (gw, gV) = (unpacked(x, (n,), (n, n)) for x in (y, g))
    turn = T(V) @ gV
    # V stays orthogonal: only the antisymmetric part can be turned
    inner = apart("np.linalg.eigh", (turn - T(turn)) / 2, gV, w, 1)
    inner = inner + gw[..., None] * np.eye(n, dtype=a.dtype)
    return folded(V @ inner @ T(V), UPLO == "U")


@primitive(eigh_rule, None)
def _eigh(a: Any, UPLO: Any) -> Any:
    return packed(a.shape[:-2], *np.linalg.eigh(a, UPLO))


def eigh(a: Any, UPLO: str = "L") -> Any:
    a = matrices("np.linalg.eigh", a)
    if UPLO not in ("L", "U"):
        raise ValueError(f'np.linalg.eigh: UPLO must be "L" or "U", got {UPLO!r}')
    n = a.shape[-1]
    kind = type(np.linalg.eigh(np.eye(1)))
    return kind(*unpacked(apply(_eigh, a, UPLO), (n,), (n, n)))


def svd_rule(g: Any, y: Any, a: Any) -> Any:
    """Townsend 2016, "Differentiating the singular value decomposition"."""
    m, n = a.shape[-2:]
    k = min(m, n)
    (U, s, Vh), (gU, gs, gVh) = (unpacked(x, (m, k), (k,), (k, n)) for x in (y, g))
    label, left, right = "np.linalg.svd", T(U) @ gU, Vh @ T(gVh)
    both = np.concatenate([gU, T(gVh)], axis=-2)
    inner = apart(label, left - T(left), both, s, 2) * s[..., None, :]
    inner = inner + s[..., None] * apart(label, right - T(right), both, s, 2)
    d = U @ (inner + gs[..., None] * np.eye(k, dtype=a.dtype)) @ Vh
    if m > k:  # what turns U out of the space of its columns
        d = d + by_values(gU - U @ left, gU, s) @ Vh
    if n > k:
        d = d + U @ T(by_values(T(gVh) - T(Vh) @ right, T(gVh), s))
    return d


def by_values(x: Any, vectors: Any, s: Any) -> Any:
    """Columns of x over singular values: where one is 0, 0 if its vector is not used, else NaN."""
    v = array_of(s)
    zero = v <= 100 * float(np.finfo(v.dtype).eps) * np.sum(v, axis=-1, keepdims=True)
    if isinstance(x, Tensor) and zero.any():
        raise ValueError("np.linalg.svd: second derivatives do not exist where a value is 0")
    undefined = zero & np.any(array_of(vectors) != 0, axis=-2)
    safe = np.where(zero, np.ones((), s.dtype), s)
    return np.where(
        zero[..., None, :], np.where(undefined, np.nan, 0)[..., None, :], x / safe[..., None, :]
    )


@primitive(svd_rule)
def _svd(a: Any) -> Any:
    return packed(a.shape[:-2], *np.linalg.svd(a, full_matrices=False))


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    a = matrices("np.linalg.svd", a, square=False)
    m, n = a.shape[-2:]
    k = min(m, n)
    if compute_uv and full_matrices and m != n:
        raise TypeError(
            "np.linalg.svd: the columns beyond the singular values are not unique: pass "
            "full_matrices=False"
        )
    U, s, Vh = unpacked(apply(_svd, a), (m, k), (k,), (k, n))
    return type(np.linalg.svd(np.eye(1)))(U, s, Vh) if compute_uv else s


# --- norms


def vector_norm(x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    if ord is None or ord == 2:
        return rules.norm(x, axis=axis, keepdims=keepdims)
    options = {"axis": axis, "keepdims": keepdims}
    if isinstance(ord, str) or isinstance(ord, bool):
        raise ValueError(f"np.linalg.norm: ord of a vector must be a number, got {ord!r}")
    if ord == 0:
        return np.sum(np.not_equal(x, 0), **options).astype(x.dtype)
    if np.isinf(ord):
        return (np.max if ord > 0 else np.min)(np.absolute(x), **options)
    if ord == 1:
        return np.sum(np.absolute(x), **options)
    total = np.sum(np.absolute(x) ** ord, **options)
    if ord < 0:
        return total ** (1 / ord)
    return np.where(array_of(total) == 0, 0, nonzero(total) ** (1 / ord))


def matrix_norm(x: Any, ord: Any, axes: tuple[int, int], keepdims: bool) -> Any:
    x = np.moveaxis(x, axes, (-2, -1))
    if ord in (None, "fro"):
        y = rules.norm(x, axis=(-2, -1))
    elif ord in ("nuc", 2, -2):
        s = svd(x, compute_uv=False)
        y = np.sum(s, axis=-1) if ord == "nuc" else (np.max if ord == 2 else np.min)(s, axis=-1)
    elif ord in (1, -1, np.inf, -np.inf):
        sums = np.sum(np.absolute(x), axis=-2 if abs(ord) == 1 else -1)
        y = (np.max if ord > 0 else np.min)(sums, axis=-1)
    else:
        raise ValueError(f"np.linalg.norm: ord {ord!r} is none of a matrix")
    if keepdims:
        for i in sorted(axes):
            y = np.expand_dims(y, i)
    return y


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = given("np.linalg.norm", x)
    x = x if x.dtype.kind == "f" else x.astype(float)
    if axis is None and ord is None:
        return rules.norm(x, axis=None, keepdims=keepdims)
    axes: Any = range(x.ndim) if axis is None else axis
    axes = axes_of("np.linalg.norm", axes if isinstance(axes, (range, tuple)) else (axes,), x.ndim)
    if len(axes) == 1:
        return vector_norm(x, ord, axes[0], keepdims)
    if len(axes) == 2:
        return matrix_norm(x, ord, axes, keepdims)
    raise ValueError(
        f"np.linalg.norm: ord is for one axis or two, got shape {x.shape}, axis {axis}"
    )


def vector_norm_of(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    x = given("np.linalg.vector_norm", x)
    x = x if x.dtype.kind == "f" else x.astype(float)
    return vector_norm(x, ord, tuple(range(x.ndim)) if axis is None else axis, keepdims)


def matrix_power(a: Any, n: int) -> Any:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise TypeError(f"np.linalg.matrix_power: n must be an integer, got {n!r}")
    x = given("np.linalg.matrix_power", a)
    a = matrices("np.linalg.matrix_power", a)
    if x.dtype.kind != "f":  # whole numbers have no gradient, and whole powers
        return np.linalg.matrix_power(array_of(x), n)
    if n == 0:
        return np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape)
    if n < 0:
        a, n = apply(np.linalg.inv, a), -n
    y = None
    while n:  # by the binary digits of n
        if n % 2:
            y = a if y is None else y @ a
        n //= 2
        a = a @ a if n else a
    return y


def multi_dot(arrays: Any) -> Any:
    """One after the other, from the end that is a vector, if there is one."""
    parts = [given("np.linalg.multi_dot", x) for x in arrays]
    if len(parts) < 2:
        raise ValueError(f"np.linalg.multi_dot: needs two arrays or more, got {len(parts)}")
    if len(parts) == 2:
        return np.dot(*parts)
    if any(x.ndim not in ((1, 2) if x is parts[0] or x is parts[-1] else (2,)) for x in parts):
        raise ValueError(
            "np.linalg.multi_dot: needs matrices, and the first and last may be vectors; got "
            f"shapes {[x.shape for x in parts]}"
        )
    backwards = parts[-1].ndim == 1
    y = parts[-1] if backwards else parts[0]
    for x in parts[-2::-1] if backwards else parts[1:]:
        y = np.dot(x, y) if backwards else np.dot(y, x)
    return y


COMPOSITES.update(
    {
        np.linalg.inv: checked(np.linalg.inv, "np.linalg.inv"),
        np.linalg.det: checked(np.linalg.det, "np.linalg.det"),
        np.linalg.solve: solve,
        np.linalg.slogdet: slogdet,
        np.linalg.cholesky: cholesky,
        np.linalg.pinv: pinv,
        np.linalg.eigh: eigh,
        np.linalg.eigvalsh: lambda a, UPLO="L": eigh(a, UPLO)[0],
        np.linalg.svd: svd,
        np.linalg.norm: norm,
        np.linalg.matrix_power: matrix_power,
        np.linalg.multi_dot: multi_dot,
    }
)


def outer_of_vectors(x1: Any, x2: Any, /) -> Any:
    x1, x2 = given("np.linalg.outer", x1), given("np.linalg.outer", x2)
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(f"np.linalg.outer: needs two vectors, got shapes {x1.shape}, {x2.shape}")
    return np.outer(x1, x2)


# The array API's names, since NumPy 2.0; what is only another name of a function has its rule.
ALSO: dict[str, Any] = {
    "svdvals": lambda x, /: svd(x, compute_uv=False),
    "vector_norm": vector_norm_of,
    "matrix_norm": lambda x, /, *, keepdims=False, ord="fro": matrix_norm(
        matrices("np.linalg.matrix_norm", x, square=False), ord, (x.ndim - 2, x.ndim - 1), keepdims
    ),
    "matmul": lambda x1, x2, /: np.matmul(x1, x2),
    "matrix_transpose": lambda x, /: np.swapaxes(x, -1, -2),
    "outer": outer_of_vectors,
    "cross": lambda x1, x2, /, *, axis=-1: np.cross(x1, x2, axis=axis),
    "vecdot": lambda x1, x2, /, *, axis=-1: vecdot(x1, x2, axis=axis),
    "tensordot": lambda x1, x2, /, *, axes=2: np.tensordot(x1, x2, axes),
    "diagonal": lambda x, /, *, offset=0: np.diagonal(x, offset, -2, -1),
    "trace": lambda x, /, *, offset=0: np.trace(x, offset, -2, -1),
}
COMPOSITES.update({getattr(np.linalg, k): f for k, f in ALSO.items() if hasattr(np.linalg, k)})
