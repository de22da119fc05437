"""Distributions: SciPy's values, PyTorch's derivatives, and differences, at the ends of intervals too."""

import numpy as np
import pytest
import scipy.stats

from derivatives import assert_same, ours, theirs
from minigrad import Tensor, grad, gradcheck, gradgradcheck
from minigrad.autograd import stats
from torch_reference import reference

rng = np.random.default_rng(0)
X, COLUMN = rng.uniform(0.1, 0.9, (4, 3)), rng.uniform(1.2, 3, (4, 1))
# distribution, its parameters, and by how many of its arguments cdf has a derivative
CONTINUOUS = {
    "norm": (), "t": (COLUMN,), "gamma": (COLUMN,), "chi2": (COLUMN,), "beta": (COLUMN, 2.5 * X),
}  # fmt: skip
FUNCTIONS = [(d, f) for d in CONTINUOUS for f in ("logpdf", "pdf", "cdf", "logcdf")]
FUNCTIONS += [("norm", "sf"), ("norm", "logsf")]


@pytest.mark.parametrize("name,f", FUNCTIONS)
def test_continuous(name, f):
    ours, scipys = getattr(getattr(stats, name), f), getattr(getattr(scipy.stats, name), f)
    loc, scale = np.array([-0.4, 0.0, -0.2]), COLUMN[::-1]
    args = [X, *CONTINUOUS[name], loc, scale]
    for n in (len(args), len(args) - 2):
        want = scipys(*args[:n])
        np.testing.assert_allclose(ours(*args[:n]), want, rtol=1e-12, atol=1e-14)
        y = ours(*[Tensor(a, requires_grad=True) for a in args[:n]])
        assert isinstance(y, Tensor) and y.shape == want.shape
    np.testing.assert_allclose(
        ours(*args[:-2], scale=scale, loc=loc), scipys(*args), rtol=1e-12, atol=1e-14
    )
    density = "pdf" in f or name == "norm"
    inputs = args if density else [X, loc, scale]
    call = ours if density else lambda x, l, s: ours(x, *CONTINUOUS[name], l, s)
    assert gradcheck(call, inputs) and gradgradcheck(call, inputs)


