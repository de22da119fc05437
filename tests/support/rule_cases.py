"""For every function on the sheet of rules, calls that exercise each of its rules.

CASES[f] is a list of (function of Tensors, shapes of its inputs, where the inputs lie). A point is
drawn at random from the named region, which keeps it off kinks and inside the function's domain.
tests/autograd/test_rules.py checks all of them to second order and fails if a rule has no case.
"""

import operator

import numpy as np

from minigrad import activations, attention, layers, losses, nn, norms
from minigrad.activations import gelu_silu_swish, relu_family
from minigrad.activations.softmax import _log_softmax, _logsumexp, _softmax
from minigrad.autograd import composites, linalg, rules, special, tensor
from minigrad.autograd.special import erf, expit, ndtr
from minigrad.losses import entropy_cross_entropy_kl as entropies
from minigrad.losses import focal, regression
from minigrad.norms.rms_norm import scale_to_unit
from minigrad.norms.standardize import standardize

REGIONS = {
    "line": lambda rng, shape: rng.uniform(-2, 2, shape),
    "positive": lambda rng, shape: rng.uniform(0.3, 2, shape),
    "probability": lambda rng, shape: rng.uniform(0.05, 0.9, shape),
    "unit": lambda rng, shape: rng.uniform(-0.8, 0.8, shape),
    # distinct values at least 0.05 apart, and away from 0: for |x|, max, clip
    "apart": lambda rng, shape: (
        rng.permutation(np.linspace(-2, 2, int(np.prod(shape)) + 3)[: int(np.prod(shape))]) + 0.013
    ).reshape(shape),
}

PAIRS = [((3,), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 2)), ((2, 0), (1,))]
SHAPES = [((),), ((3,),), ((2, 3),)]


def elementwise(f, region, shapes=SHAPES):
    return [(f, s, region) for s in shapes]


def binary(f, region, scalars=True):
    cases = [(f, s, region) for s in PAIRS]
    if scalars:
        cases += [(lambda x: f(x, 1.7), ((3,),), region), (lambda x: f(1.7, x), ((3,),), region)]
    return cases


CONDITION = np.array([[True, False, True], [False, False, True]])
KEPT = np.array([[[2.0, 0, 2, 2], [0, 2, 0, 2]], [[2, 2, 2, 0], [2, 0, 2, 2]]])  # of a dropout
mask = np.array([True, False, True])

