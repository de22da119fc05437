"""CoSENT and the circle loss: the papers' formulas, written out with loops."""

import itertools

import numpy as np
import pytest
from loss_inputs import RNG, gradient, pairs, reduced, slopes
from scipy.special import logsumexp

from compares import compares
from minigrad import Tensor
from minigrad import losses as L


@compares("Su 2022", "losses.cosent_loss")
def test_cosent_is_the_formula():
    s, y = RNG.uniform(-1, 1, (2, 6)), np.array([[3, 0, 1, 1, 2, 0], [1, 0, 1, 0, 1, 1]])
    want = [
        np.log(1 + sum(np.exp(20 * (s[k, j] - s[k, i])) for i, j in pairs(y[k]))) for k in range(2)
    ]
    np.testing.assert_allclose(reduced(L.cosent_loss, s, y), want, rtol=1e-12)
    np.testing.assert_allclose(L.cosent_loss(s[0], y[0], scale=3).item(), np.log(1 + sum(np.exp(3 * (s[0, j] - s[0, i])) for i, j in pairs(y[0]))), rtol=1e-12)  # fmt: skip
    slope = slopes(lambda s: L.cosent_loss(s, y).item(), s)
    np.testing.assert_allclose(gradient(lambda s: L.cosent_loss(s, y), s), slope, atol=1e-8)
    # of two similarities it is RankNet of one pair with sigma = scale
    np.testing.assert_allclose(L.cosent_loss([0.2, 0.5], [1, 0]).item(), L.ranknet_loss([0.2, 0.5], [1, 0], sigma=20.0).item())  # fmt: skip
    alike = Tensor([0.1, 0.9], requires_grad=True)
    loss = L.cosent_loss(alike, [1, 1])
    loss.backward()
    assert loss.item() == 0 and alike.grad.tolist() == [0, 0]


def circle(sp, sn, m, gamma, alpha_p=None, alpha_n=None):
    """Sun et al. (2020), section 3, with O_p = 1 + m, O_n = -m, Delta_p = 1 - m, Delta_n = m."""
    alpha_p = np.maximum(1 + m - sp, 0) if alpha_p is None else alpha_p
    alpha_n = np.maximum(sn + m, 0) if alpha_n is None else alpha_n
    exponents = [
        gamma * (alpha_n[j] * (sn[j] - m) - alpha_p[i] * (sp[i] - (1 - m)))
        for i, j in itertools.product(range(len(sp)), range(len(sn)))
    ]
    return logsumexp([0.0, *exponents])  # log(1 + the sum of their exponentials)


@compares("Sun et al. 2020", "losses.circle_loss")
def test_circle_is_the_formula():
    sp, sn = RNG.uniform(-1, 1, (2, 4)), RNG.uniform(-1, 1, (2, 3))
    want = [circle(sp[k], sn[k], 0.25, 20) for k in range(2)]
    np.testing.assert_allclose(reduced(L.circle_loss, sp, sn, gamma=20), want, rtol=1e-12)
    np.testing.assert_allclose(L.circle_loss(sp[0], sn[0], 0.4, 2).item(), circle(sp[0], sn[0], 0.4, 2))
    np.testing.assert_allclose(L.circle_loss(sp[0], sn[0]).item(), circle(sp[0], sn[0], 0.25, 256), rtol=1e-12)  # fmt: skip
    # the weights are constants for the gradient
    a_p, a_n = np.maximum(1.25 - sp[0], 0), np.maximum(sn[0] + 0.25, 0)
    slope = slopes(lambda sp: circle(sp, sn[0], 0.25, 5, a_p, a_n), sp[0])
    np.testing.assert_allclose(gradient(lambda sp: L.circle_loss(sp, sn[0], gamma=5), sp[0]), slope, atol=1e-7)  # fmt: skip
    slope = slopes(lambda sn: circle(sp[0], sn, 0.25, 5, a_p, a_n), sn[0])
    np.testing.assert_allclose(gradient(lambda sn: L.circle_loss(sp[0], sn, gamma=5), sn[0]), slope, atol=1e-7)  # fmt: skip


@pytest.mark.parametrize("angle", [0.1, 0.7, 1.3])
def test_circle_has_its_boundary_on_the_circle(angle):
    m = 0.25  # s_n^2 + (1 - s_p)^2 = 2 m^2: the exponent is 0, the loss log 2
    radius = np.sqrt(2) * m
    sn, sp = radius * np.cos(angle), 1 - radius * np.sin(angle)
    np.testing.assert_allclose(L.circle_loss([sp], [sn], m=m).item(), np.log(2), rtol=1e-11)


def test_circle_and_cosent_are_one_formula():
    # without self-pacing, log(1 + sum exp(gamma (s_n - s_p))) is CoSENT with labels 1 and 0
    sp, sn = RNG.uniform(-1, 1, 4), RNG.uniform(-1, 1, 3)
    cosent = L.cosent_loss(np.concatenate([sp, sn]), [1] * 4 + [0] * 3, scale=20).item()
    unified = np.log(1 + sum(np.exp(20 * (n - p)) for p in sp for n in sn))  # eq. 1
    np.testing.assert_allclose(cosent, unified, rtol=1e-12)
    constant = circle(sp, sn, 0.5, 20, np.ones(4), np.ones(3))  # both margins are 1/2 then
    np.testing.assert_allclose(constant, unified, rtol=1e-12)
