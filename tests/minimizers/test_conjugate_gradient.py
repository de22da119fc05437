"""Conjugate gradients, nonlinear and linear: their textbook properties."""

import math

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse.linalg
from objectives import A8, b8, gradient, parallel, positive_definite, quadratic, rosenbrock

from compares import compares
from minigrad import Tensor, minimize
from minigrad.minimizers import linear_cg


@pytest.mark.parametrize("beta", ["fletcher-reeves", "polak-ribiere"])
def test_cg_steps_along_its_formula(beta):
    result = minimize(rosenbrock, [-1.2, 1.0, 0.5, 2.0], method="cg", beta=beta, maxiter=17)
    gs = [gradient(rosenbrock, x) for x in result.path]
    p = -gs[0]
    for k, step in enumerate(np.diff(result.path, axis=0)):
        if k:
            g, old = gs[k], gs[k - 1]
            if beta == "fletcher-reeves":  # afresh every n + 1 = 5 steps
                p = -g + (k % 5 != 0) * (g @ g) / (old @ old) * p
            else:  # afresh where p is hardly downhill
                p = -g + max(g @ (g - old), 0) / (old @ old) * p
                if p @ g > -0.1 * (g @ g):
                    p = -g
        assert parallel(step, p)


def test_cg_ends_a_quadratic_in_few_steps():
    for beta in ["fletcher-reeves", "polak-ribiere"]:
        result = minimize(quadratic, np.zeros(8), method="cg", beta=beta, gtol=1e-6)
        assert result.success and result.nit <= 3 * 8


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_linear_cg_ends_in_n_steps_along_conjugate_directions(n):
    A, b = positive_definite(n, seed=n), np.random.default_rng(n).normal(size=n)
    A = (A + A.T) / 2
    result = linear_cg(A, b, rtol=1e-9)
    assert result.success and result.nit <= n
    np.testing.assert_allclose(result.x, np.linalg.solve(A, b), rtol=1e-7)
    directions = np.diff(result.path, axis=0)
    C = directions @ A @ directions.T
    assert np.abs(C - np.diag(np.diag(C))).max() <= 1e-8 * np.abs(C).max()
    residuals = b - result.path[:-1] @ A
    R = residuals @ residuals.T
    assert np.abs(R - np.diag(np.diag(R))).max() <= 1e-8 * np.abs(R).max()
    assert result.fun == pytest.approx(result.x @ A @ result.x / 2 - b @ result.x)
    np.testing.assert_allclose(result.jac, A @ result.x - b, atol=1e-9)


def test_linear_cg_is_best_in_every_krylov_space():
    """x_k has the least ½xᵀAx − bᵀx among the combinations of b, Ab, …, A^{k−1}b."""
    result = linear_cg(A8, b8, rtol=1e-12)
    K = np.stack([np.linalg.matrix_power(A8, k) @ b8 for k in range(8)], axis=1)
    for k in range(1, 7):
        Q, _ = np.linalg.qr(K[:, :k])
        best = Q @ np.linalg.solve(Q.T @ A8 @ Q, Q.T @ b8)
        np.testing.assert_allclose(result.path[k], best, rtol=1e-7, atol=1e-9)


def test_linear_cg_needs_a_step_for_each_distinct_eigenvalue():
    Q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(30, 30)))
    A = Q * np.repeat([1.0, 7.0, 100.0], 10) @ Q.T
    result = linear_cg(A + A.T, np.ones(30), rtol=1e-9)
    assert result.success and result.nit == 3 and result.nfev == 3


def test_linear_cg_is_as_fast_as_its_bound():
    """|x_k − x*|_A <= 2 ((√κ − 1)/(√κ + 1))^k |x_0 − x*|_A"""
    for condition in [4, 100, 2500]:
        A, b = positive_definite(60, condition), np.ones(60)
        A = (A + A.T) / 2
        result = linear_cg(A, b, rtol=1e-10, maxiter=200)
        error = result.path - np.linalg.solve(A, b)
        energy = np.sqrt(np.einsum("ki,ij,kj->k", error, A, error))
        q = (math.sqrt(condition) - 1) / (math.sqrt(condition) + 1)
        k = np.arange(len(energy))
        assert (energy <= 2 * q**k * energy[0] * (1 + 1e-6) + 1e-8 * energy[0]).all()


@compares("scipy.sparse.linalg.cg", "minimizers.linear_cg")
def test_linear_cg_takes_scipys_steps():
    A = positive_definite(40, 1e3)
    A, b, d = (A + A.T) / 2, np.linspace(-1, 1, 40), np.linspace(1, 9, 40)
    for M in [None, lambda r: r / d]:
        steps = [np.zeros(40)]
        operator = None if M is None else scipy.sparse.linalg.LinearOperator((40, 40), matvec=M)
        scipy.sparse.linalg.cg(
            A,
            b,
            rtol=1e-8,
            maxiter=30,
            M=operator,
            callback=lambda x, steps=steps: steps.append(x.copy()),
        )
        result = linear_cg(A, b, preconditioner=M, rtol=1e-8, maxiter=30)
        np.testing.assert_allclose(result.path, steps, rtol=1e-6, atol=1e-9)
    # the same through a function, Tensors, and from another start
    again = linear_cg(lambda v: Tensor(A @ v), Tensor(b), x0=result.x, rtol=1e-8)
    np.testing.assert_allclose(again.x, np.linalg.solve(A, b), rtol=1e-4)
    assert again.success and (again.path[0] == result.x).all()


