"""Norms, their derivatives to second order and their modules' lives equal PyTorch's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from norm_inputs import close, draw

from compares import compares
from minigrad import Tensor, grad, norms
from torch_reference import needs_torch, reference, torch


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


@compares(
    "torch.nn.functional",
    "norms.batch_norm", "norms.layer_norm", "norms.rms_norm", "norms.group_norm",
    "norms.instance_norm",
)  # fmt: skip
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


@compares(
    "torch.nn",
    "norms.BatchNorm1d", "norms.BatchNorm2d", "norms.LayerNorm", "norms.RMSNorm",
    "norms.GroupNorm", "norms.InstanceNorm2d",
)  # fmt: skip
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
