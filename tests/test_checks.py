"""Every option and every array of every public name, given what it must refuse.

A wrong type raises TypeError, a value outside ValueError, and the message is ours: it begins with the
name that was called and, for an option, with the option's name. NumPy's never come through.
"""

import inspect
import re
import warnings
from types import ModuleType

import numpy as np
import pytest

import minigrad
from minigrad import Tensor, attention, checks, grad, nn, norms, optim, schedules
from minigrad.checks import contains, integer, number

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(2, 4, 3))
P, Q = (np.exp(a) / np.exp(a).sum(1, keepdims=True) for a in (A, B))
CLASSES, SIGNS, BITS = np.array([0, 2, 1, 1]), np.array([1, -1, 1, -1]), np.array([1, 0, 1, 0])
W3, W4 = np.array([0.5, 1.0, 2.0]), np.array([1.0, 2.0, 3.0, 4.0])
RUNNING = dict(running_mean=np.zeros(3), running_var=np.ones(3))


def leaf():
    return Tensor([1.0, 2.0], requires_grad=True)


def square(x):
    return (x * x).sum()


# An argument for every parameter that has no default, or the default None; and where the default
# would not do.
GOOD = {
    "minigrad.Tensor": dict(data=A, dtype="float32"),
    "minigrad.grad": lambda: dict(create_graph=False, output=square(x := leaf()), inputs=x, grad_outputs=np.array(1.0), retain_graph=True),
    "minigrad.compile": lambda: dict(f=square, optimizer=optim.SGD([leaf()]), clip=1.0),
    "minigrad.gradcheck": dict(f=square, inputs=A),
    "minigrad.gradgradcheck": dict(f=square, inputs=A, rng=RNG),
    "minigrad.hessian": dict(f=square, x=A),
    "minigrad.hvp": dict(f=square, x=A, v=B),
    "minigrad.jacobian": dict(f=square, x=A),
    "minigrad.jvp": dict(f=square, x=A, v=B),
    "minigrad.vjp": dict(f=square, x=A),
    "minigrad.minimize": dict(tol=1e-5, callback=lambda x: None, f=square, x0=W3),
    "minimizers.backtracking": dict(f=square, x=W3, p=-W3),
    "minimizers.strong_wolfe": dict(f=square, x=W3, p=-W3),
    "minimizers.linear_cg": dict(A=np.eye(3), b=W3, preconditioner=lambda r: r, x0=W3, maxiter=9),
    "activations.prelu": dict(x=A, weight=W3),
    **{f"activations.{f}": dict(x=A.T) for f in ("glu", "bilinear", "reglu", "geglu", "swiglu")},
    "attention.rotary": dict(x=np.ones((4, 2)), positions=W4),
    "attention.scaled_dot_product_attention": dict(
        q=A, k=B, v=B, attn_mask=np.ones((4, 4), bool), scale=0.5, rng=RNG
    ),
    "attention.MultiheadAttention": dict(d_model=4, num_heads=2, num_kv_heads=1),
    "init.calculate_gain": dict(nonlinearity="leaky_relu", param=0.1),
    "init.deepnorm_alpha_beta": dict(encoder_layers=3),
    "init.residual_scale": dict(num_layers=3),
    "init.constant": dict(value=0.5),
    "losses.circle_loss": dict(sp=A, sn=B),
    "losses.clip_loss": dict(image=A, text=B),
    "losses.contrastive_loss": dict(x1=A, x2=B, similar=BITS),
    "losses.cosent_loss": dict(similarities=A, labels=B),
    "losses.cosine_embedding_loss": dict(input1=A, input2=B, target=SIGNS),
    "losses.cross_entropy": dict(input=A, target=CLASSES, weight=W3),
    "losses.focal_loss": dict(logits=A, targets=CLASSES, alpha=W3),
    "losses.hinge_embedding_loss": dict(input=W4, target=SIGNS),
    "losses.huber_loss": dict(input=A, target=B, weight=P),
    "losses.info_nce_loss": dict(query=A, key=B),
    "losses.js_divergence": dict(p=P, q=Q),
    "losses.kl_div": dict(input=A, target=P),
    "losses.kl_divergence": dict(p=P, q=Q),
    "losses.lambdarank_loss": dict(scores=A, relevance=P),
    "losses.listnet_loss": dict(scores=A, relevance=P),
    "losses.margin_ranking_loss": dict(input1=W4, input2=W4, target=SIGNS),
    "losses.nce_loss": dict(
        log_model=W4, log_noise=W4, log_model_at_noise=A, log_noise_at_noise=B
    ),
    "losses.nll_loss": dict(input=A, target=CLASSES, weight=W3),
    "losses.ranknet_loss": dict(scores=A, relevance=P),
    "losses.triplet_margin_loss": dict(anchor=A, positive=B, negative=P),
    "losses.binary_cross_entropy": dict(input=P, target=Q, weight=P),
    "losses.binary_cross_entropy_with_logits": dict(input=A, target=Q, weight=P, pos_weight=P),
    "nn.Dropout": dict(),
    "nn.Embedding": dict(num_embeddings=5, embedding_dim=3, padding_idx=1),
    "nn.Linear": dict(in_features=3, out_features=2),
    "nn.Parameter": dict(data=A, dtype="float32"),
    "nn.dropout": dict(x=A),
    "nn.linear": dict(x=A, weight=B, bias=W4),
    "norms.BatchNorm1d": dict(num_features=3),
    "norms.BatchNorm2d": dict(num_features=3),
    "norms.InstanceNorm2d": dict(num_features=3),
    "norms.DeepNorm": dict(norm=np.tanh, branch=np.tanh, alpha=2.0),
    "norms.PreNorm": dict(norm=np.tanh, branch=np.tanh),
    "norms.PostNorm": dict(norm=np.tanh, branch=np.tanh),
    "norms.GroupNorm": dict(num_groups=1, num_channels=3),
    "norms.LayerNorm": dict(normalized_shape=(3,)),
    "norms.RMSNorm": dict(normalized_shape=(3,), eps=1e-5),
    "norms.batch_norm": lambda: dict(x=A, weight=W3, bias=W3, **RUNNING),
    "norms.instance_norm": lambda: dict(x=A[:, :, None] * W4, weight=W3, bias=W3, **RUNNING),
    "norms.group_norm": dict(x=A, num_groups=1, weight=W3, bias=W3),
    "norms.layer_norm": dict(x=A, normalized_shape=(3,), weight=W3, bias=W3),
    "norms.rms_norm": dict(x=A, normalized_shape=(3,), weight=W3, eps=1e-5),
    "optim.Lookahead": lambda: dict(opt=optim.SGD([leaf()])),
    "optim.Sophia": dict(gamma=0.01),
    "optim.Adafactor": dict(eps=(1e-30, 1e-3)),
    "optim.Muon": lambda: dict(params=[Tensor(A, requires_grad=True)], adjust_lr_fn="original"),
    "optim.clip_grad_norm": dict(max_norm=1.0),
    "schedules.warmup": dict(steps=3, then=schedules.constant(0.1)),
    "schedules.cosine": dict(lr=0.1, T_max=9),
    "schedules.cosine_restarts": dict(lr=0.1, T_0=9),
    "schedules.exponential": dict(lr=0.1, gamma=0.9),
    "schedules.noam": dict(d_model=16),
    "schedules.one_cycle": dict(max_lr=0.1, total_steps=9),
    "schedules.range_test": dict(start_lr=0.1, end_lr=1.0),
    "schedules.step_decay": dict(lr=0.1, step_size=3),
    "schedules.trapezoid": dict(lr=0.1, total_steps=9, warmup_steps=2, decay_steps=2),
    "schedules.triangular": dict(base_lr=0.1, max_lr=0.2, step_size_down=7, scale_fn=abs),
}  # fmt: skip
COMMON = {"activations": dict(x=A), "init": dict(shape=(4, 3)), "losses": dict(input=A, target=B, weight=P),
          "schedules": dict(lr=0.1), "optim": dict(params=[leaf()])}  # fmt: skip
