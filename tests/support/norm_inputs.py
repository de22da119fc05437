"""What the tests of the norms share."""

import numpy as np

close = np.testing.assert_allclose


def draw(shape, seed=0, scale=1.0):
    return np.random.default_rng(seed).standard_normal(shape) * scale
