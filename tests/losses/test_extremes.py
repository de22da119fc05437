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


# Two numbers a, b in every place where they can stand: what is near the ends of the number line.
def pair(a, b):
    return np.stack([a, b], axis=-1)


ONE = np.ones(1, np.float16)  # a constant that leaves the dtype to the others
ENDS = {
    "l1": lambda a, b: L.l1_loss(a, b),
    "mse": lambda a, b: L.mse_loss(a, b),
    "huber": lambda a, b: L.huber_loss(a, b),
    "smooth_l1": lambda a, b: L.smooth_l1_loss(a, b),
    "log_cosh": lambda a, b: L.log_cosh_loss(a, b),
    "quantile": lambda a, b: L.quantile_loss(a, b, 0.3),
    "ce": lambda a, b: L.cross_entropy(pair(a, b), [0]),
    "ce-none": lambda a, b: L.cross_entropy(pair(a, b), [0], reduction="none"),
    "ce-smooth": lambda a, b: L.cross_entropy(pair(a, b), [0], label_smoothing=0.1),
    "ce-p": lambda a, b: L.cross_entropy(pair(a, b), [[0.5, 0.5]]),
    "ce-onehot": lambda a, b: L.cross_entropy(pair(a, b), [[1.0, 0.0]]),
    "bcel": lambda a, b: L.binary_cross_entropy_with_logits(a - b, [0.3]),
    "focal": lambda a, b: L.focal_loss(pair(a, b), [0]),
    "focal-0.5": lambda a, b: L.focal_loss(pair(a, b), [0], gamma=0.5),
    "kl_div": lambda a, b: L.kl_div(pair(a, b), [[0.0, 1.0]]),
    "kl_div-log": lambda a, b: L.kl_div(pair(a, b), [[-np.inf, 0.0]], log_target=True),
    "ranking": lambda a, b: L.margin_ranking_loss(a, b, [1], 0.5),
    "ranknet": lambda a, b: L.ranknet_loss(pair(a, b), [[1, 0]]),
    "lambdarank": lambda a, b: L.lambdarank_loss(pair(a, b), [[1, 0]]),
    "listnet": lambda a, b: L.listnet_loss(pair(a, b), [[1, 0]]),
    "cosent": lambda a, b: L.cosent_loss(pair(a, b), [[1, 0]]),
    "circle": lambda a, b: L.circle_loss(pair(a, 0 * ONE), pair(b, 0 * ONE)),
    "hinge": lambda a, b: L.hinge_embedding_loss(a - b, [-1], 0.5),
    "nce": lambda a, b: L.nce_loss(a, b, pair(b, b), pair(a, a)),
    "similar": lambda a, b: L.contrastive_loss(pair(a, b), [[0.0, 0.0]], [1]),
    "dissimilar": lambda a, b: L.contrastive_loss(pair(a, b), [[0.0, 0.0]], [0]),
    "triplet": lambda a, b: L.triplet_margin_loss(pair(a, b), [[0.5, 0.0]], [[0.0, 9.0]], swap=True),
    "cosine": lambda a, b: L.cosine_embedding_loss(pair(a, b), [[3.0, 4.0]], [1]),
    "info_nce": lambda a, b: L.info_nce_loss(np.stack([pair(a, b)[0], pair(b, 0 * ONE)[0]]), [[1.0, 0.0], [1.0, 1.0]]),
}  # fmt: skip
# products of a and b, or a difference of squares: what it tends to depends on which is larger
JOINT = {"circle", "nce", "triplet"}


def at(key, a, b, dtype):
    """The value and both derivatives, as one array."""
    x = [Tensor(np.array([v], dtype), requires_grad=True) for v in (a, b)]
    y = ENDS[key](*x)
    with np.errstate(all="ignore"):
        slopes = grad(y.sum(), x)
    assert y.dtype == dtype
    return np.concatenate([y.numpy().ravel(), *(g.numpy() for g in slopes)])


def tends_to(values):
    """Where numbers at a large argument are going: 0, or a finite number, or infinity."""
    with np.errstate(over="ignore"):
        near = np.where(np.abs(values) < 1e-12, 0, values)
        return np.where(np.abs(near) > 1e12, np.sign(near) * np.inf, near)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("key", ENDS)
def test_infinite_arguments_give_the_limits(key):
    inf = np.inf
    places = [(inf, 0), (-inf, 0), (inf, 1), (1, inf), (0, -inf), (-1, inf), (inf, -1)]
    if key not in JOINT:
        places += [(inf, -inf), (-inf, inf)]
    if key in ("cosine", "info_nce"):
        places = [(a, b) for a, b in places if 0 not in (a, b)]
    for a, b in places:
        far = [v if np.isfinite(v) else np.sign(v) * 1e30 for v in (a, b)]
        for dtype in np.float16, np.float32:
            at(key, a, b, dtype)  # keeps its dtype
        got, want = at(key, a, b, np.float64), tends_to(at(key, *far, np.float64))
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12, err_msg=f"{a}, {b}")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("key", ENDS)
def test_float32_is_float64_from_end_to_end(key):
    numbers = [0, 1, -1, 1e-45, -1e-45, 1e-38, 1e-20, 1e10, -1e10, 1e19, 1e30, -1e30, 3e38]
    for a in numbers:
        for b in numbers:
            if key == "dissimilar" and 0 < max(abs(a), abs(b)) < 1e-40:
                continue  # the direction of a subnormal vector has no digits
            a, b = float(np.float32(a)), float(np.float32(b))
            got = at(key, a, b, np.float32)
            want = at(key, a, b, np.float64).astype(np.float32)
            scale = np.abs(want[1:][np.isfinite(want[1:])]).max(initial=1)
            np.testing.assert_allclose(got[:1], want[:1], rtol=2e-5, atol=2e-6, err_msg=f"{a}, {b}")
            np.testing.assert_allclose(got[1:], want[1:], rtol=2e-5, atol=2e-6 * scale, err_msg=f"{a}, {b}")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("key", ENDS)
def test_not_a_number_is_seen(key):
    for a, b in (np.nan, 1), (1, np.nan), (np.nan, np.nan), (np.nan, np.inf), (-np.inf, np.nan):
        assert np.isnan(at(key, a, b, np.float64)[0]), (a, b)
