"""Identities between sigmoid, tanh and their relatives."""

import numpy as np
from activation_inputs import X, sigma

from minigrad import Tensor, grad
from minigrad import activations as A


def test_identities():
    np.testing.assert_allclose(A.tanh(X).numpy(), 2 * A.sigmoid(2 * X).numpy() - 1, atol=1e-15)
    np.testing.assert_allclose(A.softmax(X).numpy().sum(axis=-1), 1, rtol=1e-14)
    np.testing.assert_allclose(A.softmax(X + 7).numpy(), A.softmax(X).numpy(), rtol=1e-12)
    np.testing.assert_allclose(A.softmax(X[:, :2])[:, 0].numpy(), sigma(X[:, 0] - X[:, 1]), rtol=1e-12)
    np.testing.assert_allclose(A.softplus(X).numpy() - A.softplus(-X).numpy(), X, rtol=1e-12)
    np.testing.assert_allclose(A.softplus(X, beta=1e4).numpy(), A.relu(X).numpy(), atol=1e-12)
    p = A.softmax(X[0]).numpy()
    x = Tensor(X[0], requires_grad=True)
    y = A.softmax(x)
    rows = [grad(y, x, u, retain_graph=True).numpy() for u in np.eye(4)]
    np.testing.assert_allclose(rows, np.diag(p) - np.outer(p, p), atol=1e-15)
