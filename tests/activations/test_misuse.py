"""What the activations refuse, and what they say."""

import numpy as np
import pytest
from activation_inputs import X

from minigrad import activations as A

BAD = [
    (lambda: A.relu("abc"), TypeError, "relu: x must hold real numbers or booleans, got dtype <U3"),
    (lambda: A.relu([1j]), TypeError, "relu: x must hold real numbers or booleans, got dtype complex128"),
    (lambda: A.relu(None), TypeError, "relu: x must hold real numbers or booleans, got dtype object"),
    (lambda: A.gelu([[1.0], [1.0, 2.0]]), ValueError, "gelu: x must be an array of numbers, got a nested list whose rows differ in length"),
    (lambda: A.leaky_relu(X, "0.1"), TypeError, r"leaky_relu: negative_slope must be a number in \(-inf, inf\), got '0\.1'"),
    (lambda: A.leaky_relu(X, np.inf), ValueError, r"leaky_relu: negative_slope must be in \(-inf, inf\), got inf"),
    (lambda: A.elu(X, alpha=np.nan), ValueError, r"elu: alpha must be in \(-inf, inf\), got nan"),
    (lambda: A.elu(X, alpha=True), TypeError, r"elu: alpha must be a number in \(-inf, inf\), got True"),
    (lambda: A.softplus(X, beta=0), ValueError, r"softplus: beta must be in \(0, inf\), got 0"),
    (lambda: A.softplus(X, threshold=-1), ValueError, r"softplus: threshold must be in \(0, inf\], got -1"),
    (lambda: A.prelu(X, [0.1, 0.2]), ValueError, r"prelu: weight must hold one slope, or one for each of the 4 channels \(axis 1\) of x \(5, 4\), got shape \(2,\)"),
    (lambda: A.prelu(X, X), ValueError, "prelu: weight must hold one slope"),
    (lambda: A.prelu(X[0], [0.1] * 4), ValueError, "prelu: weight must hold one slope, or one for each of the 1 channels"),
    (lambda: A.prelu(X, []), ValueError, "prelu: weight must hold one slope"),
    (lambda: A.softmax(X, axis=2), ValueError, r"softmax: axis 2 is not one of the 2 axes of shape \(5, 4\)"),
    (lambda: A.softmax(X, axis=1.0), TypeError, "softmax: axis must be an integer, got 1.0"),
    (lambda: A.softmax(X, axis=None), TypeError, "softmax: axis must be an integer, got None"),
    (lambda: A.softmax(3.0), ValueError, r"softmax: axis -1 is not one of the 0 axes of shape \(\)"),
    (lambda: A.log_softmax(np.zeros((2, 0))), ValueError, r"log_softmax: axis -1 of shape \(2, 0\) is empty"),
    (lambda: A.logsumexp(X, (0, 0)), ValueError, r"logsumexp: axis \(0, 0\) names one twice"),
    (lambda: A.logsumexp(X, (0, -2)), ValueError, "names one twice"),
    (lambda: A.logsumexp(X, (0, 5)), ValueError, "logsumexp: axis 5 is not one of"),
    (lambda: A.logsumexp([], None), ValueError, r"logsumexp: x of shape \(0,\) is empty"),
    (lambda: A.swish(X, "1"), TypeError, r"swish: beta must be a number in \(-inf, inf\), got '1'"),
    (lambda: A.swish(X, np.nan), ValueError, r"swish: beta must be in \(-inf, inf\), got nan"),
    (lambda: A.swish(X, [1.0, 2.0]), ValueError, r"swish: beta must broadcast to the \(5, 4\) of x, got shape \(2,\)"),
    (lambda: A.swish(X[0], X), ValueError, "swish: beta must broadcast"),
    (lambda: A.swiglu(X, beta=[1.0] * 4), ValueError, r"swiglu: beta must broadcast to the \(5, 2\) of x"),
    (lambda: A.gelu(X, approximate="erf"), ValueError, 'gelu: approximate must be "none", "tanh" or "sigmoid", got \'erf\''),
    (lambda: A.glu(X, axis=0), ValueError, r"glu: axis 0 of shape \(5, 4\) is split in two halves, so its size must be even, got 5"),
    (lambda: A.glu(X, axis=2), ValueError, "glu: axis 2 is not one of"),
    (lambda: A.glu(1.0), ValueError, "glu: axis -1 is not one of the 0 axes"),
    (lambda: A.reglu(np.zeros((3, 0))), ValueError, r"reglu: axis -1 of shape \(3, 0\) is empty"),
]  # fmt: skip


@pytest.mark.parametrize("call,error,message", BAD)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
