"""The focal loss: the formula, its limits, and the digits of easy examples."""

import numpy as np
import pytest
from loss_inputs import RNG, W, gradient, reduced, sigma, slopes
from scipy.special import softmax

from compares import compares
from minigrad import Tensor
from minigrad import losses as L


@compares("Lin et al. 2017, eq. 5", "losses.focal_loss")
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_focal_is_the_formula(gamma, weighted):
    z, y = RNG.normal(0, 2, (2, 5, 3)), RNG.integers(0, 3, (2, 5))
    p = softmax(z, axis=-1)
    p_t = np.take_along_axis(p, y[..., None], -1)[..., 0]
    a = W[3] if weighted else None
    want = -(1 if a is None else a[y]) * (1 - p_t) ** gamma * np.log(p_t)
    np.testing.assert_allclose(reduced(L.focal_loss, z, y, gamma, a), want, rtol=1e-12)
    slope = slopes(lambda z: L.focal_loss(z, y, gamma, a).item(), z)
    np.testing.assert_allclose(gradient(lambda z: L.focal_loss(z, y, gamma, a), z), slope, atol=1e-8)

    x, b = RNG.normal(0, 2, (4, 3)), RNG.integers(0, 2, (4, 3))
    p_t = np.where(b == 1, sigma(x), 1 - sigma(x))
    a_t = np.where(b == 1, 0.25, 0.75) if weighted else 1
    want = -a_t * (1 - p_t) ** gamma * np.log(p_t)
    alpha = 0.25 if weighted else None
    np.testing.assert_allclose(reduced(L.focal_loss, x, b, gamma, alpha), want, rtol=1e-12)


def test_focal_limits_and_figures():
    z, y = RNG.normal(0, 2, (5, 3)), RNG.integers(0, 3, 5)
    np.testing.assert_allclose(L.focal_loss(z, y, gamma=0).item(), L.cross_entropy(z, y).item(), rtol=1e-13)
    x, b = z[:, 0], y.clip(0, 1)
    np.testing.assert_allclose(
        L.focal_loss(x, b, gamma=0).item(), L.binary_cross_entropy_with_logits(x, b).item(), rtol=1e-13
    )
    np.testing.assert_allclose(L.focal_loss(x, b).item(), L.focal_loss(x, b, 2.0).item())
    # Lin et al. (2017), section 3.2: with gamma = 2 an example with p = 0.9 counts 100 times less,
    # one with p = 0.968 about 1000 times, and one with p <= 0.5 at most 4 times
    for p, times in ((0.9, 100), (0.968, 976.6), (0.5, 4)):
        logit = np.array([np.log(p / (1 - p))])
        ratio = L.focal_loss(logit, [1], gamma=0).item() / L.focal_loss(logit, [1], gamma=2).item()
        assert abs(ratio - times) < 0.1
    # two classes by softmax are one by sigmoid
    two_classes = np.stack([np.zeros(5), x], axis=1)
    np.testing.assert_allclose(L.focal_loss(two_classes, b, 1.5).item(), L.focal_loss(x, b, 1.5).item(), rtol=1e-12)  # fmt: skip


def test_focal_keeps_the_digits_of_easy_examples():
    x = np.array([40.0, 300.0])
    want = np.exp(-3 * x)  # (1 - p)^2 (1 - p), p being 1 to all digits
    np.testing.assert_allclose(L.focal_loss(x, [1, 1], reduction="none").numpy(), want, rtol=1e-11)
    rows = np.stack([np.zeros(2), x], axis=1)
    np.testing.assert_allclose(L.focal_loss(rows, [1, 1], reduction="none").numpy(), want, rtol=1e-11)


def test_infinite_logits_have_finite_slopes():
    for z, slope in (-np.inf, -1), (np.inf, 0):
        x = Tensor(np.array([z]), requires_grad=True)
        L.focal_loss(x, [1]).backward()
        assert x.grad.tolist() == [slope]
