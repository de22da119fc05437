"""SciPy's functions where their plain formulas fail, and what stands for those that are no ufuncs."""

import numpy as np
import pytest
import scipy.special as sp
import scipy.stats

from minigrad import Tensor, activations, grad, gradcheck, gradgradcheck
from minigrad.autograd import special
from minigrad.autograd.special import BESIDE
from minigrad.autograd.tensor import COMPOSITES


def derivatives(f, x):
    x = Tensor(x, requires_grad=True)
    first = grad(f(x), x, np.ones(x.shape, x.dtype), create_graph=True)
    second = grad(first, x, np.ones(x.shape, x.dtype))
    return first.data, second.data


@pytest.mark.parametrize(
    "f,x,first,second",
    [  # central differences of mpmath's functions, with 60 digits
        (sp.log_ndtr, -10000.0, 10000.000099999997, -0.9999999900000006),
        (sp.log_ndtr, -30, 30.033259667433676, -0.9988962284881099),
        (sp.log_ndtr, -1.25, 1.728816627331054, -0.8277861467725028),
        (sp.log_ndtr, 6, 6.075882855817676e-09, -3.645529717182241e-08),
        (sp.erfcx, -3, -97237.06150316462, 615834.3467269868),
        (sp.erfcx, 15.5, -0.0023338322514642874, 0.00029928632357794916),
        (sp.erfcx, 16.5, -0.002061007472374518, 0.0002484600554674479),
        (sp.erfcx, 10000.0, -5.641895750849127e-09, 1.1283791332441388e-12),
        (sp.rgamma, -5, -120.0, 409.4682404236321),
        (sp.rgamma, -2.5, 1.1669802856379654, 8.803782183388417),
        (sp.rgamma, 0, 1.0, 1.1544313298030657),
        (sp.rgamma, 0.25, 1.1659978983920851, 0.1859091958072577),
        (sp.rgamma, 40, -1.8023083766248673e-46, 6.6134649683418065e-46),
        # limits
        (sp.log_ndtr, -1e10, 1e10, -1),
        (sp.log_ndtr, 1e200, 0, 0),
        (sp.erfcx, 1e200, 0, 0),
        (sp.erfcx, 1e8, -1e-16 / np.sqrt(np.pi), 2e-24 / np.sqrt(np.pi)),
        (lambda x: np.arctan2(x, 1e-200), 1e-200, 5e199, None),
        (lambda x: np.arctan2(3e200, x), 4e200, -1.2e-201, None),
        # ends of the domains
        (lambda x: sp.xlogy(0.0, x), 0.0, 0, 0),
        (lambda x: sp.xlog1py(0.0, x), -1.0, 0, 0),
        (lambda x: sp.gammainc(1, x), 0.0, 1, -1),
        (lambda x: sp.gammaincc(1, x), np.inf, 0, 0),
        (lambda x: sp.betainc(1, 1, x), 0.0, 1, 0),
        (lambda x: sp.betainc(2, 1, x), 1.0, 2, 2),
        (lambda x: sp.stdtr(1, x), 0.0, 1 / np.pi, 0),
    ],
)
def test_slopes_that_are_hard_to_compute(f, x, first, second):
    with np.errstate(over="ignore"):  # of those that have no second one: it is beyond 1e308
        found = np.ravel(derivatives(f, np.array([x], float)))
    if second is None:
        found, second = found[:1], []
    np.testing.assert_allclose(found, np.append(first, second), rtol=1e-10, atol=1e-300)


def test_xlogy_has_its_mixed_derivative_at_0():
    # d/dx d/dz x log z = 1 / z, also where x = 0
    x, z = Tensor(0.0, requires_grad=True), Tensor(2.0, requires_grad=True)
    assert grad(grad(sp.xlogy(x, z), z, create_graph=True), x).item() == 0.5
    z = Tensor(1.0, requires_grad=True)
    assert grad(grad(sp.xlog1py(x, z), z, create_graph=True), x).item() == 0.5


