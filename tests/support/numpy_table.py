"""Every NumPy function that minigrad accepts × every parameter of NumPy's signature × ranks 0 to 4 ×
kinds of operands: the right value and derivatives, or one sentence.

    python tests/support/numpy_table.py [function ...]

The functions are those on the sheet of rules, the composites and the piecewise constant ones; their
parameters are read from NumPy's signatures, and `VALUES` says by a parameter's name what it is
tried with, also what is wrong. `make fuzz` runs the table whole, the unit tests a sample.
"""

import inspect
import itertools
import re
import sys
import time
import warnings
from collections import Counter, namedtuple

import numpy as np

from minigrad import Tensor, grad
from minigrad.autograd.calls import UFUNC_OPTIONS
from minigrad.autograd.messages import public_name
from minigrad.autograd.tensor import COMPOSITES, PIECEWISE_CONSTANT, RULES

Cell = namedtuple("Cell", "function parameter value rank kind")
REFUSED = re.compile(
    r"options that minigrad does not differentiate|minigrad differentiates|has no derivative rule|"
    r"real numbers or booleans|out= is not written to|has no linear algebra in float16|"
    r"pass full_matrices=False|must be numbers|axis must be an integer|vectors of 3 numbers are needed|"
    r"name one twice|an empty array has no|'out' must be a tuple"
)
# what an error begins with: the function, or what it is that does not fit
SENTENCE = re.compile(
    r"(np\.)?[\w.]+(:| was called| has no| is for)|index .* does not fit|'out' must"
)
SHAPES = {0: (), 1: (3,), 2: (3, 4), 3: (2, 3, 4), 4: (2, 1, 3, 2)}
KINDS = ("float64", "float32", "float16", "int", "bool", "list", "empty", "reversed", "array")


def is_numpys(f):
    module = getattr(f, "__module__", None)
    if isinstance(f, np.ufunc):
        return getattr(np, f.__name__, None) is f
    return bool(module and module.startswith("numpy"))


# what looks at dtypes and memory only, or is text
NO_NUMBERS = {np.can_cast, np.result_type, np.common_type, np.min_scalar_type, np.shares_memory,
              np.may_share_memory, np.array_str, np.array_repr, np.array2string, np.empty_like}  # fmt: skip
FUNCTIONS = sorted(
    (f for f in {*RULES, *COMPOSITES, *PIECEWISE_CONSTANT} - NO_NUMBERS if is_numpys(f)),
    key=public_name,
)


def parameters(f):
    """Names and defaults of NumPy's parameters; `...` is no default."""
    if isinstance(f, np.ufunc):
        names = ["x1", "x2"][: f.nin] if f.nin > 1 else ["x"]
        options = {k: v for k, v in UFUNC_OPTIONS.items() if k != "where" or not f.signature}
        return dict.fromkeys(names, ...) | options
    return {
        p.name: ... if p.default is p.empty else p.default
        for p in inspect.signature(f).parameters.values()
    }


# --- what a parameter is given

# parameters that are arrays, differentiated as far as they are floats
ARRAYS = {"a", "b", "x", "x1", "x2", "y", "v", "m", "A", "arr", "array", "ary", "f", "val", "start",
          "stop", "M", "condition", "z", "a1", "a2", "element", "test_elements"}  # fmt: skip
LISTS = {"arrays", "tup", "arys"}
# what they hold where a function asks for more than numbers
POSITIVE = {
    np.log1p,
    np.log,
    np.log2,
    np.log10,
    np.sqrt,
    np.power,
    np.float_power,
    np.reciprocal,
    np.divide,
}
UNIT = {np.arcsin, np.arccos, np.arctanh}
LINALG = {np.linalg.inv, np.linalg.det, np.linalg.slogdet, np.linalg.cholesky, np.linalg.eigh,
          np.linalg.eigvalsh, np.linalg.matrix_power, np.linalg.solve, np.linalg.pinv, np.linalg.svd}  # fmt: skip