# What is no option with a domain, or is tested with its kind elsewhere.
LEFT_OUT = {"minigrad.save", "minigrad.load", "minigrad.draw", "minigrad.no_grad", "optim.Optimizer",
            "nn.Module", "nn.Sequential", "attention.KVCache", "nn.KVCache"}  # fmt: skip
NOT_CHECKED = {
    ("minigrad.minimize", "constraints"),  # tests/minimizers
    ("minigrad.minimize", "args"),
    ("minigrad.minimize", "bounds"),
    ("minigrad.minimize", "options"),
    ("minigrad.grad", "output"),
    ("minigrad.grad", "inputs"),
    ("minigrad.compile", "optimizer"),
    ("optim.Lookahead", "opt"),
    ("schedules.one_cycle", "epochs"),  # only without total_steps
    ("schedules.one_cycle", "steps_per_epoch"),
    ("schedules.step_decay", "milestones"),  # only without step_size
}
ANY_VALUE = {("losses.cross_entropy", "ignore_index"), ("losses.nll_loss", "ignore_index"),
             ("init.truncated_normal", "b")}  # fmt: skip
LISTS = {("minigrad.gradcheck", "inputs"), ("minigrad.gradgradcheck", "inputs"),  # several arrays
         ("activations.swish", "beta"), ("activations.swiglu", "beta")}  # fmt: skip


