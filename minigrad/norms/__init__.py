r"""Normalization: functions with PyTorch's arguments, the modules around them, residual wrappers.

Batch, layer, group and instance norm are one map, taken over different axes:

$$z = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad y = w z + b,
  \qquad \mu, \sigma^2 \text{ the mean and variance of x over the axes}$$

    (N, C, H, W)    batch norm 0, 2, 3    instance norm 2, 3
                    layer norm 1, 2, 3    group norm: (N, G, C/G, H, W) over 2, 3, 4

Derived in `chapters/normalization/`.
"""

from .batch_norm import BatchNorm1d, BatchNorm2d, batch_norm
from .deep_norm import DeepNorm
from .layer_norm import GroupNorm, InstanceNorm2d, LayerNorm, group_norm, instance_norm, layer_norm
from .residual_and_norm import PostNorm, PreNorm
from .rms_norm import RMSNorm, rms_norm

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "DeepNorm",
    "GroupNorm",
    "InstanceNorm2d",
    "LayerNorm",
    "PostNorm",
    "PreNorm",
    "RMSNorm",
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "rms_norm",
]
