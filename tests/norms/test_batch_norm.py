"""Running averages, states, and recording twice."""

import numpy as np
from norm_inputs import close, draw

from minigrad import Tensor, grad, norms


def test_running_averages_by_hand():
    x, mean, var = draw((6, 2)), np.zeros(2), np.ones(2)
    norms.batch_norm(x, mean, var, training=True)  # momentum 0.1
    close(mean, 0.1 * x.mean(0), rtol=1e-12)
    close(var, 0.9 + 0.1 * x.var(0, ddof=1), rtol=1e-12)  # the unbiased one
    norms.batch_norm(x, mean, var, training=False)
    close(mean, 0.1 * x.mean(0), rtol=1e-12)  # only training changes them


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