def public():
    """The public names, each once: {"losses.huber_loss": the function}."""
    found, seen = {}, set()
    for part in [
        "minigrad",
        *sorted(minigrad.__all__, key="nn".__eq__),
    ]:  # nn repeats others' names
        module = minigrad if part == "minigrad" else getattr(minigrad, part)
        if not isinstance(module, ModuleType):
            continue
        for name in getattr(module, "__all__", []):
            thing = getattr(module, name)
            where = f"{part}.{name}"
            if (
                not isinstance(thing, ModuleType)
                and where not in LEFT_OUT
                and id(thing) not in seen
            ):
                seen.add(id(thing))
                found[where] = thing
    return found


PUBLIC = public()


def good(where):
    """A keyword argument for every parameter."""
    given = GOOD.get(where, {})
    given = dict(given() if callable(given) else given)
    parameters = inspect.signature(PUBLIC[where]).parameters
    common = COMMON.get(where.split(".")[0], {}) | dict(
        rng=np.random.default_rng(0), dtype="float32"
    )
    full = {}
    for key, p in parameters.items():
        if (where, key) in NOT_CHECKED and key not in given:
            continue
        full[key] = given.get(key, common.get(key, p.default))
        assert full[key] is not p.empty and full[key] is not None, f"{where}: no value for {key}"
    assert given.keys() <= full.keys(), f"{where} has no {given.keys() - full.keys()}"
    return full


def call(where, arguments):
    f = PUBLIC[where]
    if where == "minigrad.vjp":
        return f(arguments["f"], arguments["x"])

    return f(**arguments)


NAN = float("nan")
RAGGED, TEXT = [[1.0], [1.0, 2.0]], "text"
BAD = {  # by kind: what is refused, and how
    "flag": [("1", TypeError), (2, TypeError), (NAN, TypeError)],
    "number": [("1", TypeError), (True, TypeError), (np.True_, TypeError), ([1.0], TypeError), (1j, TypeError)],
    "words": [(1, TypeError), (True, TypeError), ("nonsense", ValueError)],
    "array": [(TEXT, TypeError), (RAGGED, (ValueError, TypeError)), (["a", 1], TypeError), (1j * A, TypeError), ({}, TypeError)],
    "numbers": [("11", TypeError), (1.0, TypeError), ((), ValueError)],
    "sizes": [("12", TypeError), (1.0, TypeError), ((1.0, 2), TypeError), ((True, 2), TypeError), ((-1, 2), ValueError)],
    "rng": [("1", TypeError), (3, TypeError), (np.random, TypeError)],
    "function": [("f", TypeError), (3, TypeError)],
    "dtype": [("text", TypeError), (3, TypeError), (complex, TypeError), ("object", TypeError)],
    "params": [(TEXT, TypeError), (3, TypeError), ([A], TypeError), ([3.0], TypeError)],
}  # fmt: skip
OUTSIDE = [-np.inf, -1e300, -2, -1, -0.5, 0, 0.5, 1, 2, 1e300, np.inf]


