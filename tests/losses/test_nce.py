"""Noise-contrastive estimation: the paper's formula, and its minimum."""

import numpy as np
from loss_inputs import RNG, reduced

from compares import compares
from minigrad import losses as L


@compares("Gutmann & Hyvärinen 2012", "losses.nce_loss")
def test_nce_is_the_formula():
    mx, nx = RNG.normal(size=(2, 4))
    my, ny = RNG.normal(size=(2, 4, 3))

    def h(log_m, log_n):
        m, n = np.exp(log_m), np.exp(log_n)
        return m / (m + 3 * n)

    want = -np.log(h(mx, nx)) - np.log(1 - h(my, ny)).sum(axis=1)
    np.testing.assert_allclose(reduced(L.nce_loss, mx, nx, my, ny), want, rtol=1e-12)


def test_nce_with_the_true_noise_and_its_minimum():
    # a model equal to the noise cannot be told from it: h = 1/(1 + k), whatever is drawn
    for k in (1, 5):
        x, y = RNG.normal(size=4), RNG.normal(size=(4, k))
        got = L.nce_loss(x, x, y, y).item()
        np.testing.assert_allclose(got, np.log(1 + k) + k * np.log((1 + k) / k), rtol=1e-12)
    # the normaliser is found: data and noise from N(0, 1) and N(0, 2^2), -x^2/2 + c as the model
    rng = np.random.default_rng(3)
    x, y = rng.normal(0, 1, 20000), rng.normal(0, 2, (20000, 4))

    def log_noise(u):
        return -(u**2) / 8 - np.log(2 * np.sqrt(2 * np.pi))

    grid = np.linspace(-1.2, -0.6, 121)
    risk = [L.nce_loss(c - x**2 / 2, log_noise(x), c - y**2 / 2, log_noise(y)).item() for c in grid]
    assert abs(grid[np.argmin(risk)] + np.log(np.sqrt(2 * np.pi))) < 0.02
