"""Attention: scaled dot products, heads that share keys and values, rotary positions, a cache.

Derived in `chapters/attention/attention.ipynb` and `chapters/attention/mqa-gqa.ipynb`.
"""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

import numpy as np

from .activations.softmax import below_largest
from .autograd.arrays import Array
from .autograd.rules import sums
from .autograd.tensor import RULES, ArrayLike, Tensor, apply, primitive
from .checks import (
    all_elements,
    array,
    flag,
    float_dtype,
    floats,
    generator,
    generator_or_new,
    integer,
    number,
    real,
)
from .layers import Linear, dropout
from .module import Module

__all__ = [
    "KVCache",
    "MultiheadAttention",
    "rotary",
    "scaled_dot_product_attention",
]


def attend(q: Any, k: Any, v: Any, mask: Any, kept: Any, scale: float) -> tuple[Any, Any]:
    """(p v, p) with p = softmax(scale q kᵀ + mask), zeros in a row whose scores are all −∞.

    mask: added to the scores, or None. kept: factors on p (a dropout's), or None.
    """
    s = (q * scale) @ transposed(k)  # q kᵀ itself can overflow in float16
    if mask is not None:
        s = s + mask
    p = np.exp(below_largest(s))
    total = sums(p)
    p /= np.where(total == 0, 1, total)  # in place for an array; a Tensor gives a new one
    return (p if kept is None else p * kept) @ v, p


#     dL/dv = pᵀ g,   dL/dp = g vᵀ,   dL/dq = scale dL/ds k,   dL/dk = scale (dL/ds)ᵀ q,
# and between them dL/ds = p (dL/dp - Σ p dL/dp), the softmax's Jacobian diag(p) - p pᵀ applied to
# dL/dp: derived in chapters/activations/softmax.ipynb. Where p is 0, so is dL/ds.
def attend_rule(
    g: Any, out: Any, q: Any, k: Any, v: Any, mask: Any, kept: Any, scale: float
) -> tuple[Any, ...]:
    p = out[1]
    dp = g @ transposed(v)
    if kept is not None:
        dp *= kept
    ds = dp * p
    ds -= p * sums(ds)
    dv = transposed(p if kept is None else p * kept) @ g
    return ds @ (k * scale), transposed(ds) @ (q * scale), dv, ds, None, None


RULES[attend] = attend_rule


def transposed(x: Any) -> Any:
    return x.swapaxes(-1, -2)


def check_mask(caller: str, attn_mask: ArrayLike, shape: tuple[int, ...]) -> Any:
    """The mask as a Tensor or array, after checking that it is one for scores of this shape."""
    mask = array(caller, "attn_mask", attn_mask)
    if mask.dtype.kind not in "bf":
        raise TypeError(
            f"{caller}: attn_mask must be boolean (True: may attend) or floating (added to the "
            f"scores), got {mask.dtype}"
        )
    try:
        fits = np.broadcast_shapes(mask.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"{caller}: attn_mask must broadcast to the scores' shape {shape}, got {mask.shape}"
        )
    if mask.dtype.kind == "f" and np.any(np.isnan(mask)):
        raise ValueError(f"{caller}: attn_mask must not hold NaN")
    return mask