def kind(key, value):
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, (int, float)):
        return "number"
    if key == "dtype":
        return "dtype"
    if key in ("shape", "normalized_shape"):
        return "sizes"
    if key == "params":
        return "params"
    if isinstance(value, str):
        return "words"
    if isinstance(value, tuple):
        return "numbers"
    if isinstance(value, np.random.Generator):
        return "rng"
    return "array" if isinstance(value, np.ndarray) else "function"


PARAMETERS = [
    (where, key) for where in PUBLIC for key in good(where) if (where, key) not in NOT_CHECKED
]


def refuses(where, key, value, error=(TypeError, ValueError)):
    """Assert that the call is refused for this argument, in our form."""
    label = PUBLIC[where].__name__
    with pytest.raises(error) as caught:
        call(where, good(where) | {key: value})
    assert str(caught.value).startswith(f"{label}: {key}"), caught.value
    assert type(caught.value) in (TypeError, ValueError)


@pytest.mark.parametrize("where", PUBLIC)
def test_good_arguments_are_accepted(where):
    call(where, good(where))


@pytest.mark.parametrize("where,key", PARAMETERS)
def test_wrong_types_are_refused(where, key):
    value = good(where)[key]
    for bad, error in BAD[kind(key, value)]:
        if (where, key) in LISTS and isinstance(bad, list):
            continue
        refuses(where, key, bad, error)
    if kind(key, value) == "numbers":
        refuses(where, key, ("1",) * len(value), TypeError)
        refuses(where, key, (NAN,) * len(value), ValueError)


@pytest.mark.parametrize(
    "where,key", [(w, k) for w, k in PARAMETERS if kind(k, good(w)[k]) == "number"]
)
def test_numbers_outside_are_refused(where, key):
    integral = isinstance(good(where)[key], int)
    refuses(where, key, NAN, (TypeError, ValueError) if integral else ValueError)
    refused = 0
    for value in OUTSIDE:
        try:
            with warnings.catch_warnings(action="ignore"):  # 1e300 overflows
                call(where, good(where) | {key: value})
        except (ValueError, TypeError) as error:
            assert re.match(rf"{PUBLIC[where].__name__}: ", str(error)), error
            refused += f"{key} must be" in str(error)
        except AssertionError:
            assert "gradcheck" in where  # a step of 1e300 finds no derivative
    assert refused or (where, key) in ANY_VALUE


SHAPES = [
    (),
    (0,),
    (1,),
    (3,),
    (0, 3),
    (3, 0),
    (4, 1),
    (7, 5),
    (2, 4, 3),
    (1, 1, 1, 1),
    (2, 0, 2, 3, 1),
]


@pytest.mark.parametrize(
    "where,key", [(w, k) for w, k in PARAMETERS if kind(k, good(w)[k]) == "array"]
)
def test_arrays_of_any_rank_are_taken_or_refused_in_our_words(where, key):
    own = good(where)[key]
    for shape in SHAPES:
        if own.dtype.kind == "f":
            array = np.random.default_rng(1).uniform(0.1, 0.9, shape)
        else:
            array = np.ones(shape, own.dtype)
        try:
            call(where, good(where) | {key: array})
        except (TypeError, ValueError) as error:
            assert str(error).startswith(f"{PUBLIC[where].__name__}: "), error


MODULES = {
    "Linear": (nn.Linear(3, 2), A),
    "Embedding": (nn.Embedding(5, 2), CLASSES),
    "Dropout": (nn.Dropout(), A),
    "LayerNorm": (nn.LayerNorm(3), A),
    "RMSNorm": (nn.RMSNorm(3), A),
    "GroupNorm": (nn.GroupNorm(1, 3), A),
    "BatchNorm1d": (nn.BatchNorm1d(3), A),
    "BatchNorm2d": (nn.BatchNorm2d(3), np.ones((2, 3, 2, 2))),
    "InstanceNorm2d": (nn.InstanceNorm2d(3), np.ones((2, 3, 2, 2))),
    "PreNorm": (nn.PreNorm(nn.LayerNorm(3), np.tanh), A),
    "PostNorm": (nn.PostNorm(nn.LayerNorm(3), np.tanh), A),
    "DeepNorm": (nn.DeepNorm(nn.LayerNorm(3), np.tanh, 2.0), A),
    "MultiheadAttention": (nn.MultiheadAttention(4, 2), np.ones((2, 3, 4))),
}


