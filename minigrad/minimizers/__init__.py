"""Classical minimizers: `minimize(f, x0, method=...)`, line searches, linear conjugate gradients.

    f(x) is a function of a Tensor, written with NumPy functions, that gives one number

Its gradient, its Hessian and its Hessian-vector products come from minigrad. The unconstrained
methods share one loop, `descend`,

    x_{k+1} = x_k + α_k p_k      until  max |∇f(x_k)| <= gtol

and differ in the direction p_k, a class each: `SteepestDescent`, `ConjugateGradient`, `Newton`,
`NewtonCG`, `BFGS`, `LBFGS`. A line search finds the step length α_k. Constraints are for
`newton_kkt` and `augmented_lagrangian`. Derived in `chapters/optimization/`.
"""

from .conjugate_gradient import linear_cg
from .line_search import backtracking, strong_wolfe
from .methods import minimize

__all__ = [
    "backtracking",
    "linear_cg",
    "minimize",
    "strong_wolfe",
]
