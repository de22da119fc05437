"""What all losses have in common: reductions, leading axes, dtypes."""

import inspect

import numpy as np
import pytest
from loss_inputs import RNG, W, Y
from scipy.special import softmax

from minigrad import Tensor
from minigrad import losses as L


@pytest.mark.parametrize(
    "name,defaults",
    [
        ("quantile_loss", {"q": 0.5}),
        ("focal_loss", {"gamma": 2.0, "alpha": None}),  # Lin et al. (2017)
        ("ranknet_loss", {"sigma": 1.0, "ties": False}),
        ("lambdarank_loss", {"sigma": 1.0}),
        ("cosent_loss", {"scale": 20}),
        ("circle_loss", {"m": 0.25, "gamma": 256}),  # Sun et al. (2020), for faces
        ("contrastive_loss", {"margin": 1.0}),
        ("info_nce_loss", {"temperature": 0.1}),
        ("clip_loss", {"temperature": 0.07}),  # Radford et al. (2021), its first value
    ],
)
def test_defaults(name, defaults):
    parameters = inspect.signature(getattr(L, name)).parameters
    assert {k: parameters[k].default for k in defaults} == defaults


@pytest.mark.parametrize("name", L.__all__)
def test_the_mean_is_the_default(name):
    assert inspect.signature(getattr(L, name)).parameters["reduction"].default == "mean"


R = np.random.default_rng(9)
A, B, C = R.normal(0, 1, (3, 2, 4, 3))
BITS = R.integers(0, 2, (2, 4))
ALONG_THE_LAST = {  # of arrays (2, 4, ...): the same as of each of the two
    "triplet": (L.triplet_margin_loss, (A, B, C)),
    "triplet-1": (lambda *x, **k: L.triplet_margin_loss(*x, p=1.0, **k), (A, B, C)),
    "triplet-3": (lambda *x, **k: L.triplet_margin_loss(*x, p=3.0, swap=True, **k), (A, B, C)),
    "triplet-inf": (lambda *x, **k: L.triplet_margin_loss(*x, p=np.inf, **k), (A, B, C)),
    "cosine": (L.cosine_embedding_loss, (A, B, 2 * BITS - 1)),
    "contrastive": (L.contrastive_loss, (A, B, BITS)),
    "kl": (L.kl_divergence, (softmax(A, -1), softmax(B, -1))),
    "js": (L.js_divergence, (softmax(A, -1), softmax(B, -1))),
    "ranknet": (L.ranknet_loss, (A, R.integers(0, 3, (2, 4, 3)))),
    "ranknet-ties": (lambda *x, **k: L.ranknet_loss(*x, ties=True, **k), (A, R.integers(0, 2, (2, 4, 3)))),
    "lambdarank": (L.lambdarank_loss, (A, R.integers(0, 3, (2, 4, 3)))),
    "listnet": (L.listnet_loss, (A, B)),
    "cosent": (L.cosent_loss, (A, B)),
    "circle": (L.circle_loss, (A, B[..., :2])),
    "nce": (L.nce_loss, (A[..., 0], B[..., 0], A, B)),
    "focal": (L.focal_loss, (A, R.integers(0, 3, (2, 4)))),
    "focal-2": (L.focal_loss, (A[..., 0], BITS)),
}  # fmt: skip


@pytest.mark.parametrize("key", ALONG_THE_LAST)
def test_leading_axes_are_single_losses(key):
    f, arrays = ALONG_THE_LAST[key]
    whole = f(*arrays, reduction="none").numpy()
    assert whole.shape == (2, 4)
    parts = [[f(*(a[i, j] for a in arrays)).item() for j in range(4)] for i in range(2)]
    np.testing.assert_allclose(whole, parts, rtol=1e-12, atol=1e-15)


def test_weights_broadcast():
    x, y = softmax(A[0], -1), BITS[0][:, None] * np.ones(3)
    for f in (L.binary_cross_entropy, L.binary_cross_entropy_with_logits):
        w = W[4][:, None]
        want = f(x, y, reduction="none").numpy() * w
        np.testing.assert_allclose(f(x, y, weight=w, reduction="none").numpy(), want)
        np.testing.assert_allclose(f(x, y, weight=Tensor(w, requires_grad=True)).item(), want.mean())


def test_a_mean_of_ten_thousand_is_no_difficulty():
    x = (1e4 + np.arange(4)).astype(np.float32)
    assert L.mse_loss(x, x + np.float32(1)).item() == 1
    assert L.huber_loss(x, x + np.float32(1)).item() == 0.5


def test_dtypes_of_lists_and_integers():
    x = Tensor(np.array([0.5, 0.25], np.float32), requires_grad=True)
    for loss in (
        L.mse_loss(x, [0.1, 0.2]),
        L.mse_loss(x, np.array([1, 0])),
        L.huber_loss(x, [1, 0], delta=np.float64(0.1), weight=np.ones(2)),
        L.binary_cross_entropy(x, [1, 0], weight=[1.0, 2.0]),
        L.cross_entropy(x, 1, weight=np.ones(2), label_smoothing=np.float64(0.1)),
        L.cross_entropy(x, [0.5, 0.5]),
        L.ranknet_loss(x, [1, 0], sigma=np.float64(2)),
        L.lambdarank_loss(x, [1, 0]),
        L.focal_loss(x, [1, 0], alpha=0.25),
        L.margin_ranking_loss(x, x, [1, -1], margin=np.float64(1)),
    ):
        assert loss.dtype == np.float32
    assert L.mse_loss(np.array([0], np.uint8), np.array([1], np.uint8)).item() == 1  # not 255^2
    assert L.focal_loss([1.0, -1.0], np.array([1, 0], np.uint8)).item() < 0.1
    assert L.focal_loss([1.0, -1.0], [True, False]).item() < 0.1
    assert L.cross_entropy(np.eye(3), np.array([0, 1, 2], np.uint8)).item() < 1
    assert L.cross_entropy(np.eye(3), [[1, 0, 0], [0, 1, 0], [0, 0, 1]]).item() < 1  # one-hot


def test_targets_may_be_tensors():
    z = Tensor(RNG.normal(size=(4, 3)), requires_grad=True)
    assert L.cross_entropy(z, Tensor(Y)).item() == L.cross_entropy(z, Y).item()
    assert L.nll_loss(z, Tensor(Y), weight=Tensor(W[3])).item() == L.nll_loss(z, Y, W[3]).item()
    assert L.ranknet_loss(z, Tensor(Y[:3] + np.zeros((4, 1)))).item() > 0
    y = Tensor(RNG.normal(size=(4, 3)), requires_grad=True)
    L.mse_loss(z, y, "sum").backward()
    np.testing.assert_allclose(y.grad, -z.grad)