@pytest.mark.parametrize("name", MODULES)
def test_modules_refuse_what_is_no_array(name):
    module, x = MODULES[name]
    module(x)
    for value, error in BAD["array"]:
        with pytest.raises(error, match=r"^\w+: \w+ must"):
            module(value)
    for shape in SHAPES:
        try:
            module(np.ones(shape, x.dtype))
        except (TypeError, ValueError) as error:
            assert re.match(r"\w+: ", str(error)), error


X = Tensor(A, requires_grad=True)
LEAKS = [
    (lambda: X.reshape(5), ValueError, r"reshape: shape \(4, 3\), 5 do not fit together: the new"),
    (lambda: X.reshape("a"), TypeError, "reshape: "),
    (lambda: X.sum(axis=2), ValueError, r"sum: axis 2 is not one of the 2 axes of shape \(4, 3\)"),
    (lambda: X.sum(axis="a"), TypeError, "sum: axis must be an integer or a tuple of them, got 'a'"),
    (lambda: X.mean(axis=2), ValueError, "mean: axis 2 is not one"),
    (lambda: X.var(axis=2), ValueError, "mean: axis 2 is not one"),
    (lambda: X.var(ddof="1"), TypeError, "var: ddof must be a number, got '1'"),
    (lambda: X.max(axis=True), TypeError, "max: axis must be an integer"),
    (lambda: Tensor(np.zeros((0, 2))).max(), ValueError, "max: .* an empty array has no largest"),
    (lambda: X.squeeze(0), ValueError, "squeeze: .* only axes of size 1"),
    (lambda: X.transpose(0, 0), ValueError, "transpose: .* each once"),
    (lambda: X.swapaxes(0, 5), ValueError, "swapaxes: .* do not fit"),
    (lambda: X.clip("a", 1), TypeError, "clip: "),
    (lambda: X[5], IndexError, r"index 5 does not fit an array of shape \(4, 3\)"),
    (lambda: X["a"], IndexError, "index 'a' does not fit"),
    (lambda: np.stack([X, Tensor(P[:2])]), ValueError, r"np.stack: all arrays must have one shape"),
    (lambda: np.stack(X[0, 0]), TypeError, "0-d tensor"),
    (lambda: np.concatenate([X, P[:, :2]]), ValueError, "concatenate: .* all sizes but that along"),
    (lambda: np.concatenate([X, RAGGED]), ValueError, "np.concatenate: a part must be an array"),
    (lambda: np.einsum("ij,jk", X, X), ValueError, "einsum: .* a letter the same size"),
    (lambda: np.einsum("ij,jk", X), ValueError, "np.einsum: .* is for 2 operands, got 1"),
    (lambda: np.einsum(3, X), TypeError, "np.einsum: the first argument must be like"),
    (lambda: X.astype("x"), TypeError, "astype: dtype must be one of real numbers"),
    (lambda: Tensor([[1], [1, 2]]), ValueError, "Tensor: data must be an array of numbers, got a nested"),
    (lambda: Tensor("a"), TypeError, "Tensor: data must hold real numbers"),
    (lambda: Tensor([None]), TypeError, "Tensor: data must hold real numbers"),
    (lambda: Tensor(1.0, requires_grad="no"), TypeError, "Tensor: requires_grad must be True"),
    (lambda: X + "a", TypeError, "add: an operand must hold real numbers"),
    (lambda: None * X, TypeError, "multiply: an operand must hold real numbers"),
    (lambda: X @ RAGGED, ValueError, "matmul: an operand must be an array of numbers"),
    (lambda: Tensor([1, 2]) ** -1, ValueError, "power: integers have no negative integer powers"),
    (lambda: -Tensor([True]), TypeError, "negative: not defined for bool"),
    (lambda: X < P[:, :2], ValueError, r"less: shapes \(4, 3\) and \(4, 2\) do not fit"),
    (lambda: X == "a", TypeError, "equal: an operand must hold real numbers"),
    (lambda: np.argmax(X, axis=3), ValueError, "argmax: axis 3 is not one"),
    (lambda: np.var(X, where=3), TypeError, "np.var was called with options that minigrad does not"),
    (lambda: bool(X), ValueError, r"a tensor of shape \(4, 3\) is neither true nor false"),
    (lambda: X.backward("a"), TypeError, "backward: gradient must hold real numbers"),
    (lambda: Tensor(A).__setitem__(5, 1.0), IndexError, r"x\[index\] = value: index 5 and a value"),
    (lambda: Tensor(A).__setitem__(0, "a"), TypeError, r"x\[...\] = value: value must hold"),
    (lambda: setattr(Tensor(A), "data", RAGGED), ValueError, "x.data must be an array of numbers"),
    (lambda: grad(3.0, X), TypeError, "grad: output must be a Tensor or a list of them, got float"),
    (lambda: grad(square(X), A), TypeError, "grad: inputs must be a Tensor or a list of them"),
    (lambda: minigrad.jacobian(lambda x: None, A), TypeError, "jacobian: f must return a Tensor, got NoneType"),
    (lambda: minigrad.jacobian(lambda x: (x, x), A), TypeError, "jacobian: f must return a Tensor, got tuple"),
    (lambda: minigrad.hessian(lambda x: x, A), ValueError, r"hessian: f must return one number, got shape \(4, 3\)"),
    (lambda: norms.batch_norm("text", None, None), TypeError, "batch_norm: x must hold real numbers"),
    (lambda: schedules.warmup(5, then=3), TypeError, "warmup: then must be a schedule"),
    (lambda: schedules.constant(0.1)("1"), TypeError, "a schedule: the step t must be a number"),
    (lambda: nn.Sequential(nn.Linear(1, 1), 3), TypeError, "Sequential: layer 1 must be a module"),
    (lambda: nn.Linear(1, 1).train("yes"), TypeError, "train: mode must be True or False"),
    (lambda: attention.KVCache().append("a", A), TypeError, "KVCache: k must hold real numbers"),
    (lambda: nn.MultiheadAttention(4, 2)(np.ones((1, 2, 4)), cache=3), TypeError, "cache must be a KVCache"),
    (lambda: schedules.step_decay(0.1, milestones="12"), TypeError, "step_decay: milestones must be integers"),
    (lambda: minigrad.save(3, {}), TypeError, "save: path must be a string or a Path, got 3"),
    (lambda: minigrad.load(None), TypeError, "load: path must be a string or a Path, got None"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(LEAKS)))
