"""Initial values: distributions by moments, Kolmogorov-Smirnov and bounds; formulas against PyTorch's."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from compares import compares
from minigrad import init
from torch_reference import needs_torch, reference, torch

SHAPES = [(80, 50), (30, 70), (16, 8, 3, 5)]


def rng(seed=0):
    return np.random.default_rng(seed)


def fans(shape):
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


# name: (call, standard deviation by the paper, "normal" or "uniform")
SCHEMES = {
    "lecun_normal": (init.lecun_normal, lambda i, o: 1 / math.sqrt(i), "normal"),
    "lecun_uniform": (init.lecun_uniform, lambda i, o: 1 / math.sqrt(i), "uniform"),
    "xavier_normal": (init.xavier_normal, lambda i, o: math.sqrt(2 / (i + o)), "normal"),
    "xavier_uniform": (init.xavier_uniform, lambda i, o: math.sqrt(2 / (i + o)), "uniform"),
    "xavier_normal gain": (
        lambda s, rng: init.xavier_normal(s, 5 / 3, rng=rng), lambda i, o: 5 / 3 * math.sqrt(2 / (i + o)), "normal",
    ),
    "xavier_uniform gain": (
        lambda s, rng: init.xavier_uniform(s, gain=0.3, rng=rng), lambda i, o: 0.3 * math.sqrt(2 / (i + o)), "uniform",
    ),
    "kaiming_normal": (init.kaiming_normal, lambda i, o: math.sqrt(2 / i), "normal"),
    "kaiming_uniform": (init.kaiming_uniform, lambda i, o: math.sqrt(2 / i), "uniform"),
    "kaiming_normal fan_out": (
        lambda s, rng: init.kaiming_normal(s, mode="fan_out", rng=rng), lambda i, o: math.sqrt(2 / o), "normal",
    ),
    "kaiming_uniform leaky": (
        lambda s, rng: init.kaiming_uniform(s, a=0.5, rng=rng), lambda i, o: math.sqrt(2 / 1.25 / i), "uniform",
    ),
    "kaiming_normal relu": (  # the slope says nothing to relu
        lambda s, rng: init.kaiming_normal(s, 3.0, nonlinearity="relu", rng=rng), lambda i, o: math.sqrt(2 / i), "normal",
    ),
    "kaiming_uniform tanh": (
        lambda s, rng: init.kaiming_uniform(s, nonlinearity="tanh", rng=rng), lambda i, o: 5 / 3 / math.sqrt(i), "uniform",
    ),
    "normal": (lambda s, rng: init.normal(s, 0, 0.3, rng=rng), lambda i, o: 0.3, "normal"),
    "uniform": (lambda s, rng: init.uniform(s, -0.3, 0.3, rng=rng), lambda i, o: math.sqrt(0.03), "uniform"),
}  # fmt: skip


@compares("torch.nn.init", "init.normal", "init.uniform")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", SCHEMES)
def test_distribution(name, shape):
    f, std, kind = SCHEMES[name]
    w, s = f(shape, rng=rng()), std(*fans(shape))
    assert w.shape == shape and w.dtype == np.float64
    if kind == "normal":
        law = stats.norm(0, s)
    else:
        bound = math.sqrt(3) * s
        law = stats.uniform(-bound, 2 * bound)
        # exactly: no draw outside, and of n draws the largest comes within 20/n of the bound
        assert 1 - 20 / w.size < abs(w).max() / bound <= 1
    assert stats.kstest(w.ravel(), law.cdf).pvalue > 0.001
    # the estimate of a variance is off by sqrt((kurtosis - 1)/n) of it, kurtosis 3 or 1.8
    assert abs(w.mean()) < 4 * s / math.sqrt(w.size)
    assert abs(w.var() / s**2 - 1) < 4 * math.sqrt((2.0 if kind == "normal" else 0.8) / w.size)


class Draws(np.random.Generator):
    """Notes the spread it is asked for."""

    def uniform(self, low, high, size):
        assert low == -high
        self.asked = high
        return np.zeros(size)

    def normal(self, mean, std, size):
        assert mean == 0
        self.asked = std
        return np.zeros(size)


@compares(
    "torch.nn.init",
    "init.xavier_normal", "init.xavier_uniform", "init.kaiming_normal", "init.kaiming_uniform",
)  # fmt: skip
@compares("LeCun et al. 1998 eq. 16", "init.lecun_normal", "init.lecun_uniform")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", SCHEMES)
def test_spread_is_the_papers_exactly(name, shape):
    f, std, kind = SCHEMES[name]
    draws = Draws(np.random.PCG64(0))
    f(shape, rng=draws)
    root = 1 if kind == "normal" else math.sqrt(3)
    assert draws.asked == pytest.approx(root * std(*fans(shape)), rel=1e-14)


@pytest.mark.parametrize("name", SCHEMES)
def test_same_seed_same_draws_and_no_global_state(name):
    f = SCHEMES[name][0]
    before = np.random.get_state()[1].tolist()
    first = f((4, 5), rng=rng(3))
    assert np.array_equal(first, f((4, 5), rng=rng(3))) and not np.array_equal(
        first, f((4, 5), rng=rng(4))
    )
    assert np.random.get_state()[1].tolist() == before


@compares("torch.nn.init.kaiming_normal_", "init.he_normal")
@compares("torch.nn.init.kaiming_uniform_", "init.he_uniform")
def test_he_is_kaiming():
    assert init.he_normal is init.kaiming_normal and init.he_uniform is init.kaiming_uniform


@compares("torch.nn.init", "init.zeros", "init.ones", "init.constant")
def test_constants():
    assert init.zeros((2, 3)).tolist() == [[0.0] * 3] * 2 and init.ones(2).tolist() == [1.0, 1.0]
    assert (
        init.constant((2, 1), 7).tolist() == [[7.0], [7.0]]
        and init.constant((), 7).dtype == np.float64
    )


# --- PyTorch's formulas: its in-place functions, told apart by the spread of many draws, and its gains

GAINS = [
    "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "sigmoid", "tanh", "relu", "leaky_relu", "selu",
]  # fmt: skip


@compares("torch.nn.init", "init.calculate_gain")
def test_gains_are_pytorchs():
    def gains(torch):
        gain = torch.nn.init.calculate_gain
        return [
            np.array(
                [
                    *(gain(n) for n in GAINS),
                    gain("leaky_relu", 0.2),
                    gain("leaky_relu", 1),
                    gain("relu", 3),
                ]
            )
        ]

    gain = init.calculate_gain
    own = [
        *(gain(n) for n in GAINS),
        gain("leaky_relu", 0.2),
        gain("leaky_relu", 1),
        gain("relu", 3),
    ]
    np.testing.assert_allclose(own, reference("init/gains", gains)[0], rtol=1e-15)


@needs_torch
@settings(max_examples=25, deadline=None)
@given(
    shape=st.lists(st.integers(1, 9), min_size=2, max_size=4),
    a=st.floats(0, 2),
    mode=st.sampled_from(["fan_in", "fan_out"]),
    nonlinearity=st.sampled_from(GAINS),
    gain=st.floats(0.1, 3),
)
def test_spread_is_pytorchs(shape, a, mode, nonlinearity, gain):
    """The bound or standard deviation that PyTorch hands to its generator is ours."""
    asked = {}

    class Spy(torch.Tensor):
        def uniform_(self, low, high, generator=None):
            asked["bound"] = high
            return self

        def normal_(self, mean, std, generator=None):
            asked["std"] = std
            return self

    w, draws = torch.zeros(shape).as_subclass(Spy), Draws(np.random.PCG64(0))
    kaiming = {"a": a, "mode": mode, "nonlinearity": nonlinearity}
    for name, options in (("xavier", {"gain": gain}), ("kaiming", kaiming)):
        for kind, said in (("uniform", "bound"), ("normal", "std")):
            getattr(torch.nn.init, f"{name}_{kind}_")(w, **options)
            getattr(init, f"{name}_{kind}")(shape, **options, rng=draws)
            assert draws.asked == pytest.approx(asked[said], rel=1e-14)


# --- truncated normal


@compares("torch.nn.init.trunc_normal_", "init.truncated_normal")
@pytest.mark.parametrize(
    "mean,std,a,b",
    [
        (0, 1, -2, 2), (1, 0.5, -2, 2), (0, 0.02, -2, 2), (0, 1, 0.5, 0.6), (0, 1, 3, 9), (0, 1, -9, -3),
        (0, 1, 40, 41), (0, 1, -np.inf, 0), (0, 1, -np.inf, np.inf), (5, 2, 0, np.inf), (0, 1, 12, np.inf),
    ],
)  # fmt: skip
def test_truncated_normal_is_the_conditional_law(mean, std, a, b):
    w = init.truncated_normal((5000,), mean, std, a, b, rng=rng())
    assert a <= w.min() and w.max() <= b and np.isfinite(w).all()
    law = stats.truncnorm((a - mean) / std, (b - mean) / std, mean, std)
    assert stats.kstest(w, law.cdf).pvalue > 0.001


def test_truncated_normals_std_is_that_before_the_cut():
    w = init.truncated_normal((200, 1000), std=0.02, a=-0.04, b=0.04, rng=rng())
    # var/std² = 1 - 2·2φ(2)/(2Φ(2) - 1) = 0.7737, whose root is 0.8796
    factor = math.sqrt(1 - 4 * stats.norm.pdf(2) / (2 * stats.norm.cdf(2) - 1))
    assert factor == pytest.approx(0.8796, abs=5e-5)
    assert w.std() / 0.02 == pytest.approx(factor, rel=0.005)


@needs_torch
def test_truncated_normal_has_pytorchs_meaning():
    for mean, std, a, b in [(0, 1, -2, 2), (0.5, 2, -1, 1), (0, 0.02, -2, 2)]:
        torch.manual_seed(0)
        w = torch.nn.init.trunc_normal_(
            torch.empty(20000, dtype=torch.float64), mean, std, a, b
        ).numpy()
        assert (
            stats.ks_2samp(w, init.truncated_normal((20000,), mean, std, a, b, rng=rng())).pvalue
            > 0.001
        )


# --- orthogonal


@pytest.mark.parametrize(
    "shape", [(5, 5), (7, 3), (3, 7), (4, 2, 3, 3), (20, 2, 3), (1, 1), (1, 6)], ids=str
)
@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_orthogonal(shape, gain):
    W = init.orthogonal(shape, gain, rng=rng()).reshape(shape[0], -1)
    n = min(W.shape)
    gram = W.T @ W if W.shape[0] >= W.shape[1] else W @ W.T
    np.testing.assert_allclose(gram, gain**2 * np.eye(n), atol=1e-14)


@compares("torch.nn.init", "init.orthogonal")
def test_orthogonal_is_uniform():
    """Haar: the trace of a 3 × 3 has mean 0 and variance 1; the signs of LAPACK's R would shift it."""
    g = rng()
    traces = [np.trace(init.orthogonal((3, 3), rng=g)) for _ in range(4000)]
    assert abs(np.mean(traces)) < 4 / math.sqrt(4000)
    assert np.var(traces) == pytest.approx(1, abs=0.1)
    signs = np.mean([init.orthogonal((1, 1), rng=g) > 0 for _ in range(1000)])
    assert 0.45 < signs < 0.55


