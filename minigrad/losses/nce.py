"""Noise-contrastive estimation. Derived in `chapters/losses/nce.ipynb`."""

from __future__ import annotations

import numpy as np

from ..activations.relu_family import _softplus
from ..autograd.tensor import ArrayLike, Tensor, apply
from ..checks import reals, same_shape
from .common import reduce


def nce_loss(
    log_model: ArrayLike,
    log_noise: ArrayLike,
    log_model_at_noise: ArrayLike,
    log_noise_at_noise: ArrayLike,
    reduction: str = "mean",
) -> Tensor:
    r"""$-\log h(x) - \sum_{i=1}^k \log(1 - h(y_i))$: is it data x, or noise y?

    $h(u) = \sigma(\log p_m(u) - \log(k\,p_n(u)))$ is the probability that u is data, when there are
    k samples of noise for each. The model $p_m$ need not be normalised: its $-\log Z$ is one more
    parameter.

    Shape: log_model = $\log p_m(x)$ and log_noise = $\log p_n(x)$ (...), one for each data point;
    log_model_at_noise and log_noise_at_noise (..., k), at its k samples of noise. One loss for each
    data point.

    Reference: Gutmann & Hyvärinen (2012), Noise-contrastive estimation of unnormalized statistical
    models, section 2 ($-J_T$, with ν = k; k = 1 is the paper of 2010 up to its factor ½). Derived
    in `chapters/losses/nce.ipynb`.

    >>> round(nce_loss([0.0], [0.0], [[0.0]], [[0.0]]).item(), 4)
    1.3863
    """
    label = "nce_loss"
    mx, nx, my, ny = reals(
        label, log_model=log_model, log_noise=log_noise,
        log_model_at_noise=log_model_at_noise, log_noise_at_noise=log_noise_at_noise,
    )  # fmt: skip
    same_shape(label, log_model=mx, log_noise=nx)
    same_shape(label, log_model_at_noise=my, log_noise_at_noise=ny)
    if my.ndim != mx.ndim + 1 or my.shape[:-1] != mx.shape or my.shape[-1] == 0:
        raise ValueError(
            f"{label}: log_model_at_noise must be {mx.shape} and one more axis of k >= 1 samples, "
            f"got {my.shape}"
        )
    log_k = float(np.log(my.shape[-1]))
    data, noise = mx - nx - log_k, my - ny - log_k  # the log-odds of "data" against "noise"
    loss = apply(_softplus, -data) + apply(_softplus, noise).sum(axis=-1)
    return reduce(label, loss, reduction)