BINARY = [f for f in COMPOSITES if isinstance(f, np.ufunc) and f.nin == 2 and not f.signature]
# an order is no place for a Tensor
CALLS = [(f, i) for f in BINARY for i in range(2) if i or None not in special.SLOPES.get(f, ())]


@pytest.mark.parametrize("f,place", CALLS, ids=lambda v: getattr(v, "__name__", v))
def test_a_number_widens_a_dtype_where_numpy_does(f, place):
    for dtype in np.float32, np.float64:
        for number in 2, 0.5:
            x = np.array([0.5, 0.7], dtype)
            number = int(2 * number) if place else number  # also 4 and 1, as the first argument
            got, want = (f(number, v) if place else f(v, number) for v in (Tensor(x), x))
            for y, z in zip(*[r if f is np.divmod else (r,) for r in (got, want)]):
                assert y.dtype == z.dtype
                np.testing.assert_allclose(getattr(y, "data", y), z, rtol=1e-6)


# --- what is no ufunc


@pytest.mark.parametrize("n", range(4))
def test_polygamma(n):
    x = np.array([-1.5, 0.3, 2.0, 50.0])
    np.testing.assert_allclose(special.polygamma(n, x), sp.polygamma(n, x), rtol=1e-13)
    f = lambda x: special.polygamma(n, x)  # noqa: E731
    assert gradcheck(f, x[1:]) and gradgradcheck(f, x[1:], rtol=1e-4)
    assert f(x.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("d", (1, 2, 3))
def test_multigammaln(d):
    a = np.array([[1.1, 2.0], [5.0, 40.0]])
    np.testing.assert_allclose(special.multigammaln(a, d), sp.multigammaln(a, d), rtol=1e-14)
    f = lambda a: special.multigammaln(a, d)  # noqa: E731
    assert gradcheck(f, a) and gradgradcheck(f, a)
    assert f(Tensor(a.astype(np.float32), requires_grad=True)).dtype == np.float32


def test_logsumexp_with_weights_is_that_of_shifted_logits():
    x, b = np.array([1.0, 2.0, -3.0]), np.array([0.5, 2.0, 7.0])
    t = Tensor(x, requires_grad=True)
    y = activations.logsumexp(t + np.log(b))
    assert y.item() == pytest.approx(sp.logsumexp(x, b=b), rel=1e-15)
    e = b * np.exp(x)
    np.testing.assert_allclose(grad(y, t).data, e / e.sum(), rtol=1e-14)


@pytest.mark.parametrize(
    "f",
    [sp.logsumexp, sp.softmax, lambda x: sp.polygamma(1, x), scipy.stats.norm.pdf, lambda x: np.r_[x],
     lambda x: np.mean([x[0], x[1]]), lambda x: np.array([x, x]), np.int64],
)  # fmt: skip
def test_what_makes_arrays_itself_is_refused_and_the_stand_ins_are_named(f):
    named = r"lose its gradient.*np\.stack.*\.logsumexp.*\.special.*\.stats"
    with pytest.raises(TypeError, match=named):
        f(Tensor([1.0, 2.0], requires_grad=True))


@pytest.mark.parametrize(
    "call,words",
    [
        (lambda x: special.polygamma(-1, x), "polygamma: n must be 0, 1, 2, ..., got -1"),
        (lambda x: special.polygamma(0.5, x), "polygamma: n must be 0, 1, 2"),
        (lambda x: special.multigammaln(x, 0), "multigammaln: d must be 1, 2, 3, ..., got 0"),
        (lambda x: special.multigammaln(x, 3), "a must be larger than .* = 1.0"),
        (lambda x: sp.loggamma(x), "scipy.special.loggamma has no derivative rule"),
        (lambda x: np.fft.fft(x), "np.fft.fft has no derivative rule"),
    ],
)
def test_refusals(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call(Tensor([1.0, 2.0], requires_grad=True))


def test_an_order_has_no_derivative():
    order = Tensor([1.0], requires_grad=True)
    for f in (sp.gammainc, sp.jv, sp.stdtr):
        assert f in BESIDE
        with pytest.raises(RuntimeError, match=f"{f.__name__} has no derivative .* argument 0"):
            f(order, [0.5]).backward()
