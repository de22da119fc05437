"""Layer, group and instance norm: what they have in common."""

import numpy as np
from norm_inputs import close, draw

from minigrad import Tensor, norms


def test_instance_norm_with_running_averages():
    x, mean, var = draw((3, 2, 5)), draw(2, 1), np.ones(2)
    before = mean.copy()
    norms.instance_norm(x, mean, var)
    close(mean, 0.9 * before + 0.1 * x.mean((0, 2)), rtol=1e-12)
    close(var, 0.9 + 0.1 * x.var(2, ddof=1).mean(0), rtol=1e-12)
    y = norms.instance_norm(x, mean, var, use_input_stats=False).numpy()
    close(y, (x - mean[:, None]) / np.sqrt(var + 1e-5)[:, None], rtol=1e-12)


def test_one_group_is_layer_norm_and_single_channels_are_instance_norm():
    x = draw((2, 4, 3, 3))
    close(norms.group_norm(x, 1).numpy(), norms.layer_norm(x, (4, 3, 3)).numpy(), rtol=1e-12)
    close(norms.group_norm(x, 4).numpy(), norms.instance_norm(x).numpy(), rtol=1e-12)


def test_gradient_is_orthogonal_to_1_and_z():
    """Without ε, layer norm does not see shifts and scalings of x, so no gradient points there."""
    x = Tensor(draw((1, 6)), requires_grad=True)
    (norms.layer_norm(x, 6, eps=0) * draw(6, 1)).sum().backward()
    assert abs(x.grad.sum()) < 1e-14 and abs((x.grad * x.data).sum()) < 1e-14
