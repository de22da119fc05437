"""Contrastive losses: the papers' formulas, written out with loops."""

import numpy as np
import pytest
from loss_inputs import RNG, F, gradient, reduced, slopes

from compares import compares
from derivatives import assert_same, ours, theirs
from minigrad import Tensor
from minigrad import losses as L
from torch_reference import needs_torch, torch


@compares("Hadsell, Chopra & LeCun 2006, eq. 4", "losses.contrastive_loss")
def test_contrastive_is_the_formula():
    a, b = RNG.normal(0, 1, (2, 6, 3))
    y = np.array([1, 0, 1, 0, 0, 1])
    b[1] = a[1] + 0.5  # a pair within the margin
    D = np.sqrt(((a - b) ** 2).sum(axis=1))
    want = np.where(y == 1, D**2 / 2, np.maximum(0, 2 - D) ** 2 / 2)
    np.testing.assert_allclose(reduced(L.contrastive_loss, a, b, y, 2.0), want, rtol=1e-12)
    assert (D[y == 0] < 2).any()
    slope = slopes(lambda a: L.contrastive_loss(a, b, y, 2.0).item(), a)
    np.testing.assert_allclose(gradient(lambda a: L.contrastive_loss(a, b, y, 2.0), a), slope, atol=1e-8)
    # equal vectors: at the margin's height, without a direction
    assert gradient(lambda a: L.contrastive_loss(a, b[:2], [0, 1]), b[:2]).tolist() == [[0] * 3] * 2
    np.testing.assert_allclose(L.contrastive_loss(b, b, np.zeros(6)).item(), 0.5)


def info_nce(q, k, tau):
    q = q / np.linalg.norm(q, axis=1, keepdims=True)
    k = k / np.linalg.norm(k, axis=1, keepdims=True)
    e = np.exp(q @ k.T / tau)
    return -np.log(np.diag(e) / e.sum(axis=1))


@compares("Radford et al. 2021, figure 3", "losses.clip_loss")
@compares("van den Oord, Li & Vinyals 2018, eq. 4", "losses.info_nce_loss")
def test_info_nce_and_clip_are_the_formulas():
    q, k = RNG.normal(0, 3, (2, 5, 4))
    np.testing.assert_allclose(reduced(L.info_nce_loss, q, k), info_nce(q, k, 0.1), rtol=1e-11)
    np.testing.assert_allclose(reduced(L.info_nce_loss, q, k, 0.5), info_nce(q, k, 0.5), rtol=1e-11)
    both = (info_nce(q, k, 0.07) + info_nce(k, q, 0.07)) / 2
    np.testing.assert_allclose(reduced(L.clip_loss, q, k), both, rtol=1e-11)
    # all pairs alike: a guess among N
    np.testing.assert_allclose(L.info_nce_loss(np.ones((5, 2)), np.ones((5, 2))).item(), np.log(5))
    assert L.info_nce_loss(q, q, 0.001).item() < 1e-12 and L.info_nce_loss(q[:1], k[:1]).item() == 0


@pytest.mark.parametrize("f", [L.info_nce_loss, L.clip_loss])
def test_contrasts_have_these_slopes_and_ignore_lengths(f):
    q, k = RNG.normal(0, 3, (2, 5, 4))
    slope = slopes(lambda q: f(q, k, 0.5).item(), q)
    np.testing.assert_allclose(gradient(lambda q: f(q, k, 0.5), q), slope, atol=1e-8)
    tau = Tensor([0.5], requires_grad=True)
    f(q, k, tau).backward()
    slope = slopes(lambda tau: f(q, k, tau.item()).item(), np.array([0.5]))
    np.testing.assert_allclose(tau.grad, slope, atol=1e-8)
    np.testing.assert_allclose(f(7 * q, k / 9).item(), f(q, k).item(), rtol=1e-12)


@needs_torch
def test_info_nce_equals_pytorchs_building_blocks():
    q, k = RNG.normal(0, 3, (2, 5, 4))

    def compute(q, k):
        q, k = F.normalize(q), F.normalize(k)
        return F.cross_entropy(q @ k.T / 0.1, torch.arange(5), reduction="none")

    assert_same(ours(lambda q, k: L.info_nce_loss(q, k, reduction="none"), [q, k]), theirs(torch, compute, [q, k]), rtol=1e-9, atol=1e-10)  # fmt: skip