def numbers(f, shape, rng):
    """Values that are apart from each other and from kinks; where f is defined."""
    n = int(np.prod(shape))
    x = np.asarray((rng.permutation(n) + rng.uniform(0.2, 0.8, n)) / max(n, 1))
    if f is np.arccosh:
        x = 1.2 + x
    elif f in UNIT:
        x = 1.6 * x - 0.8
    elif f in POSITIVE:
        x = 0.3 + 2 * x
    else:
        x = 4 * x - 2
    x = x.reshape(shape)
    if f in LINALG and len(shape) > 1 and shape[-1] == shape[-2]:
        x = x @ np.swapaxes(x, -1, -2) + np.diag(np.arange(1.0, shape[-1] + 1))
    return x


def shape_of(f, name, rank, kind):
    shape = SHAPES[rank]
    if f in LINALG and rank >= 2:
        shape = (*shape[:-2], 3, 3)
    if kind == "empty":
        shape = (*shape[:-1], 0) if rank else (0,)
    if name in ("b", "x2") and f in (np.matmul, np.dot, np.linalg.matmul) and rank > 1:
        shape = (*shape[:-2], shape[-1], shape[-2])
    if f in (np.cross, np.linalg.cross) and rank:
        shape = (*shape[:-1], 3)
    return shape


VALUES = {
    "axis": [None, 0, 1, -1, (0,), (0, -1), (1, 0), [0], (), (0, 0), 7, -7, 1.0, "x", True],
    "axes": [None, 0, 1, 2, (1, 0), (0, -1), [-1, 0], (-1, -2), (0, 2, 1), (2, 0, 1), (-1, 0, -2),
             ((0,), (0,)), ((-1,), (-1,)), ((0, 1), (1, 0)), (3, 2, 1, 0), (0, 0), 9],
    "keepdims": [False, True],
    "dtype": [None, float, np.float32, int],
    "out": [None, "array"],
    "where": [True, "mask"],
    "initial": [1.5],
    "order": ["C", "F", "A", "K"],
    "casting": ["same_kind", "unsafe"],
    "subok": [True, False],
    "copy": [None, True],
    "device": [None],
    "like": [None],
    "ddof": [0, 1, 0.5, "1"],
    "correction": [1],
    "mean": [None, "array"],
    "shape": [-1, (-1, 1), (1, -1), (2, -1), (0,), (7, 7), (3, 2, 4), (2, 3, 4), ()],
    "newshape": [-1],
    "shift": [0, 1, -2, (1, 2), 1.5],
    "offset": [0, 1, -1, 9],
    "axis1": [0, 1, -1, 5],
    "axis2": [1, 0, -2, 5],
    "axisa": [-1, 0], "axisb": [-1, 0], "axisc": [-1, 0],
    "k": [0, 1, -1, 2, 5, -6],
    "n": [0, 1, 2, 3, -1],
    "start": [0, 1, 2, -1, 9],
    "source": [0, -1, (0, 1), 9], "destination": [0, -1, 1, (1, 0)],
    "pad_width": [0, 1, (1, 2), ((1, 2),), ((0, 1), (2, 0)), {0: 1}, {-1: (0, 2)}, -1],
    "mode": ["constant", "edge", "reflect", "symmetric", "wrap", "mean", "empty", "linear_ramp",
             "raise", "clip", "full", "same", "valid"],
    "indices": [0, -1, [0, 0, 1], np.array([[0, 1], [1, 0]]), 9],
    "indices_or_sections": [1, 2, 3, [1], [1, 2], [0, 5], []],
    "repeats": [0, 1, 3, [1, 2, 0], -1],
    "reps": [0, 1, 2, (2,), (2, 1), (1, 2, 3), (2, 1, 1, 1, 2)],
    "kth": [0, -1, (0, 1), 9],
    "kind": ["stable"], "stable": [None, True],
    "q": [0.0, 0.3, 1.0, [0.1, 0.7], [[0.5], [0.2]], 2.0, 33.3],
    "method": ["linear", "nearest"], "interpolation": [None], "overwrite_input": [False, True],
    "weights": [None, "array", "vector"], "returned": [False, True],
    "prepend": [0.0, "array"], "append": [1.0, "array"],
    "varargs": [()], "edge_order": [1, 2],
    "dx": [1.0, 0.5],
    "nan": [0.0, 5.0], "posinf": [None, 2.0], "neginf": [None, -2.0],
    "decimals": [0, 1, -1],
    "min": [None, -0.5, 2.0], "max": [None, 0.4, 0.1], "a_min": [None, -0.5], "a_max": [None, 0.4],
    "num": [0, 1, 5, -1], "endpoint": [True, False], "retstep": [False, True],
    "ord": [None, 1, -1, 2, -2, 3, 0.5, 0, np.inf, -np.inf, "fro", "nuc", "x"],
    "UPLO": ["L", "U", "x"], "upper": [False, True],
    "rcond": [None, 1e-3], "rtol": [1e-5], "tol": [None], "hermitian": [False, True],
    "full_matrices": [True, False], "compute_uv": [True, False],
    "obj": [0, [0, 1], -1],
    "values": ["array"],
    "fill_value": [1.5], "optimize": [False, True],
    "constant_values": [0, 1.5], "kwargs": [()],
    "subscripts": [""], "operands": [()],
}  # fmt: skip
REQUIRED = {"shape": -1, "shift": 1, "source": 0, "destination": -1, "pad_width": 1, "indices": [0],
            "indices_or_sections": 1, "repeats": 2, "reps": 2, "kth": 0, "q": 0.3, "obj": 0,
            "axis1": 0, "axis2": -1, "axis": 0, "fill_value": 1.5, "num": 5, "values": "array",
            "n": 2, "dtype": float, "a_min": -0.5, "a_max": 0.4}  # fmt: skip


