"""Attention against PyTorch to second order; masks, shared heads, the cache, rotary positions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compares import compares
from minigrad import Tensor, attention, grad, gradcheck, gradgradcheck, nn, no_grad
from minigrad.attention import KVCache, MultiheadAttention, rotary, scaled_dot_product_attention
from torch_reference import needs_torch, reference, torch

close = np.testing.assert_allclose


def draw(shape, seed=0, scale=1.0):
    return np.random.default_rng(seed).standard_normal(shape) * scale


def second_order(y, xs, grad, u, vs):
    """[y, dL/dx..., d(sum v·dL/dx)/dx...] for L = u·y."""
    first = grad(y, xs, u)
    total = sum((a * v).sum() for a, v in zip(first, vs))
    return [y, *first, *grad(total, [*xs, u], None)]


def ours(f, arrays, seed=1):
    xs = [Tensor(a, requires_grad=True) for a in arrays]
    y = f(*xs)
    u = Tensor(draw(y.shape, seed), requires_grad=True)
    vs = [draw(a.shape, seed + 1) for a in arrays]
    return [
        t.numpy()
        for t in second_order(y, xs, lambda y, x, u: grad(y, x, u, create_graph=True), u, vs)
    ]


def theirs(f, arrays, seed=1):
    from torch.nn.attention import SDPBackend, sdpa_kernel

    xs = [torch.tensor(a, requires_grad=True) for a in arrays]
    with sdpa_kernel(SDPBackend.MATH):  # the one that has second derivatives
        y = f(*xs)
        u = torch.tensor(draw(y.shape, seed), requires_grad=True)
        vs = [torch.tensor(draw(a.shape, seed + 1)) for a in arrays]
        out = second_order(
            y, xs, lambda y, x, u: torch.autograd.grad(y, x, u, create_graph=True), u, vs
        )
    return [t.detach().numpy() for t in out]


def assert_equal(got, want, rtol=1e-9):
    assert len(got) == len(want)
    for a, b in zip(got, want):
        close(a, b, rtol=rtol, atol=rtol * max(1.0, abs(b).max(initial=0)))


BOOL = draw((3, 5), 7) > -0.3
EMPTY_ROW = BOOL & np.array([[True], [False], [True]])
FLOAT = np.where(BOOL, draw((3, 5), 8), -np.inf)

# key: (shapes of q, k, v, mask, options)
CASES = {
    "plain": ([(3, 4), (5, 4), (5, 2)], None, {}),
    "batch": ([(2, 3, 4), (2, 5, 4), (2, 5, 2)], None, {"scale": 0.7}),
    "heads-bool": ([(2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 2)], BOOL, {}),
    "float": ([(2, 3, 4), (2, 5, 4), (2, 5, 4)], FLOAT, {}),
    "one-mask-each": ([(2, 3, 4), (2, 5, 4), (2, 5, 4)], np.stack([FLOAT, FLOAT.T.reshape(3, 5)]), {}),
    "padding": ([(2, 1, 3, 4), (2, 1, 5, 4), (2, 1, 5, 2)], np.arange(5) < np.array([5, 2]).reshape(2, 1, 1, 1), {}),
    "empty-row-bool": ([(2, 3, 4), (2, 5, 4), (2, 5, 2)], EMPTY_ROW, {}),
    "empty-row-float": ([(3, 4), (5, 4), (5, 2)], np.where(EMPTY_ROW, 0.0, -np.inf), {}),
    "all-empty": ([(3, 4), (5, 4), (5, 2)], np.zeros((3, 5), bool), {}),
    "causal": ([(4, 3), (4, 3), (4, 3)], None, {"is_causal": True}),
    "causal-wide": ([(3, 4), (5, 4), (5, 2)], None, {"is_causal": True}),
    "causal-high": ([(5, 4), (3, 4), (3, 2)], None, {"is_causal": True}),
    "gqa": ([(2, 6, 3, 4), (2, 2, 5, 4), (2, 2, 5, 2)], None, {"enable_gqa": True}),
    "mqa-mask": ([(2, 4, 3, 4), (2, 1, 5, 4), (2, 1, 5, 2)], BOOL, {"enable_gqa": True}),
}  # fmt: skip


@compares("torch.nn.functional", "attention.scaled_dot_product_attention")
@pytest.mark.parametrize("key", CASES)
def test_equals_pytorch_to_second_order(key):
    shapes, mask, options = CASES[key]
    arrays = [draw(s, i) for i, s in enumerate(shapes)]

    def compute(torch):
        m = None if mask is None else torch.tensor(mask)
        sdpa = torch.nn.functional.scaled_dot_product_attention
        return theirs(lambda q, k, v: sdpa(q, k, v, m, **options), arrays)

    got = ours(lambda q, k, v: scaled_dot_product_attention(q, k, v, mask, **options), arrays)
    assert all(np.isfinite(a).all() for a in got)
    assert_equal(got, reference(f"attention/{key}", compute))


@needs_torch
@settings(max_examples=30, deadline=None)
@given(
    lead=st.lists(st.integers(1, 2), max_size=1).map(tuple),
    kv_heads=st.integers(1, 2), r=st.integers(1, 3), L=st.integers(1, 4), S=st.integers(1, 4),
    d=st.integers(1, 4), dv=st.integers(1, 3), kind=st.sampled_from(["none", "bool", "float", "causal"]),
    scale=st.sampled_from([None, 0.3]), seed=st.integers(0, 1000),
)  # fmt: skip
def test_equals_pytorch_on_random_shapes(lead, kv_heads, r, L, S, d, dv, kind, scale, seed):
    rng = np.random.default_rng(seed)
    arrays = [
        rng.standard_normal((*lead, h, t, c))
        for h, t, c in ((kv_heads * r, L, d), (kv_heads, S, d), (kv_heads, S, dv))
    ]
    options = {"scale": scale, "enable_gqa": True, "is_causal": kind == "causal"}
    mask = {
        "bool": rng.random((L, S)) > 0.4,
        "float": rng.standard_normal((kv_heads * r, L, S)),
    }.get(kind)
    m = None if mask is None else torch.tensor(mask)
    sdpa = torch.nn.functional.scaled_dot_product_attention
    assert_equal(
        ours(lambda q, k, v: scaled_dot_product_attention(q, k, v, mask, **options), arrays),
        theirs(lambda q, k, v: sdpa(q, k, v, m, **options), arrays),
        1e-8,
    )


def test_gradient_of_a_float_mask():
    """A learned bias on the scores: dL/dmask is dL/ds."""
    q, k, v, bias = draw((3, 4)), draw((5, 4), 1), draw((5, 2), 2), draw((1, 5), 3)

    def compute(torch):
        sdpa = torch.nn.functional.scaled_dot_product_attention
        return theirs(lambda m: sdpa(*map(torch.tensor, (q, k, v)), m.expand(3, 5)), [bias])

    assert_equal(
        ours(lambda m: scaled_dot_product_attention(q, k, v, m), [bias]),
        reference("attention/bias", compute),
    )


def test_formula_written_out():
    q, k, v = draw((3, 4)), draw((5, 4), 1), draw((5, 2), 2)
    s = q @ k.T / 2
    p = np.exp(s) / np.exp(s).sum(1, keepdims=True)
    close(scaled_dot_product_attention(q, k, v).numpy(), p @ v, rtol=1e-12)


def test_order_of_keys_does_not_matter_and_outputs_follow_queries():
    q, k, v, order = draw((3, 4)), draw((5, 4), 1), draw((5, 2), 2), [3, 0, 4, 1, 2]
    y = scaled_dot_product_attention(q, k, v).numpy()
    close(scaled_dot_product_attention(q, k[order], v[order]).numpy(), y, rtol=1e-12)
    close(scaled_dot_product_attention(q[[2, 0, 1]], k, v).numpy(), y[[2, 0, 1]], rtol=1e-12)


def test_dropout_of_weights():
    q, k, v = draw((50, 4)), draw((40, 4), 1), np.eye(40)
    p = scaled_dot_product_attention(q, k, v).numpy()
    y = scaled_dot_product_attention(q, k, v, dropout_p=0.25, rng=np.random.default_rng(0)).numpy()
    dropped = y == 0
    assert 0.22 < dropped.mean() < 0.28
    close(y[~dropped], (p / 0.75)[~dropped], rtol=1e-12)
    assert not scaled_dot_product_attention(q, k, v, dropout_p=1.0).numpy().any()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtype_and_extremes(dtype):
    q, k = (1000 * np.sign(draw((3, 16), i)).astype(dtype) for i in (0, 1))
    for a, b in ((q / 4, k / 40), (q * 0, k / 40)):  # as large as float16 can hold the scores
        t = [Tensor(x, requires_grad=True) for x in (a, b, b)]
        for mask in (None, BOOL[:, :3], EMPTY_ROW[:, :3]):
            y = scaled_dot_product_attention(*t, mask)
            assert y.dtype == dtype and np.isfinite(y.numpy()).all()
            y.sum().backward()
        assert all(x.grad.dtype == dtype and np.isfinite(x.grad).all() for x in t)


# --- multi-head attention


def make(d_model=8, heads=4, kv_heads=None, seed=0, **options):
    return MultiheadAttention(d_model, heads, kv_heads, rng=np.random.default_rng(seed), **options)


@compares("torch.nn", "attention.MultiheadAttention")
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("masked", [False, True])
def test_multihead_equals_pytorch(bias, masked):
    m, x = make(bias=bias), draw((2, 5, 8))
    mask = np.tri(5, dtype=bool)

    def compute(torch):
        t = torch.nn.MultiheadAttention(8, 4, bias=bias, batch_first=True, dtype=torch.float64)
        with torch.no_grad():
            qkv = [getattr(m, f"{n}_proj") for n in "qkv"]
            t.in_proj_weight.copy_(torch.tensor(np.concatenate([p.weight.data for p in qkv])))
            t.out_proj.weight.copy_(torch.tensor(m.out_proj.weight.data))
            if bias:
                t.in_proj_bias.copy_(torch.tensor(np.concatenate([p.bias.data for p in qkv])))
                t.out_proj.bias.copy_(torch.tensor(m.out_proj.bias.data))
        z = torch.tensor(x, requires_grad=True)
        # in torch's MultiheadAttention, True forbids
        y, _ = t(z, z, z, need_weights=False, attn_mask=torch.tensor(~mask) if masked else None)
        (y**2).sum().backward()
        return [y, z.grad, t.in_proj_weight.grad, t.out_proj.weight.grad]

    z = Tensor(x, requires_grad=True)
    y = m(z, is_causal=masked)
    (y**2).sum().backward()
    weights = np.concatenate([getattr(m, f"{n}_proj").weight.grad for n in "qkv"])
    want = reference(f"attention/multihead-{bias}-{masked}", compute)
    assert_equal([y.numpy(), z.grad, weights, m.out_proj.weight.grad], want)


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_shared_heads_are_copies(kv_heads):
    """GQA is MHA whose key and value heads are equal in groups: head j serves queries jr … (j+1)r-1."""
    m, full, x = make(kv_heads=kv_heads), make(), draw((2, 3, 8))
    r = 4 // kv_heads
    for name in ("q_proj", "out_proj"):
        getattr(full, name).load_state_dict(getattr(m, name).state_dict())
    for name in ("k_proj", "v_proj"):
        W, b = getattr(m, name).weight.data, getattr(m, name).bias.data
        getattr(full, name).weight.data = np.repeat(W.reshape(kv_heads, 2, 8), r, axis=0).reshape(
            8, 8
        )
        getattr(full, name).bias.data = np.repeat(b.reshape(kv_heads, 2), r, axis=0).reshape(8)
    close(m(x).numpy(), full(x).numpy(), rtol=1e-12)
    if kv_heads == 4:
        assert repr(m) == repr(full)


@compares("Shazeer 2019", "attention.KVCache")
@pytest.mark.parametrize("rotary", [False, True])
@pytest.mark.parametrize("kv_heads", [None, 2, 1])
@pytest.mark.parametrize("pieces", [[1] * 6, [3, 1, 2], [6], [2, 4]])
def test_decoding_with_a_cache_equals_the_full_pass(rotary, kv_heads, pieces):
    m, x = make(kv_heads=kv_heads, rotary=rotary), draw((2, 6, 8))
    whole = m(x, is_causal=True).numpy()
    cache, out, t = KVCache(), [], 0
    with no_grad():
        for n in pieces:
            out.append(m(x[:, t : t + n], is_causal=True, cache=cache).numpy())
            t += n
            assert len(cache) == t
    close(np.concatenate(out, 1), whole, rtol=1e-12, atol=1e-14)
    heads = kv_heads or 4
    assert cache.k.shape == (2, heads, 6, 2) and cache.nbytes == 2 * 2 * heads * 6 * 2 * 8


def test_gradients_flow_through_a_cache():
    m, x = make(rotary=True), draw((1, 4, 8))
    (m(x, is_causal=True) ** 2).sum().backward()
    want = [p.grad for p in m.parameters()]
    for p in m.parameters():
        p.grad = None
    cache = KVCache()
    sum((m(x[:, t : t + 1], is_causal=True, cache=cache) ** 2).sum() for t in range(4)).backward()
    for p, g in zip(m.parameters(), want):
        close(p.grad, g, rtol=1e-10, atol=1e-13)


def test_masks_of_multihead_attention():
    m, x = make(), draw((2, 4, 8))
    tri = np.tri(4, dtype=bool)
    causal = m(x, is_causal=True).numpy()
    close(m(x, attn_mask=tri).numpy(), causal, rtol=1e-12)
    close(m(x, attn_mask=np.where(tri, 0.0, -np.inf)).numpy(), causal, rtol=1e-12)
    # padding, together with causal: what stands behind the end does not matter
    padding = (np.arange(4) < np.array([[4], [2]]))[:, None, None, :]
    other = x.copy()
    other[1, 2:] = 99
    for mask in (padding, np.where(padding, 0.0, -np.inf)):
        y, z = (m(a, is_causal=True, attn_mask=mask).numpy() for a in (x, other))
        close(y[1, :2], z[1, :2], rtol=1e-12)
        close(y[0], causal[0], rtol=1e-12)
    # the future does not matter to causal attention, and does without
    assert not np.allclose(m(x).numpy()[1, :2], m(other).numpy()[1, :2])
    close(m(x, is_causal=True).numpy()[1, :2], m(other, is_causal=True).numpy()[1, :2], rtol=1e-12)


def test_multihead_permutes_with_its_input():
    m, x, order = make(), draw((1, 5, 8)), [4, 2, 0, 3, 1]
    close(m(x[:, order]).numpy(), m(x).numpy()[:, order], rtol=1e-12)


def test_tree_and_names():
    m = make(16, 4, 2)
    assert repr(m).splitlines() == [
        "MultiheadAttention(16, heads=4, kv_heads=2)  816 parameters",
        "  q_proj: Linear(16, 16)  272 parameters",
        "  k_proj: Linear(16, 8)  136 parameters",
        "  v_proj: Linear(16, 8)  136 parameters",
        "  out_proj: Linear(16, 16)  272 parameters",
    ]
    assert nn.MultiheadAttention is MultiheadAttention
    m32 = make(dtype=np.float32)
    assert m32(np.ones((1, 2, 8), np.float32), is_causal=True).dtype == np.float32


# --- rotary positions


@compares("Su et al. 2021 eq. 34", "attention.rotary")
def test_rotary_is_a_product_of_complex_numbers():
    """RoFormer, eq. 34: the pair (x_i, x_{i+d/2}) as a complex number, times e^{i t θ_i}."""
    x, t = draw((2, 3, 5, 6)), np.array([0, 1, 2, 7, 1000])
    z = (x[..., :3] + 1j * x[..., 3:]) * np.exp(1j * t[:, None] * 10000 ** (-2 * np.arange(3) / 6))
    close(rotary(x, t).numpy(), np.concatenate([z.real, z.imag], -1), rtol=1e-10, atol=1e-12)
    z = (x[..., :3] + 1j * x[..., 3:]) * np.exp(1j * t[:, None] * 500.0 ** (-2 * np.arange(3) / 6))
    close(
        rotary(x, t, base=500).numpy(), np.concatenate([z.real, z.imag], -1), rtol=1e-10, atol=1e-12
    )


@given(s=st.integers(-50, 50), t=st.integers(-50, 50), shift=st.integers(-1000, 1000))
def test_products_depend_on_the_distance_only(s, t, shift):
    q, k = draw((1, 8)), draw((1, 8), 1)
    product = lambda s, t: (rotary(q, s).numpy() * rotary(k, t).numpy()).sum()  # noqa: E731
    assert product(s, t) == pytest.approx(product(s + shift, t + shift), abs=1e-10)
    close(np.linalg.norm(rotary(q, s).numpy()), np.linalg.norm(q), rtol=1e-12)


def test_rotary_to_second_order():
    f = lambda x: rotary(x, [0.5, 3.0]) ** 3  # noqa: E731
    assert gradcheck(f, draw((2, 4))) and gradgradcheck(f, draw((2, 4)))


def test_rotary_keeps_dtype_and_takes_positions_for_each_sequence():
    x = draw((2, 3, 4, 6)).astype(np.float32)
    positions = np.stack([np.arange(4), np.arange(4) + 5])[:, None]
    y = rotary(x, positions)
    assert y.dtype == np.float32
    close(y.numpy()[1], rotary(x[1], np.arange(5, 9)).numpy(), rtol=1e-6)
    assert np.array_equal(rotary(x, 0).numpy(), x)


# --- bad input

Q, K = draw((2, 4, 3, 6)), draw((2, 2, 5, 6))
sdpa = scaled_dot_product_attention


@pytest.mark.parametrize(
    "call,message",
    [
        (lambda: sdpa(Q[0, 0, 0], Q, Q), r"q must be \(..., L, d\), .* got \(6,\)"),
        (lambda: sdpa(Q, Q[..., :0, :], Q[..., :0, :]), "with S and d above 0"),
        (lambda: sdpa(Q, Q[..., :5], Q), r"q and k must agree in their last size, .*\(2, 4, 3, 6\), \(2, 4, 3, 5\)"),
        (lambda: sdpa(Q, Q, Q[..., :2, :]), "k and v in all others"),
        (lambda: sdpa(Q, K, K), r"all but their last two sizes, got \(2, 4, 3, 6\), \(2, 2, 5, 6\): enable_gqa=True"),
        (lambda: sdpa(Q[:1], K, K, enable_gqa=True), r"all but their last two sizes, got \(1, 4, 3, 6\)"),
        (lambda: sdpa(Q[:, :3], K, K, enable_gqa=True), r"q's heads \(axis -3\) must be a multiple of k's"),
        (lambda: sdpa(Q[0, 0], Q[0, 0], Q[0, 0], enable_gqa=True), r"q's heads \(axis -3\) must be a multiple of k's"),
        (lambda: sdpa(Q, Q, Q, np.ones((3, 4), bool)), r"attn_mask must broadcast to the scores' shape \(2, 4, 3, 3\), got \(3, 4\)"),
        (lambda: sdpa(Q, Q, Q, np.ones((1, 2, 4, 3, 3), bool)), r"attn_mask must broadcast .* got \(1, 2, 4, 3, 3\)"),
        (lambda: sdpa(Q, Q, Q, np.full((3, 3), np.nan)), "attn_mask must not hold NaN"),
        (lambda: sdpa(Q, Q, Q, np.tri(3, dtype=bool), is_causal=True), "give attn_mask or is_causal, not both"),
        (lambda: sdpa(Q, Q, Q, scale=np.inf), r"scaled_dot_product_attention: scale must be in \(-inf, inf\), got inf"),
        (lambda: sdpa(Q, Q, Q, dropout_p=1.5), r"scaled_dot_product_attention: dropout_p must be in \[0, 1\], got 1\.5"),
        (lambda: rotary(Q[..., :5], 0), r"rotary: x must be \(..., T, d\) with d even, got \(2, 4, 3, 5\)"),
        (lambda: rotary(Q, np.arange(4)), r"rotary: positions must broadcast to \(2, 4, 3\), .* got \(4,\)"),
        (lambda: rotary(Q, np.zeros((3, 1, 1, 1))), r"rotary: positions must broadcast"),
        (lambda: rotary(Q, [0, 1, np.nan]), "rotary: positions must be finite, got nan at row 2"),
        (lambda: rotary(Q, 0, base=0), r"rotary: base must be in \(0, inf\), got 0"),
        (lambda: make(9), "num_heads must divide d_model, .* got d_model 9, num_heads 4, num_kv_heads 4"),
        (lambda: make(8, 4, 3), "and num_kv_heads num_heads, got d_model 8, num_heads 4, num_kv_heads 3"),
        (lambda: make(8, 4, 0), r"MultiheadAttention: num_kv_heads must be in \{1, 2, \.\.\.\}, got 0"),
        (lambda: make(12, 4, rotary=True), "rotary needs an even d_model / num_heads, got 3"),
        (lambda: make()(draw((3, 8))), r"MultiheadAttention: x must be \(N, T, 8\), got \(3, 8\)"),
        (lambda: make()(draw((1, 3, 8)), attn_mask=np.ones((2, 3), bool)), r"MultiheadAttention: attn_mask must broadcast to the scores' shape \(1, 4, 3, 3\)"),
        (lambda: KVCache().append(K, K[:1]), r"KVCache: k and v must both be \(N, heads, T, d_head\)"),
    ],
)  # fmt: skip
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_wrong_types():
    with pytest.raises(TypeError, match="attn_mask must be boolean .* or floating .*, got int64"):
        sdpa(Q, Q, Q, np.ones((3, 3), int))
    with pytest.raises(TypeError, match="is_causal|positional"):
        sdpa(Q, Q, Q, None, True)  # in PyTorch, the fifth is dropout_p


def test_a_refused_call_leaves_the_cache_as_it_was():
    m, cache = make(), KVCache()
    m(draw((1, 3, 8)), cache=cache)
    for bad in (
        lambda: m(draw((2, 1, 8)), cache=cache),  # another batch size
        lambda: m(draw((1, 1, 7)), cache=cache),
        lambda: m(draw((1, 1, 8)), cache=cache, attn_mask=np.ones((1, 3), bool)),  # 4 keys by then
        lambda: make(8, 4, 2)(draw((1, 1, 8)), cache=cache),  # another module's
    ):
        with pytest.raises(ValueError, match="must"):
            bad()
        assert len(cache) == 3
    assert m(draw((1, 1, 8)), cache=cache, attn_mask=np.ones((1, 4), bool)).shape == (1, 1, 8)


@settings(max_examples=60)
@given(
    shapes=st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4).map(tuple), min_size=3, max_size=3),
    mask=st.lists(st.integers(0, 3), max_size=3).map(tuple), gqa=st.booleans(),
)  # fmt: skip
def test_any_misfit_is_explained(shapes, mask, gqa):
    q, k, v = map(np.ones, shapes)
    try:
        y = sdpa(q, k, v, np.ones(mask, bool), enable_gqa=gqa)
    except ValueError as error:
        assert str(error).startswith("scaled_dot_product_attention: ") and "must" in str(error)
    else:
        assert y.shape == (*q.shape[:-1], v.shape[-1])


def test_weights_of_a_row_are_a_distribution_or_nothing():
    s = np.where(EMPTY_ROW, draw((3, 5)), -np.inf)
    nothing = np.zeros((3, 1)), np.zeros((5, 1))
    p = attention.attend(*nothing, draw((5, 1)), s, None, 1.0)[1]
    close(p.sum(1), [1, 0, 1], rtol=1e-15)
    assert not p[~EMPTY_ROW].any()


def test_a_key_of_infinite_score_takes_all():
    q, k = np.ones((1, 1)), np.array([[0.0], [np.inf], [1.0]])
    v = np.array([[1.0], [2.0], [3.0]])
    assert scaled_dot_product_attention(q, k, v).item() == 2
