"""Higher derivatives against closed forms."""

import math

import numpy as np
import pytest
from calculus_inputs import x0

from compares import compares
from minigrad import Tensor, grad, gradcheck, gradgradcheck, hessian, hvp, jacobian, jvp, vjp


def leaf(value):
    return Tensor(value, requires_grad=True)


@compares("torch.autograd", "grad")
@pytest.mark.parametrize(
    "f,derivatives",
    [
        (np.sin, [math.cos(0.4), -math.sin(0.4), -math.cos(0.4), math.sin(0.4)]),
        (np.exp, [math.exp(0.4)] * 4),
        (np.log, [1 / 0.4, -1 / 0.4**2, 2 / 0.4**3, -6 / 0.4**4]),
        (lambda x: x**5, [5 * 0.4**4, 20 * 0.4**3, 60 * 0.4**2, 120 * 0.4]),
        (lambda x: 1 / x, [-1 / 0.4**2, 2 / 0.4**3, -6 / 0.4**4, 24 / 0.4**5]),
        (lambda x: x * np.where(x > 0, x, 0) * x, [3 * 0.16, 6 * 0.4, 6, 0]),
    ],
)
def test_first_to_fourth_derivative(f, derivatives):
    x = leaf(0.4)
    y = f(x)
    for d in derivatives:
        if not y.requires_grad:
            assert d == 0
            break
        y = grad(y, x, create_graph=True)
        assert math.isclose(y.item(), d, rel_tol=1e-12)


def test_third_derivative_of_tanh():
    x = leaf(np.array([0.3, -1.2]))
    t = np.tanh(x.data)
    y = np.tanh(x)
    for expected in (1 - t**2, -2 * t * (1 - t**2), (1 - t**2) * (6 * t**2 - 2)):
        y = grad(y.sum(), x, create_graph=True)
        assert np.allclose(y.data, expected, rtol=1e-13)


A = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.5, 0.0, 1.0]])


def quartic(x):
    return (x @ A @ x) ** 2


@compares("torch.autograd.functional", "hessian", "hvp")
def test_hessian_and_hvp_of_a_quartic():
    S = A + A.T
    q, s = x0 @ A @ x0, S @ x0
    expected = 2 * np.outer(s, s) + 2 * q * S
    assert np.allclose(hessian(quartic, x0).data, expected, rtol=1e-13)
    v = np.array([1.0, -2.0, 0.5])
    assert np.allclose(hvp(quartic, x0, v).data, expected @ v, rtol=1e-13)


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


@compares("torch.autograd.functional", "vjp", "jvp", "jacobian")
def test_jacobian_vjp_jvp_of_softmax():
    p = np.exp(x0) / np.exp(x0).sum()
    J = np.diag(p) - np.outer(p, p)
    v = np.array([0.5, 1.0, -1.0])
    assert np.allclose(jacobian(softmax, x0).data, J)
    y, pull = vjp(softmax, x0)
    assert np.allclose(y.data, p) and np.allclose(pull(v).data, J.T @ v)
    assert np.allclose(pull(2 * v).data, 2 * J.T @ v)  # again
    y, tangent = jvp(softmax, x0, v)
    assert np.allclose(y.data, p) and np.allclose(tangent.data, J @ v)


def test_shapes_of_jacobian_and_hessian():
    x = np.arange(6.0).reshape(2, 3)
    assert jacobian(lambda x: (x * x)[:, :2], x).shape == (2, 2, 2, 3)
    assert hessian(lambda x: (x**3).sum(), x).shape == (2, 3, 2, 3)
    assert np.allclose(
        hessian(lambda x: (x**3).sum(), x).data.reshape(6, 6), np.diag(6 * x.ravel())
    )


def test_functions_that_do_not_depend_or_are_linear():
    assert not hessian(lambda x: (3 * x).sum(), x0).data.any()
    assert not hvp(lambda x: (3 * x).sum(), x0, x0).data.any()
    assert not jacobian(lambda x: Tensor(np.ones(2)), x0).data.any()
    assert not jvp(lambda x: Tensor(np.ones(2)), x0, x0)[1].data.any()
    assert np.allclose(jvp(lambda x: 3 * x, x0, x0)[1].data, 3 * x0)


def test_vjp_of_several_arguments():
    (a, b) = vjp(lambda a, b: a @ b, np.ones((2, 3)), x0)[1](np.array([1.0, 2.0]))
    assert a.shape == (2, 3) and b.data.tolist() == [3, 3, 3]


def test_grad_leaves_grad_alone_and_takes_intermediates_and_several_outputs():
    x = leaf(x0)
    h = x * 2
    y = (h * h).sum()
    gh, gx = grad(y, [h, x])
    assert np.allclose(gh.data, 4 * x0) and np.allclose(gx.data, 8 * x0) and x.grad is None
    both = grad([x.sum(), (x * x).sum()], x, [1.0, 10.0])
    assert np.allclose(both.data, 1 + 20 * x0)
    assert grad((x * 2).sum(), [x, leaf(1.0)], allow_unused=True)[1] is None


def test_grad_walks_no_further_than_its_inputs():
    x = leaf(x0)
    h = np.exp(x)
    y = (h * h).sum()
    grad(y, h)
    (h * 1).sum().backward()  # the part below h was neither walked nor released
    assert np.allclose(x.grad, np.exp(x0))


def test_gradient_of_a_gradient_penalty():
    """d/dw of |d/dx f(x, w)|^2, as used to train critics: a mixed third-order situation."""
    w, x = leaf(np.array([[0.5, -0.3], [0.2, 0.8]])), leaf(np.array([1.0, -2.0]))

    def penalty(w):
        gx = grad(np.tanh(w @ x).sum(), x, create_graph=True)
        return (gx * gx).sum()

    assert gradcheck(penalty, w) and gradgradcheck(penalty, w)


def test_no_grad_does_not_stop_create_graph():
    from minigrad import no_grad

    x = leaf(2.0)
    y = x**3
    with no_grad():
        g = grad(y, x, create_graph=True)
    assert grad(g, x).item() == 12


def test_no_grad_does_not_stop_functions_that_take_derivatives():
    from minigrad import no_grad

    with no_grad():
        assert jacobian(lambda x: x * x, x0).data.any() and hessian(quartic, x0).data.any()
        assert hvp(quartic, x0, x0).data.any() and jvp(quartic, x0, x0)[1].data.any()
        assert vjp(quartic, x0)[1](1.0).data.any() and gradcheck(quartic, x0)
        assert not (leaf(1.0) * 2).requires_grad  # and afterwards it is off again