# options of isclose, select and the like, whose values do not matter here
UNTRIED = {"rtol", "atol", "equal_nan", "deg", "bins", "right", "assume_unique", "invert", "side",
           "sorter", "condlist", "choicelist", "default"}  # fmt: skip


def special_calls(f):
    """Functions whose arguments are tied to each other, as whole calls of one array."""
    calls = {
        np.einsum: [
            lambda x: np.einsum("...->...", x), lambda x: np.einsum("...i->i...", x),
            lambda x: np.einsum("ij->ji", x), lambda x: np.einsum("ij,kj->ik", x, 2 * x),
            lambda x: np.einsum("ij,ij", x, x), lambda x: np.einsum(x, [0, 1], [1, 0]),
            lambda x: np.einsum(x, [0, 1], x, [2, 1], [0, 2]), lambda x: np.einsum("...i,...i", x, x),
            lambda x: np.einsum("ii", x[:, :3]), lambda x: np.einsum("ii->i", x[:, :3]),
            lambda x: np.einsum("iij->j", np.stack([x[:, :3]] * 3)),
            lambda x: np.einsum("ij,jk->ik", x, x.T, optimize=True),
        ],
        np.digitize: [lambda x: np.digitize(x, [-1.0, 0.0, 1.0])],
        np.searchsorted: [lambda x: np.searchsorted([-1.0, 0.0, 1.0], x, side="right")],
        np.select: [lambda x: np.select([x > 0, x > -1], [x, 2 * x], 0.5)],
        np.where: [
            lambda x: np.where(x > 0, x, 2 * x), lambda x: np.where([True], x, 1),
            lambda x: np.where(x > 0, 1, x), lambda x: np.where(x), lambda x: np.where(x, x, x),
        ],
        np.take_along_axis: [
            lambda x, a=a: np.take_along_axis(x, np.argsort(x, axis=a), a) for a in (0, -1)
        ],
        np.linspace: [lambda x, n=n: np.linspace(x, 2 * x, n, axis=-1) for n in (1, 4)],
        np.gradient: [lambda x: np.gradient(x, axis=0), lambda x: np.gradient(x, 0.5, axis=-1),
                      lambda x: np.stack(np.gradient(x, axis=(0, 1)))],
        np.linalg.multi_dot: [lambda x: np.linalg.multi_dot([x, x.T, x])],
        np.compress: [lambda x: np.compress([True, False, True], x, axis=-1)],
        np.extract: [lambda x: np.extract(x > 0, x)],
        np.copysign: [lambda x: np.copysign(x, -1.0), lambda x: np.copysign(x, x)],
        np.divmod: [lambda x: np.divmod(x, 0.7)[1]],
        np.heaviside: [lambda x: np.heaviside(0 * x, x)],
        np.full_like: [lambda x: np.full_like(np.zeros(2), x), lambda x: np.full_like(x, 1.5)],
        np.linalg.solve: [lambda x: np.linalg.solve(x, x), lambda x: np.linalg.solve(x, np.ones(3))],
        np.clip: [lambda x: np.clip(x, -0.5, 0.7), lambda x: np.clip(x, a_min=-1, a_max=None),
                  lambda x: x.clip(max=0.2)],
        np.tensordot: [
            lambda x, a=a: np.tensordot(x, 2 * x, a)
            for a in (0, ((0,), (0,)), ((-1,), (-1,)), ((0, 1), (0, 1)), ((-1, 0), (-1, 0)))
        ],
        np.append: [lambda x: np.append(x, 2 * x), lambda x: np.append(x, x, axis=0)],
        np.pad: [lambda x: np.pad(x, 1, "edge"), lambda x: np.pad(x, 1, mode="wrap")],
        np.unstack if hasattr(np, "unstack") else None: [lambda x: np.unstack(x)],
    }  # fmt: skip
    return calls.get(f, [])


