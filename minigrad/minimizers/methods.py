"""`minimize`: one door to all methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.tensor import ArrayLike, Tensor
from ..checks import choice, option
from .conjugate_gradient import conjugate_gradient
from .gradient_descent import gradient_descent
from .lagrange_multipliers import Constraints, augmented_lagrangian, newton_kkt
from .newton import newton, newton_cg
from .problem import OptimizeResult, quiet_with_grad, starting_point
from .quasi_newton import bfgs, l_bfgs

METHODS: dict[str, Callable[..., OptimizeResult]] = {
    "gradient-descent": gradient_descent,
    "newton": newton,
    "newton-cg": newton_cg,
    "bfgs": bfgs,
    "l-bfgs": l_bfgs,
    "cg": conjugate_gradient,
    "newton-kkt": newton_kkt,
    "augmented-lagrangian": augmented_lagrangian,
}
CONSTRAINED = ("newton-kkt", "augmented-lagrangian")

# What options each method has, and where they must lie; what they are by default stands with it.
ENDS: dict[str, Any] = {"maxiter": "{0, 1, ...}", "gtol": "[0, inf)"}
SEARCHES = ENDS | {"line_search": ("strong_wolfe", "backtracking")}
OPTIONS = {
    "gradient-descent": SEARCHES | {"lr": "(0, inf)"},
    "newton": SEARCHES | {"lr": "(0, inf)", "damping": "{False, True}"},
    "newton-cg": SEARCHES,
    "bfgs": SEARCHES | {"scaling": ("first", "none")},
    "l-bfgs": SEARCHES | {"memory": "{1, 2, ...}", "scaling": ("latest", "first", "none")},
    "cg": SEARCHES | {"beta": ("polak-ribiere", "fletcher-reeves")},
    "newton-kkt": ENDS,
    "augmented-lagrangian": ENDS | {"penalty": "(0, inf)"},
}


def minimize(
    f: Callable[[Tensor], Any],
    x0: ArrayLike,
    method: str = "bfgs",
    constraints: Any = (),
    **options: Any,
) -> OptimizeResult:
    r"""A local minimum of f, as `scipy.optimize.minimize`, with derivatives from minigrad.

    $$\min_x f(x), \qquad \text{or}\quad \min_x f(x)
      \ \text{ subject to }\ c(x) = 0,\ h(x) \ge 0$$

    Parameters
    ----------
    f: function of a Tensor of x0's shape that gives one number, made with operators and NumPy
        functions.
    x0: where to start, a number or an array of any shape; f must be finite there. float32 stays
        float32.
    method: one of
        "gradient-descent" (lr=None: a number means fixed steps, line_search="backtracking"),
        "cg" (beta="polak-ribiere" | "fletcher-reeves"),
        "newton" (damping=True, lr=None),
        "newton-cg",
        "bfgs" (scaling="first" | "none"),
        "l-bfgs" (memory=10, scaling="latest" | "first" | "none");
        with constraints: "newton-kkt", "augmented-lagrangian" (penalty=10.0).
    constraints: a dict {"type": "eq", "fun": c} for c(x) = 0, {"type": "ineq", "fun": h} for
        h(x) >= 0 (for each element), or a sequence of such dicts; c and h are functions of a
        Tensor; "args" may hold further arguments for them. x0 need not satisfy them.
    maxiter: whole number >= 0, the most iterations; 1000, or 200 ("newton-kkt"), or 50
        ("augmented-lagrangian").
    gtol: >= 0, success is max |∇f| <= gtol (with constraints: every one of the
        Karush-Kuhn-Tucker conditions to within gtol); 1e-5.
    line_search: "strong_wolfe" (the default but for "gradient-descent") or "backtracking".

    Returns
    -------
    a result with `.x .fun .jac .success .message .nit .nfev .njev .nhev .path`, and `.multipliers`
    (one array for each constraint) or `.hess_inv` ("bfgs"). Without success, x is the last point
    reached and the message says what stopped the run. A vanishing gradient is all that methods
    other than "newton" look at: it may be a saddle point's, if the start was on its ridge.

    Raises
    ------
    ValueError: f or its gradient is not finite at x0, f gives several numbers or one that does not
        come from x, an unknown method or option, or an option out of range. TypeError: f gives no
        Tensor, x0 is not numbers.

    Reference: Nocedal & Wright 2006, Numerical Optimization. Derived in `chapters/optimization/`.

    >>> def rosenbrock(x):
    ...     return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    >>> result = minimize(rosenbrock, [-1.2, 1.0], method="newton")
    >>> result.success, result.x.round(6)
    (True, array([1., 1.]))
    """
    choice("minimize", "method", method, *METHODS)
    for key, value in options.items():
        if key not in OPTIONS[method]:
            raise ValueError(
                f"minimize: method {method!r} has no option {key!r}; there are "
                f"{', '.join(OPTIONS[method])}"
            )
        if key != "lr" or value is not None:
            option("minimize", key, value, OPTIONS[method][key])
    if options.get("lr") is not None and "line_search" in options:
        raise ValueError(
            "minimize: lr means fixed steps, line_search looks for them: pass only one"
        )
    if not isinstance(constraints, dict | list | tuple):
        raise TypeError(
            f"minimize: constraints must be a dict or a list of dicts, got {constraints!r}"
        )
    given = len(constraints) > 0
    if given != (method in CONSTRAINED):
        raise ValueError(
            f"minimize: method {method!r} "
            + (
                f"takes no constraints: use {' or '.join(map(repr, CONSTRAINED))}"
                if given
                else "needs constraints=: without, use another method"
            )
        )
    with quiet_with_grad():
        at = starting_point("minimize", f, x0)
        if given:
            return METHODS[method](at, Constraints(constraints, at), **options)
        return METHODS[method](at, **options)
