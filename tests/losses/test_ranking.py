"""Ranking losses: the papers' formulas, written out with loops."""

import itertools

import numpy as np
from loss_inputs import RNG, gradient, pairs, reduced, sigma
from scipy.special import softmax

from compares import compares
from minigrad import losses as L


@compares("Burges et al. 2005", "losses.ranknet_loss")
def test_ranknet_is_the_formula():
    s, r = RNG.normal(size=(2, 5)), np.array([[3, 0, 1, 1, 2], [0, 0, 1, 0, 1]])

    def cost(s_i, s_j, S):
        P_bar, P = (1 + S) / 2, sigma(0.7 * (s_i - s_j))
        return -P_bar * np.log(P) - (1 - P_bar) * np.log(1 - P)

    want, tied = np.zeros(2), np.zeros(2)
    for k in range(2):
        for i, j in itertools.combinations(range(5), 2):
            S = np.sign(r[k, i] - r[k, j])
            tied[k] += cost(s[k, i], s[k, j], S)
            want[k] += cost(s[k, i], s[k, j], S) * (S != 0)
    np.testing.assert_allclose(reduced(L.ranknet_loss, s, r, 0.7), want, rtol=1e-12)
    np.testing.assert_allclose(reduced(L.ranknet_loss, s, r, 0.7, ties=True), tied, rtol=1e-12)
    # one pair: -log sigmoid(s_i - s_j)
    np.testing.assert_allclose(L.ranknet_loss([0.3, -0.4], [1, 0]).item(), -np.log(sigma(0.7)))


def dcg(r, order):
    return sum((2.0 ** r[i] - 1) / np.log2(2 + k) for k, i in enumerate(order))


@compares("Burges 2010", "losses.lambdarank_loss")
def test_lambdarank_is_ranknet_with_the_change_of_ndcg():
    s, r = RNG.normal(size=6), np.array([3, 0, 1, 1, 2, 4])
    order = list(np.argsort(-s))
    best = dcg(r, np.argsort(-r))
    want, lam = 0, np.zeros(6)
    for i, j in pairs(r):
        swapped = [{i: j, j: i}.get(k, k) for k in order]
        delta = abs(dcg(r, swapped) - dcg(r, order)) / best
        want += delta * np.log1p(np.exp(-0.7 * (s[i] - s[j])))
        lambda_ij = -0.7 / (1 + np.exp(0.7 * (s[i] - s[j]))) * delta  # section 4
        lam[i] += lambda_ij
        lam[j] -= lambda_ij
    np.testing.assert_allclose(L.lambdarank_loss(s, r, 0.7).item(), want, rtol=1e-12)
    np.testing.assert_allclose(gradient(lambda s: L.lambdarank_loss(s, r, 0.7), s), lam, rtol=1e-10)
    stacked = reduced(L.lambdarank_loss, np.stack([s, -s]), np.stack([r, r]), sigma=0.7)
    np.testing.assert_allclose(stacked[0], want, rtol=1e-12)


def test_ranking_without_a_preference_costs_nothing():
    s = np.array([[1.0, 2.0], [2.0, 1.0]])
    for f in (L.ranknet_loss, L.lambdarank_loss):
        assert f(s, [[1, 1], [0, 0]], reduction="none").numpy().tolist() == [0, 0]
        assert f([1.0], [3]).item() == 0
    # equal scores rank in the order they stand in
    assert L.lambdarank_loss([1.0, 1.0], [0, 1]).item() > 0
    # a grade of 2000 would overflow 2^r
    assert np.isfinite(L.lambdarank_loss([1.0, 2.0], [2000, 0]).item())


@compares("Cao et al. 2007", "losses.listnet_loss")
def test_listnet_is_the_formula():
    s, r = RNG.normal(size=(2, 5)), np.array([[3, 0, 1, 1, 2], [0, 0, 1, 0, 1]])
    want = -(softmax(r, axis=-1) * np.log(softmax(s, axis=-1))).sum(axis=-1)
    np.testing.assert_allclose(reduced(L.listnet_loss, s, r), want, rtol=1e-12)
    # top one probability is the sum over all permutations that begin with it (Plackett-Luce)
    e, first = np.exp(s[0]), np.zeros(5)
    for order in itertools.permutations(range(5)):
        first[order[0]] += np.prod([e[order[k]] / e[list(order[k:])].sum() for k in range(5)])
    want = -(softmax(r[0]) * np.log(first)).sum()
    np.testing.assert_allclose(L.listnet_loss(s[0], r[0]).item(), want, rtol=1e-12)