WHOLE_CALLS = {np.where, np.einsum, np.select, np.digitize, np.take_along_axis}  # tried only so


def cells(functions=FUNCTIONS):
    for f in functions:
        for i, _ in enumerate(special_calls(f)):
            for rank, kind in itertools.product(SHAPES, KINDS):
                yield Cell(f, "call", i, rank, kind)
        for name in parameters(f) if f not in WHOLE_CALLS else ():
            if name == "where" and f in PIECEWISE_CONSTANT:
                continue  # NumPy leaves the rest of the result as it finds the memory
            if name in LISTS or (name in ARRAYS and parameters(f)[name] is ...):
                yield from (Cell(f, name, ..., r, k) for r, k in itertools.product(SHAPES, KINDS))
            else:
                for i, _ in enumerate(VALUES.get(name, ())):
                    for rank, kind in itertools.product(SHAPES, ("float64", "empty", "int")):
                        yield Cell(f, name, i, rank, kind)


# --- a call


def operand(f, name, cell, rng):
    """An array for an array parameter; the one whose kind is tried gets that kind."""
    kind = cell.kind if cell.parameter in (name, "call") or cell.value is not ... else "float64"
    x = numbers(f, shape_of(f, name, cell.rank, cell.kind), rng)
    if name == "condition":
        return x > 0
    if kind in ("float32", "float16"):
        return x.astype(kind)
    if kind in ("int", "bool"):
        return (np.round(2 * x) if kind == "int" else x > 0).astype(kind)
    return np.flip(x) if kind == "reversed" and x.ndim else x


def arguments(cell, rng):
    """The arrays of a call, and the function of them that makes it."""
    f = cell.function
    if cell.parameter == "call":
        return [operand(f, "a", cell, rng)], special_calls(f)[cell.value]
    arrays, options, places = [], {}, []
    for name, default in parameters(f).items():
        if name in ARRAYS and default is ...:
            places.append((name, len(arrays)))
            arrays.append(operand(f, name, cell, rng))
        elif name in LISTS:
            places.append((name, [len(arrays), len(arrays) + 1]))
            arrays += [operand(f, name, cell, rng), operand(f, name, cell, rng)]
        elif name == cell.parameter:
            options[name] = VALUES[name][cell.value]
        elif default is ... and name not in ("kwargs", "varargs", "operands"):
            options[name] = REQUIRED[name]
    given = {k: special_value(k, v, arrays) for k, v in options.items()}

    def call(*xs):
        positional, named = [], dict(given)
        by_position = {
            p.name
            for p in ([] if isinstance(f, np.ufunc) else inspect.signature(f).parameters.values())
            if p.kind in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL)
        }
        for name in parameters(f):
            at = dict(places).get(name)
            if at is not None:
                value = xs[at] if isinstance(at, int) else [xs[i] for i in at]
                positional += value if name == "arys" else [value]
            elif name in by_position and name in named:
                positional.append(named.pop(name))
        return f(*positional, **named)

    return arrays, call