def scaled_dot_product_attention(
    q: ArrayLike,
    k: ArrayLike,
    v: ArrayLike,
    attn_mask: ArrayLike | None = None,
    *,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    rng: np.random.Generator | None = None,
) -> Tensor:
    r"""Each query's mean of the values, weighed by how well its key fits.

    $$\operatorname{softmax}\left(\frac{q k^\top}{\sqrt d} + \text{mask}\right) v$$

    Shape: q (..., L, d), k (..., S, d), v (..., S, d_v); returns (..., L, d_v). All leading axes
    agree; with `enable_gqa` the last of them, the heads, may be a multiple in q.

    Parameters
    ----------
    attn_mask: broadcasts to (..., L, S). Boolean: True where the query may attend to the key.
        Floating: added to the scores, −∞ forbids. A query that may attend to nothing gets 0 (not
        NaN), and sends no gradient back, as in PyTorch since 2.5.
    dropout_p: in [0, 1], the share of weights set to 0, the others being scaled up.
    is_causal: query i may attend to keys 0 … i; then there may be no attn_mask.
    scale: the factor on the scores, 1/√d without.
    enable_gqa: let q have r times the heads of k and v; the key head j then serves the query heads
        j·r … (j+1)·r − 1.
    rng: a numpy Generator for the dropout.

    Raises
    ------
    ValueError: shapes, masks or ranges that do not fit. TypeError: a mask of integers.

    Reference: Vaswani et al. 2017, eq. 1; shared heads: Ainslie et al. 2023. As
    `torch.nn.functional.scaled_dot_product_attention`.
    Derived in `chapters/attention/attention.ipynb` and `chapters/attention/mqa-gqa.ipynb`.

    >>> k = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> scaled_dot_product_attention(k[:1] * 100, k, np.array([[5.0], [7.0]]))
    Tensor([[5.]])
    """
    caller = "scaled_dot_product_attention"
    q, k, v = real(caller, "q", q), real(caller, "k", k), real(caller, "v", v)
    if min(q.ndim, k.ndim, v.ndim) < 2 or 0 in (*q.shape[-1:], *k.shape[-2:]):
        raise ValueError(
            f"{caller}: q must be (..., L, d), k (..., S, d), v (..., S, d_v) with S and d above "
            f"0, got {q.shape}, {k.shape}, {v.shape}"
        )
    if q.shape[-1] != k.shape[-1] or k.shape[:-1] != v.shape[:-1]:
        raise ValueError(
            f"{caller}: q and k must agree in their last size, k and v in all others, "
            f"got {q.shape}, {k.shape}, {v.shape}"
        )
    is_causal = flag(caller, "is_causal", is_causal)
    dropout_p = number(caller, "dropout_p", dropout_p, "[0, 1]")
    scale = 1 / sqrt(q.shape[-1]) if scale is None else number(caller, "scale", scale)
    r = 1
    if flag(caller, "enable_gqa", enable_gqa):
        if min(q.ndim, k.ndim) < 3 or q.shape[-3] % max(k.shape[-3], 1):
            raise ValueError(
                f"{caller}: with enable_gqa, q's heads (axis -3) must be a multiple of k's, "
                f"got {q.shape}, {k.shape}"
            )
        r = q.shape[-3] // max(k.shape[-3], 1)
        k, v = repeat_heads(k, r), repeat_heads(v, r)
    if q.shape[:-2] != k.shape[:-2]:
        raise ValueError(
            f"{caller}: q and k must agree in all but their last two sizes, got {q.shape}, "
            f"{k.shape}: enable_gqa=True lets query heads share keys"
        )
    L, S = q.shape[-2], k.shape[-2]
    if is_causal and attn_mask is not None:
        raise ValueError(f"{caller}: give attn_mask or is_causal, not both: combine the masks")
    mask = np.tri(L, S, dtype=bool) if is_causal else attn_mask
    shape = (*q.shape[:-1], S)
    if mask is not None:
        mask = check_mask(caller, mask, shape)
        if mask.dtype.kind == "b":
            mask = np.where(mask, 0, -inf).astype(q.dtype)
    if rng is not None:
        generator(caller, rng)
    kept = dropout(np.ones(shape, q.dtype), dropout_p, rng=rng).data if dropout_p else None
    return apply(attend, q, k, v, mask, kept, scale)


def repeat_heads(x: Any, r: int) -> Any:
    """(..., H, T, d) -> (..., H·r, T, d), each head r times in a row."""
    if r == 1:
        return x
    *lead, H, T, d = x.shape
    many = np.broadcast_to(np.expand_dims(x, -3), (*lead, H, r, T, d))
    return np.reshape(many, (*lead, H * r, T, d))


# The rotation is orthogonal, so its transpose is the rotation back by the same angle.
@primitive(lambda g, y, x, cos, sin: rotate(g, cos, -sin), None, None)
def rotate(x: Any, cos: Any, sin: Any) -> Any:
    """Each pair (x_i, x_{i+d/2}) of the last axis, turned by its angle."""
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