CASES = {
    np.add: binary(np.add, "line"),
    np.subtract: binary(np.subtract, "line"),
    np.multiply: binary(np.multiply, "line"),
    np.divide: binary(np.divide, "positive"),
    np.power: binary(np.power, "positive")
    + [(lambda x, n=n: x**n, ((3,),), "line") for n in (0, 1, 2, 3)]
    + [(lambda x: x ** np.array([0.0, 2.0, -1.0]), ((3,),), "positive")],
    np.remainder: [(lambda x: x % 0.7, ((3,),), "positive"), (lambda x: 5.0 % x, ((3,),), "positive")],
    np.maximum: binary(np.maximum, "apart", scalars=False) + [(lambda x: np.maximum(x, 0), ((3,),), "apart")],
    np.minimum: binary(np.minimum, "apart", scalars=False) + [(lambda x: np.minimum(0, x), ((3,),), "apart")],
    np.logaddexp: binary(np.logaddexp, "line"),
    composites.BESIDE[np.logaddexp2]: binary(np.logaddexp2, "line"),
    composites.BESIDE[np.arctan2]: binary(np.arctan2, "positive"),
    composites.BESIDE[np.hypot]: binary(np.hypot, "positive"),
    composites.BESIDE[np.fmod]: [(lambda x: np.fmod(x, 0.7), ((3,),), "positive"), (lambda x: np.fmod(5.0, x), ((3,),), "positive")],
    np.where: [
        (lambda a, b: np.where(CONDITION, a, b), s, "line")
        for s in (((2, 3), (2, 3)), ((3,), ()), ((2, 1), (1, 3)))
    ],
    np.clip: [
        (lambda x: np.clip(x, -1, 1), ((7,),), "apart"),
        (lambda x: x.clip(0.2), ((7,),), "apart"),
        (lambda x: np.clip(x, None, 0.4), ((7,),), "apart"),
        (lambda x: np.clip(x, min=-0.5, max=1), ((7,),), "apart"),
    ],
    np.sum: [
        (lambda x, a=a, k=k: np.sum(x, axis=a, keepdims=k), ((2, 3, 2),), "line")
        for a in (None, 0, -1, (0, 2))
        for k in (False, True)
    ]
    + [(lambda x: x.sum(), ((),), "line"), (lambda x: x.sum(0), ((0, 2),), "line")],
    rules.mean: [
        (lambda x, a=a, k=k: np.mean(x, axis=a, keepdims=k), ((2, 3, 2),), "line")
        for a in (None, 1, -1, (0, 2))
        for k in (False, True)
    ]
    + [(lambda x: x.var(), ((3,),), "line"), (lambda x: x.std(0, ddof=1), ((3, 2),), "line")],
    rules.root: [(lambda x: np.std(x, axis=0), ((3, 2),), "line"), (lambda x: rules.root(x), ((3,),), "positive")],
    rules.sums: [(lambda x, a=a: rules.sums(x, a), ((2, 3, 4),), "line") for a in (-1, 0)],
    tensor.column_sums: [(lambda x: tensor.column_sums(x), ((2, 3, 4),), "line")],
    rules.broadcast: [(lambda x: rules.broadcast(x, (2, 2, 3)), ((2, 1),), "line")],
    np.max: [(lambda x, a=a: x.max(axis=a), ((2, 3),), "apart") for a in (None, 0, 1)]
    + [(lambda x: np.max(x, axis=(0, 1), keepdims=True), ((2, 3),), "apart")],
    np.min: [(lambda x, a=a: x.min(axis=a), ((2, 3),), "apart") for a in (None, 0, 1)],
    np.prod: [(lambda x, a=a: x.prod(axis=a), ((2, 3),), "line") for a in (None, 0, -1)]
    + [(lambda x: (x * np.array([1.0, 0.0, 2.0])).prod(), ((3,),), "line")]
    + [(lambda x: (x * np.array([0.0, 0.0, 2.0])).prod(axis=0), ((3, 3),), "line")]
    + [(lambda x: (x * np.array([1.0, 0.0, 2.0])).prod(axis=(0, 2)), ((2, 2, 3),), "line")]
    + [(lambda x: np.prod(x * mask, axis=-1, keepdims=True), ((2, 3),), "line")],
    np.cumsum: [(lambda x, a=a: x.cumsum(axis=a), ((2, 3),), "line") for a in (None, 0, 1)],
    np.reshape: [(lambda x: x.reshape(3, 2), ((2, 3),), "line"), (lambda x: np.ravel(x), ((2, 3),), "line")],
    np.transpose: [
        (lambda x: x.T, ((2, 3),), "line"),
        (lambda x: np.transpose(x, (2, 0, 1)), ((2, 3, 2),), "line"),
        (lambda x: x.transpose(-1, 0, -2), ((2, 3, 4),), "line"),
    ],
    np.swapaxes: [(lambda x: x.swapaxes(0, 2), ((2, 3, 1),), "line")],
    np.moveaxis: [(lambda x: np.moveaxis(x, 0, -1), ((2, 3, 1),), "line")],
    np.squeeze: [(lambda x: x.squeeze(), ((2, 1, 3),), "line"), (lambda x: x.squeeze(1), ((2, 1, 1),), "line")],
    np.expand_dims: [(lambda x: np.expand_dims(x, 1), ((2, 3),), "line")],
    np.broadcast_to: [(lambda x: np.broadcast_to(x, (2, 2, 3)), ((2, 1),), "line")]
    + [(lambda x: np.broadcast_to(x, (4, 3)), ((3,),), "line")],
    np.flip: [(lambda x, a=a: np.flip(x, a), ((2, 3),), "line") for a in (None, 0, 1)],
    np.roll: [(lambda x: np.roll(x, 1), ((2, 3),), "line"), (lambda x: np.roll(x, 2, 1), ((2, 3),), "line")],
    np.tril: [(lambda x: np.tril(x, -1), ((3, 3),), "line")],
    np.triu: [(lambda x: np.triu(x), ((2, 3),), "line")],
    np.pad: [
        (lambda x: np.pad(x, 1), ((2, 2),), "line"),
        (lambda x: np.pad(x, ((0, 1), (2, 0))), ((2, 2),), "line"),
    ],
    np.matmul: [
        (lambda a, b: a @ b, s, "line")
        for s in (
            ((2, 3), (3, 2)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 2, 3), (3, 2)),
            ((2, 3), (2, 3, 1)), ((2, 1, 2, 2), (3, 2, 1)), ((3,), (2, 3, 2)), ((2, 2, 3), (3,)),
            ((2, 0), (0, 3)),
        )
    ],
    np.einsum: [
        (lambda a, b, e=e: np.einsum(e, a, b), s, "line")
        for e, s in (
            ("ij,jk->ik", ((2, 3), (3, 2))), ("ij,jk", ((2, 3), (3, 2))), ("i,j->ij", ((2,), (3,))),
            ("ij,kj->k", ((2, 3), (2, 3))), ("...ij,jk->...ik", ((2, 2, 3), (3, 2))), ("ij,ij->", ((2, 3), (2, 3))),
            ("...i,...i", ((2, 1, 3), (2, 3))),
        )
    ]
    + [(lambda x: np.einsum("ij->j", x), ((2, 3),), "line")]
    + [  # sizes of 1 are repeated to those of the others
        (lambda a, b: np.einsum("i,i", a, b), ((2,), (1,)), "line"),
        (lambda a, b: np.einsum("ij,jk->ik", a, b), ((2, 1), (3, 4)), "line"),
        (lambda a, b: np.einsum("ij,ij->i", a, b), ((2, 1), (1, 3)), "line"),
    ],
    np.convolve: [
        (lambda a, v, m=m: np.convolve(a, v, m), s, "line")
        for m in ("full", "same", "valid")
        for s in (((4,), (3,)), ((2,), (5,)), ((3,), (3,)), ((1,), (2,)), ((), (3,)))
    ],
    rules.concatenate: [
        (lambda a, b: np.concatenate([a, b], axis=1), ((2, 1), (2, 2)), "line"),
        (lambda a, b: np.stack([a, b, a], axis=-1), ((2,), (2,)), "line"),
        (lambda a, b: np.hstack([a, b]), ((2,), (3,)), "line"),
        (lambda a, b: np.vstack([a, b]), ((2,), (3, 2)), "line"),
    ],
    rules.norm: [(lambda x, a=a: np.linalg.norm(x, axis=a), ((2, 3),), "positive") for a in (None, 0, 1)],
    operator.getitem: [
        (lambda x: x[1], ((2, 3),), "line"),
        (lambda x: x[..., ::2], ((2, 3),), "line"),
        (lambda x: x[[0, 0, 1]], ((2, 3),), "line"),
        (lambda x: x[np.array([1, 0]), np.array([2, 2])], ((2, 3),), "line"),
        (lambda x: x[mask], ((3, 2),), "line"),
        (lambda x: x[None, 1:], ((3,),), "line"),
        (lambda x: x[(0, 0, 1), :], ((2, 3),), "line"),
        (lambda x: np.diagonal(x, 1), ((3, 4),), "line"),
    ],
    rules.scatter: [(lambda x: rules.scatter(x, [0, 0, 2], (4,)), ((3,),), "line")],
    layers._linear: [
        (lambda x, W, b: nn.linear(x, W, b), s, "line")
        for s in (((2, 3), (4, 3), (4,)), ((3,), (1, 3), (1,)), ((2, 2, 3), (2, 3), (2,)))
    ]
    + [(lambda x, W: nn.linear(x, W), ((2, 3), (4, 3)), "line")],
    relu_family._relu: [(activations.relu, ((2, 3),), "apart")],
    entropies._cross_entropy: [
        (lambda z, r=r: losses.cross_entropy(z, [2, 0], reduction=r), ((2, 3),), "line")
        for r in ("mean", "sum", "none")
    ],
    np.astype: [(lambda x: x.astype(np.float64), ((3,),), "line")],
}  # fmt: skip

