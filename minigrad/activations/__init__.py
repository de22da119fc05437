"""Activation functions: Tensor -> Tensor, element by element unless said otherwise.

Every function takes a Tensor or anything NumPy makes an array of (integers become float64) and
gives a Tensor of the same dtype. None of them overflows, and no derivative is NaN, for any finite
x. Where there is a kink, the docstring says which of the slopes the derivative takes: PyTorch's.
Derived in `chapters/activations/`.
"""

from .gated_linear_units import bilinear, geglu, glu, reglu, swiglu
from .gelu_silu_swish import gelu, hard_swish, mish, silu, swish
from .relu_family import elu, leaky_relu, prelu, relu, selu, softplus
from .sigmoid_tanh import sigmoid, tanh
from .softmax import log_softmax, logsumexp, softmax

__all__ = [
    "bilinear",
    "elu",
    "geglu",
    "gelu",
    "glu",
    "hard_swish",
    "leaky_relu",
    "log_softmax",
    "logsumexp",
    "mish",
    "prelu",
    "reglu",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "swiglu",
    "swish",
    "tanh",
]
