"""What the tests of the activations share."""

import numpy as np

from minigrad import activations as A
from torch_reference import torch

F = torch.nn.functional if torch is not None else None
# name: (minigrad's, PyTorch's, further shapes)
SAME = {
    "sigmoid": (A.sigmoid, lambda x: F.sigmoid(x)),
    "tanh": (A.tanh, lambda x: F.tanh(x)),
    "relu": (A.relu, lambda x: F.relu(x)),
    "leaky_relu": (A.leaky_relu, lambda x: F.leaky_relu(x)),
    "leaky_relu-0.3": (lambda x: A.leaky_relu(x, 0.3), lambda x: F.leaky_relu(x, 0.3)),
    "leaky_relu-2": (lambda x: A.leaky_relu(x, -2), lambda x: F.leaky_relu(x, -2.0)),
    "elu": (A.elu, lambda x: F.elu(x)),
    "elu-0.3": (lambda x: A.elu(x, alpha=0.3), lambda x: F.elu(x, alpha=0.3)),
    "selu": (A.selu, lambda x: F.selu(x)),
    "softplus": (A.softplus, lambda x: F.softplus(x)),
    "softplus-3-1": (lambda x: A.softplus(x, 3, 1), lambda x: F.softplus(x, 3, 1)),
    "softplus-0.1": (lambda x: A.softplus(x, beta=0.1), lambda x: F.softplus(x, beta=0.1)),
    "softmax": (A.softmax, lambda x: F.softmax(x, -1)),
    "softmax-0": (lambda x: A.softmax(x, axis=0), lambda x: F.softmax(x, 0)),
    "log_softmax": (A.log_softmax, lambda x: F.log_softmax(x, -1)),
    "log_softmax-0": (lambda x: A.log_softmax(x, axis=0), lambda x: F.log_softmax(x, 0)),
    "logsumexp": (A.logsumexp, lambda x: torch.logsumexp(x, -1)),
    "logsumexp-0": (lambda x: A.logsumexp(x, 0, True), lambda x: torch.logsumexp(x, 0, True)),
    "logsumexp-all": (
        lambda x: A.logsumexp(x, axis=tuple(range(x.ndim))),
        lambda x: torch.logsumexp(x, tuple(range(x.ndim))),
    ),
    "logsumexp-none": (lambda x: A.logsumexp(x, None), lambda x: torch.logsumexp(x.ravel(), 0)),
    "silu": (A.silu, lambda x: F.silu(x)),
    "gelu": (A.gelu, lambda x: F.gelu(x)),
    "gelu-tanh": (lambda x: A.gelu(x, approximate="tanh"), lambda x: F.gelu(x, approximate="tanh")),
    "mish": (A.mish, lambda x: F.mish(x)),
    "hard_swish": (A.hard_swish, lambda x: F.hardswish(x)),
}
X = np.random.default_rng(0).normal(0, 4, (5, 4))


def sigma(x):
    return 1 / (1 + np.exp(-x))
