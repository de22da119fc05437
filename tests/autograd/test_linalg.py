"""Linear algebra where it degenerates, beside the closed forms; rule_cases.py has the rest."""

import numpy as np
import pytest

from minigrad import Tensor, grad, gradcheck, hessian, jacobian

la = np.linalg
rng = np.random.default_rng(0)


def gradient(f, a):
    a = Tensor(a, requires_grad=True)
    return grad(f(a), a).data


def test_det_of_a_singular_matrix_has_its_cofactors_as_gradient():
    A = np.arange(1.0, 10).reshape(3, 3)  # of rank 2; det is 6.7e-16 in floating point
    cofactors = [
        [(-1) ** (i + j) * la.det(np.delete(np.delete(A, i, 0), j, 1)) for j in range(3)]
        for i in range(3)
    ]
    np.testing.assert_allclose(gradient(la.det, A), cofactors, atol=1e-12)
    assert gradcheck(la.det, A) and not gradient(la.det, np.zeros((3, 3))).any()
    # det is of degree 3: its third derivative is the permutation symbol, also at 0
    third = jacobian(lambda a: hessian(la.det, a), np.zeros((3, 3))).data
    assert third[0, 0, 1, 1, 2, 2] == 1 and third[0, 1, 1, 0, 2, 2] == -1
    assert np.count_nonzero(third) == 36


@pytest.mark.parametrize(
    "f", [la.inv, lambda a: la.solve(a, np.ones(2)), lambda a: la.cholesky(-a @ a.T)]
)
def test_singular_matrices_are_refused(f):
    with pytest.raises(ValueError, match="(?i)singular|not positive definite|do not fit"):
        f(Tensor(np.ones((2, 2)), requires_grad=True))


def symmetric(a):
    return (a + a.T) / 2


def cubed(a):  # V diag(w³) Vᵀ = A³, whichever V is taken
    w, V = la.eigh(symmetric(a))
    return ((V * w**3) @ V.T * np.arange(16).reshape(4, 4)).sum()


def power(a):
    a = symmetric(a)
    return (a @ a @ a * np.arange(16).reshape(4, 4)).sum()


@pytest.mark.parametrize("eigenvalues", [[1.0, 1, 1, 1], [1.0, 1, 2, 2], [0.0, 0, 0, 3]])
def test_spectral_functions_at_equal_eigenvalues(eigenvalues):
    for Q in np.eye(4), la.qr(rng.standard_normal((4, 4)))[0]:
        A = symmetric(Q @ np.diag(eigenvalues) @ Q.T)
        squares = lambda a: (la.eigvalsh(symmetric(a)) ** 2).sum()  # noqa: E731
        np.testing.assert_allclose(gradient(squares, A), 2 * A, atol=1e-12)  # it is |A|²
        d = gradient(cubed, A)  # not a wrong number: 3 w² is 0 for the last ones
        assert np.isnan(d).any() or np.allclose(d, gradient(power, A), atol=1e-12)
        with pytest.raises(ValueError, match="second derivatives do not exist where two"):
            hessian(squares, A)


def test_spectral_functions_elsewhere():
    A = symmetric(rng.standard_normal((4, 4)))
    np.testing.assert_allclose(gradient(cubed, A), gradient(power, A), atol=1e-10)
    np.testing.assert_allclose(hessian(cubed, A).data, hessian(power, A).data, atol=1e-9)


def test_what_depends_on_the_choice_of_vectors_is_nan_and_not_a_number():
    assert np.isnan(gradient(lambda a: la.eigh(a)[1][0, 0], np.eye(2))).any()
    assert np.isnan(gradient(lambda a: la.svd(a)[0][0, 0], np.eye(2))).any()
    assert np.isnan(
        gradient(lambda a: la.svd(a, full_matrices=False)[0][0, 0], np.zeros((3, 2)))
    ).any()


def test_singular_values_of_a_matrix_that_lacks_rank():
    A = np.outer([1.0, 2.0, 2.0], [3.0, 4.0])  # s = 15, 0
    U, s, Vh = la.svd(A, full_matrices=False)
    np.testing.assert_allclose(
        gradient(lambda a: la.svd(a, full_matrices=False)[1][0], A), np.outer(U[:, 0], Vh[0])
    )
    np.testing.assert_allclose(gradient(lambda a: la.norm(a, 2), A), A / 15, atol=1e-12)
    np.testing.assert_allclose(
        gradient(lambda a: (la.svdvals(a) ** 2).sum(), np.eye(3)), 2 * np.eye(3), atol=1e-12
    )


def test_only_the_triangle_that_is_read_has_a_gradient():
    A = np.array([[4.0, 7.0], [1.0, 3.0]])  # the 7 is not read
    for f in la.cholesky, la.eigvalsh:
        d = gradient(lambda a, f=f: f(a).sum(), A)
        assert d[0, 1] == 0 and d[1, 0] != 0
        assert gradcheck(lambda a, f=f: f(a).sum(), A)
    assert gradient(lambda a: la.eigvalsh(a, "U").prod(), A)[1, 0] == 0


def test_parts_of_results_have_numpys_names():
    A = Tensor(np.diag([2.0, 3.0]), requires_grad=True)
    assert la.eigh(A).eigenvalues.data.tolist() == [2, 3]
    assert la.svd(A).S.data.tolist() == [3, 2] and la.slogdet(A).sign == 1
    la.slogdet(A).logabsdet.backward()
    assert np.allclose(A.grad, np.diag([1 / 2, 1 / 3]))


@pytest.mark.parametrize(
    "call,words",
    [
        (
            lambda a: la.inv(a[:1]),
            r"np.linalg.inv: needs square matrices \(..., n, n\), got shape \(1, 2\)",
        ),
        (lambda a: la.svd(a[:1]), "pass full_matrices=False"),
        (lambda a: la.norm(a, "x"), "np.linalg.norm: ord 'x' is none of a matrix"),
        (lambda a: la.inv(a.astype(np.float16)), "no linear algebra in float16"),
        (lambda a: la.qr(a), "np.linalg.qr has no derivative rule"),
    ],
)
def test_refusals(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call(Tensor(np.eye(2), requires_grad=True))


def test_norms_have_gradient_0_at_0():
    for order in (None, 2, 3, 1):
        assert gradient(lambda x, o=order: la.norm(x, o), np.zeros(3)).tolist() == [0, 0, 0]