def rotary(x: ArrayLike, positions: ArrayLike, base: float = 10000.0) -> Tensor:
    r"""Turn the pairs of channels of queries or keys by angles that grow with their position.

    Channel i is paired with channel i + d/2 and turned by $t\,\text{base}^{-2i/d}$ at position t.
    The product of a query at position s and a key at position t then depends on the positions only
    through s − t.

    Shape: x (..., T, d) with d even; positions broadcasts to (..., T); returns x's.

    Parameters
    ----------
    positions: the position of each row of x, any real numbers: np.arange(T) for a whole sequence.
    base: > 0; the slowest pair takes 2π·base^(1 - 2/d) positions for a turn.

    Raises
    ------
    ValueError: d odd, positions that do not fit, base <= 0.

    Reference: Su et al. 2021, RoFormer, eq. 34, with the pairing of GPT-NeoX and LLaMA.
    Derived in `chapters/attention/tiny-llama.ipynb`.

    >>> rotary(np.array([[1.0, 0.0]]), [np.pi / 2]).numpy().round(8) + 0.0
    array([[0., 1.]])
    """
    x, t = real("rotary", "x", x), floats("rotary", "positions", positions)
    if x.ndim < 2 or x.shape[-1] % 2:
        raise ValueError(f"rotary: x must be (..., T, d) with d even, got {x.shape}")
    all_elements("rotary", "positions", t, np.isfinite(t), "finite")
    try:
        fits = np.broadcast_shapes(t.shape, x.shape[:-1]) == x.shape[:-1]
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"rotary: positions must broadcast to {x.shape[:-1]}, one for each row of x {x.shape}, "
            f"got {t.shape}"
        )
    base = number("rotary", "base", base, "(0, inf)")
    d = x.shape[-1]
    angle = t[..., None] * base ** (-np.arange(0, d, 2) / d)
    return apply(rotate, x, np.cos(angle).astype(x.dtype), np.sin(angle).astype(x.dtype))


class KVCache:
    """The keys and values of the positions seen so far, for decoding step by step.

    One cache for each attention layer and run of decoding; `MultiheadAttention` fills it. It keeps
    Tensors: decode under `no_grad()` unless you want gradients through all steps.

    Attributes
    ----------
    k, v: (N, kv_heads, T, d_head), None before the first use. nbytes: memory of both.

    Example
    -------
    >>> cache = KVCache()
    >>> k, v = cache.append(np.ones((1, 2, 3, 4)), np.ones((1, 2, 3, 4)))
    >>> len(cache), cache.nbytes
    (3, 384)

    Derived in `chapters/attention/mqa-gqa.ipynb`.
    """

    def __init__(self) -> None:
        self.k: Any = None
        self.v: Any = None

    def __len__(self) -> int:
        return 0 if self.k is None else int(self.k.shape[-2])

    @property
    def nbytes(self) -> int:
        return sum(x.size * x.dtype.itemsize for x in (self.k, self.v) if x is not None)

    def append(self, k: ArrayLike, v: ArrayLike) -> tuple[Any, Any]:
        """Add the keys and values of new positions (N, kv_heads, T, d_head); returns all."""
        k, v = real("KVCache", "k", k), real("KVCache", "v", v)
        if k.ndim != 4 or k.shape != v.shape:
            raise ValueError(
                f"KVCache: k and v must both be (N, heads, T, d_head), got {k.shape}, {v.shape}"
            )
        if self.k is not None:
            N, H, _, d = self.k.shape
            if k.shape[:2] + k.shape[3:] != (N, H, d):
                raise ValueError(
                    f"KVCache: holds keys of shape (N, heads, T, d_head) = {self.k.shape}, so new "
                    f"ones must be ({N}, {H}, any, {d}), got {k.shape}: begin a new KVCache for "
                    "other input"
                )
            k = np.concatenate([self.k, k], axis=-2)
            v = np.concatenate([self.v, v], axis=-2)
        self.k, self.v = k, v
        return self.k, self.v


