"""Modules, layers and the functions behind them, as in `torch.nn`.

They are defined in `module.py` (Module, Parameter, Sequential), `layers.py`, `attention.py` and
`norms/`. First used in `chapters/autograd/training-loop.ipynb`.
"""

from .attention import KVCache, MultiheadAttention
from .layers import Dropout, Embedding, Linear, dropout, linear
from .module import Module, Parameter, Sequential
from .norms import (
    BatchNorm1d,
    BatchNorm2d,
    DeepNorm,
    GroupNorm,
    InstanceNorm2d,
    LayerNorm,
    PostNorm,
    PreNorm,
    RMSNorm,
)

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "DeepNorm",
    "Dropout",
    "Embedding",
    "GroupNorm",
    "InstanceNorm2d",
    "KVCache",
    "LayerNorm",
    "Linear",
    "Module",
    "MultiheadAttention",
    "Parameter",
    "PostNorm",
    "PreNorm",
    "RMSNorm",
    "Sequential",
    "dropout",
    "linear",
]
