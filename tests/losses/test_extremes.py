"""Losses of very large and very small numbers, in every precision."""

import numpy as np
import pytest

from derivatives import ours
from minigrad import Tensor, grad
from minigrad import losses as L

BIG = np.array([1000.0, -1000.0, 0.0, 20.0])
EDGE = {
    "l1": lambda x: L.l1_loss(x, -x, "none"),
    "huber": lambda x: L.huber_loss(x, -x, "none"),
    "smooth_l1": lambda x: L.smooth_l1_loss(x, -x, "none"),
    "log_cosh": lambda x: L.log_cosh_loss(x, -x, "none"),
    "quantile": lambda x: L.quantile_loss(x, -x, 0.3, "none"),
    "ce": lambda x: L.cross_entropy(np.stack([x, -x]), [1, 0], reduction="none"),
    "ce-smooth": lambda x: L.cross_entropy(x, 2, label_smoothing=0.1),
    "ce-p": lambda x: L.cross_entropy(x, [0.25] * 4),
    "nll": lambda x: L.nll_loss(x, 1),
    "bce": lambda x: L.binary_cross_entropy(np.clip(x, 0, 1), [0, 1, 1, 0], reduction="none"),
    "bcel": lambda x: L.binary_cross_entropy_with_logits(x, [0, 1, 1, 0], reduction="none"),
    "bcel-pos": lambda x: L.binary_cross_entropy_with_logits(x, [0, 1, 1, 0], pos_weight=3.0, reduction="none"),
    "focal": lambda x: L.focal_loss(x, [0, 1, 1, 0], reduction="none"),
    "focal-K": lambda x: L.focal_loss(np.stack([x, -x]), [1, 0], gamma=0.5, reduction="none"),
    "kl_div": lambda x: L.kl_div(x, [0, 1, 0, 0], "none"),
    "kl_div-log": lambda x: L.kl_div(x, -np.abs(x), "none", log_target=True),
    "ranking": lambda x: L.margin_ranking_loss(x, -x, [1, -1, 1, -1], 0.5, "none"),
    "ranknet": lambda x: L.ranknet_loss(x, [2, 1, 0, 3]),
    "lambdarank": lambda x: L.lambdarank_loss(x, [2, 1, 0, 3]),
    "listnet": lambda x: L.listnet_loss(x, [2, 1, 0, 3]),
    "cosent": lambda x: L.cosent_loss(x / 1000, [2, 1, 0, 3]),
    "circle": lambda x: L.circle_loss(x / 1000, -x / 1000),
    "hinge": lambda x: L.hinge_embedding_loss(x, [1, -1, 1, -1], 0.5, "none"),
    "triplet": lambda x: L.triplet_margin_loss(x, -x, x / 2, reduction="none"),
    "triplet-zero": lambda x: L.triplet_margin_loss(x, x, x, eps=0.0, swap=True),
    "triplet-zero-p3": lambda x: L.triplet_margin_loss(x, x, x, p=3.0, eps=0.0),
    "triplet-p3": lambda x: L.triplet_margin_loss(x, -x, x / 2, p=3.0),
    "cosine": lambda x: L.cosine_embedding_loss(x, x[::-1], 1),
    "cosine-zero": lambda x: L.cosine_embedding_loss(x * 0.0, x, -1, margin=-0.5),
    "contrastive": lambda x: L.contrastive_loss(x, x + 0.0, 0),
    "contrastive-far": lambda x: L.contrastive_loss(x, -x, 0),
    "info_nce": lambda x: L.info_nce_loss(np.stack([x, -x]), np.stack([x, x * 0.0])),
    "clip": lambda x: L.clip_loss(np.stack([x, -x]), np.stack([x, x * 0.0])),
    "nce": lambda x: L.nce_loss(x, -x, np.stack([x, -x], axis=1), np.stack([-x, x], axis=1)),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("key", EDGE)
def test_nothing_overflows_and_dtypes_stay(key, dtype):
    for values in (BIG, BIG / 1000, BIG * 0):
        x = Tensor(values.astype(dtype), requires_grad=True)
        y = EDGE[key](x)
        (first,) = grad(y, [x], np.ones(y.shape, dtype), create_graph=True)
        assert y.dtype == first.dtype == dtype
        assert np.isfinite(y.numpy()).all() and np.isfinite(first.numpy()).all()
        if first.requires_grad and dtype != np.float16:
            (second,) = grad(first, [x], np.ones(4, dtype), allow_unused=True)
            assert second is None or np.isfinite(second.numpy()).all()


@pytest.mark.parametrize("dtype,rtol", [(np.float32, 1e-4), (np.float16, 5e-2)])
@pytest.mark.parametrize("key", EDGE)
def test_low_precision_is_the_same_function(key, dtype, rtol):
    x = np.array([0.3, -0.7, 0.9, 0.15]).astype(dtype)
    (got, slope), (want, want_slope) = (ours(EDGE[key], [v])[:2] for v in (x, x.astype(float)))
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol)
    if key != "triplet-zero":
        np.testing.assert_allclose(slope, want_slope, rtol=rtol, atol=20 * rtol)