# --- residual scalings


@compares("Radford et al. 2019 section 2.3", "init.residual_scale")
def test_residual_scale():
    """2L branches of variance 1/(2L) add up to variance 1."""
    for L in (1, 6, 48):
        assert 2 * L * init.residual_scale(L) ** 2 == pytest.approx(1)


@compares("Wang et al. 2022 Figure 2", "init.deepnorm_alpha_beta")
def test_deepnorm_published_table():
    """DeepNet, Figure 2."""
    assert init.deepnorm_alpha_beta(encoder_layers=18) == {"encoder": (36**0.25, 144**-0.25)}
    assert init.deepnorm_alpha_beta(decoder_layers=1000) == {"decoder": (2000**0.25, 8000**-0.25)}
    both = init.deepnorm_alpha_beta(6, 12)
    assert both["encoder"] == pytest.approx(
        (0.81 * 6 ** (1 / 4) * 12 ** (1 / 16), 0.87 * 6 ** (-1 / 4) * 12 ** (-1 / 16))
    )
    assert both["decoder"] == pytest.approx((36**0.25, 144**-0.25))
    # what both are made for: 2N branches, each of variance β²/α² beside the stream, add up to 1/2
    for N in (1, 10, 100):
        alpha, beta = init.deepnorm_alpha_beta(N)["encoder"]
        assert 2 * N * (beta / alpha) ** 2 == pytest.approx(1 / 2)


