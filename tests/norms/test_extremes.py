"""Norms of numbers far from zero, in every precision."""

import numpy as np
import pytest
from norm_inputs import close, draw

from minigrad import Tensor, grad, norms


def test_dtype_is_kept():
    for dtype in (np.float16, np.float32, np.float64):
        x = draw((4, 4)).astype(dtype)
        w = np.ones(4, dtype)
        for y in (
            norms.layer_norm(x, 4, w, w),
            norms.rms_norm(x, 4, w),
            norms.group_norm(x, 2, w, w),
            norms.batch_norm(x, None, None, w, w, training=True),
            norms.instance_norm(x[None], None, None, w, w),
            norms.LayerNorm(4, dtype=dtype)(x),
            norms.BatchNorm1d(4, dtype=dtype).eval()(x),
        ):
            assert y.dtype == dtype
    assert norms.layer_norm([[1, 2, 3]], 3).dtype == np.float64  # integers, as in NumPy


FUNCTIONS = {
    "layer": lambda x: norms.layer_norm(x, x.shape[1:]),
    "rms": lambda x: norms.rms_norm(x, x.shape[1:]),
    "batch": lambda x: norms.batch_norm(x, None, None, training=True),
    "group": lambda x: norms.group_norm(x, 2),
    "instance": lambda x: norms.instance_norm(x),
}
AXES = {"layer": (1, 2), "batch": (0, 2), "group": (1, 2), "instance": (2,)}


@pytest.mark.parametrize("name", ["layer", "batch", "group", "instance"])
@pytest.mark.parametrize("shape", [(4, 2, 16), (2000, 2, 30)])
def test_float32_at_mean_1e4(name, shape):
    """E[x²] - E[x]² has no digits left here; and a sum of 60000 numbers near 1e4 loses three."""
    x = (draw(shape) + 1e4).astype(np.float32)
    exact = np.float64(x)
    if name == "group":
        exact = exact.reshape(-1, 1, *shape[2:])
    exact = exact - exact.mean(AXES[name], keepdims=True)
    exact = (exact / np.sqrt((exact**2).mean(AXES[name], keepdims=True) + 1e-5)).reshape(shape)
    t = Tensor(x, requires_grad=True)
    y = FUNCTIONS[name](t)
    assert y.dtype == np.float32
    close(y.numpy(), exact, atol=3e-6, rtol=3e-6)
    (y * draw(shape, 1).astype(np.float32)).sum().backward()
    assert t.grad.dtype == np.float32 and np.isfinite(t.grad).all()


def test_batch_of_65536_rows_at_mean_1e4():
    x = (draw((65536, 2)) + 1e4).astype(np.float32)
    mean, var = np.zeros(2, np.float32), np.zeros(2, np.float32)
    y = norms.batch_norm(x, mean, var, training=True, momentum=1.0).numpy()
    exact = np.float64(x)
    close(y, (exact - exact.mean(0)) / np.sqrt(exact.var(0) + 1e-5), atol=2e-5)
    close(mean, exact.mean(0), rtol=2e-7)
    close(var, exact.var(0, ddof=1), rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("value", ["zeros", "constant", "1000", "tiny", "one-hot"])
def test_extremes_give_finite_numbers(name, dtype, value):
    signs = np.where(draw((4, 2, 6)) > 0, 1, -1)
    x = {
        "zeros": 0 * signs,
        "constant": 0 * signs + 777.7,
        "1000": 1000 * signs,
        "tiny": 1e-7 * signs,
        "one-hot": 1000 * (np.arange(6) == 0) * (signs != 0),
    }[value].astype(dtype)
    t = Tensor(x, requires_grad=True)
    y = FUNCTIONS[name](t)
    y.sum().backward()
    assert np.isfinite(y.numpy()).all() and np.isfinite(t.grad).all()
    if value in ("zeros", "constant") and name != "rms" or value == "zeros":
        assert not y.numpy().any()
    g = grad((FUNCTIONS[name](t) ** 2).sum(), t, create_graph=True)
    assert np.isfinite(g.numpy()).all()


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scale_does_not_matter_where_squares_overflow(name, dtype):
    """PyTorch gives 0 here: the variance is inf. Rows that are not large keep their own scale."""
    big = float(np.finfo(dtype).max) / 64
    x = draw((3, 2, 8)).astype(dtype)
    x[1] *= 1e-3  # in the norms of a sample, rows of one batch differ in scale
    factor = np.ones((3, 1, 1), dtype)
    factor[2] = big
    if name == "batch":
        x, factor = x[2:], factor[2:]
    dy = draw(x.shape).astype(dtype)[..., ::-1]  # draw gives the same numbers again

    def run(x):
        x = Tensor(x, requires_grad=True)
        y = FUNCTIONS[name](x)
        return y.numpy(), grad(y, x, dy[-len(x) :].astype(x.dtype)).numpy()

    scaled, plain = run(x * factor), run(x)
    close(scaled[0][:-1], plain[0][:-1], 1e-6)
    close(scaled[1][:-1], plain[1][:-1], 1e-5)
    exact = run(np.float64(x[-1:]) * 1e6)  # where ε is nothing, as it is in the large row
    tolerance = 1e-5 if dtype == np.float32 else 1e-10
    close(scaled[0][-1:], exact[0], tolerance)
    close(np.float64(scaled[1][-1:]) * big, exact[1] * 1e6, 10 * tolerance)


@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_running_averages_see_a_large_variance():
    running = [np.zeros(1), np.ones(1)]
    norms.batch_norm(np.array([[1e160], [3e160]]), *running, training=True, momentum=1.0)
    assert running[0] == 2e160 and running[1] == np.inf


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_second_derivatives_where_squares_overflow(name):
    """With x = s u and ε nothing: y is the same, a slope 1/s of it, a second one 1/s² of it."""
    u, dy, v = draw((4, 2, 8)) * 1e4, draw((4, 2, 8))[..., ::-1], draw((4, 2, 8))[:, ::-1]

    def second(x, v):
        x = Tensor(x, requires_grad=True)
        return grad(np.sum(grad(FUNCTIONS[name](x), x, dy, create_graph=True) * v), x).numpy()

    s = 2.0**520  # squares of x overflow, and v undoes one of the two factors
    close(second(s * u, s * v) * s, second(u, v), 1e-5)
