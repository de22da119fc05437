"""Divergences and cross-entropies: the formulas, written out, with zeros and large logits."""

import numpy as np
from loss_inputs import RNG, gradient, reduced
from scipy.special import softmax

from compares import compares
from minigrad import Tensor
from minigrad import losses as L


@compares("Lin 1991", "losses.js_divergence")
@compares("sum p log(p / q)", "losses.kl_divergence")
def test_divergences_are_the_formulas():
    p, q = softmax(RNG.normal(size=(2, 4, 3)), axis=-1)
    kl = (p * np.log(p / q)).sum(axis=-1)
    np.testing.assert_allclose(reduced(L.kl_divergence, p, q), kl, rtol=1e-12)
    m = (p + q) / 2
    js = ((p * np.log(p / m)).sum(axis=-1) + (q * np.log(q / m)).sum(axis=-1)) / 2
    np.testing.assert_allclose(reduced(L.js_divergence, p, q), js, rtol=1e-12)
    np.testing.assert_allclose(L.js_divergence(q, p).numpy(), L.js_divergence(p, q).numpy(), rtol=1e-14)
    np.testing.assert_allclose(L.kl_div(np.log(q), p, "batchmean").item(), kl.mean(), rtol=1e-12)
    entropy = -(p * np.log(p)).sum(axis=-1)
    cross = L.cross_entropy(np.log(q), p, reduction="none").numpy()
    np.testing.assert_allclose(cross, entropy + kl, rtol=1e-12)  # CE = H + KL
    assert L.kl_divergence(p, p).item() == 0 and L.js_divergence(p, p).item() == 0


def test_divergences_with_zeros():
    assert L.kl_divergence([0.0, 1.0], [0.5, 0.5]).item() == np.log(2)
    assert L.kl_divergence([0.0, 1.0], [0.0, 1.0]).item() == 0
    assert L.kl_divergence([0.5, 0.5], [0.0, 1.0]).item() == np.inf
    assert abs(L.js_divergence([0.0, 1.0], [1.0, 0.0]).item() - np.log(2)) < 1e-15
    tiny = 5e-324  # p/2 would be 0
    assert L.js_divergence([tiny, 1.0], [0.0, 1.0]).item() < 1e-300
    assert L.kl_div([-np.inf, 0.0], [0.0, 1.0], "sum").item() == 0
    assert L.kl_div([-np.inf, 0.0], [-np.inf, 0.0], "sum", log_target=True).item() == 0
    assert L.kl_div([-np.inf, 0.0], [0.5, 0.5], "sum").item() == np.inf
    for f in (L.kl_divergence, L.js_divergence, lambda p, q: L.kl_div(np.log(q + 0.1), p)):
        p = Tensor([0.0, 0.4, 0.6], requires_grad=True)
        q = Tensor([0.5, 0.5, 0.0] if f is L.js_divergence else [0.5, 0.25, 0.25], requires_grad=True)
        f(p, q).backward()
        assert np.isfinite(p.grad).all() and np.isfinite(q.grad).all()
    p = Tensor([0.0, 0.4, 0.6], requires_grad=True)
    L.kl_div(np.log([0.5, 0.25, 0.25]), p, "sum").backward()
    np.testing.assert_allclose(p.grad[0], 1 + np.log(2))  # log p is taken as 0
    p = Tensor([0.0, 0.4, 0.6], requires_grad=True)
    L.kl_divergence(p, [0.5, 0.25, 0.25]).backward()
    np.testing.assert_allclose(p.grad, [1, 1 + np.log(1.6), 1 + np.log(2.4)])  # as documented


def test_gaussians_kl_in_the_limit():
    # KL between N(0, 1) and N(m, s^2), finely discretised, is log s + (1 + m^2)/(2 s^2) - 1/2
    x = np.linspace(-12, 12, 20001)
    p, q = np.exp(-(x**2) / 2), np.exp(-((x - 0.7) ** 2) / (2 * 1.5**2))
    got = L.kl_divergence(p / p.sum(), q / q.sum()).item()
    assert abs(got - (np.log(1.5) + (1 + 0.49) / 4.5 - 0.5)) < 1e-6


def test_logits_keep_their_digits():
    x = np.array([-50.0, 50.0, 700.0])
    want = np.array([np.exp(-50), 50 + np.exp(-50), 700])
    got = L.binary_cross_entropy_with_logits(x, np.zeros(3), reduction="none").numpy()
    np.testing.assert_allclose(got, want, rtol=1e-14)
    got = L.binary_cross_entropy_with_logits(-x, np.ones(3), reduction="none").numpy()
    np.testing.assert_allclose(got, want, rtol=1e-14)
    slope = gradient(lambda x: L.binary_cross_entropy_with_logits(x, np.ones(3), reduction="sum"), x)
    np.testing.assert_allclose(slope, [-1, -np.exp(-50), -np.exp(-700)], rtol=1e-12)  # not 0


def limit(f, x):
    x = Tensor(np.array(x), requires_grad=True)
    y = f(x)
    y.sum().backward()
    return y.numpy().tolist(), x.grad.tolist()


def test_infinite_logits():
    """0 times an infinite loss is 0, as the limit is, and the slopes are finite."""
    p, q = 1 / (1 + np.e), np.e / (1 + np.e)
    z = [[-np.inf, 0.0, 1.0]]
    for target in [[0.0, 1.0, 0.0]], [1]:  # a distribution, a class
        value, slope = limit(lambda x, t=target: L.cross_entropy(x, t), z)
        assert np.isclose(value, -np.log(p)) and np.allclose(slope, [[0, p - 1, q]])
    assert limit(lambda x: L.cross_entropy(x, [[0.5, 0.5, 0.0]]), z)[0] == np.inf  # and so it is
    value, slope = limit(lambda x: L.cross_entropy(x, [0, 1], weight=[0, 1, 1]), [z[0], [0, 0, 0]])
    assert np.isclose(value, np.log(3)) and np.allclose(slope, [[0, 0, 0], [1 / 3, -2 / 3, 1 / 3]])
    assert L.nll_loss([[-np.inf, 0.0]], [0], weight=[0.0, 1.0], reduction="sum").item() == 0
    x = [-np.inf, np.inf]
    for t, value, slope in [
        (0.0, [0, np.inf], [0, 1]),
        (1.0, [np.inf, 0], [-1, 0]),
        (0.25, [np.inf, np.inf], [-0.25, 0.75]),
    ]:
        f = lambda x, t=t: L.binary_cross_entropy_with_logits(x, [t, t], reduction="none")  # noqa: E731
        assert limit(f, x) == (value, slope)


def test_the_derivative_by_a_target_of_0_is_kept():
    t = Tensor(np.array([[0.0, 1.0]]), requires_grad=True)
    L.cross_entropy([[0.0, 0.0]], t).backward()
    assert np.allclose(t.grad, np.log(2))
