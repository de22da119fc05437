"""Norms against PyTorch to second order, running averages, float32 far from zero, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad import Tensor, grad, init, nn, norms
from torch_reference import needs_torch, reference, torch

close = np.testing.assert_allclose


def draw(shape, seed=0, scale=1.0):
    return np.random.default_rng(seed).standard_normal(shape) * scale


# --- forward, first and second derivatives, by both libraries in the same way


def second_order(y, xs, grad, u, vs):
    """[y, dL/dx..., d(sum v·dL/dx)/dx...] for L = u·y, x running over the inputs and u."""
    first = grad(y, xs, u)
    total = sum((a * v).sum() for a, v in zip(first, vs))
    second = grad(
        total, [*xs, u], None
    )  # None: L is linear in a bias, and in x with averages known
    return [y, *first, *(x * 0 if g is None else g for x, g in zip([*xs, u], second))]


def ours(f, arrays, seed=1):
    xs = [Tensor(a, requires_grad=True) for a in arrays]
    y = f(*xs)
    u = Tensor(draw(y.shape, seed), requires_grad=True)
    vs = [draw(a.shape, seed + 1) for a in arrays]
    out = second_order(
        y, xs, lambda y, x, u: grad(y, x, u, create_graph=True, allow_unused=True), u, vs
    )
    return [t.numpy() for t in out]


def theirs(f, arrays, seed=1):
    xs = [torch.tensor(a, requires_grad=True) for a in arrays]
    y = f(*xs)
    u = torch.tensor(draw(y.shape, seed), requires_grad=True)
    vs = [torch.tensor(draw(a.shape, seed + 1)) for a in arrays]
    out = second_order(
        y,
        xs,
        lambda y, x, u: torch.autograd.grad(y, x, u, create_graph=True, allow_unused=True),
        u,
        vs,
    )
    return [t.detach().numpy() for t in out]


def assert_equal(got, want, rtol=1e-9):
    assert len(got) == len(want)
    for a, b in zip(got, want):
        close(a, b, rtol=rtol, atol=rtol * max(1.0, abs(b).max(initial=0)))


# key: (our function, PyTorch's name and arguments after the tensors, shapes of x, weight, bias)
RUNNING = (draw(4, 8), abs(draw(4, 9)) + 0.3)


CASES = {
    "layer": ("layer_norm", {"normalized_shape": (4,)}, [(3, 4), (4,), (4,)]),
    "layer-plain": ("layer_norm", {"normalized_shape": (4,)}, [(2, 3, 4)]),
    "layer-weight": ("layer_norm", {"normalized_shape": (3, 4), "eps": 0.1}, [(2, 3, 4), (3, 4)]),
    "layer-vector": ("layer_norm", {"normalized_shape": (4,)}, [(4,), (4,), (4,)]),
    "rms": ("rms_norm", {"normalized_shape": (4,)}, [(3, 4), (4,)]),
    "rms-plain-eps": ("rms_norm", {"normalized_shape": (3, 4), "eps": 0.1}, [(2, 3, 4)]),
    "group": ("group_norm", {"num_groups": 2}, [(3, 4, 2), (4,), (4,)]),
    "group-plain": ("group_norm", {"num_groups": 1, "eps": 0.1}, [(3, 4)]),
    "group-each": ("group_norm", {"num_groups": 4}, [(2, 4, 3, 2), (4,)]),
    "instance": ("instance_norm", {}, [(2, 4, 3), (4,), (4,)]),
    "instance-plain": ("instance_norm", {"eps": 0.1}, [(2, 4, 2, 3)]),
    "batch": ("batch_norm", {"training": True}, [(5, 4), (4,), (4,)]),
    "batch-plain": ("batch_norm", {"training": True, "eps": 0.1}, [(5, 4)]),
    "batch-images": ("batch_norm", {"training": True}, [(2, 4, 2, 3), (4,), (4,)]),
    "batch-eval": ("batch_norm", {}, [(3, 4, 2), (4,), (4,)]),
    "batch-eval-plain": ("batch_norm", {"eps": 0.1}, [(3, 4)]),
}  # fmt: skip


def own_call(name, options):
    running = [] if name != "batch_norm" else [r.copy() for r in RUNNING]
    if name == "rms_norm" or "normalized_shape" in options or "num_groups" in options:
        first, rest = next(iter(options.values())), dict(list(options.items())[1:])
        return lambda x, *p: getattr(norms, name)(x, first, *p, **rest)
    if name == "instance_norm":
        return lambda x, w=None, b=None: norms.instance_norm(x, None, None, w, b, **options)
    return lambda x, *p: norms.batch_norm(x, *running, *p, **options)


def torch_call(torch, name, options):
    f = getattr(torch.nn.functional, name)
    running = [torch.tensor(r) for r in RUNNING]
    if "normalized_shape" in options or "num_groups" in options:
        first, rest = next(iter(options.values())), dict(list(options.items())[1:])
        return lambda x, *p: f(x, first, *p, **rest)
    if name == "instance_norm":
        return lambda x, w=None, b=None: f(x, None, None, w, b, **options)
    return lambda x, *p: f(x, *running, *p, **options)


@pytest.mark.parametrize("key", CASES)
def test_equals_pytorch_to_second_order(key):
    name, options, shapes = CASES[key]
    arrays = [draw(s, i) for i, s in enumerate(shapes)]
    got = ours(own_call(name, options), arrays)
    want = reference(f"norms/{key}", lambda torch: theirs(torch_call(torch, name, options), arrays))
    assert_equal(got, want)


@needs_torch
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_equals_pytorch_on_random_shapes(data):
    name = data.draw(
        st.sampled_from(["layer_norm", "rms_norm", "group_norm", "instance_norm", "batch_norm"])
    )
    size = st.integers(1, 4)
    eps = data.draw(st.sampled_from([1e-8, 1e-5, 0.3]))
    n_params = data.draw(st.integers(0, 1 if name == "rms_norm" else 2))
    if name in ("layer_norm", "rms_norm"):
        inner = tuple(data.draw(st.lists(st.integers(2, 4), min_size=1, max_size=2)))
        shape = (*data.draw(st.lists(size, max_size=2)), *inner)
        params, options = inner, {"normalized_shape": inner, "eps": eps}
    else:
        C = 4
        rest = data.draw(st.lists(st.integers(2, 3), min_size=name == "instance_norm", max_size=2))
        shape, params = (data.draw(st.integers(2, 4)), C, *rest), (C,)
        options = {"eps": eps}
        if name == "group_norm":
            options = {"num_groups": data.draw(st.sampled_from([1, 2])), **options}
        if name == "batch_norm":
            options["training"] = data.draw(st.booleans())
    seed = data.draw(st.integers(0, 1000))
    arrays = [draw(s, seed + i) for i, s in enumerate([shape, *[params] * n_params])]
    # values two or three apart by chance lie near each other: condition numbers up to 1/eps
    assert_equal(
        ours(own_call(name, options), arrays),
        theirs(torch_call(torch, name, options), arrays),
        1e-7,
    )


# --- modules: defaults, training and eval, running averages

MODULES = {
    "BatchNorm1d": ((4,), {}, (5, 4)),
    "BatchNorm1d-L": ((4,), {"momentum": 0.3, "eps": 0.01}, (2, 4, 3)),
    "BatchNorm1d-cumulative": ((4,), {"momentum": None}, (5, 4)),
    "BatchNorm1d-untracked": ((4,), {"track_running_stats": False}, (5, 4)),
    "BatchNorm1d-plain": ((4,), {"affine": False}, (5, 4)),
    "BatchNorm2d": ((4,), {}, (2, 4, 3, 2)),
    "InstanceNorm2d": ((4,), {}, (2, 4, 3, 2)),
    "InstanceNorm2d-all": ((4,), {"affine": True, "track_running_stats": True, "momentum": 0.3}, (2, 4, 3, 2)),
    "InstanceNorm2d-unbatched": ((4,), {"affine": True}, (4, 3, 2)),
    "LayerNorm": ((4,), {}, (3, 4)),
    "LayerNorm-nobias": (((3, 4),), {"bias": False}, (2, 3, 4)),
    "LayerNorm-plain": ((4,), {"elementwise_affine": False, "eps": 0.1}, (3, 4)),
    "RMSNorm": ((4,), {}, (3, 4)),
    "RMSNorm-eps": ((4,), {"eps": 0.1, "elementwise_affine": False}, (3, 4)),
    "GroupNorm": ((2, 4), {}, (3, 4, 2)),
    "GroupNorm-plain": ((2, 4), {"affine": False, "eps": 0.1}, (3, 4)),
}  # fmt: skip


def life(module, shape, tensor, array):
    """Three batches in training, one in eval mode: outputs, and the whole state."""
    out = []
    for i in range(3):
        out.append(array(module(tensor(draw(shape, i) * 2 + i))))
    module.eval()
    out.append(array(module(tensor(draw(shape, 5)))))
    return out + [np.asarray(array(v), float) for _, v in sorted(module.state_dict().items())]


@pytest.mark.parametrize("key", MODULES)
def test_module_lives_as_pytorchs(key):
    args, options, shape = MODULES[key]
    cls = key.split("-")[0]
    module = getattr(norms, cls)(*args, **options)
    own = life(module, shape, Tensor, lambda t: t.numpy() if isinstance(t, Tensor) else t)

    def compute(torch):
        theirs = getattr(torch.nn, cls)(*args, dtype=torch.float64, **options)
        names = sorted(theirs.state_dict())
        assert names == sorted(module.state_dict())
        return life(theirs, shape, torch.tensor, lambda t: t.detach().numpy())

    want = reference(f"norms/module-{key}", compute)
    assert_equal(own, want, 1e-12)


def test_running_averages_by_hand():
    x, mean, var = draw((6, 2)), np.zeros(2), np.ones(2)
    norms.batch_norm(x, mean, var, training=True)  # momentum 0.1
    close(mean, 0.1 * x.mean(0), rtol=1e-12)
    close(var, 0.9 + 0.1 * x.var(0, ddof=1), rtol=1e-12)  # the unbiased one
    norms.batch_norm(x, mean, var, training=False)
    close(mean, 0.1 * x.mean(0), rtol=1e-12)  # only training changes them


def test_instance_norm_with_running_averages():
    x, mean, var = draw((3, 2, 5)), draw(2, 1), np.ones(2)
    before = mean.copy()
    norms.instance_norm(x, mean, var)
    close(mean, 0.9 * before + 0.1 * x.mean((0, 2)), rtol=1e-12)
    close(var, 0.9 + 0.1 * x.var(2, ddof=1).mean(0), rtol=1e-12)
    y = norms.instance_norm(x, mean, var, use_input_stats=False).numpy()
    close(y, (x - mean[:, None]) / np.sqrt(var + 1e-5)[:, None], rtol=1e-12)


def test_state_goes_from_one_module_to_another():
    a, b = norms.BatchNorm1d(3), norms.BatchNorm1d(3)
    for i in range(3):
        a(draw((4, 3), i))
    b.load_state_dict(a.state_dict())
    assert b.num_batches_tracked == 3
    x = draw((4, 3), 9)
    assert np.array_equal(a.eval()(x).numpy(), b.eval()(x).numpy())


def test_recording_twice_leaves_the_averages_alone():
    """Recorded gradients compute the forward pass anew: the averages must not move again."""
    x, mean, var = Tensor(draw((6, 2)), requires_grad=True), np.zeros(2), np.ones(2)
    y = norms.batch_norm(x, mean, var, training=True)
    before = mean.copy(), var.copy()
    g = grad((y * y * y).sum(), x, create_graph=True)
    grad((g * g).sum(), x)
    assert np.array_equal(before[0], mean) and np.array_equal(before[1], var)


# --- what the norms have in common


def test_one_group_is_layer_norm_and_single_channels_are_instance_norm():
    x = draw((2, 4, 3, 3))
    close(norms.group_norm(x, 1).numpy(), norms.layer_norm(x, (4, 3, 3)).numpy(), rtol=1e-12)
    close(norms.group_norm(x, 4).numpy(), norms.instance_norm(x).numpy(), rtol=1e-12)


def test_layer_norm_of_centred_rows_is_rms_norm():
    x = draw((3, 5))
    x -= x.mean(1, keepdims=True)
    close(
        norms.layer_norm(x, 5, eps=0.1).numpy(), norms.rms_norm(x, 5, eps=0.1).numpy(), rtol=1e-12
    )


def test_gradient_is_orthogonal_to_1_and_z():
    """Without ε, layer norm does not see shifts and scalings of x, so no gradient points there."""
    x = Tensor(draw((1, 6)), requires_grad=True)
    (norms.layer_norm(x, 6, eps=0) * draw(6, 1)).sum().backward()
    assert abs(x.grad.sum()) < 1e-14 and abs((x.grad * x.data).sum()) < 1e-14


def test_dtype_is_kept():
    for dtype in (np.float16, np.float32, np.float64):
        x = draw((4, 4)).astype(dtype)
        w = np.ones(4, dtype)
        for y in (
            norms.layer_norm(x, 4, w, w),
            norms.rms_norm(x, 4, w),
            norms.group_norm(x, 2, w, w),
            norms.batch_norm(x, None, None, w, w, training=True),
            norms.instance_norm(x[None], None, None, w, w),
            norms.LayerNorm(4, dtype=dtype)(x),
            norms.BatchNorm1d(4, dtype=dtype).eval()(x),
        ):
            assert y.dtype == dtype
    assert norms.layer_norm([[1, 2, 3]], 3).dtype == np.float64  # integers, as in NumPy


# --- numbers far from zero

FUNCTIONS = {
    "layer": lambda x: norms.layer_norm(x, x.shape[1:]),
    "rms": lambda x: norms.rms_norm(x, x.shape[1:]),
    "batch": lambda x: norms.batch_norm(x, None, None, training=True),
    "group": lambda x: norms.group_norm(x, 2),
    "instance": lambda x: norms.instance_norm(x),
}
AXES = {"layer": (1, 2), "batch": (0, 2), "group": (1, 2), "instance": (2,)}


@pytest.mark.parametrize("name", ["layer", "batch", "group", "instance"])
@pytest.mark.parametrize("shape", [(4, 2, 16), (2000, 2, 30)])
def test_float32_at_mean_1e4(name, shape):
    """E[x²] - E[x]² has no digits left here; and a sum of 60000 numbers near 1e4 loses three."""
    x = (draw(shape) + 1e4).astype(np.float32)
    exact = np.float64(x)
    if name == "group":
        exact = exact.reshape(-1, 1, *shape[2:])
    exact = exact - exact.mean(AXES[name], keepdims=True)
    exact = (exact / np.sqrt((exact**2).mean(AXES[name], keepdims=True) + 1e-5)).reshape(shape)
    t = Tensor(x, requires_grad=True)
    y = FUNCTIONS[name](t)
    assert y.dtype == np.float32
    close(y.numpy(), exact, atol=3e-6, rtol=3e-6)
    (y * draw(shape, 1).astype(np.float32)).sum().backward()
    assert t.grad.dtype == np.float32 and np.isfinite(t.grad).all()


def test_batch_of_65536_rows_at_mean_1e4():
    x = (draw((65536, 2)) + 1e4).astype(np.float32)
    mean, var = np.zeros(2, np.float32), np.zeros(2, np.float32)
    y = norms.batch_norm(x, mean, var, training=True, momentum=1.0).numpy()
    exact = np.float64(x)
    close(y, (exact - exact.mean(0)) / np.sqrt(exact.var(0) + 1e-5), atol=2e-5)
    close(mean, exact.mean(0), rtol=2e-7)
    close(var, exact.var(0, ddof=1), rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("value", ["zeros", "constant", "1000", "tiny", "one-hot"])
def test_extremes_give_finite_numbers(name, dtype, value):
    signs = np.where(draw((4, 2, 6)) > 0, 1, -1)
    x = {
        "zeros": 0 * signs,
        "constant": 0 * signs + 777.7,
        "1000": 1000 * signs,
        "tiny": 1e-7 * signs,
        "one-hot": 1000 * (np.arange(6) == 0) * (signs != 0),
    }[value].astype(dtype)
    t = Tensor(x, requires_grad=True)
    y = FUNCTIONS[name](t)
    y.sum().backward()
    assert np.isfinite(y.numpy()).all() and np.isfinite(t.grad).all()
    if value in ("zeros", "constant") and name != "rms" or value == "zeros":
        assert not y.numpy().any()
    g = grad((FUNCTIONS[name](t) ** 2).sum(), t, create_graph=True)
    assert np.isfinite(g.numpy()).all()


# --- residual wrappers


def test_where_the_norm_stands():
    x = draw((2, 3, 4))
    norm, linear = norms.LayerNorm(4), nn.Linear(4, 4, rng=np.random.default_rng(0))
    branch = lambda x: linear(x).numpy()  # noqa: E731
    N = lambda x: norm(x).numpy()  # noqa: E731
    close(norms.PreNorm(norm, linear)(x).numpy(), x + branch(N(x)), rtol=1e-14)
    close(norms.PostNorm(norm, linear)(x).numpy(), N(x + branch(x)), rtol=1e-14)
    close(norms.DeepNorm(norm, linear, 1.7)(x).numpy(), N(1.7 * x + branch(x)), rtol=1e-14)
    assert np.array_equal(
        norms.DeepNorm(norm, linear, 1)(x).numpy(), norms.PostNorm(norm, linear)(x).numpy()
    )


def test_wrappers_hand_options_to_the_branch_and_show_their_parts():
    attention = nn.MultiheadAttention(4, 2, rng=np.random.default_rng(0))
    block = norms.PreNorm(norms.RMSNorm(4), attention)
    x = draw((1, 3, 4))
    close(
        block(x, is_causal=True).numpy(),
        x + attention(block.norm(x), is_causal=True).numpy(),
        rtol=1e-14,
    )
    assert repr(block).splitlines()[:3] == [
        "PreNorm()  84 parameters",
        "  norm: RMSNorm(4)  4 parameters",
        "  branch: MultiheadAttention(4, heads=2)  80 parameters",
    ]
    alpha, _ = init.deepnorm_alpha_beta(decoder_layers=8)["decoder"]
    assert repr(norms.DeepNorm(norms.RMSNorm(4), np.tanh, alpha)).startswith("DeepNorm(alpha=2)")


# --- bad input

X = draw((3, 4))


@pytest.mark.parametrize(
    "call,message",
    [
        (lambda: norms.layer_norm(X, 3), r"layer_norm: the last axes of x must be normalized_shape \(3,\), got x \(3, 4\)"),
        (lambda: norms.layer_norm(X, (2, 3, 4)), r"must be normalized_shape \(2, 3, 4\), got x \(3, 4\)"),
        (lambda: norms.layer_norm(X, ()), r"layer_norm: normalized_shape must have one size or more, got \(\)"),
        (lambda: norms.layer_norm(X[:, :0], 0), r"layer_norm: normalized_shape must be in \{1, 2, \.\.\.\}, got 0"),
        (lambda: norms.layer_norm(X, 4, np.ones(3)), r"layer_norm: weight must be \(4,\), as normalized_shape, got \(3,\)"),
        (lambda: norms.layer_norm(X, 4, None, np.ones((1, 4))), r"layer_norm: bias must be \(4,\), as normalized"),
        (lambda: norms.layer_norm(X, 4, eps=-1e-5), r"layer_norm: eps must be in \[0, inf\), got -1e-05"),
        (lambda: norms.layer_norm(X, 4, eps=np.nan), r"layer_norm: eps must be in \[0, inf\), got nan"),
        (lambda: norms.layer_norm(np.ones((2, 4)), 4, eps=0), "x is constant over the axes .* needs eps > 0"),
        (lambda: norms.rms_norm(0 * X, 4, eps=0), "x is zero over the axes .* needs eps > 0"),
        (lambda: norms.rms_norm(X, 4, X), r"rms_norm: weight must be \(4,\), as normalized_shape, got \(3, 4\)"),
        (lambda: norms.group_norm(X, 3), r"group_norm: x must be .* C divisible by num_groups 3, got \(3, 4\)"),
        (lambda: norms.group_norm(X, 0), r"group_norm: num_groups must be in \{1, 2, \.\.\.\}, got 0"),
        (lambda: norms.group_norm(X[0], 1), r"group_norm: x must be \(N, C, ...\), .* got \(4,\)"),
        (lambda: norms.group_norm(X, 2, X), r"group_norm: weight must be \(4,\), one for each channel of x \(3, 4\)"),
        (lambda: norms.batch_norm(X[0], None, None), r"batch_norm: x must be \(N, C\) or \(N, C, ...\), got \(4,\)"),
        (lambda: norms.batch_norm(X, None, None), "without training=True, running averages must be given"),
        (lambda: norms.batch_norm(X, np.ones(4), None), "batch_norm: give running_mean and running_var, or neither"),
        (lambda: norms.batch_norm(X, np.ones(3), np.ones(3)), r"running_mean must be \(4,\), one for each channel of x"),
        (lambda: norms.batch_norm(X, np.ones(4), -np.ones(4)), "running_var must be >= 0 everywhere, its least is -1.0"),
        (lambda: norms.batch_norm(X, np.ones(4), np.zeros(4), eps=0), "running_var is 0 for a channel"),
        (lambda: norms.batch_norm(X[:1], None, None, training=True), r"more than one value for each channel, got x \(1, 4\)"),
        (lambda: norms.batch_norm(X[:0], None, None, training=True), r"more than one value for each channel, got x \(0, 4\)"),
        (lambda: norms.batch_norm(X, None, None, training=True, momentum=1.1), r"batch_norm: momentum must be in \[0, 1\], got 1\.1"),
        (lambda: norms.instance_norm(X), r"instance_norm: x must be \(N, C, positions...\), got \(3, 4\)"),
        (lambda: norms.instance_norm(X[:, :, None]), r"instance_norm: needs more than one position, got x \(3, 4, 1\)"),
        (lambda: norms.instance_norm(X[None], use_input_stats=False), "use_input_stats=False, running averages must be"),
        (lambda: norms.BatchNorm1d(3)(X), r"BatchNorm1d: x must be \(N, C\) or \(N, C, L\) with C = 3, got \(3, 4\)"),
        (lambda: norms.BatchNorm2d(4)(X), r"BatchNorm2d: x must be \(N, C, H, W\) with C = 4, got \(3, 4\)"),
        (lambda: norms.InstanceNorm2d(2)(X), r"InstanceNorm2d: x must be \(N, C, H, W\) or \(C, H, W\) with C = 2"),
        (lambda: norms.BatchNorm1d(0), r"BatchNorm1d: num_features must be in \{1, 2, \.\.\.\}, got 0"),
        (lambda: norms.BatchNorm1d(2, momentum=-0.1), r"BatchNorm1d: momentum must be in \[0, 1\], got -0\.1"),
        (lambda: norms.GroupNorm(3, 4), "GroupNorm: num_groups must divide num_channels, got 3, 4"),
        (lambda: norms.GroupNorm(2, 8)(X), r"GroupNorm: x must be \(N, 8, ...\), got \(3, 4\)"),
        (lambda: norms.LayerNorm((4, -1)), r"LayerNorm: normalized_shape\[1\] must be in \{1, 2, \.\.\.\}, got -1"),
        (lambda: norms.RMSNorm(4)(X[:, :3]), r"rms_norm: the last axes of x must be normalized_shape \(4,\), got x \(3, 3\)"),
        (lambda: norms.PreNorm(norms.RMSNorm(4), nn.Linear(4, 3))(X), r"PreNorm: branch must return the shape .* \(3, 4\), got \(3, 3\)"),
        (lambda: norms.DeepNorm(norms.RMSNorm(4), np.tanh, 0), r"DeepNorm: alpha must be in \(0, inf\), got 0"),
    ],
)  # fmt: skip
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_wrong_types():
    with pytest.raises(
        TypeError, match="running_mean must be a floating-point array .*, got Tensor"
    ):
        norms.batch_norm(X, Tensor(np.ones(4)), np.ones(4), training=True)
    with pytest.raises(TypeError, match="running_var must be a floating-point array"):
        norms.batch_norm(X, np.ones(4), np.ones(4, int), training=True)
    with pytest.raises(TypeError, match="PostNorm: norm must be a module or a function, got 3"):
        norms.PostNorm(3, np.tanh)


@given(
    shape=st.lists(st.integers(0, 4), max_size=4).map(tuple),
    params=st.lists(st.integers(0, 4), max_size=2).map(tuple),
)
def test_any_misfit_is_explained_and_changes_nothing(shape, params):
    x, p = np.ones(shape), np.ones(params)
    mean, var = np.zeros(4), np.ones(4)
    for f in (
        lambda: norms.layer_norm(x, params or 1, p, p),
        lambda: norms.rms_norm(x, params or 1, p),
        lambda: norms.group_norm(x, 2, p, p),
        lambda: norms.instance_norm(x, mean, var, p, p),
        lambda: norms.batch_norm(x, mean, var, p, p, training=True),
    ):
        try:
            y = f()
        except ValueError as error:
            assert "must" in str(error) or "needs" in str(error)
            assert not mean.any() and (var == 1).all()
        else:
            assert y.shape == x.shape
            mean[:], var[:] = 0, 1
