"""`minimize`: one door to all methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.arrays import Array
from ..autograd.tensor import ArrayLike
from ..checks import choice, floats, function, number, option
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
SCIPYS = {"l-bfgs-b": "l-bfgs"}  # other spellings; capitals do not matter

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
    f: Callable[..., Any],
    x0: ArrayLike,
    method: str = "bfgs",
    constraints: Any = (),
    *,
    args: Any = (),
    bounds: Any = None,
    tol: float | None = None,
    callback: Callable[[Array], Any] | None = None,
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
        SciPy's spellings ("BFGS", "L-BFGS-B", "CG", "Newton-CG") mean the same.
    constraints: a dict {"type": "eq", "fun": c} for c(x) = 0, {"type": "ineq", "fun": h} for
        h(x) >= 0 (for each element), or a sequence of such dicts; c and h are functions of a
        Tensor; "args" may hold further arguments for them. x0 need not satisfy them.
    args: further arguments of f, which is called as f(x, *args).
    bounds: for each element of x a pair (least, most), None for no bound. They are constraints
        h(x) >= 0 behind the others, in `.multipliers` too: first all least ones, then all most.
    tol: SciPy's name for gtol.
    callback: called with a copy of x after each iteration; where it gives True, or raises
        StopIteration, the run ends, without success.
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
    if isinstance(method, str):
        method = SCIPYS.get(method.lower(), method.lower())
    choice("minimize", "method", method, *METHODS)
    if tol is not None:
        if "gtol" in options:
            raise ValueError("minimize: tol is another name of gtol: pass only one")
        options["gtol"] = number("minimize", "tol", tol, "[0, inf)")
    if callback is not None:
        function("minimize", "callback", callback)
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
    x0 = floats("minimize", "x0", x0)
    constraints = [constraints] if isinstance(constraints, dict) else list(constraints)
    constraints += between("minimize", bounds, x0)
    given = len(constraints) > 0
    if given != (method in CONSTRAINED):
        what = "constraints" if bounds is None else "bounds or constraints"
        raise ValueError(
            f"minimize: method {method!r} "
            + (
                f"takes no {what}: use {' or '.join(map(repr, CONSTRAINED))}"
                if given
                else "needs constraints=: without, use another method"
            )
        )
    args = args if isinstance(args, tuple) else (args,)
    with quiet_with_grad():
        at = starting_point("minimize", f, x0, args, callback)
        if given:
            return METHODS[method](at, Constraints(constraints, at), **options)
        return METHODS[method](at, **options)


def between(who: str, bounds: Any, x0: Array) -> list[dict[str, Any]]:
    """Bounds as constraints: x_i − least_i >= 0, most_i − x_i >= 0, where there are any."""
    if bounds is None:
        return []
    if hasattr(bounds, "lb"):  # scipy.optimize.Bounds
        bounds = list(zip(*np.broadcast_arrays(bounds.lb, bounds.ub, x0.ravel())[:2]))
    if not isinstance(bounds, list | tuple | np.ndarray) or len(bounds) != x0.size:
        raise ValueError(
            f"{who}: bounds must be {x0.size} pairs (least, most), one for each element of x0, got "
            f"{bounds!r}"
        )
    pairs = []
    for i, pair in enumerate(bounds):
        if np.shape(pair) != (2,):
            raise ValueError(f"{who}: bounds[{i}] must be a pair (least, most), got {pair!r}")
        low, high = (inf if v is None else v for v, inf in zip(pair, (-np.inf, np.inf)))
        if not low <= high:
            raise ValueError(f"{who}: bounds[{i}]: no x lies between {low} and {high}")
        pairs.append((low, high))
    low, high = np.array(pairs, x0.dtype).T
    below, above = np.flatnonzero(np.isfinite(low)), np.flatnonzero(np.isfinite(high))
    found = []
    if below.size:
        found.append({"type": "ineq", "fun": lambda x: x.reshape(-1)[below] - low[below]})
    if above.size:
        found.append({"type": "ineq", "fun": lambda x: high[above] - x.reshape(-1)[above]})
    return found