class MultiheadAttention(Module):
    r"""Self-attention in several heads, whose keys and values several query heads may share.

    $$y = \operatorname{concat}_h(\operatorname{attention}(x W_q^h, x W_k^{j}, x W_v^{j}))\, W_o,
      \qquad j = \lfloor h / r \rfloor, \quad r = \text{num\_heads}/\text{num\_kv\_heads}$$

    Parameters
    ----------
    d_model: size of the input and of the output; a multiple of num_heads.
    num_heads: H, each of d_model / H channels.
    num_kv_heads: None for as many (multi-head), 1 for a single one (multi-query), between them a
        divisor of H (grouped-query).
    bias: whether the four projections have one.
    rotary: whether queries and keys are turned by their positions (see `rotary`).
    rng: a numpy Generator for the initial values (those of `Linear`).
    dtype: of the parameters.

    Called as m(x, is_causal=False, cache=None, attn_mask=None), x (N, T, d_model):

    is_causal: each position sees itself and those before it, in the cache too.
    cache: a `KVCache`: x continues the sequence in it. Feeding a sequence in pieces then gives what
        feeding it at once does, if is_causal.
    attn_mask: broadcasts to (N, H, T, S), S being T and what the cache holds; meant as for
        `scaled_dot_product_attention`, and combined with is_causal.

    Raises
    ------
    ValueError: sizes that do not divide or shapes that do not fit (the cache is then as before).

    Reference: Vaswani et al. 2017, section 3.2.2; Shazeer 2019; Ainslie et al. 2023.
    Derived in `chapters/attention/attention.ipynb` and `chapters/attention/mqa-gqa.ipynb`.

    Example
    -------
    >>> m = MultiheadAttention(8, num_heads=4, num_kv_heads=2, rng=np.random.default_rng(0))
    >>> m(np.ones((1, 3, 8)), is_causal=True).shape
    (1, 3, 8)
    """

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        num_kv_heads: int | None = None,
        bias: bool = True,
        rotary: bool = False,
        rng: np.random.Generator | None = None,
        dtype: Any = np.float64,
    ) -> None:
        name = "MultiheadAttention"
        self.d_model = integer(name, "d_model", d_model)
        self.num_heads = integer(name, "num_heads", num_heads)
        kv_heads = num_heads if num_kv_heads is None else num_kv_heads
        self.num_kv_heads = integer(name, "num_kv_heads", kv_heads)
        if d_model % num_heads or num_heads % kv_heads:
            raise ValueError(
                f"{name}: num_heads must divide d_model, and num_kv_heads num_heads, got d_model "
                f"{d_model}, num_heads {num_heads}, num_kv_heads {kv_heads}"
            )
        self.d_head = d_model // num_heads
        bias, dtype = flag(name, "bias", bias), float_dtype(name, dtype)
        if flag(name, "rotary", rotary) and self.d_head % 2:
            raise ValueError(f"{name}: rotary needs an even d_model / num_heads, got {self.d_head}")
        self.rotary = rotary
        rng = generator_or_new(name, rng)
        d_kv = kv_heads * self.d_head
        self.q_proj = Linear(d_model, d_model, bias, rng, dtype)
        self.k_proj = Linear(d_model, d_kv, bias, rng, dtype)
        self.v_proj = Linear(d_model, d_kv, bias, rng, dtype)
        self.out_proj = Linear(d_model, d_model, bias, rng, dtype)

    def forward(
        self,
        x: ArrayLike,
        is_causal: bool = False,
        cache: KVCache | None = None,
        attn_mask: ArrayLike | None = None,
    ) -> Tensor:
        x = real("MultiheadAttention", "x", x)
        if x.ndim != 3 or x.shape[-1] != self.d_model:
            raise ValueError(f"MultiheadAttention: x must be (N, T, {self.d_model}), got {x.shape}")
        N, T, _ = x.shape
        if not isinstance(cache, KVCache | None):
            raise TypeError(f"MultiheadAttention: cache must be a KVCache or None, got {cache!r}")
        past = 0 if cache is None else len(cache)
        mask: Any = None
        if attn_mask is not None:
            mask = check_mask("MultiheadAttention", attn_mask, (N, self.num_heads, T, past + T))
        if flag("MultiheadAttention", "is_causal", is_causal):
            mask = causal(T, past, mask)

        q = self.split(self.q_proj(x), self.num_heads)
        k, v = (self.split(p(x), self.num_kv_heads) for p in (self.k_proj, self.v_proj))
        if self.rotary:
            positions = np.arange(past, past + T)
            q, k = rotary(q, positions), rotary(k, positions)
        if cache is not None:
            k, v = cache.append(k, v)
        y = scaled_dot_product_attention(q, k, v, mask, enable_gqa=True)
        z: Tensor = self.out_proj(y.swapaxes(1, 2).reshape(N, T, self.d_model))
        return z

    def split(self, x: Any, heads: int) -> Any:
        """(N, T, heads · d_head) -> (N, heads, T, d_head)."""
        N, T, _ = x.shape
        return x.reshape(N, T, heads, self.d_head).swapaxes(1, 2)

    def extra_repr(self) -> str:
        shared = "" if self.num_kv_heads == self.num_heads else f", kv_heads={self.num_kv_heads}"
        return f"{self.d_model}, heads={self.num_heads}{shared}"


def causal(T: int, past: int, mask: Any = None) -> Any:
    """(T, past + T): T new positions after `past` see themselves and all before; and `mask` too."""
    seen: Array = np.tri(T, past + T, past, dtype=bool)
    if mask is None:
        return seen
    return mask & seen if mask.dtype.kind == "b" else np.where(seen, mask, -inf)
