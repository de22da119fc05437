"""Sophia: a clipped Newton step. Derived in `chapters/optimizers/since-2019.ipynb`."""

import numpy as np

from ..autograd.calculus import grad
from ..autograd.tensor import Tensor
from ..checks import choice, generator, integer
from .optimizer import Optimizer, Params


class Sophia(Optimizer):
    r"""Momentum divided by an estimate h of the Hessian's diagonal, each element clipped to 1.

    $$m_t = \beta_1 m_{t-1} + (1-\beta_1) g_t, \qquad
      \theta_t = (1-\eta\lambda)\, \theta_{t-1}
      - \eta\, \text{clip}\!\left( \frac{m_t}{\max(\gamma h, \epsilon)},\ -1,\ 1 \right)$$

    `update_hessian`, called every few (10) steps, moves h by an estimate $\hat h$ of the diagonal:

    $$h \leftarrow \beta_2 h + (1-\beta_2)\, \hat h, \qquad
      \hat h = B\, \hat g^2 \ (\text{"gnb"}) \quad\text{or}\quad
      u \odot (\nabla^2 L\, u),\ u \sim N(0, I)\ (\text{"hutchinson"})$$

    Until it is first called, h is 0 and every step is η times the sign of m.

    Parameters
    ----------
    lr: η >= 0; no parameter moves by more than η (and its decay) per step.
    betas: (β1, β2), each in [0, 1): of m and of h.
    gamma: γ > 0; the paper has 0.05 for "gnb" and 0.01 for "hutchinson", which is what None means.
    eps: ε > 0, the least γh to divide by; where the curvature is negative, it is what counts.
    weight_decay: λ >= 0; every step takes the fraction ηλ off the weights.
    hessian: "gnb" (Gauss-Newton-Bartlett) or "hutchinson".
    maximize: climb up the gradient, not down.

    Memory: two numbers per parameter.
    Reference: Liu et al. 2024 (arXiv 2023), Algorithms 1-3.

    Example
    -------
    >>> import numpy as np
    >>> from minigrad import Tensor
    >>> x = Tensor([3.0], requires_grad=True)
    >>> opt = Sophia([x], lr=0.5, weight_decay=0.0, hessian="hutchinson")
    >>> opt.update_hessian((x * x).sum(), rng=np.random.default_rng(0))
    >>> (x * x).sum().backward(); opt.step(); x.data
    array([2.5])
    """

    domains = Optimizer.domains | {"gamma": "(0, inf)", "eps": "(0, inf)"}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.96, 0.99),
        gamma: float | None = None,
        eps: float = 1e-12,
        weight_decay: float = 0.1,
        hessian: str = "gnb",
        maximize: bool = False,
    ) -> None:
        self.hessian = choice("Sophia", "hessian", hessian, "gnb", "hutchinson")
        if gamma is None:
            gamma = 0.05 if hessian == "gnb" else 0.01
        del hessian  # the same for all groups, and no option of theirs
        super().__init__(params, locals())

    def update_hessian(
        self,
        loss: Tensor,
        batch_size: int | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        """Move h by one estimate of the diagonal; the parameters' `.grad` are not touched.

        Parameters
        ----------
        loss: for "gnb" the mean loss over a batch whose labels were drawn from the model's own
            predictions (not the data's: else it is the empirical Fisher matrix); for "hutchinson"
            the loss itself.
        batch_size: B, how many examples the mean is over; for "gnb".
        rng: where u is drawn from; for "hutchinson".
        """
        who = "Sophia.update_hessian"
        if not isinstance(loss, Tensor):
            raise TypeError(f"{who}: loss must be a Tensor of one number, got {loss!r}")
        if loss.size != 1:
            raise ValueError(f"{who}: loss must be one number, got shape {loss.shape}")
        if self.hessian == "gnb":
            integer(who, "batch_size", batch_size)
        else:
            generator(who, rng)
        params = [p for group in self.param_groups for p in group["params"]]
        second = self.hessian == "hutchinson"
        gradients = grad(loss, params, create_graph=second, allow_unused=True)
        if self.hessian == "gnb":
            # ĥ = B ĝ²
            estimates = [g if g is None else batch_size * g.numpy() ** 2 for g in gradients]
        else:
            # ĥ = u ⊙ ∇(gᵀu)
            assert rng is not None
            u = [rng.standard_normal(p.shape).astype(p.dtype) for p in params]
            slopes = [(g * n).sum() for g, n in zip(gradients, u) if g is not None]
            curved = [s for s in slopes if s.requires_grad]
            Hu = grad(curved, params, allow_unused=True) if curved else [None] * len(params)
            estimates = [
                g if g is None else n * (0.0 if w is None else w.numpy())
                for g, n, w in zip(gradients, u, Hu)
            ]
        if not all(h is None or np.isfinite(h).all() for h in estimates):
            raise ValueError("Sophia: the estimate of the Hessian's diagonal has inf or nan")
        of = {id(p): h for p, h in zip(params, estimates)}
        for group in self.param_groups:
            beta2 = group["betas"][1]
            for block in group.blocks:
                # a loss to be maximized is -1 times one to be minimized, and so is its Hessian
                sign = -1 if second and group["maximize"] else 1
                estimate = np.zeros_like(block.theta)
                known = np.zeros(block.theta.shape, bool)  # the loss may not depend on all
                for p, place in zip(block.params, block.places):
                    if (own := of[id(p)]) is not None:
                        estimate[place], known[place] = sign * own.ravel(), True
                for _, state, new, there in block.pieces(estimate, known):
                    # h <- β2 h + (1 - β2) ĥ
                    h = state["h"]
                    np.copyto(h, beta2 * h + (1 - beta2) * new, where=there)

    def update(self, theta, g, state, lr, betas, gamma, eps, weight_decay):
        m, h = state["m"], state["h"]
        # m_t = β1 m_{t-1} + (1 - β1) g_t
        m *= betas[0]
        m += (1 - betas[0]) * g
        # θ <- (1 - η λ) θ
        theta *= 1 - lr * weight_decay
        # θ_t = θ_{t-1} - η clip(m_t / max(γ h, ε), -1, 1), without dividing by what is tiny
        bound = np.maximum(gamma * h, eps)
        theta -= lr * (np.clip(m, -bound, bound) / bound)
