"""SOAP: Adam in Shampoo's eigenbasis. Derived in `chapters/optimizers/since-2019.ipynb`."""

import numpy as np

from ..autograd.arrays import Array
from .optimizer import Optimizer, Params, norm
from .shampoo import along_axes, outer


class SOAP(Optimizer):
    r"""AdamW on gradients that are rotated into the eigenbasis of Shampoo's two matrices.

    $$M_t = \beta_1 M_{t-1} + (1-\beta_1) G_t, \qquad
      V_t = \beta_2 V_{t-1} + (1-\beta_2) (Q_L^\top G_t Q_R)^2$$
    $$W_t = (1-\eta\lambda)\, W_{t-1} - \eta\, Q_L \,
      \frac{Q_L^\top \hat M_t Q_R}{\sqrt{\hat V_t} + \epsilon}\, Q_R^\top$$
    $$L_t = \beta_2 L_{t-1} + (1-\beta_2) G_t G_t^\top, \qquad
      R_t = \beta_2 R_{t-1} + (1-\beta_2) G_t^\top G_t$$

    $Q_L, Q_R$ are the eigenvectors of L and R: computed at the first step, then kept up to date by
    one step of power iteration, the orthogonal factor of $L Q_L$. A tensor of more axes has a basis
    for each; vectors and numbers have none, which leaves AdamW.

    Parameters
    ----------
    lr: the learning rate η >= 0: how far a step goes along each axis of the basis, if the gradients
        agree.
    betas: (β1, β2), each in [0, 1): how much is kept per step of M, and of V, L and R.
    eps: ε >= 0, added to the root, not inside it, so that nothing is divided by 0.
    weight_decay: λ >= 0; every step takes the fraction ηλ off the weights.
    precondition_frequency: 1, 2, ...; how many steps a basis is used (the paper: 10).
    maximize: climb up the gradient, not down.

    Memory: two numbers per parameter, and n² for each axis of length n, twice.
    Reference: Vyas et al. 2024, Algorithms 3 and 4, with Adam's bias correction. Its authors' code
    spends the first gradient on the basis alone; here the first step already uses it.

    Example
    -------
    >>> from minigrad import Tensor
    >>> W = Tensor(np.eye(2), requires_grad=True)
    >>> opt = SOAP([W], lr=0.5, weight_decay=0.0)
    >>> (W * W).sum().backward(); opt.step(); W.data.round(4) + 0.0
    array([[0.5, 0. ],
           [0. , 0.5]])
    """

    layerwise = True
    needs_finite = True
    domains = Optimizer.domains | {"precondition_frequency": "{1, 2, ...}"}

    def __init__(
        self,
        params: Params,
        lr: float = 3e-3,
        betas: tuple[float, float] = (0.95, 0.95),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        precondition_frequency: int = 1,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, locals())

    def state_shape(self, key: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        if key in ("m", "v"):
            return shape
        n = shape[int(key[1:])]  # "H0", "Q0", "H1", ...
        return (n, n)

    def update(self, theta, g, state, lr, betas, eps, weight_decay, precondition_frequency):
        m, v, t = state["m"], state["v"], state["t"]
        beta1, beta2 = betas
        axes = range(g.ndim) if g.ndim > 1 else ()
        if t == 1:  # the scale of L does not matter for its eigenvectors
            for i in axes:
                values, vectors = np.linalg.eigh(outer(g, i))
                state[f"Q{i}"] = orthogonal((vectors * values)[:, ::-1])  # the largest first
                state[f"H{i}"] = np.zeros_like(vectors)
        Q = [state[f"Q{i}"] for i in axes]
        # M_t = β1 M_{t-1} + (1 - β1) G_t
        m *= beta1
        m += (1 - beta1) * g
        # V_t = β2 V_{t-1} + (1 - β2) (Q_Lᵀ G_t Q_R)²
        rotated = along_axes([q.T for q in Q], g)
        v *= beta2
        v += (1 - beta2) * rotated * rotated
        # N = Q_L ( Q_Lᵀ M̂_t Q_R / (√V̂_t + ε) ) Q_Rᵀ
        n = along_axes([q.T for q in Q], m) / (1 - beta1**t)
        if Q:
            n = without_rounding(n)
        n = along_axes(Q, n / (np.sqrt(v / (1 - beta2**t)) + eps))
        # W_t = (1 - η λ) W_{t-1} - η N
        theta *= 1 - lr * weight_decay
        theta -= lr * n
        for i in axes:
            # L_t = β2 L_{t-1} + (1 - β2) G_t G_tᵀ,   R_t likewise
            state[f"H{i}"] *= beta2
            state[f"H{i}"] += (1 - beta2) * outer(g, i)
            if t % precondition_frequency == 0:
                # Q_L <- the orthogonal factor of L_t Q_L
                state[f"Q{i}"] = orthogonal(state[f"H{i}"] @ Q[i])


def without_rounding(x: Array) -> Array:
    """x, where what is not above the rounding errors of a rotation is 0.

    In its own eigenbasis a gradient is diagonal: divided by √v, which is as small, the errors
    beside the diagonal would become steps of full length.
    """
    return np.where(np.abs(x) > 10 * np.finfo(x.dtype).eps * norm(x), x, 0)


def orthogonal(x: Array) -> Array:
    """The orthogonal factor of x = QR.

    Where x has no more directions (a few gradients do not fill a large L), its columns are rounding
    errors, and so would Q's be. Zero columns are filled up the same way on every machine.
    """
    Q, R = np.linalg.qr(x)
    size = np.abs(np.diag(R))
    known = size > size.max(initial=0) * np.finfo(x.dtype).eps ** 0.75
    return Q if known.all() else np.linalg.qr(Q * known)[0]
