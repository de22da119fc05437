"""AMSBound. Derived in `chapters/optimizers/amsgrad-adabound.ipynb`."""

import numpy as np

from .adabound import AdaBound


class AMSBound(AdaBound):
    r"""AdaBound with AMSGrad's maximum: the largest $v$ so far in the place of $v_t$.

    $$\bar v_t = \max(\bar v_{t-1}, v_t)$$

    Parameters: as `AdaBound`. Memory: three numbers per parameter.
    Reference: Luo et al. 2019, Algorithm 3, in the form of its authors' code.

    Example
    -------
    >>> from minigrad import Tensor
    >>> x = Tensor([3.0], requires_grad=True)
    >>> opt = AMSBound([x], lr=0.5)
    >>> (x * x).sum().backward(); opt.step(); x.data.round(6)
    array([2.5])
    """

    def second_moment(self, v, state):
        # v̄_t = max(v̄_{t-1}, v_t)
        return np.maximum(state["v_max"], v, out=state["v_max"])
