"""Losses of real numbers: the formulas, written out, and what minimizes them."""

import numpy as np
from loss_inputs import RNG, gradient, reduced

from compares import compares
from derivatives import assert_same, ours
from minigrad import losses as L


@compares("log cosh d", "losses.log_cosh_loss")
def test_log_cosh_is_the_formula():
    x, y = RNG.normal(0, 2, (2, 4, 3))
    np.testing.assert_allclose(reduced(L.log_cosh_loss, x, y), np.log(np.cosh(x - y)), rtol=1e-11)
    np.testing.assert_allclose(gradient(lambda x: L.log_cosh_loss(x, y, "sum"), x), np.tanh(x - y))


def test_log_cosh_keeps_its_digits():
    d = np.array([1e-160, 1e-9, 1e-4, 0.999999999, 1.000000001, 30.0, 1e4])
    got = L.log_cosh_loss(d, np.zeros(7), "none").numpy()
    small = d[:3] ** 2 / 2 - d[:3] ** 4 / 12
    np.testing.assert_allclose(got[:3], small, rtol=1e-12)
    np.testing.assert_allclose(got[3:5], np.log(np.cosh(1.0)), rtol=1e-8)
    np.testing.assert_allclose(got[5:], d[5:] - np.log(2), rtol=1e-15)
    assert abs(got[4] - got[3] - 2e-9 * np.tanh(1)) < 1e-15  # no step where the two forms meet


@compares("Koenker & Bassett 1978, eq. 2.1", "losses.quantile_loss")
def test_quantile_is_the_formula_and_finds_the_quantile():
    x, y = RNG.normal(0, 2, (2, 4, 3))
    want = np.where(y > x, 0.3 * (y - x), 0.7 * (x - y))
    np.testing.assert_allclose(reduced(L.quantile_loss, x, y, 0.3), want, rtol=1e-13)
    np.testing.assert_allclose(L.quantile_loss(x, y).item(), L.l1_loss(x, y).item() / 2)
    data = RNG.exponential(1, 999)
    grid = np.sort(data)
    risk = [L.quantile_loss(np.full(999, g), data, q=0.9).item() for g in grid]
    assert abs(grid[np.argmin(risk)] - np.quantile(data, 0.9)) < 0.02
    at_zero = gradient(lambda x: L.quantile_loss(x, np.zeros(1), 0.9), np.zeros(1))
    np.testing.assert_allclose(at_zero, [-0.4])  # the mean of -0.9 and 0.1


def test_minimisers_are_mean_and_median():
    data = np.array([0.0, 1.0, 2.0, 3.0, 50.0])
    grid = np.linspace(0, 20, 20001)
    for f, at in ((L.mse_loss, data.mean()), (L.l1_loss, np.median(data))):
        risk = f(*np.broadcast_arrays(grid[:, None], data), reduction="none").numpy().mean(axis=1)
        assert abs(grid[risk.argmin()] - at) < 1e-9


def test_huber_between_mse_and_l1():
    x, y = RNG.normal(0, 2, (2, 5))
    np.testing.assert_allclose(L.huber_loss(x, y, delta=1e6).item(), L.mse_loss(x, y).item() / 2)
    np.testing.assert_allclose(L.huber_loss(x, y, delta=1e-9).item() / 1e-9, L.l1_loss(x, y).item(), rtol=1e-8)  # fmt: skip
    tiny = ours(lambda x: L.smooth_l1_loss(x, y, "sum", beta=1e-310), [x])  # 1/beta overflows
    assert_same(tiny, ours(lambda x: L.l1_loss(x, y, "sum"), [x]))
    np.testing.assert_allclose(L.huber_loss(x, y, delta=0.7).item() / 0.7, L.smooth_l1_loss(x, y, beta=0.7).item())  # fmt: skip