CASES[composites.BESIDE[np.arcsinh]] = elementwise(np.arcsinh, "line") + [
    (lambda x: np.arccosh(1.1 + x), ((3,),), "positive")
]
for f, region in {
    np.negative: "line", np.positive: "line", np.absolute: "apart", np.square: "line",
    np.sqrt: "positive", np.cbrt: "positive", np.reciprocal: "positive", np.exp: "line",
    np.exp2: "line", np.expm1: "line", np.log: "positive", np.log1p: "positive",
    np.log2: "positive", np.log10: "positive", np.sin: "line", np.cos: "line", np.tan: "unit",
    np.arcsin: "unit", np.arccos: "unit", np.arctan: "line", np.sinh: "line", np.cosh: "line",
    composites.BESIDE[np.sinc]: "line",
    np.tanh: "line", np.arctanh: "unit", expit: "line", erf: "line",
}.items():  # fmt: skip
    CASES[f] = elementwise(f, region)


def draw(case, rng):
    f, shapes, region = case
    # the inputs are shifted against each other, so that no two of their elements are equal
    return f, [REGIONS[region](rng, s) + 0.02 * i for i, s in enumerate(shapes)]


# --- SciPy's special functions, and linear algebra

sp = special.sp
DOMAINS = {
    "line": (sp.erfc, sp.erfcx, sp.log_ndtr, sp.log_expit, sp.j0, sp.j1, sp.i0, sp.i1),
    "positive": (sp.gamma, sp.gammaln, sp.rgamma, sp.psi, sp.entr, sp.y0, sp.y1),
    "probability": (sp.logit, sp.ndtri, sp.erfcinv),
    "unit": (sp.erfinv,),
}
SPECIAL = {f: elementwise(f, region) for region, fs in DOMAINS.items() for f in fs}
SPECIAL |= {
    f: binary(f, "positive")
    for f in (sp.beta, sp.betaln, sp.xlogy, sp.xlog1py, sp.rel_entr, sp.kl_div)
}
SPECIAL |= {
    f: [(lambda x, f=f: f(*[3 if f is sp.yn else 1.7] * (f.nin - 1), x), ((3,),), "probability")]
    for f in (sp.gammainc, sp.gammaincc, sp.betainc, sp.stdtr, sp.jv, sp.yn, sp.yv, sp.iv, sp.ive)
}
assert SPECIAL.keys() == special.BESIDE.keys()
CASES |= {special.BESIDE[f]: cases for f, cases in SPECIAL.items()}
CASES[special._polygamma] = [
    (lambda x, n=n: special.polygamma(n, x), ((3,),), "positive") for n in range(3)
]


