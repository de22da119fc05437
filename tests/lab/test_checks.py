"""Checks print what holds and raise what does not."""


import numpy as np
import pytest

from minigrad.lab import check, check_close


def test_check_prints_the_label(capsys):
    check("eq:a", True)
    check("eq:b", np.array([True, True]))
    check_close("eq:c", [1.0, 2.0], [1.0, 2.0 + 1e-13])
    check_close("eq:d", [1000.0, 1000.5], 1000.0, tol=1e-3)  # scaled by |want|, scalar want
    assert capsys.readouterr().out.splitlines() == [
        "✓ eq:a", "✓ eq:b", "✓ eq:c  |Δ| ≤ 10⁻¹²", "✓ eq:d  |Δ| ≤ 0.001"
    ]  # fmt: skip


@pytest.mark.parametrize("condition", [False, np.bool_(False), np.array([True, False])])
def test_check_raises(condition, capsys):
    with pytest.raises(AssertionError, match="eq:a"):
        check("eq:a", condition)
    assert not capsys.readouterr().out


@pytest.mark.parametrize("condition", [1, 0.5, "yes", None, np.array([]), [], np.zeros(0, bool)])
def test_check_refuses_what_is_no_truth_value(condition):
    with pytest.raises(TypeError, match="eq:a"):
        check("eq:a", condition)


@pytest.mark.parametrize("got, want, tol", [
    (1.0, 1.1, 1e-3),
    (np.nan, 1.0, 1.0),
    (1.0, np.nan, 1.0),
    (np.inf, 1.0, 1.0),
    ([1.0, 2.0], [1.0, 2.1], 1e-2),
    (0.1, 0.0, 1e-2),
    (1e-3, 0.0, 1e-4),  # small numbers are not compared relative to themselves
])  # fmt: skip
def test_check_close_raises_with_the_difference(got, want, tol, capsys):
    with pytest.raises(AssertionError, match=r"eq:a: \|difference\| is"):
        check_close("eq:a", got, want, tol)
    assert not capsys.readouterr().out


@pytest.mark.parametrize("got, want", [([1, 2], [1, 2, 3]), ([[1], [2]], [1, 2]), ([], [])])
def test_check_close_refuses_misfits(got, want):
    with pytest.raises(ValueError, match="eq:a"):
        check_close("eq:a", got, want)


def test_check_close_takes_tensors():
    minigrad = pytest.importorskip("minigrad")
    x = minigrad.Tensor([1.0, 2.0], requires_grad=True)
    check_close("eq:a", x * 2, np.array([2.0, 4.0]))
    check_close("eq:a", np.array([2.0, 4.0]), x * 2)