@pytest.mark.parametrize("name", CONTINUOUS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_widen_no_dtype(name, dtype):
    numbers = [2, 3.5][: len(CONTINUOUS[name])]
    x = Tensor(X.astype(dtype), requires_grad=True)
    for f in "logpdf", "pdf", "cdf":
        y = getattr(getattr(stats, name), f)(x, *numbers, loc=0, scale=1.5)
        want = getattr(getattr(scipy.stats, name), f)(X, *numbers, loc=0, scale=1.5)
        assert y.dtype == grad(y, x, np.ones_like(x.data), retain_graph=True).dtype == dtype
        np.testing.assert_allclose(y.data, want, rtol=1e-5 if dtype == np.float32 else 1e-12)
    x = getattr(stats, name).logpdf(0.3, *numbers)
    assert x == pytest.approx(getattr(scipy.stats, name).logpdf(0.3, *numbers), rel=1e-13)


def test_far_out():
    x = np.array([-1e10, -40.0, 40.0, 1e10])
    for f in "logpdf", "logcdf", "logsf", "sf":
        np.testing.assert_allclose(getattr(stats.norm, f)(x), getattr(scipy.stats.norm, f)(x))
    t = Tensor(x, requires_grad=True)
    d = grad(stats.norm.logcdf(t).sum(), t).data
    np.testing.assert_allclose(d, [1e10, 40.02496891743, 0, 0])
    df = np.array([1e-3, 1.0, 1e5, 1e10])
    np.testing.assert_allclose(stats.t.logpdf(2.5, df), scipy.stats.t.logpdf(2.5, df), rtol=1e-10)


@pytest.mark.parametrize(
    "name,parameters,x,slope",
    [  # at the ends of the interval: slopes of the logarithm of the density from inside
        ("gamma", (1.0,), 0.0, -1),
        ("chi2", (2.0,), 0.0, -0.5),
        ("beta", (1.0, 3.0), 0.0, -2),
        ("beta", (3.0, 1.0), 1.0, 2),
        ("gamma", (2.0,), 0.0, np.inf),
        ("gamma", (2.0,), -1.0, 0),
        ("beta", (1.0, 1.0), 1.5, 0),
        ("norm", (), -np.inf, 0),
    ],
)
def test_ends(name, parameters, x, slope):
    where = Tensor([x, 0.5], requires_grad=True)
    with np.errstate(divide="ignore"):
        y = getattr(stats, name).logpdf(where, *parameters)
        assert y.data[0] == pytest.approx(getattr(scipy.stats, name).logpdf(x, *parameters))
        assert grad(y.sum(), where).data[0] == slope
        p = getattr(stats, name).cdf(where, *parameters)
        d = grad(p.sum(), where).data[0]
    assert p.data[0] == getattr(scipy.stats, name).cdf(x, *parameters)
    assert d == pytest.approx(np.exp(y.data[0]))


def test_infinite_x_is_outside():
    x = Tensor([np.inf, 1.0], requires_grad=True)
    for y in stats.gamma.logpdf(x, 2.0), stats.t.logpdf(x, 2.0), stats.norm.logpdf(x):
        assert y.data[0] == -np.inf and grad(y.sum(), x).data[0] == 0
    assert stats.gamma.cdf(x, 2.0).data[0] == stats.t.cdf(x, 2.0).data[0] == 1


def test_what_never_happens():
    x = Tensor([-1.0, 0.5], requires_grad=True)
    for f in "logpdf", "pdf", "logcdf", "cdf":
        y = getattr(stats.gamma, f)(x, 2.0)
        assert y.data[0] == (-np.inf if f[0] == "l" else 0) and grad(y.sum(), x).data[0] == 0


def test_no_parameters_of_a_distribution_give_nan_as_in_scipy():
    with np.errstate(all="ignore"):
        for y in (
            stats.norm.logpdf(0.0, 0.0, -1.0),
            stats.norm.cdf(1.0, 0.0, -1.0),
            stats.norm.cdf(0.0, 0.0, 0.0),
            stats.gamma.pdf(1.0, -0.5),
            stats.beta.cdf(0.5, 1.0, np.nan),
            stats.poisson.pmf(1, -2.0),
            stats.norm.logpdf(np.nan),
        ):
            assert np.isnan(y)
        assert np.isnan(scipy.stats.gamma.pdf(1.0, -0.5))


def test_poisson():
    k, mu = np.array([0, 1, 2.0, 7, -1, 2.5]), np.array([[0.3], [4.0]])
    for f in "logpmf", "pmf", "cdf":
        call, scipys = getattr(stats.poisson, f), getattr(scipy.stats.poisson, f)
        np.testing.assert_allclose(call(k, mu), scipys(k, mu), rtol=1e-12)
        np.testing.assert_allclose(call(k, mu, 1), scipys(k, mu, 1), rtol=1e-12)
        finite = lambda mu, call=call: np.exp(call(k, mu))  # noqa: E731
        assert gradcheck(finite, mu) and gradgradcheck(finite, mu)
    assert stats.poisson.pmf(np.inf, 2.0) == 0 and stats.poisson.cdf(np.inf, 2.0) == 1
    mu = Tensor(0.0, requires_grad=True)  # mean 0: k = 0 is certain
    assert stats.poisson.logpmf(0, mu).item() == 0
    for f in stats.poisson.pmf, stats.poisson.cdf:
        assert grad(f(0, mu), mu).item() == -1


def test_dirichlet():
    alpha = np.array([0.7, 2.0, 3.5])
    x = rng.dirichlet(alpha, 4).T
    for f in "logpdf", "pdf":
        call, scipys = getattr(stats.dirichlet, f), getattr(scipy.stats.dirichlet, f)
        for points in x, x[:, 0]:
            np.testing.assert_allclose(call(points, alpha), scipys(points, alpha))
        on_simplex = lambda z, a, call=call: call(z / z.sum(0), a)  # noqa: E731
        assert gradcheck(on_simplex, [x, alpha]) and gradgradcheck(on_simplex, [x, alpha])


def covariance(n=3):
    a = np.random.default_rng(1).normal(size=(n, n))
    return a @ a.T + np.eye(n)


def test_multivariate_normal():
    mean, cov = np.array([0.5, -1.0, 2.0]), covariance()
    scipys = scipy.stats.multivariate_normal
    for f in "logpdf", "pdf":
        call = getattr(stats.multivariate_normal, f)
        for shape in (3,), (5, 3), (2, 2, 3), (1, 3):
            x = rng.normal(size=shape)
            want = np.reshape(getattr(scipys, f)(x, mean, cov), shape[:-1])
            np.testing.assert_allclose(call(x, mean, cov), want)
            assert gradcheck(call, [x, mean, cov]) and gradgradcheck(call, [x, mean, cov])
    entropy = stats.multivariate_normal.entropy
    assert entropy(mean, cov) == pytest.approx(scipys.entropy(mean, cov))
    assert gradcheck(lambda c: entropy(mean, c), cov)
    c = Tensor(cov, requires_grad=True)
    np.testing.assert_allclose(grad(entropy(mean, c), c).data, np.linalg.inv(cov) / 2)


# --- PyTorch's distributions, to second order

SIMPLEX = X[:3, 0] / X[:3, 0].sum()
AGAINST = {
    "norm": (lambda x, l, s: stats.norm.logpdf(x, l, s), "Normal", [X, X**2, COLUMN]),
    "t": (lambda x, df, l, s: stats.t.logpdf(x, df, l, s), "StudentT", [X, COLUMN, X**2, COLUMN]),
    "gamma": (stats.gamma.logpdf, "Gamma", [X, COLUMN]),
    "chi2": (stats.chi2.logpdf, "Chi2", [X, COLUMN]),
    "beta": (stats.beta.logpdf, "Beta", [X, COLUMN, 1 + X]),
    "dirichlet": (stats.dirichlet.logpdf, "Dirichlet", [SIMPLEX, X[:3, 1]]),
    "multivariate_normal": (
        stats.multivariate_normal.logpdf, "MultivariateNormal", [X, np.ones(3), covariance()],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", AGAINST)
def test_pytorch(name):
    f, kind, inputs = AGAINST[name]

    def g(torch, x, *args):
        args = [*args, torch.ones_like(args[0])] if kind == "Gamma" else args
        if kind == "MultivariateNormal":
            args = [args[0], (args[1] + args[1].mT) / 2]
        return getattr(torch.distributions, kind)(*args, validate_args=False).log_prob(x)

    want = reference(
        f"stats/{name}", lambda torch: theirs(torch, lambda *xs: g(torch, *xs), inputs)
    )
    # PyTorch's polygamma is right to 2e-9 only (beside mpmath's)
    assert_same(ours(f, inputs), want, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize(
    "call,words",
    [
        (lambda x: stats.norm.logpdf(x, 0, 1, 2), "norm.logpdf: takes x, loc, scale; loc and"),
        (lambda x: stats.t.pdf(x), "t.logpdf: takes x, df, loc, scale"),
        (lambda x: stats.norm.cdf(x, mean=0), "norm.cdf: takes x, loc, scale"),
        (lambda x: stats.norm.cdf(x, 0, loc=0), "norm.cdf: takes x, loc, scale"),
        (lambda x: stats.norm.cdf("a"), "norm.cdf: an argument must hold real numbers"),
        (lambda x: stats.dirichlet.pdf(x, [1.0]), r"dirichlet.logpdf: alpha .* got shapes \(1,\) and \(2,\)"),
        (lambda x: stats.dirichlet.pdf(x, [1.0, 2.0]), "dirichlet.logpdf: x must not be negative, and sum"),
        (lambda x: stats.multivariate_normal.pdf(x, [0.0], [[1.0]]), r"x must be of shape \(..., 1\), got \(2,\)"),
        (lambda x: stats.multivariate_normal.pdf(x, [0.0], 1.0), r"cov \(n, n\), got \(1,\) and \(\)"),
        (lambda x: stats.multivariate_normal.pdf(x, [0.0, 0], np.eye(2), True), "allow_singular="),
        (lambda x: stats.multivariate_normal.pdf(x, [0.0, 0], -np.eye(2)), "not positive definite|cholesky"),
    ],
)  # fmt: skip
def test_refusals(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call(Tensor([1.0, 2.0], requires_grad=True))


@pytest.mark.parametrize("name", ["gamma", "chi2", "beta", "t"])
def test_distribution_functions_refuse_their_parameters(name):
    p = [Tensor(2.0, requires_grad=True) for _ in CONTINUOUS[name]]
    with pytest.raises(RuntimeError, match="has no derivative with respect to its argument 0"):
        getattr(stats, name).cdf(0.3, *p).backward()