def definite(x, shift=1.0):
    """Symmetric and positive definite, with eigenvalues that differ."""
    n = x.shape[-1]
    return x @ np.swapaxes(x, -1, -2) + shift * np.diag(np.arange(1.0, n + 1))


def sharp(x):
    """Far from singular, with singular values that differ."""
    return x + 4 * np.eye(*x.shape[-2:]) * np.arange(1, x.shape[-1] + 1)


la = np.linalg
CASES.update(
    {
        la.inv: [(lambda x: la.inv(sharp(x)), s, "line") for s in (((3, 3),), ((2, 2, 2),))]
        + [(lambda x: la.matrix_power(sharp(x), -2), ((2, 2),), "line")],
        la.det: [(lambda x: la.det(x), s, "line") for s in (((3, 3),), ((2, 2, 2),), ((1, 1),))]
        + [(lambda x: la.det(x * np.array([[1.0], [0.0], [0.0]])), ((3, 3),), "line")]  # rank 1
        + [(lambda x: la.det(x[:, None] * x), ((3,),), "line")],
        la.solve: [
            (lambda a, b: la.solve(sharp(a), b), s, "line")
            for s in (((3, 3), (3,)), ((2, 2), (2, 3)), ((2, 2, 2), (2, 1)), ((2, 2), (3, 2, 1)))
        ],
        la.cholesky: [
            (lambda x: la.cholesky(definite(x)), s, "line") for s in (((3, 3),), ((2, 2, 2),))
        ]
        + [(lambda x: la.cholesky(x + 4 * np.eye(2)), ((2, 2),), "line")]  # reads one triangle
        + [(lambda x: la.cholesky(x + 4 * np.eye(2), upper=True), ((2, 2),), "line")],
        linalg.logabsdet: [
            (lambda x: la.slogdet(sharp(x))[1], s, "line") for s in (((3, 3),), ((2, 2, 2),))
        ],
        linalg._pinv: [
            (lambda x: la.pinv(sharp(x)), s, "line") for s in (((3, 3),), ((3, 2),), ((2, 2, 3),))
        ]
        + [(lambda a, b: la.pinv(a[:, None] * b), ((3,), (2,)), "positive")],  # of rank 1
        linalg._eigh: [
            (lambda x: la.eigvalsh(definite(x)), s, "line") for s in (((3, 3),), ((2, 2, 2),))
        ]
        + [(lambda x: la.eigh(definite(x))[1] ** 2, ((3, 3),), "line")]
        + [
            (lambda x, u=u: la.eigvalsh(x + np.diag([1.0, 5.0]), u), ((2, 2),), "line")
            for u in "LU"
        ],
        linalg._svd: [
            (lambda x, i=i: la.svd(sharp(x), full_matrices=False)[i] ** 2, s, "line")
            for s in (((3, 3),), ((2, 3),), ((3, 2),), ((2, 3, 2),))
            for i in range(3)
        ]
        + [(lambda x, o=o: la.norm(sharp(x), o), ((2, 3),), "line") for o in (2, -2, "nuc")],
    }
)


