"""RMS norm beside layer norm."""

import numpy as np
from norm_inputs import close, draw

from minigrad import norms


def test_layer_norm_of_centred_rows_is_rms_norm():
    x = draw((3, 5))
    x -= x.mean(1, keepdims=True)
    close(
        norms.layer_norm(x, 5, eps=0.1).numpy(), norms.rms_norm(x, 5, eps=0.1).numpy(), rtol=1e-12
    )


def test_default_eps_is_that_of_the_dtype_it_is_computed_in():
    x = np.array([[1e-3, -2e-3, 3e-3]])
    for dtype, computed in (("float16", "float32"), ("float32",) * 2, ("float64",) * 2):
        row, eps = x.astype(dtype), np.finfo(computed).eps
        want = row / np.sqrt(np.mean(row.astype(float) ** 2, axis=1, keepdims=True) + eps)
        close(norms.rms_norm(row, 3).numpy().astype(float), want, rtol=1e-3)
