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


# --- one inside another


x1, v1 = np.array([0.5, -1.0]), np.array([1.0, 2.0])


def cube(s):
    return s**3


def quintic(s):
    return (s**5).sum()


@pytest.mark.parametrize(
    "f,expected",
    [
        (lambda x: jacobian(lambda t: jacobian(cube, t), x), [[[3, 0], [0, 0]], [[0, 0], [0, -6]]]),
        (lambda x: jvp(lambda t: jvp(cube, t, v1)[1], x, v1)[1], 6 * x1 * v1**2),
        (lambda x: jvp(lambda t: jvp(cube, t, t)[1], x, v1)[1], 9 * x1**2 * v1),
        (lambda x: jacobian(lambda t: hvp(lambda s: (s**3).sum(), t, v1), x), np.diag(6 * v1)),
        (lambda x: jacobian(lambda t: vjp(cube, t)[1](v1), x), np.diag(6 * x1 * v1)),
        (lambda x: jacobian(lambda t: vjp(cube, x1)[1](t), x), np.diag(3 * x1**2)),
        (lambda x: jacobian(lambda t: vjp(cube, t)[0], x), np.diag(3 * x1**2)),
        (
            lambda x: jacobian(lambda t: hessian(quintic, t), x)[:, 0, 0],
            [15, 0],
        ),
        (lambda x: hessian(lambda t: hessian(quintic, t).sum(), x), np.diag(120 * x1)),
        (
            lambda x: jacobian(lambda a: jacobian(lambda b: jacobian(cube, b), a), x)[0, 0, 0],
            [6, 0],
        ),
        (lambda x: jacobian(lambda t: grad((t**3).sum(), t), x), np.diag(6 * x1)),
        (lambda x: jvp(lambda t: grad((t**3).sum(), t), x, v1)[1], 6 * x1 * v1),
        # what is used beside the argument counts, too
        (
            lambda x: jacobian(lambda t: jvp(lambda s: s * t * t, x1, v1)[1], x),
            np.diag(2 * x1 * v1),
        ),
        (lambda x: jacobian(lambda t: jacobian(lambda s: t * t, x1), x), np.zeros((2, 2, 2))),
        (lambda x: jvp(lambda t: jvp(cube, x1, t)[1], x, v1)[1], 3 * x1**2 * v1),
    ],
)
def test_transforms_nest(f, expected):
    for point in x1, Tensor(x1), leaf(x1):
        got = f(point)
        assert got.dtype == float and not got.requires_grad
        np.testing.assert_allclose(got.data, expected, rtol=1e-13, atol=1e-13)


def test_a_point_with_a_history_stays_connected():
    x = leaf(x1)
    hvp(quintic, 2 * x, v1).sum().backward()
    np.testing.assert_allclose(x.grad, 2 * 60 * (2 * x1) ** 2 * v1, rtol=1e-13)
    x.grad = None
    jacobian(cube, x * x).sum().backward()
    np.testing.assert_allclose(x.grad, 6 * x1**2 * 2 * x1, rtol=1e-13)
    x.grad = None
    value, forth = jvp(cube, x * 1, v1)
    (value + forth).sum().backward()
    np.testing.assert_allclose(x.grad, 3 * x1**2 + 6 * x1 * v1, rtol=1e-13)


def test_transforms_nest_inside_no_grad_and_leave_the_depth_as_it_was():
    from minigrad import no_grad
    from minigrad.autograd.recording import state

    with no_grad():
        assert np.allclose(jacobian(lambda t: jacobian(cube, t), x1).data[0, 0], [3, 0])
    with pytest.raises(ZeroDivisionError):
        jacobian(lambda t: jacobian(lambda s: 1 / 0, t), x1)
    assert state.depth == 0


@pytest.mark.parametrize("constant", [1.0, 3, np.float32(2), np.ones(2), Tensor([1.0, 2.0])])
def test_constants_have_derivative_zero(constant):
    shape = np.shape(constant) if not isinstance(constant, Tensor) else (2,)
    f = lambda t: constant  # noqa: E731
    assert jacobian(f, x1).data.tolist() == np.zeros((*shape, 2)).tolist()
    value, forth = jvp(f, x1, v1)
    assert value.data.tolist() == np.asarray(constant).tolist() and forth.shape == shape
    assert not forth.data.any()
    value, pull = vjp(f, x1)
    assert pull(np.ones(shape)).data.tolist() == [0, 0]
    if shape == ():
        assert hvp(f, x1, v1).data.tolist() == [0, 0]
        assert hessian(f, x1).data.tolist() == [[0, 0], [0, 0]]


def test_functions_without_slope_have_derivative_zero():
    for f in np.sign, np.floor, lambda t: t > 0:
        assert not jacobian(f, x1).data.any() and jacobian(f, x1).shape == (2, 2)
        assert not jvp(f, x1, v1)[1].data.any() and not vjp(f, x1)[1](v1).data.any()


@pytest.mark.parametrize(
    "made", [lambda t: (t, t), lambda t: [t], lambda t: {"a": t}, lambda t: None]
)
def test_several_results_are_refused_in_one_sentence(made):
    calls = {
        "jacobian": lambda: jacobian(made, x1),
        "hessian": lambda: hessian(made, x1),
        "jvp": lambda: jvp(made, x1, v1),
        "vjp": lambda: vjp(made, x1),
        "hvp": lambda: hvp(made, x1, v1),
    }
    for name, call in calls.items():
        with pytest.raises(TypeError, match=f"{name}: f must return a Tensor, got .* one by one"):
            call()
