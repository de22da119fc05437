"""Clipping of gradients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bowl import SHAPES, close, leaves, slope
from compares import compares
from minigrad import Tensor, optim
from torch_reference import reference


@compares("torch.nn.utils", "optim.clip_grad_norm")
@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, np.inf])
@pytest.mark.parametrize("max_norm", [0.0, 0.5, 100.0, np.inf])
def test_clip_grad_norm_equals_pytorch(norm_type, max_norm):
    grads = [slope(np.ones(s), 2, i) for i, s in enumerate(SHAPES)]

    def compute(torch):
        ps = [torch.zeros(s, dtype=torch.float64, requires_grad=True) for s in SHAPES]
        for p, g in zip(ps, grads):
            p.grad = torch.tensor(g)
        total = torch.nn.utils.clip_grad_norm_(ps, max_norm, norm_type)
        return [total, torch.cat([p.grad.ravel() for p in ps])]

    params = [*leaves(), Tensor([1.0], requires_grad=True)]  # the last has no gradient
    for p, g in zip(params, grads):
        p.grad = g.copy()
    total = optim.clip_grad_norm(iter(params), max_norm, norm_type)
    assert type(total) is float and params[-1].grad is None
    assert all(type(p.grad) is np.ndarray for p in params[:-1])
    got = [np.array(total), np.concatenate([p.grad.ravel() for p in params[:-1]])]
    if np.isinf(max_norm):
        close(got, [np.array(total), np.concatenate([g.ravel() for g in grads])], rtol=0)
    else:
        close(got, reference(f"optim/clip-{norm_type}-{max_norm}", compute))


def test_clip_grad_norm_at_the_extremes():
    x = Tensor(np.ones(4, np.float32), requires_grad=True)
    x.grad = np.full(4, 1e30, np.float32)  # squares overflow float32
    assert optim.clip_grad_norm(x, 1.0) == pytest.approx(2e30)
    np.testing.assert_allclose(x.grad, 0.5, rtol=1e-6)
    assert x.grad.dtype == np.float32
    x.grad = np.array([1, np.inf, 1, 1], np.float32)
    before = x.grad.copy()
    with pytest.raises(RuntimeError, match="the norm of the gradients is inf"):
        optim.clip_grad_norm([x], 1.0, error_if_nonfinite=True)
    assert (x.grad == before).all()
    optim.clip_grad_norm([x], 1.0)
    assert np.isnan(x.grad[1])  # as PyTorch's
    assert optim.clip_grad_norm([Tensor([1.0], requires_grad=True)], 1.0) == 0.0
    empty = Tensor(np.ones((0, 3)), requires_grad=True)
    empty.grad = np.ones((0, 3))
    assert optim.clip_grad_norm([empty], 1.0, np.inf) == 0.0


@settings(max_examples=50, deadline=None)
@given(st.one_of(st.floats(max_value=-1e-9), st.just(np.nan), st.just("1"), st.none()))
def test_clip_grad_norm_misused(bad):
    x = Tensor([1.0], requires_grad=True)
    with pytest.raises((TypeError, ValueError), match="max_norm must be "):
        optim.clip_grad_norm([x], bad)
    with pytest.raises((TypeError, ValueError), match="norm_type must be "):
        optim.clip_grad_norm([x], 1.0, norm_type=bad)