# --- activations and losses: "line" for what is smooth, "apart" where there are kinks. Probabilities
# are made inside the case, as a softmax of its inputs, so that every point is a distribution.

ROWS = ((2, 3),)


def softmax(x):
    e = np.exp(x)
    return e / e.sum(axis=-1, keepdims=True)


CASES.update(
    {
        rules.logistic: elementwise(activations.sigmoid, "line"),
        relu_family._leaky_relu: [
            (activations.leaky_relu, ROWS, "apart"),
            (activations.prelu, ((2, 3), ()), "apart"),
            (activations.prelu, ((2, 3, 2), (3,)), "apart"),
        ],
        relu_family._elu: [
            (activations.elu, ROWS, "apart"),
            (lambda x: activations.elu(x, alpha=0.5), ROWS, "apart"),
            (activations.selu, ROWS, "apart"),
        ],
        relu_family._softplus: [
            (activations.softplus, ROWS, "line"),
            (lambda x: activations.softplus(x, beta=3.0, threshold=1.7), ROWS, "apart"),
        ],
        _softmax: [
            (lambda x, a=a: activations.softmax(x, axis=a), ((2, 3),), "line") for a in (0, -1)
        ],
        _log_softmax: [
            (lambda x, a=a: activations.log_softmax(x, axis=a), ((2, 3),), "line") for a in (0, -1)
        ],
        _logsumexp: [
            (lambda x, a=a, k=k: activations.logsumexp(x, axis=a, keepdims=k), ((2, 3, 2),), "line")
            for a in (None, 1, -1, (0, 2))
            for k in (False, True)
        ],
        gelu_silu_swish._swish: [
            (activations.silu, ROWS, "line"),
            (activations.swish, ((2, 3), ()), "line"),
            (activations.swish, ((2, 3), (3,)), "line"),
            (activations.swiglu, ((2, 4),), "line"),
        ],
        ndtr: [(lambda x: ndtr(x), ROWS, "line")],
        gelu_silu_swish._gelu: [(activations.gelu, ROWS, "line")],
        gelu_silu_swish._gelu_tanh: [(lambda x: activations.gelu(x, "tanh"), ROWS, "line")],
        gelu_silu_swish._mish: [(activations.mish, ROWS, "line")],
        gelu_silu_swish._hard_swish: [(lambda x: activations.hard_swish(2 * x), ((3, 3),), "apart")],
        regression._huber: [
            (lambda x, y: losses.huber_loss(x, y, delta=0.7), ((7,), (7,)), "line"),
            (lambda x, y: losses.smooth_l1_loss(x, y, "none", beta=0.7), ((7,), (7,)), "line"),
        ],
        regression._log_cosh: [(lambda x, y: losses.log_cosh_loss(x, y, "none"), ((7,), (7,)), "line")],
        entropies._bce: [
            (lambda x, t: losses.binary_cross_entropy(x, t, reduction="none"), ((3,), (3,)), "probability"),
        ],
        entropies._bce_with_logits: [
            (
                lambda x, t, p=p: losses.binary_cross_entropy_with_logits(3 * x, t, pos_weight=p),
                ((2, 3), (2, 3)),
                "probability",
            )
            for p in (None, np.array([0.5, 1.0, 3.0]))
        ],
        focal._focal: [
            (lambda z, g=g: losses.focal_loss(z, [2, 0], gamma=g), ROWS, "line") for g in (0.0, 0.5, 2.0)
        ]
        + [(lambda z: losses.focal_loss(z, [1, 0, 1], alpha=0.25, reduction="none"), ((3,),), "line")],
        entropies._kl: [
            (lambda x, y: losses.kl_div(np.log(softmax(x)), softmax(y), "batchmean"), ROWS * 2, "line")
        ],
        entropies._kl_of_logs: [
            (lambda x, y: losses.kl_div(x, y, "none", log_target=True), ROWS * 2, "line")
        ],
        entropies._rel_entr: [
            (lambda x, y: losses.kl_divergence(softmax(x), softmax(y), "none"), ROWS * 2, "line"),
            (lambda x, y: losses.js_divergence(softmax(x), softmax(y)), ROWS * 2, "line"),
        ],
    }
)  # fmt: skip