def special_value(name, value, arrays):
    shape = np.shape(arrays[0]) if arrays else ()
    if isinstance(value, str) and value == "array":
        return np.zeros(shape)
    if isinstance(value, str) and value == "vector":
        return np.arange(1.0, (shape[0] if shape else 1) + 1)
    if isinstance(value, str) and value == "mask":
        return np.arange(int(np.prod(shape))).reshape(shape) % 2 == 0
    return value


# --- what is right


def parts(y):
    if isinstance(y, (tuple, list)):
        return [p for v in y for p in parts(v)]
    return [y]


def data(y):
    return np.asarray(y._data if isinstance(y, Tensor) else y)


def total(results):
    """One number, in which every element has a weight of its own."""
    s = 0.0
    for i, y in enumerate(results):
        if data(y).dtype.kind == "f" and data(y).size:
            w = np.cos(1 + i + np.arange(data(y).size)).reshape(data(y).shape)
            s = s + (w * y).sum()
    return s


def wrong(cell, seed=0):
    """What is wrong with a cell, or None; and whether it is a value, a refusal or an error."""
    rng = np.random.default_rng(seed)
    try:
        arrays, call = arguments(cell, rng)
    except Exception as error:
        return f"the table itself: {error!r}", "table"
    tensors, leaves = [], []
    for i, a in enumerate(arrays):
        first = i == 0 or cell.kind not in ("list", "array")
        t = a if not first else Tensor(a, requires_grad=a.dtype.kind == "f")
        if not first and cell.kind == "list":
            t = a.tolist()
        tensors.append(t)
        if first and a.dtype.kind == "f":
            leaves.append((i, t))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:  # out= is refused in any case; and np.cumprod(1.0, out=...) crashes NumPy 2.4
            out = cell.parameter == "out" and cell.value
            expected, failure = None if out else call(*arrays), None
        except Exception as error:
            expected, failure = None, error
        try:
            got = call(*tensors)
        except (TypeError, ValueError, IndexError, ZeroDivisionError) as error:
            if not SENTENCE.match(str(error)):
                return f"raised {error!r}, which does not say where", "error"
            if failure is None and not REFUSED.search(str(error)):
                return f"raised {error!r}, where NumPy gives {expected!r}", "error"
            if type(error) not in (
                TypeError,
                ValueError,
                IndexError,
                ZeroDivisionError,
                np.linalg.LinAlgError,
            ):
                return f"raised {error!r}", "error"
            return None, "refused" if failure is None else "error"
        except Exception as error:
            return f"raised {error!r}", "error"
        if failure is not None:
            if {cell.parameter, cell.function} & LENIENT:
                return None, "lenient"
            return f"gave {got!r}, where NumPy raises {failure!r}", "value"
        if out:
            return "out= was not refused", "value"
        results, plain = parts(got), parts(expected)
        if len(results) != len(plain):
            return f"{len(results)} results for {len(plain)}", "value"
        for y, z in zip(results, plain):
            y, z = data(y), np.asarray(z)
            if y.shape != z.shape:
                return f"shape {y.shape} for {z.shape}", "value"
            if y.dtype != z.dtype:
                return f"dtype {y.dtype} for {z.dtype}", "value"
            if cell.function is np.partition and cell.kind == "float16":
                continue  # NumPy sorts it, and argpartition does not
            tol = {"float16": 5e-3, "float32": 1e-5}.get(cell.kind, 1e-12)
            if z.dtype.kind in "fiub" and not np.allclose(y, z, tol, tol, equal_nan=True):
                return f"{y!r} for {z!r}", "value"
        try:
            return derivatives(cell, call, arrays, leaves, results), "value"
        except Exception as error:
            return f"on the way back: {error!r}", "value"