def test_numpys_messages_do_not_come_through(case):
    f, error, words = LEAKS[case]
    with pytest.raises(error, match=words) as caught:
        f()
    assert type(caught.value) is error


# --- the vocabulary


@pytest.mark.parametrize(
    "domain,inside,outside",
    [
        ("[0, 1)", [0, 0.5], [-1e-9, 1, NAN, np.inf]),
        ("(0, inf]", [1e-300, np.inf], [0, -np.inf, NAN]),
        ("(-inf, inf)", [0, -1e300], [np.inf, -np.inf, NAN]),
        ("[-1, 1]", [-1, 1], [-1.1, 1.1]),
        ("{2, 3, ...}", [2, 99], [1, -2]),
    ],
)
def test_domains(domain, inside, outside):
    assert all(contains(domain, v) for v in inside)
    assert not any(contains(domain, v) for v in outside)


def test_values_come_back_as_pythons_own():
    assert type(number("f", "x", np.float32(0.5))) is float
    assert type(number("f", "x", 1)) is float
    assert type(integer("f", "n", np.int8(3))) is int
    assert checks.flag("f", "b", np.True_) is True
    with pytest.raises(TypeError, match=r"f: n must be an integer in \{1, 2, \.\.\.\}, got 1.0"):
        integer("f", "n", 1.0)
    with pytest.raises(ValueError, match='f: w must be "a", "b" or "c", got \'d\''):
        checks.choice("f", "w", "d", "a", "b", "c")