def test_linear_cg_is_as_exact_as_scipys_by_default():
    A, b = positive_definite(60, 1e3), np.ones(60)
    A, steps = (A + A.T) / 2, []
    scipy.sparse.linalg.cg(A, b, callback=steps.append)
    assert linear_cg(A, b).nit == len(steps) > linear_cg(A, b, rtol=1e-4).nit


def test_preconditioning_is_cg_in_other_coordinates():
    L = np.diag(np.linspace(1, 4, 8))  # M = L Lᵀ;  x = L⁻ᵀ u turns A into L⁻¹ A L⁻ᵀ
    inverse = np.linalg.inv(L)
    there = linear_cg(inverse @ A8 @ inverse.T, inverse @ b8, rtol=1e-13)
    here = linear_cg(A8, b8, preconditioner=lambda r: inverse.T @ inverse @ r, rtol=1e-13)
    np.testing.assert_allclose(here.path[:7], there.path[:7] @ inverse, rtol=1e-8, atol=1e-10)
    exact = linear_cg(A8, b8, preconditioner=lambda r: np.linalg.solve(A8, r))
    assert exact.nit == 1 and exact.success


def test_linear_cg_says_what_it_could_not_do():
    result = linear_cg(np.diag([1.0, -2.0]), [1.0, 1.0])
    assert not result.success and "A is not positive definite" in result.message
    assert not linear_cg(lambda v: np.full(2, np.nan), [1.0, 1.0]).success
    result = linear_cg(np.eye(2), [1.0, 1.0], preconditioner=lambda r: -r)
    assert not result.success and "preconditioner is not positive definite" in result.message
    result = linear_cg(A8, b8, maxiter=2)
    assert not result.success and "maxiter = 2" in result.message and result.nit == 2
    result = linear_cg(A8, b8, x0=np.ones(8), maxiter=2)
    assert result.fun == pytest.approx(result.x @ A8 @ result.x / 2 - b8 @ result.x)
    np.testing.assert_allclose(result.jac, A8 @ result.x - b8, atol=1e-12)
    result = linear_cg(A8, np.zeros(8))
    assert result.success and result.nit == 0 and not result.x.any()
    result = linear_cg(A8.astype(np.float32), b8.astype(np.float32))
    assert result.success and result.x.dtype == np.float32


@pytest.mark.parametrize(
    "A,b,options,message",
    [
        (np.eye(2), [1.0, 2.0, 3.0], {}, r"A must be \(3, 3\) to fit b, got \(2, 2\)"),
        (np.array([[1.0, 2.0], [0.0, 1.0]]), [1.0, 1.0], {}, r"symmetric and finite, got max .* 2"),
        (np.array([[1.0, np.nan], [0.0, 1.0]]), [1.0, 1.0], {}, "symmetric and finite"),
        (np.eye(2), np.ones((2, 1)), {}, r"b must be a vector of finite numbers, got shape \(2, 1"),
        (np.eye(2), [1.0, np.inf], {}, "vector of finite numbers, got shape .*others among them"),
        (
            np.eye(2),
            [1.0, 1.0],
            {"x0": [1.0]},
            r"x0 must be 2 finite numbers, as b, got shape \(1,",
        ),
        (np.eye(2), [1.0, 1.0], {"rtol": -1}, r"rtol must be in \[0, inf\), got -1"),
        (np.eye(2), [1.0, 1.0], {"atol": -1e-9}, r"atol must be in \[0, inf\), got -1e-09"),
        (np.eye(2), [1.0, 1.0], {"maxiter": -1}, r"maxiter must be in \{0, 1, ...\}, got -1"),
        (lambda v: v[:1], [1.0, 1.0], {}, r"A v must have b's shape \(2,\), got \(1,\)"),
        (np.eye(2), [1.0, 1.0], {"preconditioner": lambda r: 1.0}, "M⁻¹ r must have b's shape"),
    ],
)
def test_linear_cg_refuses(A, b, options, message):
    with pytest.raises(ValueError, match=message):
        linear_cg(A, b, **options)


@pytest.mark.parametrize(
    "A,b,definite",
    [
        ([[1.0, 0.0], [0.0, -1.0]], [1.0, 0.0], False),  # no direction goes along the second axis
        ([[1.0, 2.0], [2.0, 1.0]], [1.0, 1.0], False),  # b is an eigenvector of the good eigenvalue
        ([[1.0, 0.0], [0.0, -1.0]], [0.0, 0.0], False),
        ([[1.0, 1.0], [1.0, 1.0]], [1.0, 1.0], True),  # semidefinite: x is a minimum
        ([[1e-9, 0.0], [0.0, 1.0]], [1e-9, 1.0], True),
    ],
)
def test_linear_cg_on_an_indefinite_matrix_is_no_success(A, b, definite):
    result = linear_cg(A, b)
    assert np.allclose(np.array(A) @ result.x, b)
    assert result.success is definite
    assert definite or "A is not positive definite" in result.message