# --- norms and attention


def standardized(w, b, axes, **options):
    return lambda *t: tensor.apply(
        standardize, t[0], t[1] if w else None, t[-1] if b else None, axes, 1e-2, **options
    )


CASES.update(
    {
        standardize: [
            (standardized(False, False, (1,)), ((2, 4),), "line"),
            (standardized(True, False, (1,)), ((2, 4), (4,)), "line"),
            (standardized(True, True, (1,)), ((2, 4), (4,), (4,)), "line"),
            (standardized(False, True, (0,)), ((4, 2), (2,)), "line"),
            (standardized(True, True, (0,)), ((4, 2), (2,), (2,)), "line"),
            (standardized(True, True, (0, 2), stats_out=[]), ((2, 2, 3), (2, 1), (2, 1)), "line"),
            (standardized(True, True, (0,)), ((4,), (4,), (4,)), "line"),
        ],
        scale_to_unit: [
            (lambda x, w: norms.rms_norm(x, 4, w), ((2, 4), (4,)), "apart"),
            (lambda x: norms.rms_norm(x, (2, 3), eps=0.1), ((2, 2, 3),), "line"),
        ],
        attention.attend: [
            (
                lambda *t: tensor.apply(attention.attend, *t, KEPT, 0.7),
                ((2, 2, 3), (2, 4, 3), (2, 4, 2), (2, 1, 4)),
                "line",
            ),
            # the second query may attend to nothing
            (
                lambda q, k, v: attention.scaled_dot_product_attention(
                    q, k, v, CONDITION & [[True], [False]]
                ),
                ((2, 2), (3, 2), (3, 1)),
                "line",
            ),
        ],
        attention.rotate: [(lambda x: attention.rotary(x, [0.0, 2.5]), ((2, 4),), "line")],
    }
)
