"""minigrad: reverse-mode automatic differentiation on NumPy, and what is built on it.

The engine, `minigrad.autograd`, is to be read in an evening; its docstring says in which order. The
rest is a file for each chapter of the book.

>>> import numpy as np
>>> from minigrad import Tensor
>>> x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> y = np.log(np.exp(x).sum())
>>> y.backward()
>>> x.grad.round(4)
array([0.09  , 0.2447, 0.6652])
"""

from . import activations, attention, init, losses, minimizers, nn, norms, optim, schedules
from .autograd import drawing
from .autograd.calculus import grad, hessian, hvp, jacobian, jvp, vjp
from .autograd.drawing import draw
from .autograd.gradcheck import gradcheck, gradgradcheck
from .autograd.recording import no_grad
from .autograd.tensor import Tensor
from .compiling import compile
from .minimizers import minimize
from .saving import load, save

__version__ = "0.1.0"

__all__ = [
    "Tensor",
    "activations",
    "attention",
    "compile",
    "draw",
    "drawing",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "hessian",
    "hvp",
    "init",
    "jacobian",
    "jvp",
    "load",
    "losses",
    "minimize",
    "minimizers",
    "nn",
    "no_grad",
    "norms",
    "optim",
    "save",
    "schedules",
    "vjp",
]