# What is taken that NumPy refuses: lists of axes, one bound, a shift of no axes, booleans as numbers.
LENIENT = {"axis", "axes", "a_min", "a_max", np.fft.fftshift, np.fft.ifftshift, np.quantile,
           np.percentile, np.gradient}  # fmt: skip


def derivatives(cell, call, arrays, leaves, results):
    """Gradient and second derivative, along a direction, beside central differences."""
    s = total(results)
    if not leaves:
        return None
    constant = cell.function in PIECEWISE_CONSTANT
    if not isinstance(s, Tensor) or not s.requires_grad:
        moves = any(data(y).dtype.kind == "f" and data(y).size for y in results)
        xs = [x for _, x in leaves if x.size]
        if not moves or not xs or cell.function in FLAT or constant:
            return None
        return "gives a constant"
    xs = [x for _, x in leaves]
    first = grad(s, xs, create_graph=True, allow_unused=True)
    for x, g in zip(xs, first):
        if g is not None and (g.shape != x.shape or g.dtype != x.dtype):
            return f"gradient of {g.shape}, {g.dtype} for {x.shape}, {x.dtype}"
    if cell.kind in ("float16", "float32") or cell.parameter == "dtype":
        return None
    rng = np.random.default_rng(1)
    ways = [rng.standard_normal(x.shape) for x in xs]
    slope = sum((g * v).sum() for g, v in zip(first, ways) if g is not None)

    def at(h):
        moved = list(arrays)
        for (i, _), v in zip(leaves, ways):
            moved[i] = arrays[i] + h * v
        return float(total(parts(call(*moved))))

    def differs(mine, difference, h, absolute, relative):
        """Not where the differences do not settle: a jump or a kink lies between, or nothing."""
        numeric, closer = difference(h), difference(h / 3)
        tolerance = absolute + relative * abs(numeric)
        if not np.isfinite(numeric) or not abs(numeric - closer) <= tolerance:
            return None
        return None if abs(mine - numeric) <= tolerance else f"{mine}, by differences {numeric}"

    if found := differs(float(slope), lambda h: (at(h) - at(-h)) / (2 * h), 1e-6, 1e-5, 1e-4):
        return f"slope {found}"
    if not isinstance(slope, Tensor) or not slope.requires_grad:
        bend = 0.0
    else:
        second = grad(slope, xs, allow_unused=True)
        bend = float(sum((g * v).sum() for g, v in zip(second, ways) if g is not None))
    found = differs(bend, lambda h: (at(h) - 2 * at(0) + at(-h)) / h**2, 3e-4, 1e-3, 1e-2)
    return f"second derivative {found}" if found else None


# of these the result does not depend on the numbers, or by steps
FLAT = {np.copysign, np.imag, np.heaviside, np.full_like, np.floor_divide, np.divmod, np.linalg.norm,
        np.linalg.vector_norm if hasattr(np.linalg, "vector_norm") else None,
        np.diff, np.gradient, np.tril, np.triu, np.diagonal, np.trace, np.tile, np.repeat, np.select,
        np.linspace, np.extract, np.take, np.select, np.linalg.matrix_power, np.diag}  # fmt: skip


def name_of(cell):
    value = cell.value
    if isinstance(value, int) and cell.parameter in VALUES:
        value = repr(VALUES[cell.parameter][value])
    return f"{public_name(cell.function)}({cell.parameter}={value}), rank {cell.rank}, {cell.kind}"


def main(names):
    functions = [f for f in FUNCTIONS if not names or public_name(f) in names]
    start, kinds, bad = time.time(), Counter(), []
    for cell in cells(functions):
        found, kind = wrong(cell)
        kinds[kind] += 1
        if found:
            bad.append(f"{name_of(cell)}: {re.sub(chr(10), chr(32), found)[:260]}")
    print(
        f"{sum(kinds.values())} cells of {len(functions)} functions in {time.time() - start:.0f} s: "
        f"{dict(kinds)}, {len(bad)} wrong",
        *bad,
        sep="\n",
    )
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
