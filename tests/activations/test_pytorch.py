"""Activations and their first and second derivatives equal PyTorch's."""

import zlib

import numpy as np
import pytest
from activation_inputs import SAME, F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from compares import compares
from derivatives import assert_same, ours, theirs
from minigrad import activations as A
from torch_reference import needs_torch, reference, torch

ALONG_AN_AXIS = ("softmax", "log_softmax", "logsumexp")


def seed_of(key):
    return zlib.crc32(key.encode())


@compares(
    "torch.nn.functional",
    "activations.relu", "activations.leaky_relu", "activations.elu", "activations.selu",
    "activations.softplus", "activations.softmax", "activations.log_softmax", "activations.silu",
    "activations.gelu", "activations.mish",
)  # fmt: skip
@compares("torch", "activations.sigmoid", "activations.tanh", "activations.logsumexp")
@compares("torch.nn.functional.hardswish", "activations.hard_swish")
@pytest.mark.parametrize("key", SAME)
def test_equals_pytorch(key):
    f, g = SAME[key]
    x = np.random.default_rng(seed_of(key)).normal(0, 4, (3, 7))
    assert_same(ours(f, [x]), reference(f"activations/{key}", lambda torch: theirs(torch, g, [x])))


@compares("torch.nn.functional", "activations.prelu")
@pytest.mark.parametrize(
    "shapes", [((4, 3), ()), ((4, 3), (1,)), ((4, 3), (3,)), ((2, 3, 2), (3,)), ((4,), (1,)), ((), ())]
)
def test_prelu_equals_pytorch(shapes):
    rng = np.random.default_rng(1)
    inputs = [rng.normal(0, 1, s) for s in shapes]
    want = reference(
        f"activations/prelu-{shapes}", lambda torch: theirs(torch, lambda x, w: F.prelu(x, w), inputs)
    )
    assert_same(ours(A.prelu, inputs), want)


def test_prelu_of_one_number_and_a_slope_of_shape_1():
    assert A.prelu(-2.0, [0.5]).item() == -1 and A.prelu(-2.0, [0.5]).shape == ()


@compares("torch.nn.functional", "activations.glu")
@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_glu_equals_pytorch(axis):
    x = np.random.default_rng(2).normal(0, 2, (4, 6))
    want = reference(f"activations/glu{axis}", lambda torch: theirs(torch, lambda x: F.glu(x, axis), [x]))
    assert_same(ours(lambda x: A.glu(x, axis=axis), [x]), want)


# off the kink at 0, and off softplus's thresholds (β x = 20, or 1 with β = 3), where PyTorch's second
# derivative is 0
smooth_points = st.floats(-40, 40).map(
    lambda v: v + 0.25 if abs(v) < 1e-6 or v == 20 or v * 3 == 1 else v
)


@needs_torch
@pytest.mark.parametrize("key", SAME)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_equals_pytorch_anywhere(key, data):
    f, g = SAME[key]
    least = 1 if key.startswith(ALONG_AN_AXIS) else 0
    shape = data.draw(hnp.array_shapes(min_dims=least, max_dims=3, min_side=1, max_side=4))
    x = data.draw(hnp.arrays(np.float64, shape, elements=smooth_points))
    assert_same(ours(f, [x]), theirs(torch, g, [x]), rtol=1e-9, atol=1e-12)


@needs_torch
@settings(max_examples=40, deadline=None)
@given(
    x=st.lists(smooth_points, min_size=1, max_size=5),
    slope=st.floats(-3, 3),
    alpha=st.floats(-3, 3),
    beta=st.floats(0.05, 5),
    threshold=st.floats(0.5, 40),
)
def test_options_equal_pytorch(x, slope, alpha, beta, threshold):
    assume(all(beta * v != threshold for v in x))
    for f, g in (
        (lambda x: A.leaky_relu(x, slope), lambda x: F.leaky_relu(x, slope)),
        (lambda x: A.elu(x, alpha), lambda x: F.elu(x, alpha)),
        (lambda x: A.softplus(x, beta, threshold), lambda x: F.softplus(x, beta, threshold)),
    ):
        assert_same(ours(f, [x]), theirs(torch, g, [x]), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "key,kinks",
    [("relu", [0.0]), ("leaky_relu-0.3", [0.0]), ("elu-0.3", [0.0]), ("selu", [0.0]), ("hard_swish", [-3.0, 3.0])],
)
def test_kinks_are_pytorchs(key, kinks):
    f, g = SAME[key]
    want = reference(f"activations/kink-{key}", lambda torch: theirs(torch, g, [np.array(kinks)])[:2])
    for a, b in zip(ours(f, [np.array(kinks)]), want):
        np.testing.assert_allclose(a, b, rtol=1e-15)
