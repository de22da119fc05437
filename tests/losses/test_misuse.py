"""What the losses refuse, and what they say."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from loss_inputs import REDUCTIONS, S4, W, Y, shapes

from minigrad import Tensor
from minigrad import losses as L

X, P3 = np.zeros((4, 3)), np.full((4, 3), 1 / 3)
PAIRS = ["mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "log_cosh_loss", "quantile_loss",
         "binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div", "hinge_embedding_loss",
         "kl_divergence", "js_divergence", "ranknet_loss", "lambdarank_loss", "listnet_loss",
         "cosent_loss", "info_nce_loss", "clip_loss"]  # fmt: skip
BAD = [
    (lambda: L.mse_loss(X, X, reduction="average"), ValueError, 'mse_loss: reduction must be "mean", "sum" or "none", got \'average\''),
    (lambda: L.cross_entropy(X, Y, reduction=None), TypeError, 'cross_entropy: reduction must be "mean", "sum" or "none", got None'),
    (lambda: L.mse_loss(X[:0], X[:0]), ValueError, r"mse_loss: the mean over no losses does not exist \(shape \(0, 3\)"),
    (lambda: L.mse_loss("x", X), TypeError, "mse_loss: input must hold real numbers or booleans, got dtype <U1"),
    (lambda: L.mse_loss([[1.0], [1.0, 2.0]], X), ValueError, "mse_loss: input must be an array of numbers, got a nested list whose rows differ in length"),
    (lambda: L.mse_loss(X, X, weight=W[3]), ValueError, r"mse_loss: weight \(3,\) and input \(4, 3\) must have the same shape"),
    (lambda: L.mse_loss(X, X, weight=-P3), ValueError, "mse_loss: weight must be finite and at least 0, got -0.33"),
    (lambda: L.mse_loss(X, X, weight=np.full((4, 3), np.inf)), ValueError, "mse_loss: weight must be finite and at least 0, got inf"),
    (lambda: L.mse_loss(X, X, weight=0 * P3), ValueError, "the mean over no losses"),
    (lambda: L.l1_loss(X, X, weight=P3 * np.nan), ValueError, "l1_loss: weight must be finite and at least 0, got nan"),
    (lambda: L.huber_loss(X, X, delta=0), ValueError, r"huber_loss: delta must be in \(0, inf\), got 0"),
    (lambda: L.smooth_l1_loss(X, X, beta=-1.0), ValueError, r"smooth_l1_loss: beta must be in \[0, inf\), got -1\.0"),
    (lambda: L.quantile_loss(X, X, q=1.0), ValueError, r"quantile_loss: q must be in \(0, 1\), got 1.0"),
    (lambda: L.quantile_loss(X, X, q="a"), TypeError, r"quantile_loss: q must be a number in \(0, 1\), got 'a'"),
    (lambda: L.cross_entropy(X, [0, 1, 7, 2]), ValueError, r"cross_entropy: target must be in \[0, 3\), got 7 at row 2"),
    (lambda: L.cross_entropy(X, [0, -1, 1, 2]), ValueError, r"cross_entropy: target must be in \[0, 3\), got -1 at row 1"),
    (lambda: L.cross_entropy(X, [0, -1, 1, -2], ignore_index=-1), ValueError, "got -2 at row 3"),
    (lambda: L.cross_entropy(np.zeros((4, 3, 2)), np.full((4, 2), 3)), ValueError, r"got 3 at \(0, 0\)"),
    (lambda: L.cross_entropy(X[0], 3), ValueError, r"cross_entropy: target must be in \[0, 3\), got 3"),
    (lambda: L.cross_entropy(X, [0, 1, 2]), ValueError, r"cross_entropy: target must be class numbers of shape \(4,\), got \(3,\)"),
    (lambda: L.cross_entropy(X, [0.0, 1.0, 2.0, 0.0]), TypeError, r"cross_entropy: target must be class numbers \(integers\), got float64"),
    (lambda: L.cross_entropy(X, [True, False, True, True]), TypeError, r"cross_entropy: target must be class numbers \(integers\), got bool"),
    (lambda: L.cross_entropy(X, [[1], [2, 3]]), ValueError, "cross_entropy: target must be an array of numbers, got a nested list whose rows differ in length"),
    (lambda: L.cross_entropy(X, [-100] * 4), ValueError, "cross_entropy: the mean over no losses"),
    (lambda: L.cross_entropy(X, Y, ignore_index=1.5), TypeError, r"cross_entropy: ignore_index must be an integer in \(-inf, inf\), got 1\.5"),
    (lambda: L.cross_entropy(X, P3, ignore_index="a"), TypeError, r"cross_entropy: ignore_index must be an integer in \(-inf, inf\), got 'a'"),
    (lambda: L.nll_loss(X, Y, ignore_index=None), TypeError, r"nll_loss: ignore_index must be an integer in \(-inf, inf\), got None"),
    (lambda: L.cross_entropy(3.0, 0), ValueError, r"cross_entropy: input must be \(K,\), \(N, K\) or \(N, K, d...\) with K >= 1 classes, got \(\)"),
    (lambda: L.cross_entropy(np.zeros((4, 0)), [0] * 4), ValueError, "with K >= 1 classes"),
    (lambda: L.cross_entropy(X, Y, weight=[1.0, 2.0]), ValueError, r"cross_entropy: weight must broadcast to shape \(3,\), got shape \(2,\)"),
    (lambda: L.cross_entropy(X, Y, weight=[1.0]), ValueError, r"cross_entropy: weight must have one entry for each of the 3 classes"),
    (lambda: L.cross_entropy(X, Y, weight=[1.0, -1.0, 1.0]), ValueError, "weight must be finite and at least 0, got -1.0 at row 1"),
    (lambda: L.cross_entropy(X, Y, weight=[0.0] * 3), ValueError, "the mean over no losses"),
    (lambda: L.cross_entropy(X, Y, label_smoothing=1.1), ValueError, r"label_smoothing must be in \[0, 1\], got 1.1"),
    (lambda: L.cross_entropy(X, P3 * 2), ValueError, "cross_entropy: the sum of target must be 1, got 2.0 at row 0"),
    (lambda: L.cross_entropy(X, [[1.5, -0.5, 0.0]] * 4), ValueError, r"cross_entropy: target must be probabilities, at least 0, got -0.5 at \(0, 1\)"),
    (lambda: L.cross_entropy(X, P3 * np.nan), ValueError, "target must be probabilities, at least 0, got nan"),
    (lambda: L.cross_entropy(X, P3, ignore_index=1), ValueError, "cross_entropy: ignore_index is for class numbers, got 1 and distributions"),
    (lambda: L.nll_loss(X, [0, 1, 7, 2]), ValueError, r"nll_loss: target must be in \[0, 3\), got 7 at row 2"),
    (lambda: L.binary_cross_entropy(X + 1.5, X), ValueError, r"binary_cross_entropy: input must be in \[0, 1\], got 1.5 at \(0, 0\)"),
    (lambda: L.binary_cross_entropy(X * np.nan, X), ValueError, "binary_cross_entropy: input must be in"),
    (lambda: L.binary_cross_entropy(X, X - 1), ValueError, r"binary_cross_entropy: target must be in \[0, 1\], got -1.0"),
    (lambda: L.binary_cross_entropy_with_logits(X, X + 2), ValueError, r"target must be in \[0, 1\], got 2.0"),
    (lambda: L.binary_cross_entropy_with_logits(X, X, pos_weight=[1.0] * 4), ValueError, r"pos_weight must broadcast to shape \(4, 3\), got shape \(4,\)"),
    (lambda: L.binary_cross_entropy_with_logits(X, X, weight=[X]), ValueError, r"weight must broadcast to shape \(4, 3\), got shape \(1, 4, 3\)"),
    (lambda: L.kl_div(X, X - 1), ValueError, "kl_div: target must be probabilities, at least 0, got -1.0"),
    (lambda: L.kl_div(X[:0], X[:0], reduction="batchmean"), ValueError, "kl_div: the mean over no losses"),
    (lambda: L.mse_loss(X, X, reduction="batchmean"), ValueError, "mse_loss: reduction must be"),
    (lambda: L.kl_divergence(P3, P3 / 2), ValueError, "kl_divergence: the sum of q must be 1, got 0.5 at row 0"),
    (lambda: L.kl_divergence(P3 - 1, P3), ValueError, r"kl_divergence: p must be probabilities, at least 0, got -0.66\d+ at \(0, 0\)"),
    (lambda: L.kl_divergence(1.0, 1.0), ValueError, r"kl_divergence: p must hold distributions on its last axis, got shape \(\)"),
    (lambda: L.js_divergence(np.zeros((2, 0)), np.zeros((2, 0))), ValueError, "js_divergence: p must hold distributions"),
    (lambda: L.focal_loss(X, [0, 1, 3, 2]), ValueError, r"focal_loss: targets must be in \[0, 3\), got 3 at row 2"),
    (lambda: L.focal_loss(X, [0, 1, -1, 2]), ValueError, r"focal_loss: targets must be in \[0, 3\), got -1 at row 2"),
    (lambda: L.focal_loss(X, X + 0.5), ValueError, r"focal_loss: targets must be 0 or 1, got 0.5 at \(0, 0\)"),
    (lambda: L.focal_loss(X[:, :1], Y), ValueError, r"focal_loss: logits must be \(..., K\) with K >= 2 classes"),
    (lambda: L.focal_loss(X, Y, gamma=-1), ValueError, r"focal_loss: gamma must be in \[0, inf\), got -1"),
    (lambda: L.focal_loss(X, X, alpha=2), ValueError, r"focal_loss: alpha must be in \[0, 1\], got 2"),
    (lambda: L.focal_loss(X, X, alpha=[0.5]), TypeError, r"focal_loss: alpha must be a number in \[0, 1\], got \[0\.5\]"),
    (lambda: L.focal_loss(X, Y, alpha=0.25), ValueError, r"focal_loss: alpha must have one entry for each of the 3 classes, got shape \(\)"),
    (lambda: L.focal_loss(X, Y[:3]), ValueError, r"focal_loss: targets must be class numbers of shape \(4,\), got \(3,\)"),
    (lambda: L.margin_ranking_loss(X, X, X), ValueError, r"margin_ranking_loss: target must be 1 or -1, got 0.0 at \(0, 0\)"),
    (lambda: L.margin_ranking_loss(X, X, Y), ValueError, r"margin_ranking_loss: input1 \(4, 3\) and target \(4,\) must have the same shape"),
    (lambda: L.margin_ranking_loss(X, X, X + 1, margin=np.nan), ValueError, r"margin_ranking_loss: margin must be in \(-inf, inf\), got nan"),
    (lambda: L.hinge_embedding_loss(X, X), ValueError, "hinge_embedding_loss: target must be 1 or -1, got 0.0"),
    (lambda: L.ranknet_loss(X, X, sigma=0.0), ValueError, r"ranknet_loss: sigma must be in \(0, inf\), got 0\.0"),
    (lambda: L.ranknet_loss(X, X * np.nan), ValueError, "ranknet_loss: relevance must be finite, got nan"),
    (lambda: L.ranknet_loss(1.0, 1.0), ValueError, r"ranknet_loss: scores must be lists \(..., n\) with n >= 1, got \(\)"),
    (lambda: L.lambdarank_loss(X, X - 1), ValueError, "lambdarank_loss: relevance must be at least 0, got -1.0"),
    (lambda: L.listnet_loss(np.zeros((2, 0)), np.zeros((2, 0))), ValueError, "listnet_loss: scores must be lists"),
    (lambda: L.cosent_loss(X, X, scale=-1), ValueError, r"cosent_loss: scale must be in \(0, inf\), got -1"),
    (lambda: L.cosent_loss([], []), ValueError, r"cosent_loss: similarities must be lists \(..., n\) with n >= 1, got \(0,\)"),
    (lambda: L.circle_loss(X, X[:3]), ValueError, r"circle_loss: sp must be \(..., K\) and sn \(..., L\) with equal leading axes, K and L at least 1, got \(4, 3\) and \(3, 3\)"),
    (lambda: L.circle_loss([0.5], []), ValueError, "circle_loss: sp must be"),
    (lambda: L.circle_loss([0.5], 0.1), ValueError, "circle_loss: sp must be"),
    (lambda: L.circle_loss([0.5], [0.1], gamma=0), ValueError, r"circle_loss: gamma must be in \(0, inf\), got 0"),
    (lambda: L.circle_loss([0.5], [0.1], m=np.inf), ValueError, r"circle_loss: m must be in \(-inf, inf\), got inf"),
    (lambda: L.triplet_margin_loss(X, X, X, margin=0), ValueError, r"triplet_margin_loss: margin must be in \(0, inf\), got 0"),
    (lambda: L.triplet_margin_loss(X, X, X, p=0), ValueError, r"triplet_margin_loss: p must be in \(0, inf\], got 0"),
    (lambda: L.triplet_margin_loss(X, X, X, eps=-1e-6), ValueError, r"triplet_margin_loss: eps must be in \[0, inf\), got -1e-06"),
    (lambda: L.triplet_margin_loss(X, X, X[:, :2]), ValueError, r"anchor \(4, 3\) and negative \(4, 2\) must have the same shape"),
    (lambda: L.triplet_margin_loss(1.0, 1.0, 1.0), ValueError, "triplet_margin_loss: anchor must hold vectors on its last axis"),
    (lambda: L.cosine_embedding_loss(X, X, [1, -1, 0, 1]), ValueError, "cosine_embedding_loss: target must be 1 or -1, got 0.0 at row 2"),
    (lambda: L.cosine_embedding_loss(X, X, [1]), ValueError, r"cosine_embedding_loss: target must have one entry for each vector, shape \(4,\), got \(1,\)"),
    (lambda: L.cosine_embedding_loss(X, X, S4, margin=1.5), ValueError, r"margin must be in \[-1, 1\], got 1.5"),
    (lambda: L.contrastive_loss(X, X, S4), ValueError, "contrastive_loss: similar must be 0 or 1, got -1.0 at row 1"),
    (lambda: L.contrastive_loss(X, X, X), ValueError, "contrastive_loss: similar must have one entry for each vector"),
    (lambda: L.contrastive_loss(X, X, [0] * 4, margin=0), ValueError, r"contrastive_loss: margin must be in \(0, inf\), got 0"),
    (lambda: L.info_nce_loss(X, X, temperature=0), ValueError, r"info_nce_loss: temperature must be in \(0, inf\), got 0"),
    (lambda: L.info_nce_loss(X, X, Tensor([-1.0])), ValueError, r"info_nce_loss: temperature must be in \(0, inf\), got -1\.0"),
    (lambda: L.clip_loss(X, X, Tensor([1.0, 2.0])), ValueError, r"clip_loss: temperature must be one number, got shape \(2,\)"),
    (lambda: L.clip_loss(X[0], X[0]), ValueError, r"clip_loss: image and text must be \(N, D\), neither being 0, got \(3,\)"),
    (lambda: L.info_nce_loss(X[:0], X[:0]), ValueError, r"query and key must be \(N, D\), neither being 0, got \(0, 3\)"),
    (lambda: L.nce_loss(X[0], X[0], X, X), ValueError, r"nce_loss: log_model_at_noise must be \(3,\) and one more axis of k >= 1 samples, got \(4, 3\)"),
    (lambda: L.nce_loss(X[0], X[0], X[0], X[0]), ValueError, "nce_loss: log_model_at_noise must be"),
    (lambda: L.nce_loss(X[0], X[0], X.T[:, :0], X.T[:, :0]), ValueError, "nce_loss: log_model_at_noise must be"),
    (lambda: L.nce_loss(X[0], X[0, :2], X.T, X.T), ValueError, r"log_model \(3,\) and log_noise \(2,\) must have the same shape"),
    (lambda: L.nce_loss(X[0], X[0], X.T, X), ValueError, r"log_model_at_noise \(3, 4\) and log_noise_at_noise \(4, 3\) must"),
]  # fmt: skip


@pytest.mark.parametrize("call,error,message", BAD)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


@settings(max_examples=40, deadline=None)
@given(shapes, shapes, st.sampled_from(PAIRS))
def test_shapes_must_agree(a, b, name):
    assume(a != b)
    with pytest.raises(ValueError, match=f"^{name}: .* must have the same shape"):
        getattr(L, name)(np.zeros(a), np.zeros(b))


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["cross_entropy", "nll_loss", "focal_loss"]),
    y=hnp.arrays(np.int64, (4,), elements=st.integers(-3, 5)),
)
def test_class_numbers_are_checked(name, y):
    f = getattr(L, name)
    if ((y >= 0) & (y < 3)).all():
        assert np.isclose(f(X, y).item(), 0 if name == "nll_loss" else f(X, Y).item())
    else:
        row = int(np.argmax((y < 0) | (y >= 3)))
        with pytest.raises(ValueError, match=rf"{name}: targets? must be in \[0, 3\), got {y[row]} at row {row}"):
            f(X, y)


@settings(max_examples=60, deadline=None)
@given(y=hnp.arrays(np.float64, (4,), elements=st.sampled_from([1.0, -1.0, -1.0, 0.0, 0.5, np.nan, np.inf])))
def test_signs_are_checked(y):
    good = np.isin(y, [1, -1])
    for f in (
        lambda: L.margin_ranking_loss(X[:, 0], X[:, 0], y),
        lambda: L.hinge_embedding_loss(X[:, 0], y),
        lambda: L.cosine_embedding_loss(X, X, y),
    ):
        if good.all():
            f()
        else:
            with pytest.raises(ValueError, match=f"target must be 1 or -1, got .* at row {good.argmin()}"):
                f()


@settings(max_examples=60, deadline=None)
@given(p=hnp.arrays(np.float64, (3,), elements=st.floats(-0.5, 1.5)), fix=st.booleans())
def test_distributions_are_checked(p, fix):
    if fix and p.sum() > 0.01:
        p = p / p.sum()
    good = (p >= 0).all() and abs(p.sum() - 1) <= 1e-5
    for f in (L.kl_divergence, L.js_divergence, lambda p, q: L.cross_entropy(q, p)):
        if good:
            f(p, P3[0])
        else:
            with pytest.raises(ValueError, match="must be (probabilities|1)"):
                f(p, P3[0])


@settings(max_examples=40, deadline=None)
@given(bad=st.just(np.nan) | st.floats(max_value=-2))
def test_options_must_be_in_range(bad):
    for key, call in {
        "huber_loss: delta": lambda: L.huber_loss(X, X, delta=bad),
        "smooth_l1_loss: beta": lambda: L.smooth_l1_loss(X, X, beta=bad),
        "quantile_loss: q": lambda: L.quantile_loss(X, X, q=bad),
        "cross_entropy: label_smoothing": lambda: L.cross_entropy(X, Y, label_smoothing=bad),
        "focal_loss: gamma": lambda: L.focal_loss(X, Y, gamma=bad),
        "cosent_loss: scale": lambda: L.cosent_loss(X, X, scale=bad),
        "circle_loss: gamma": lambda: L.circle_loss(X, X, gamma=bad),
        "triplet_margin_loss: margin": lambda: L.triplet_margin_loss(X, X, X, margin=bad),
        "triplet_margin_loss: p": lambda: L.triplet_margin_loss(X, X, X, p=bad),
        "cosine_embedding_loss: margin": lambda: L.cosine_embedding_loss(X, X, S4, margin=bad),
        "contrastive_loss: margin": lambda: L.contrastive_loss(X, X, [0] * 4, margin=bad),
        "info_nce_loss: temperature": lambda: L.info_nce_loss(X, X, temperature=bad),
    }.items():
        with pytest.raises(ValueError, match=key):
            call()


@settings(max_examples=20, deadline=None)
@given(reduction=st.text(max_size=8).filter(lambda r: r not in REDUCTIONS))
def test_reductions_are_checked(reduction):
    for f, args in (
        (L.mse_loss, (X, X)), (L.cross_entropy, (X, Y)), (L.cross_entropy, (X, P3)), (L.kl_div, (X, P3)),
        (L.focal_loss, (X, Y)), (L.clip_loss, (X, X)), (L.circle_loss, (X, X)), (L.ranknet_loss, (X, X)),
    ):  # fmt: skip
        if not (f is L.kl_div and reduction == "batchmean"):
            with pytest.raises(ValueError, match=f"{f.__name__}: reduction must be"):
                f(*args, reduction=reduction)