# --- bad input

CALLS = {
    "lecun_normal": init.lecun_normal, "lecun_uniform": init.lecun_uniform, "xavier_normal": init.xavier_normal,
    "xavier_uniform": init.xavier_uniform, "kaiming_normal": init.kaiming_normal,
    "kaiming_uniform": init.kaiming_uniform, "orthogonal": init.orthogonal,
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_weights_have_two_sizes_above_zero(name):
    for shape in [(3,), 3, ()]:
        with pytest.raises(ValueError, match=rf"{name}: shape must be \(fan_out, fan_in\)"):
            CALLS[name](shape, rng=rng())
    for shape in [(3, 0), (3, -1)]:
        with pytest.raises(ValueError, match=rf"{name}: shape\[1\] must be in \{{1, 2, "):
            CALLS[name](shape, rng=rng())
    with pytest.raises(TypeError, match="rng"):
        CALLS[name]((2, 3))


nan, inf = math.nan, math.inf


@pytest.mark.parametrize(
    "call,message",
    [
        (
            lambda: init.uniform((2,), 1, 0, rng=rng()),
            r"uniform: low must not exceed high, got 1\.0 and 0\.0",
        ),
        (
            lambda: init.uniform((2,), nan, 0, rng=rng()),
            r"uniform: low must be in \(-inf, inf\), got nan",
        ),
        (
            lambda: init.uniform((2,), 0, inf, rng=rng()),
            r"uniform: high must be in \(-inf, inf\), got inf",
        ),
        (
            lambda: init.normal((2,), 0, -1, rng=rng()),
            r"normal: std must be in \[0, inf\), got -1",
        ),
        (
            lambda: init.normal((2, -1), rng=rng()),
            r"normal: shape\[1\] must be in \{0, 1, \.\.\.\}, got -1",
        ),
        (
            lambda: init.truncated_normal((2,), std=0, rng=rng()),
            r"truncated_normal: std must be in \(0, inf\), got 0",
        ),
        (
            lambda: init.truncated_normal((2,), a=1, b=1, rng=rng()),
            r"truncated_normal: a must be below b, got 1\.0 and 1\.0",
        ),
        (
            lambda: init.truncated_normal((2,), a=nan, rng=rng()),
            r"truncated_normal: a must be in \[-inf, inf\], got nan",
        ),
        (lambda: init.constant((2,), nan), r"constant: value must be in \(-inf, inf\), got nan"),
        (
            lambda: init.xavier_normal((2, 2), -1, rng=rng()),
            r"xavier_normal: gain must be in \[0, inf\), got -1",
        ),
        (
            lambda: init.xavier_uniform((2, 2), inf, rng=rng()),
            r"xavier_uniform: gain must be in \[0, inf\), got inf",
        ),
        (
            lambda: init.orthogonal((2, 2), nan, rng=rng()),
            r"orthogonal: gain must be in \[0, inf\), got nan",
        ),
        (
            lambda: init.kaiming_normal((2, 2), mode="fan", rng=rng()),
            'mode must be "fan_in" or "fan_out", got \'fan\'',
        ),
        (
            lambda: init.kaiming_uniform((2, 2), a=nan, rng=rng()),
            r"kaiming_uniform: a must be in \(-inf, inf\), got nan",
        ),
        (
            lambda: init.calculate_gain("gelu"),
            'calculate_gain: nonlinearity must be "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu" or "selu"',
        ),
        (
            lambda: init.residual_scale(0),
            r"residual_scale: num_layers must be in \{1, 2, \.\.\.\}, got 0",
        ),
        (
            lambda: init.deepnorm_alpha_beta(),
            "deepnorm_alpha_beta: give encoder_layers, decoder_layers, or both",
        ),
        (
            lambda: init.deepnorm_alpha_beta(-1, 2),
            r"deepnorm_alpha_beta: encoder_layers must be in \{0, 1, \.\.\.\}, got -1",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@given(x=st.floats(max_value=-1e-9) | st.just(nan) | st.just(inf))
def test_no_scale_but_a_finite_number_from_zero_on(x):
    for f in (init.xavier_normal, init.xavier_uniform, init.orthogonal):
        with pytest.raises(ValueError, match=r"gain must be in \[0, inf\), got"):
            f((2, 3), x, rng=rng())
