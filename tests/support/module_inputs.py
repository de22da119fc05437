"""What the tests of modules and layers share."""

import numpy as np

close = np.testing.assert_allclose


def rng(seed=0):
    return np.random.default_rng(seed)


def draw(shape, seed=0):
    return rng(seed).standard_normal(shape)
