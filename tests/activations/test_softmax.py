"""Softmax and its logarithm: constants, masks, axes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minigrad import Tensor
from minigrad import activations as A


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_softmax_does_not_mind_a_constant(dtype):
    x = np.array([1000, 1000.5, 999], dtype)
    want = A.softmax(x - dtype(1000)).numpy()
    assert np.array_equal(A.softmax(x).numpy(), want)
    assert np.array_equal(A.log_softmax(x).numpy(), A.log_softmax(x - dtype(1000)).numpy())
    assert np.isfinite(A.logsumexp(x).numpy())


def test_minus_infinity_masks():
    x = Tensor([0.0, -np.inf, 1.0], requires_grad=True)
    for f in (A.softmax, A.logsumexp):
        x.grad = None
        f(x).sum().backward()
        assert np.isfinite(x.grad).all() and x.grad[1] == 0
    assert A.softmax(x).numpy()[1] == 0 and A.log_softmax(x).numpy()[1] == -np.inf
    nothing = Tensor([-np.inf, -np.inf], requires_grad=True)
    y = A.logsumexp(nothing)
    y.backward()
    assert y.item() == -np.inf and nothing.grad.tolist() == [0, 0]
    assert A.logsumexp([np.inf, 0.0]).item() == np.inf


@settings(max_examples=60, deadline=None)
@given(
    shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
    axis=st.integers(-5, 5),
)
def test_axes_that_fit_work_and_others_are_refused(shape, axis):
    x = np.ones(shape)
    fits = -len(shape) <= axis < len(shape) and shape[axis] > 0
    for f in (A.softmax, A.log_softmax, A.logsumexp):
        if fits:
            f(x, axis=axis)
        else:
            with pytest.raises(ValueError, match=f"{f.__name__}: axis {axis} "):
                f(x, axis=axis)
    for f in (A.glu, A.bilinear, A.reglu, A.geglu):
        if fits and shape[axis] % 2 == 0:
            assert f(x, axis=axis).shape[axis] == shape[axis] // 2
        else:
            with pytest.raises(ValueError, match=f"{f.__name__}: axis "):
                f(x, axis=axis)
