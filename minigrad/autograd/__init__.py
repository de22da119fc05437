"""The engine: reverse-mode automatic differentiation on NumPy, to be read in an evening.

In this order, each file building on those before it:

1. `arrays.py`: NumPy's arrays, and where it pays to call them in another way.
2. `messages.py`: what is said when arguments do not fit.
3. `operators.py`: `x + y`, `x.sum()`, ...: which NumPy function each of them is.
4. `tensor.py`: a Tensor, what it remembers, and the walk back through that.
5. `rules.py`: the sheet of rules, the derivative of each NumPy function.
6. `composites.py`: NumPy functions written in terms of those with a rule.

Beside them, to be looked up and not read: `recording.py` (`no_grad`), `calls.py` (which options of
NumPy's functions are taken, and how the others are refused), `rearranging.py` (joining, splitting,
sorting, padding), `linalg.py` (inverses, determinants, eigenvalues, norms).

Built on them: `calculus.py` (grad, vjp, jvp, jacobian, hessian, hvp), `gradcheck.py` (derivatives
against finite differences), `drawing.py` (a picture of the graph); `special.py` has the rules of
SciPy's special functions, `stats.py` the distributions of `scipy.stats`. Derived in
`chapters/autograd/computational-graph.ipynb` and `chapters/autograd/tensor-engine.ipynb`.
"""

from . import composites, linalg, rearranging, rules  # noqa: F401  they fill the sheet of rules
