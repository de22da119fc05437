"""What the norms refuse, and what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from norm_inputs import draw

from minigrad import Tensor, nn, norms

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
