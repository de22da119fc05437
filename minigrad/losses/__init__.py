"""Losses: functions of predictions and targets, with `reduction="mean" | "sum" | "none"`.

Predictions and targets may be Tensors or anything NumPy makes an array of; integers, and lists next
to an array, take the dtype of the others. Nothing is broadcast between predictions and targets:
their shapes must agree. `reduction="none"` gives the single losses in the shape that the docstring
names, "sum" and "mean" one number; the mean over nothing is refused. Derived in `chapters/losses/`.

Every function raises TypeError where something does not hold real numbers, and ValueError where
shapes do not agree, a number is outside its range, or `reduction` is none of the three; what else
it refuses stands in its docstring.
"""

from .contrastive import (
    clip_loss,
    contrastive_loss,
    cosine_embedding_loss,
    hinge_embedding_loss,
    info_nce_loss,
    triplet_margin_loss,
)
from .cosent_circle import circle_loss, cosent_loss
from .entropy_cross_entropy_kl import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    js_divergence,
    kl_div,
    kl_divergence,
    nll_loss,
)
from .focal import focal_loss
from .nce import nce_loss
from .ranking import lambdarank_loss, listnet_loss, margin_ranking_loss, ranknet_loss
from .regression import huber_loss, l1_loss, log_cosh_loss, mse_loss, quantile_loss, smooth_l1_loss

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "circle_loss",
    "clip_loss",
    "contrastive_loss",
    "cosent_loss",
    "cosine_embedding_loss",
    "cross_entropy",
    "focal_loss",
    "hinge_embedding_loss",
    "huber_loss",
    "info_nce_loss",
    "js_divergence",
    "kl_div",
    "kl_divergence",
    "l1_loss",
    "lambdarank_loss",
    "listnet_loss",
    "log_cosh_loss",
    "margin_ranking_loss",
    "mse_loss",
    "nce_loss",
    "nll_loss",
    "quantile_loss",
    "ranknet_loss",
    "smooth_l1_loss",
    "triplet_margin_loss",
]
