"""Every optimizer: against PyTorch, against the paper's formula, in limiting cases, and misused.

All of them walk down one noisy bowl: parameter i is driven by g = c_i θ + noise(i, t), so that an
error in any step changes all later ones.
"""

import copy
import inspect
import operator
import pickle
from contextlib import contextmanager

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad import Tensor, grad, losses, nn, no_grad, optim
from minigrad.optim.muon import orthogonalize
from torch_reference import needs_torch, reference

SHAPES = [(3, 4), (4,), (), (2, 3, 2), (5, 1)]
MATRICES = [(3, 4), (5, 2), (3, 3), (1, 4)]
CHECKPOINTS = (1, 2, 5, 6, 20, 100, 200)

# --- walking


def start(shapes, dtype=np.float64):
    rng = np.random.default_rng(7)
    return [rng.standard_normal(s).astype(dtype) for s in shapes]


def slope(theta, i, t):
    """The gradient for parameter i at step t (from 0), or None."""
    if i == 1 and t % 3 == 1 or i == 3 and t < 4:
        return None
    noise = np.random.default_rng([i, t]).standard_normal(theta.shape)
    return np.asarray((0.5 + 0.3 * i) * theta + noise, theta.dtype)


def leaves(shapes=SHAPES, dtype=np.float64):
    return [Tensor(x, requires_grad=True) for x in start(shapes, dtype)]


def drive(opt, params, steps, first=0):
    """Step along; the parameters at the checkpoints, flat."""
    seen = []
    for t in range(first, first + steps):
        for i, p in enumerate(params):
            p.grad = slope(p.numpy(), i, t)
        opt.step()
        if t + 1 in CHECKPOINTS:
            seen.append(np.concatenate([p.data.ravel() for p in params]))
    return seen


def walk(make, shapes=SHAPES, dtype=np.float64, steps=200):
    params = leaves(shapes, dtype)
    return drive(make(params), params, steps)


def walk_torch(torch, make, shapes=SHAPES, dtype=np.float64, steps=200):
    params = [torch.tensor(x, requires_grad=True) for x in start(shapes, dtype)]
    opt = make(params)
    seen = []
    for t in range(steps):
        for i, p in enumerate(params):
            g = slope(p.detach().numpy(), i, t)
            p.grad = None if g is None else torch.tensor(g)
        opt.step()
        if t + 1 in CHECKPOINTS:
            seen.append(np.concatenate([p.detach().numpy().ravel() for p in params]))
    return seen


def walk_formula(rule, shapes=SHAPES, steps=200):
    """rule(θ, g, memory) -> the next θ, one parameter at a time; memory["t"] counts its steps."""
    thetas, memories = start(shapes), [{"t": 0} for _ in shapes]
    seen = []
    for t in range(steps):
        for i, theta in enumerate(thetas):
            g = slope(theta, i, t)
            if g is not None:
                memories[i]["t"] += 1
                thetas[i] = rule(theta, g, memories[i])
        if t + 1 in CHECKPOINTS:
            seen.append(np.concatenate([x.ravel() for x in thetas]))
    return seen


def close(got, want, rtol=1e-9, atol=1e-12):
    assert len(got) == len(want) > 0
    for a, b in zip(got, want):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


# --- PyTorch's

DECAY = {"weight_decay": 0.1}
FLAGS = {
    "SGD": [
        {},
        {"lr": 0.05, "momentum": 0.9},
        {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, **DECAY},
        {"lr": 0.05, "momentum": 0.8, "nesterov": True, **DECAY},
        {"lr": 0.05, "dampening": 0.5, **DECAY},
    ],
    "Adagrad": [
        {},
        {"lr": 0.1, "lr_decay": 0.01, "initial_accumulator_value": 0.3, "eps": 1e-3, **DECAY},
    ],
    "RMSprop": [
        {},
        {"alpha": 0.9, "centered": True, "eps": 1e-3},
        {"alpha": 0.95, "momentum": 0.7, **DECAY},
        {"alpha": 0.9, "momentum": 0.7, "centered": True, "eps": 1e-2, **DECAY},
    ],
    "Adadelta": [{}, {"lr": 0.5, "rho": 0.8, "eps": 1e-3, **DECAY}],
    "Adam": [
        {},
        {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3, **DECAY},
        {"lr": 0.05, "betas": (0.8, 0.9), "amsgrad": True, **DECAY},
        {"lr": 0.05, "betas": (0.0, 0.0), "eps": 0.1},
    ],
    "AdamW": [{}, {"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-2, "amsgrad": True, **DECAY}],
    "Adamax": [{}, {"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-2, **DECAY}],
    "NAdam": [
        {},
        {"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-2, "momentum_decay": 0.1, **DECAY},
        {"lr": 0.05, "decoupled_weight_decay": True, **DECAY},
    ],
    "RAdam": [
        {},
        {"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-2, **DECAY},
        {"lr": 0.05, "betas": (0.8, 0.6), **DECAY},  # ρ_∞ = 4: never adapts
        {"lr": 0.05, "decoupled_weight_decay": True, **DECAY},
    ],
    "Adafactor": [
        {},
        {"lr": 0.1, "beta2_decay": -0.5, "eps": (1e-3, 0.1), "d": 1.5, **DECAY},
    ],
    "Muon": [
        {},
        {"lr": 0.05, "momentum": 0.8, "nesterov": False, "weight_decay": 0.0, "ns_steps": 3},
        {"lr": 0.05, "adjust_lr_fn": "match_rms_adamw", "ns_coefficients": (2.0, -1.5, 0.5)},
        {"lr": 0.05, "adjust_lr_fn": "original", "eps": 10.0},
    ],
}  # fmt: skip
TORCH_CASES = [
    pytest.param(name, flags, id=f"{name}-{i}")
    for name, cases in FLAGS.items()
    for i, flags in enumerate(cases)
]


def shapes_for(name):
    return MATRICES if name == "Muon" else SHAPES


@contextmanager
def exact(torch):
    """Inside, PyTorch computes as precisely as it can: Muon iterates in the parameters' precision,
    not in bfloat16, and NAdam's product of momenta is not in float32."""
    bfloat16, dtype = torch.Tensor.bfloat16, torch.get_default_dtype()
    torch.Tensor.bfloat16 = lambda x: x.clone()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.Tensor.bfloat16 = bfloat16
        torch.set_default_dtype(dtype)


def torch_walk(torch, name, flags, dtype=np.float64, steps=200):
    with exact(torch):
        return walk_torch(
            torch,
            lambda ps: getattr(torch.optim, name)(ps, **flags),
            shapes_for(name),
            dtype,
            steps,
        )


@pytest.mark.parametrize("name,flags", TORCH_CASES)
def test_equals_pytorch(name, flags, request):
    key = request.node.callspec.id
    want = reference(f"optim/{key}", lambda torch: torch_walk(torch, name, flags))
    close(walk(lambda ps: getattr(optim, name)(ps, **flags), shapes_for(name)), want)


@pytest.mark.parametrize("name,flags", TORCH_CASES)
def test_equals_pytorch_in_float32(name, flags, request):
    key = request.node.callspec.id + "-float32"
    # few steps: from then on the difference shows rounding, not the formula
    want = reference(
        f"optim/{key}", lambda torch: torch_walk(torch, name, flags, np.float32, steps=20)
    )
    got = walk(lambda ps: getattr(optim, name)(ps, **flags), shapes_for(name), np.float32, steps=20)
    assert got[0].dtype == np.float32
    close(got, want, rtol=2e-4, atol=2e-5)


unit = st.floats(0, 0.99)
OPTIONS = {
    "lr": st.floats(0, 0.2),
    "momentum": unit,
    "dampening": st.floats(0, 1),
    "weight_decay": st.floats(0, 0.5),
    "betas": st.tuples(unit, unit),
    "eps": st.floats(1e-4, 0.1),
    "alpha": st.floats(0.05, 0.99),
    "rho": st.floats(0, 1),
    "lr_decay": st.floats(0, 1),
    "initial_accumulator_value": st.floats(0, 1),
    "momentum_decay": st.floats(0, 0.1),
    "beta2_decay": st.floats(-1, 0),
    "d": st.floats(1, 3),
    "ns_steps": st.integers(0, 6),
    "ns_coefficients": st.just((3.4445, -4.775, 2.0315)),
    "adjust_lr_fn": st.sampled_from([None, "original", "match_rms_adamw"]),
    "nesterov": st.booleans(),
    "amsgrad": st.booleans(),
    "centered": st.booleans(),
    "decoupled_weight_decay": st.booleans(),
}


def options_of(cls):
    return [
        k
        for k in inspect.signature(cls).parameters
        if k not in ("params", "hessian", "adjust_lr_fn", "ns_coefficients", "opt")
    ]


@needs_torch
@pytest.mark.parametrize("name", FLAGS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_equals_pytorch_live(name, data):
    import torch

    names = inspect.signature(getattr(optim, name)).parameters
    flags = {k: data.draw(OPTIONS[k], label=k) for k in names if k != "params"}
    if name == "SGD" and flags["nesterov"]:
        flags |= {"dampening": 0.0, "momentum": flags["momentum"] or 0.5}
    if name == "Adafactor":
        flags["eps"] = data.draw(st.sampled_from([(None, 1e-3), (1e-2, 0.1)]))
    if name == "RMSprop" and flags["centered"]:
        flags["eps"] += 0.01  # v - ḡ² is a difference: keep its rounding below ε
    got = walk(lambda ps: getattr(optim, name)(ps, **flags), shapes_for(name), steps=40)
    close(got, torch_walk(torch, name, flags, steps=40), rtol=1e-7, atol=1e-9)


@needs_torch
def test_muon_is_near_pytorchs_in_bfloat16():
    import torch

    G = np.random.default_rng(0).standard_normal((6, 4))
    W = Tensor(np.zeros((6, 4)), requires_grad=True)
    theirs = torch.zeros((6, 4), dtype=torch.float64, requires_grad=True)
    W.grad, theirs.grad = G, torch.tensor(G)
    optim.Muon([W], lr=1.0).step()
    torch.optim.Muon([theirs], lr=1.0).step()
    np.testing.assert_allclose(W.data, theirs.detach().numpy(), atol=0.03)


@needs_torch
@pytest.mark.parametrize("name", FLAGS)
def test_options_and_defaults_are_pytorchs(name):
    import torch

    theirs = inspect.signature(getattr(torch.optim, name)).parameters
    for key, ours in inspect.signature(getattr(optim, name)).parameters.items():
        assert ours.default == theirs[key].default
    machinery = {"foreach", "fused", "maximize", "capturable", "differentiable"}
    missing = theirs.keys() - inspect.signature(getattr(optim, name)).parameters.keys() - machinery
    assert not missing - {"decoupled_weight_decay"}  # of Adam: that is AdamW


# --- the papers'


def decayed(theta, g, weight_decay):
    return g + weight_decay * theta


def adam_moments(g, memory, beta1, beta2):
    memory["m"] = beta1 * memory.get("m", 0) + (1 - beta1) * g
    memory["v"] = beta2 * memory.get("v", 0) + (1 - beta2) * g**2
    return memory["m"], memory["v"], memory["t"]


def sgdw(lr, momentum, weight_decay, dampening=0.0, nesterov=False):
    def rule(theta, g, memory):
        b = memory["b"] = g if memory["t"] == 1 else momentum * memory["b"] + (1 - dampening) * g
        return theta - lr * (g + momentum * b if nesterov else b) - lr * weight_decay * theta

    return rule


def adabound(lr, betas, final_lr, gamma, eps, weight_decay, ams=False):
    def rule(theta, g, memory):
        m, v, t = adam_moments(decayed(theta, g, weight_decay), memory, *betas)
        if ams:
            v = memory["v_max"] = np.maximum(memory.get("v_max", 0), v)
        rate = lr * np.sqrt(1 - betas[1] ** t) / (1 - betas[0] ** t) / (np.sqrt(v) + eps)
        low, high = final_lr - final_lr / (gamma * t + 1), final_lr + final_lr / (gamma * t)
        return theta - np.minimum(np.maximum(rate, low), high) * m

    return rule


def lars(lr, momentum, weight_decay, trust_coefficient):
    def rule(theta, g, memory):
        size, length = np.sqrt((theta**2).sum()), np.sqrt((g**2).sum())
        ratio = trust_coefficient * size / (length + weight_decay * size)
        memory["b"] = momentum * memory.get("b", 0) + lr * ratio * decayed(theta, g, weight_decay)
        return theta - memory["b"]

    return rule


def lamb(lr, betas, eps, weight_decay):
    def rule(theta, g, memory):
        m, v, t = adam_moments(g, memory, *betas)
        r = m / (1 - betas[0] ** t) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)
        u = r + weight_decay * theta
        return theta - lr * np.sqrt((theta**2).sum()) / np.sqrt((u**2).sum()) * u

    return rule


def lion(lr, betas, weight_decay):
    def rule(theta, g, memory):
        m = memory.get("m", 0)
        c = betas[0] * m + (1 - betas[0]) * g
        memory["m"] = betas[1] * m + (1 - betas[1]) * g
        return theta - lr * (np.sign(c) + weight_decay * theta)

    return rule


def root(H, power):
    return scipy.linalg.fractional_matrix_power(H, power)


def shampoo(lr, eps, precondition_frequency=1):
    def rule(theta, g, memory):
        if g.ndim == 0:
            memory["s"] = memory.get("s", eps) + g**2
            if (memory["t"] - 1) % precondition_frequency == 0:
                memory["p"] = memory["s"] ** -0.5
            return theta - lr * g * memory["p"]
        letters = "abc"[: g.ndim]
        step = g
        for i, n in enumerate(g.shape):
            other = letters.replace(letters[i], "z")
            memory[i] = memory.get(i, eps * np.eye(n)) + np.einsum(
                f"{letters},{other}->{letters[i]}z", g, g
            )
            if (memory["t"] - 1) % precondition_frequency == 0:
                memory["root", i] = root(memory[i], -1 / (2 * g.ndim))
            step = np.einsum(f"z{letters[i]},{letters}->{other}", memory["root", i], step)
        return theta - lr * step

    return rule


def soap(lr, betas, eps, weight_decay, precondition_frequency=1):
    """For matrices; anything else has the identity as basis."""

    def rule(theta, g, memory):
        t = memory["t"]
        QL, QR = memory.get("Q", (None, None))
        matrix = g.ndim == 2
        if t == 1 and matrix:
            QL, QR = (np.linalg.eigh(x)[1][:, ::-1] for x in (g @ g.T, g.T @ g))
            memory["L"], memory["R"] = 0 * QL, 0 * QR

        def turn(x):
            return QL.T @ x @ QR if matrix else x

        memory["M"] = betas[0] * memory.get("M", 0) + (1 - betas[0]) * g
        memory["V"] = betas[1] * memory.get("V", 0) + (1 - betas[1]) * turn(g) ** 2
        n = turn(memory["M"] / (1 - betas[0] ** t))
        n = n / (np.sqrt(memory["V"] / (1 - betas[1] ** t)) + eps)
        n = QL @ n @ QR.T if matrix else n
        if matrix:
            memory["L"] = betas[1] * memory["L"] + (1 - betas[1]) * g @ g.T
            memory["R"] = betas[1] * memory["R"] + (1 - betas[1]) * g.T @ g
            if t % precondition_frequency == 0:
                QL = np.linalg.qr(memory["L"] @ QL)[0]
                QR = np.linalg.qr(memory["R"] @ QR)[0]
        memory["Q"] = QL, QR
        return theta - lr * weight_decay * theta - lr * n

    return rule


def schedule_free(direction, lr, beta, weight_decay, warmup_steps):
    def rule(y, g, memory):
        t = memory["t"]
        z, x = memory.get("zx", (y, y))
        rate = lr * min(1, t / warmup_steps) if warmup_steps else lr
        memory["rates"] = [*memory.get("rates", []), rate]
        z = z - rate * (direction(g, memory) + weight_decay * y)
        c = rate**2 / sum(r**2 for r in memory["rates"])
        x = (1 - c) * x + c * z
        memory["zx"] = z, x
        return (1 - beta) * z + beta * x

    return rule


def adam_direction(beta2, eps):
    def direction(g, memory):
        memory["v"] = beta2 * memory.get("v", 0) + (1 - beta2) * g**2
        return g / (np.sqrt(memory["v"] / (1 - beta2 ** memory["t"])) + eps)

    return direction


B = {"betas": (0.8, 0.9)}
PAPERS = {
    "SGDW": (
        optim.SGDW,
        sgdw,
        [
            {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1},
            {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.1, "nesterov": True},
            {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.1, "dampening": 0.5},
        ],
    ),
    "AdaBound": (
        optim.AdaBound,
        adabound,
        [{"lr": 0.05, "final_lr": 0.1, "gamma": 0.05, "eps": 1e-2, "weight_decay": 0.1, **B}],
    ),
    "AMSBound": (
        optim.AMSBound,
        lambda **k: adabound(**k, ams=True),
        [{"lr": 0.05, "final_lr": 0.1, "gamma": 0.05, "eps": 1e-2, "weight_decay": 0.1, **B}],
    ),
    "LARS": (
        optim.LARS,
        lars,
        [{"lr": 1.0, "momentum": 0.8, "weight_decay": 0.1, "trust_coefficient": 0.02}],
    ),
    "LAMB": (optim.LAMB, lamb, [{"lr": 0.02, "eps": 1e-2, "weight_decay": 0.1, **B}]),
    "Lion": (optim.Lion, lion, [{"lr": 0.02, "betas": (0.8, 0.9), "weight_decay": 0.1}]),
    "Shampoo": (
        optim.Shampoo,
        shampoo,
        [{"lr": 0.1, "eps": 0.01}, {"lr": 0.1, "eps": 0.01, "precondition_frequency": 3}],
    ),
    "SOAP": (
        optim.SOAP,
        soap,
        [
            {"lr": 0.05, "eps": 1e-2, "weight_decay": 0.1, **B},
            {"lr": 0.05, "eps": 1e-2, "weight_decay": 0.1, "precondition_frequency": 4, **B},
        ],
    ),
    "ScheduleFreeSGD": (
        optim.ScheduleFreeSGD,
        lambda momentum, **k: schedule_free(lambda g, memory: g, beta=momentum, **k),
        [
            {"lr": 0.3, "momentum": 0.9, "weight_decay": 0.1, "warmup_steps": 10},
            {"lr": 0.3, "momentum": 0.6, "weight_decay": 0.0, "warmup_steps": 0},
        ],
    ),
    "ScheduleFreeAdamW": (
        optim.ScheduleFreeAdamW,
        lambda betas, eps, **k: schedule_free(adam_direction(betas[1], eps), beta=betas[0], **k),
        [
            {"lr": 0.1, "eps": 1e-2, "weight_decay": 0.1, "warmup_steps": 10, **B},
            {"lr": 0.1, "eps": 1e-2, "weight_decay": 0.0, "warmup_steps": 0, **B},
        ],
    ),
}


@pytest.mark.parametrize(
    "name,options",
    [
        pytest.param(name, options, id=f"{name}-{i}")
        for name, (_, _, cases) in PAPERS.items()
        for i, options in enumerate(cases)
    ],
)
def test_equals_the_papers_formula(name, options):
    cls, formula, _ = PAPERS[name]
    # SOAP where one gradient leaves at most one direction open, so that the basis is unique
    shapes = [(3, 4), (4,), (), (2, 3), (3, 3)] if name == "SOAP" else SHAPES
    close(walk(lambda ps: cls(ps, **options), shapes), walk_formula(formula(**options), shapes))


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_swats_equals_the_papers_algorithm(weight_decay):
    lr, (beta1, beta2), eps, tol = 0.05, (0.8, 0.9), 1e-3, 2e-3
    # the whole algorithm on all parameters laid end to end
    shapes, theta = (
        [(3, 4), (4,), ()],
        np.concatenate([x.ravel() for x in start([(3, 4), (4,), ()])]),
    )
    sizes = [12, 4, 1]

    def all_slopes(theta, t):
        parts = np.split(theta, np.cumsum(sizes)[:-1])
        return [slope(x.reshape(s), 2 * i, t) for i, (x, s) in enumerate(zip(parts, shapes))]

    params = leaves(shapes)
    opt = optim.SWATS(params, lr, (beta1, beta2), eps, weight_decay, tol)
    m = a = lam = v = 0.0
    rate = None
    for k in range(1, 201):
        gs = all_slopes(theta, k - 1)
        for p, g in zip(params, gs):
            p.grad = g
        opt.step()
        g = np.concatenate([x.ravel() for x in gs]) + weight_decay * theta
        if rate is not None:
            v = beta1 * v + g
            theta = theta - (1 - beta1) * rate * v
        else:
            m = beta1 * m + (1 - beta1) * g
            a = beta2 * a + (1 - beta2) * g**2
            p = -lr * np.sqrt(1 - beta2**k) / (1 - beta1**k) * m / (np.sqrt(a) + eps)
            theta = theta + p
            gamma = p @ p / -(p @ g)
            lam = beta2 * lam + (1 - beta2) * gamma
            if k > 1 and abs(lam / (1 - beta2**k) - gamma) < tol and lam > 0:
                rate, switched = lam / (1 - beta2**k), k
        np.testing.assert_allclose(
            np.concatenate([p.data.ravel() for p in params]), theta, rtol=1e-9
        )
    assert opt.switched == switched and 2 < switched < 150
    assert opt.sgd_lr == pytest.approx(rate, rel=1e-9)
    # a rate changed after the switch changes the step in proportion
    before = [p.data.copy() for p in params]
    other = copy.deepcopy((params, opt))
    other[1].lr = lr / 2
    for ps, o in ((params, opt), other):
        for p in ps:
            p.grad = np.ones(p.shape)
        o.step()
    for x, p, q in zip(before, params, other[0]):
        np.testing.assert_allclose(q.data - x, (p.data - x) / 2)


def test_swats_does_not_switch_to_a_negative_rate():
    x = Tensor([1.0], requires_grad=True)
    opt = optim.SWATS([x], lr=0.1, betas=(0.99, 0.5), tol=1e3)
    for t in range(5):  # the momentum soon points against the gradient
        x.grad = np.array([1.0 if t == 0 else -0.01])
        opt.step()
        assert opt.switched is None or opt.sgd_lr > 0
    assert opt.switched is None


@pytest.mark.parametrize("k,alpha", [(1, 0.5), (5, 0.5), (3, 0.8)])
def test_lookahead_equals_the_papers_algorithm(k, alpha):
    def make(ps):
        return optim.Lookahead(optim.Adam(ps, lr=0.05), k, alpha)

    params, inner = leaves(), leaves()
    fast = optim.Adam(inner, lr=0.05)
    phi = [p.data.copy() for p in inner]
    opt = make(params)
    for t in range(200):
        for ps in params, inner:
            for i, p in enumerate(ps):
                p.grad = slope(p.numpy(), i, t)
        opt.step()
        fast.step()
        if (t + 1) % k == 0:
            for i, p in enumerate(inner):
                phi[i] = phi[i] + alpha * (p.data - phi[i])
                p.data = phi[i]
        close([p.data for p in params], [p.data for p in inner])


def sophia_rule(lr, betas, gamma, eps, weight_decay):
    def rule(theta, g, memory):
        memory["m"] = betas[0] * memory.get("m", 0) + (1 - betas[0]) * g
        update = np.clip(memory["m"] / np.maximum(gamma * memory["h"], eps), -1, 1)
        return theta - lr * weight_decay * theta - lr * update

    return rule


@pytest.mark.parametrize("hessian", ["gnb", "hutchinson"])
def test_sophia_equals_the_papers_algorithm(hessian):
    rng = np.random.default_rng(0)
    A, b = rng.standard_normal((6, 3)), rng.standard_normal(6)
    options = {"lr": 0.02, "betas": (0.8, 0.9), "gamma": 0.5, "eps": 1e-3, "weight_decay": 0.1}

    def loss(w, c):  # depends on both parameters, with a Hessian that is not diagonal
        return np.mean((A @ w + c - b) ** 4)

    w, c = Tensor([0.3, -0.2, 0.5], requires_grad=True), Tensor(0.1, requires_grad=True)
    opt = optim.Sophia([w, c], hessian=hessian, **options)
    theta = np.array([0.3, -0.2, 0.5, 0.1])
    X = np.concatenate([A, np.ones((6, 1))], axis=1)
    rule, memory = sophia_rule(**options), {"h": np.zeros(4)}
    for t in range(60):
        e = X @ theta - b
        g = X.T @ (4 * e**3) / 6
        if t % 4 == 0:
            if hessian == "gnb":
                opt.update_hessian(loss(w, c), batch_size=6)
                estimate = 6 * g**2
            else:
                opt.update_hessian(loss(w, c), rng=np.random.default_rng(t))
                u = np.random.default_rng(t).standard_normal(4)
                estimate = u * (X.T @ (12 * e**2 * (X @ u)) / 6)
            memory["h"] = 0.9 * memory["h"] + (1 - 0.9) * estimate
            assert w.grad is None
        theta = rule(theta, g, memory)
        loss(w, c).backward()
        opt.step()
        opt.zero_grad()
        np.testing.assert_allclose(np.append(w.data, c.data), theta, rtol=1e-9)


def test_sophias_gnb_estimate_is_the_gauss_newton_diagonal_on_average():
    rng = np.random.default_rng(1)
    x, W = rng.standard_normal((2, 3)), Tensor(rng.standard_normal((2, 3)), requires_grad=True)

    def loss(labels):
        return losses.cross_entropy(x @ W.T, labels)

    logits = x @ W.data.T
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    mean = np.zeros((2, 3))
    for i in range(2):  # all labels that the model could draw for the two examples
        for j in range(2):
            opt = optim.Sophia([W], betas=(0.9, 0.0))
            opt.update_hessian(loss([i, j]), batch_size=2)
            mean += probability[0, i] * probability[1, j] * opt.state_dict()["state"][0]["h"]
    # linear logits: Gauss-Newton is the Hessian, whose diagonal is mean(p (1 - p) x²)
    want = np.einsum("nk,nd->kd", probability * (1 - probability), x**2) / 2
    np.testing.assert_allclose(mean, want, rtol=1e-12)


def test_sophias_estimate_reaches_every_stretch(monkeypatch):
    def h(stretch):
        monkeypatch.setattr(optim.blocks, "PIECE", stretch)
        params = leaves([(3,), (2, 2), (5,)])
        opt = optim.Sophia(params, betas=(0.9, 0.0), hessian="hutchinson")
        for _ in range(2):
            loss = sum((k * p * p).sum() for k, p in enumerate(params, 1))
            opt.update_hessian(loss, rng=np.random.default_rng(0))
            drive(opt, params, 1)
        return [state["h"] for state in opt.state_dict()["state"]]

    for values in h(2), h(1 << 20):
        rng = np.random.default_rng(0)
        for k, value in enumerate(values, 1):  # u ⊙ Hu, where H = 2k
            u = rng.standard_normal(value.shape)
            np.testing.assert_allclose(value, 2 * k * u * u, rtol=1e-12)


def test_sophias_hutchinson_estimate_is_the_diagonal_on_average():
    A = np.array([[2.0, 0.7], [0.7, -1.0]])
    x = Tensor([1.0, 2.0], requires_grad=True)
    flat = Tensor([1.0], requires_grad=True)  # used, but without curvature
    unused = Tensor([1.0], requires_grad=True)
    opt = optim.Sophia([x, flat, unused], betas=(0.9, 0.999), hessian="hutchinson")
    rng = np.random.default_rng(0)
    opt.param_groups[0].blocks[0].states[0]["h"][:] = 3.0
    for _ in range(4000):
        opt.update_hessian(0.5 * (x @ (A @ x)) + flat.sum(), rng=rng)
    h = [s["h"] for s in opt.state_dict()["state"]]
    np.testing.assert_allclose(h[0], [2, -1], atol=0.4)
    assert 0 < h[1][0] < 0.1 and h[2][0] == 3  # decayed to 0; left alone


def test_sophia_clips_and_without_curvature_is_the_sign():
    x = Tensor([3.0, -1.0], requires_grad=True)
    x.grad = np.array([1e-3, -5.0])
    optim.Sophia([x], lr=0.5, weight_decay=0.0).step()
    np.testing.assert_allclose(x.data, [2.5, -0.5])
    assert optim.Sophia([x]).param_groups[0]["gamma"] == 0.05
    assert optim.Sophia([x], hessian="hutchinson").param_groups[0]["gamma"] == 0.01


@pytest.mark.parametrize(
    "call,words",
    [
        (lambda o, x: o("gnb").update_hessian((x * x).sum()), "batch_size must be an integer in .*got None"),
        (lambda o, x: o("gnb").update_hessian((x * x).sum(), batch_size=0), "got 0"),
        (lambda o, x: o("gnb").update_hessian(x * x, batch_size=2), r"loss must be one number, got shape \(2,\)"),
        (lambda o, x: o("hutchinson").update_hessian((x * x).sum()), "rng must be a numpy Generator, .* got None"),
        (lambda o, x: o("exact"), 'hessian must be "gnb" or "hutchinson", got .exact'),
    ],
)
def test_sophia_misused(call, words):
    x = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises((ValueError, TypeError), match=words):
        call(lambda hessian: optim.Sophia([x], hessian=hessian), x)


# --- limiting cases


def same(make, other, shapes=SHAPES, **tolerance):
    close(walk(make, shapes), walk(other, shapes), **tolerance)


def test_lamb_without_trust_ratio_is_adamw():
    o = {"lr": 0.05, "eps": 1e-6, "weight_decay": 0.1}
    same(lambda ps: optim.LAMB(ps, trust_ratio=False, **o), lambda ps: optim.AdamW(ps, **o))


def test_lars_without_trust_ratio_is_sgd_with_momentum():
    o = {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}
    same(lambda ps: optim.LARS(ps, trust_ratio=False, **o), lambda ps: optim.SGD(ps, **o))


@pytest.mark.parametrize("cls", [optim.LARS, optim.LAMB])
def test_a_layer_moves_by_a_fraction_of_its_own_size(cls):
    params = leaves()
    opt = cls(params, lr=0.01, **({"trust_coefficient": 1.0} if cls is optim.LARS else {}))
    before = [p.data.copy() for p in params]
    for i, p in enumerate(params):
        p.grad = 10.0**i * np.ones(p.shape)
    opt.step()
    for x, p in zip(before, params):
        assert np.linalg.norm(p.data - x) == pytest.approx(0.01 * np.linalg.norm(x))


@pytest.mark.parametrize("cls", [optim.LARS, optim.LAMB])
def test_a_bias_of_zero_moves(cls):
    x = Tensor(np.zeros(2), requires_grad=True)
    opt = cls([x], lr=0.1)
    x.grad = np.zeros(2)
    opt.step()
    assert x.data.tolist() == [0, 0]
    x.grad = np.ones(2)
    opt.step()
    assert (x.data < 0).all()


def test_lookahead_of_one_step_all_the_way_is_its_inner_optimizer():
    same(
        lambda ps: optim.Lookahead(optim.Adam(ps, lr=0.05), k=1, alpha=1.0),
        lambda ps: optim.Adam(ps, lr=0.05),
    )


def test_lookahead_that_does_not_follow_stays():
    params = leaves()
    opt = optim.Lookahead(optim.SGD(params, lr=0.1), k=5, alpha=0.0)
    before = [p.data.copy() for p in params]
    drive(opt, params, 4)
    assert any((p.data != x).any() for x, p in zip(before, params))
    drive(opt, params, 1, first=4)
    close([p.data for p in params], before)


def test_adabound_with_wide_bounds_is_adam_and_with_closed_ones_sgd():
    same(
        lambda ps: optim.AdaBound(ps, lr=0.05, gamma=1e-12, final_lr=10.0, eps=0.0),
        lambda ps: optim.Adam(ps, lr=0.05, eps=0.0),
        rtol=1e-7,
    )
    x = Tensor([1.0, 1.0], requires_grad=True)
    opt = optim.AdaBound([x], lr=0.5, final_lr=0.25, gamma=0.999, betas=(0.0, 0.9))
    opt.param_groups[0].blocks[0].states[0]["t"] = 10**9
    x.grad = np.array([1.0, -1e-3])
    opt.step()
    np.testing.assert_allclose(x.data, [0.75, 1 + 0.25e-3])


def test_adabounds_bounds_follow_the_learning_rate():
    x = Tensor([1.0], requires_grad=True)
    opt = optim.AdaBound([x], lr=0.5, final_lr=0.2, gamma=0.999, betas=(0.0, 0.9))
    opt.param_groups[0].blocks[0].states[0]["t"] = 10**9
    opt.lr = 0.25
    x.grad = np.array([1.0])
    opt.step()
    np.testing.assert_allclose(x.data, [0.9])


def test_radam_becomes_adam():
    o = {"lr": 0.01, "betas": (0.9, 0.99), "eps": 0.0}
    params, others = leaves([(4,)]), leaves([(4,)])
    a, b = optim.RAdam(params, **o), optim.Adam(others, **o)
    rng = np.random.default_rng(0)
    for t in range(4000):
        before = params[0].data.copy(), others[0].data.copy()
        params[0].grad = others[0].grad = rng.standard_normal(4)
        a.step(), b.step()
        steps = params[0].data - before[0], others[0].data - before[1]
        if t == 6:
            assert abs(steps[0] / steps[1]).max() < 0.5  # at first it trusts v little
    np.testing.assert_allclose(*steps, rtol=1e-9)


def test_adagrads_rate_falls_as_one_over_root_t():
    x = Tensor([0.0], requires_grad=True)
    opt = optim.Adagrad([x], lr=0.1)
    for t in range(1, 50):
        before = x.item()
        x.grad = np.array([7.0])
        opt.step()
        assert before - x.item() == pytest.approx(0.1 / np.sqrt(t))


def test_rmsprop_is_adam_without_momentum_and_bias_correction():
    x, y = leaves([(3,)])[0], leaves([(3,)])[0]
    a = optim.RMSprop([x], lr=0.01, alpha=0.9)
    b = optim.Adam([y], lr=0.01, betas=(0.0, 0.9))
    b.param_groups[0].blocks[0].states[0]["t"] = 10**6  # bias long gone
    for t in range(20):
        x.grad = y.grad = slope(np.ones(3), 0, t)
        a.step(), b.step()
    np.testing.assert_allclose(x.data, y.data, rtol=1e-12)


def test_rmsprop_centered_survives_a_constant_gradient():
    x = Tensor(np.zeros(100), requires_grad=True)
    opt = optim.RMSprop([x], centered=True, alpha=0.5)
    for _ in range(200):
        x.grad = np.linspace(0.1, 3, 100)  # v - ḡ² is 0 up to rounding, often below
        opt.step()
    assert np.isfinite(x.data).all()


def test_lion_is_signs():
    x = Tensor([3.0, -1.0, 2.0], requires_grad=True)
    opt = optim.Lion([x], lr=0.25)
    x.grad = np.array([1e-6, -1e6, 0.0])
    opt.step()
    assert x.data.tolist() == [2.75, -0.75, 2.0]
    x.grad = np.array([-1e-9, 1e9, 0.0])  # the momentum wins where the new gradient is small
    opt.step()
    assert x.data.tolist() == [2.5, -1.0, 2.0]


@pytest.mark.parametrize("shape", [(8, 8), (6, 10), (10, 6), (1, 7)])
def test_muon_orthogonalizes(shape):
    G = np.random.default_rng(0).standard_normal(shape)
    U, _, Vt = np.linalg.svd(G, full_matrices=False)
    O = orthogonalize(G, (3.4445, -4.775, 2.0315), 5, 1e-7)
    sigma = np.linalg.svd(O, compute_uv=False)
    assert 0.6 < sigma.min() and sigma.max() < 1.25
    # same singular vectors: Uᵀ O V is diagonal
    D = U.T @ O @ Vt.T
    np.testing.assert_allclose(D, np.diag(np.diag(D)), atol=1e-8)
    # a convergent iteration reaches U Vᵀ itself
    np.testing.assert_allclose(orthogonalize(G, (1.5, -0.5, 0.0), 60, 1e-7), U @ Vt, atol=1e-8)


def test_muon_of_a_zero_gradient_only_decays():
    W = Tensor(np.ones((2, 3)), requires_grad=True)
    W.grad = np.zeros((2, 3))
    optim.Muon([W], lr=0.5, weight_decay=0.5).step()
    np.testing.assert_allclose(W.data, 0.75)


def test_soaps_first_step_is_orthogonal():
    W = Tensor(np.zeros((3, 5)), requires_grad=True)
    W.grad = np.random.default_rng(0).standard_normal((3, 5))
    U, _, Vt = np.linalg.svd(W.grad, full_matrices=False)
    optim.SOAP([W], lr=1.0, eps=1e-12).step()
    # in the eigenbasis the gradient is diagonal, and Adam's first step its signs
    np.testing.assert_allclose(U.T @ W.data @ Vt.T, -np.eye(3), atol=1e-2)


def test_soap_where_the_eigenbasis_is_the_identity_is_adamw():
    o = {"lr": 0.05, "betas": (0.9, 0.95), "weight_decay": 0.1}
    same(lambda ps: optim.SOAP(ps, **o), lambda ps: optim.AdamW(ps, **o), [(4,), (), (3,)])
    W, V = Tensor(np.eye(3), requires_grad=True), Tensor(np.eye(3), requires_grad=True)
    a, b = optim.SOAP([W], **o), optim.AdamW([V], **o)
    for t in range(50):  # diagonal gradients: nothing to rotate
        W.grad = V.grad = np.diag(slope(np.ones(3), 0, t))
        a.step(), b.step()
    np.testing.assert_allclose(W.data, V.data, rtol=1e-9, atol=1e-7)


def test_soap_does_not_depend_on_the_basis_it_is_given():
    # rotate the space of the weights: the path rotates along
    rng = np.random.default_rng(0)
    P, R = (np.linalg.qr(rng.standard_normal((n, n)))[0] for n in (3, 4))
    W, V = (Tensor(np.zeros((3, 4)), requires_grad=True) for _ in range(2))
    a, b = optim.SOAP([W], lr=0.1), optim.SOAP([V], lr=0.1)
    for t in range(30):
        W.grad = slope(np.ones((3, 4)), 0, t)
        V.grad = P @ W.grad @ R
        a.step(), b.step()
    np.testing.assert_allclose(P @ W.data @ R, V.data, rtol=1e-6, atol=1e-8)


def test_soap_does_not_depend_on_rounding():
    # one gradient of rank 2 leaves 6 of 8 directions open
    paths = []
    for nudge in 1, 1 + 1e-13:
        W = Tensor(np.zeros((8, 2)), requires_grad=True)
        opt = optim.SOAP([W], lr=0.1)
        for t in range(30):
            W.grad = slope(np.ones((8, 2)), 0, t) * nudge
            opt.step()
        paths.append(W.data)
    np.testing.assert_allclose(*paths, rtol=1e-7)


def test_shampoo_on_a_vector_is_adagrad_with_the_full_matrix():
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    opt = optim.Shampoo([x], lr=0.1, eps=1e-3)
    H, theta = 1e-3 * np.eye(3), x.data.copy()
    for t in range(20):
        g = x.grad = slope(x.numpy(), 0, t)
        opt.step()
        H += np.outer(g, g)
        theta = theta - 0.1 * np.linalg.solve(np.real(scipy.linalg.sqrtm(H)), g)
        np.testing.assert_allclose(x.data, theta, rtol=1e-8)


def test_shampoo_of_diagonal_gradients_is_adagrad():
    W = Tensor(np.eye(3), requires_grad=True)
    opt = optim.Shampoo([W], lr=0.1, eps=1e-3)
    s, theta = 1e-3, np.ones(3)
    for t in range(20):
        g = slope(np.ones(3), 0, t)
        W.grad = np.diag(g)
        opt.step()
        s = s + g**2
        theta = theta - 0.1 * g / np.sqrt(s)
    np.testing.assert_allclose(W.data, np.diag(theta), atol=1e-10)


def test_schedule_free_averages_all_z():
    params = leaves([(3, 4), (4,), ()])
    opt = optim.ScheduleFreeSGD(params, lr=0.1, momentum=0.9)
    first = [p.data.copy() for p in params]
    total = [0.0] * 3
    z = [p.data.copy() for p in params]
    for t in range(1, 30):
        for i, p in enumerate(params):
            p.grad = slope(p.numpy(), 2 * i, t)
            z[i] = z[i] - 0.1 * p.grad
            total[i] = total[i] + z[i]
        opt.step()
        y = [p.data.copy() for p in params]
        opt.eval()
        opt.eval()
        x = [p.data.copy() for p in params]
        opt.train()
        opt.train()
        close([p.data for p in params], y, rtol=0, atol=0)  # exactly y again
        close(x, [s / t for s in total])  # constant rate: the plain mean
        close(y, [0.1 * a + 0.9 * b for a, b in zip(z, x)])
    assert any((a != b).any() for a, b in zip(first, x))


def test_schedule_free_without_interpolation_is_its_base_method():
    same(
        lambda ps: optim.ScheduleFreeSGD(ps, lr=0.1, momentum=0.0, weight_decay=0.1),
        lambda ps: optim.SGD(ps, lr=0.1, weight_decay=0.1),
    )
    same(
        lambda ps: optim.ScheduleFreeAdamW(ps, lr=0.1, betas=(0.0, 0.9), weight_decay=0.1),
        lambda ps: optim.AdamW(ps, lr=0.1, betas=(0.0, 0.9), weight_decay=0.1),
    )


@pytest.mark.parametrize("cls", [optim.ScheduleFreeSGD, optim.ScheduleFreeAdamW])
def test_schedule_free_in_evaluation_does_not_step(cls):
    params = leaves()
    opt = cls(params, lr=0.1)
    opt.eval(), opt.train()  # before the first step: nothing to exchange
    drive(opt, params, 3)
    opt.eval()
    before = [p.data.copy() for p in params]
    with pytest.raises(RuntimeError, match=r"call opt.train\(\)"):
        opt.step()
    close([p.data for p in params], before, rtol=0, atol=0)
    saved = opt.state_dict()
    again = leaves()
    for p, x in zip(again, before):
        p.data = x
    other = cls(again, lr=0.1)
    other.load_state_dict(saved)
    other.train(), opt.train()
    close([p.data for p in again], [p.data for p in params], rtol=0, atol=0)


def test_decoupled_decay_does_not_see_the_gradient():
    for cls in optim.AdamW, optim.SGDW, optim.SOAP, optim.Lion:
        x = Tensor([2.0, 2.0], requires_grad=True)
        x.grad = np.array([0.0, 0.0])
        opt = cls([x], lr=0.1, weight_decay=0.5)
        opt.step()
        np.testing.assert_allclose(x.data, 2 * 0.95)


# --- averages


@pytest.mark.parametrize("kind", ["swa", "ema"])
def test_averages_equal_pytorch(kind):
    steps = np.random.default_rng(0).standard_normal((10, 2, 3))

    def compute(torch):
        from torch.optim import swa_utils

        model = torch.nn.Linear(3, 2, bias=False).double()
        how = {} if kind == "swa" else {"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(0.9)}
        averaged = swa_utils.AveragedModel(model, **how)
        for x in steps:
            with torch.no_grad():
                model.weight.copy_(torch.tensor(x))
            averaged.update_parameters(model)
        return [averaged.module.weight]

    want = reference(f"optim/{kind}", compute)
    w = Tensor(np.zeros((2, 3)), requires_grad=True)
    avg = optim.SWA([w]) if kind == "swa" else optim.EMA([w], 0.9)
    for x in steps:
        w.data = x
        avg.update()
    close(avg.average, want)
    if kind == "swa":
        close(avg.average, [steps.mean(0)])


@pytest.mark.parametrize("make", [optim.SWA, lambda ps: optim.EMA(ps, 0.5)])
def test_an_average_is_lent_to_the_parameters_and_taken_back(make):
    net = nn.Linear(3, 2, rng=np.random.default_rng(0))
    opt = optim.SGD(net.parameters(), lr=0.1)
    avg = make(net.parameters())
    with pytest.raises(RuntimeError, match="nothing is averaged yet"), avg.applied():
        pass
    for _ in range(3):
        opt.zero_grad()
        (net(np.ones((4, 3))) ** 2).sum().backward()
        opt.step()
        avg.update()
    own = [p.data.copy() for p in net.parameters()]
    with pytest.raises(ZeroDivisionError), avg.applied():
        close([p.data for p in net.parameters()], avg.average, rtol=0, atol=0)
        1 / 0
    close([p.data for p in net.parameters()], own, rtol=0, atol=0)
    # the optimizer still steps these parameters
    opt.step()
    assert (net.weight.data != own[0]).any()

    other = make(net.parameters())
    other.load_state_dict(avg.state_dict())
    avg.update(), other.update()
    close(other.average, avg.average, rtol=0, atol=0)
    with pytest.raises(ValueError, match=r"must have shapes \[\(1,\)\]"):
        make([Tensor([1.0], requires_grad=True)]).load_state_dict(avg.state_dict())
    with pytest.raises(ValueError, match="what state_dict"):
        other.load_state_dict({"average": []})


def test_an_average_keeps_float32_and_does_not_share_memory():
    x = Tensor(np.ones(2, np.float32), requires_grad=True)
    ema = optim.EMA([x], np.float64(0.9))
    ema.update()
    x.data = [3.0, 3.0]
    assert ema.average[0].dtype == np.float32 and ema.average[0].tolist() == [1, 1]


@pytest.mark.parametrize(
    "call,error,words",
    [
        (lambda x: optim.SWA([]), ValueError, "no parameters"),
        (lambda x: optim.SWA(x), TypeError, "a list of tensors, got Tensor"),
        (lambda x: optim.SWA([x * 2]), TypeError, "leaf tensors"),
        (lambda x: optim.EMA([x], 1.5), ValueError, r"decay must be in \[0, 1\], got 1.5"),
        (lambda x: optim.EMA(3), TypeError, "got int"),
    ],
)
def test_averages_misused(call, error, words):
    with pytest.raises(error, match=words):
        call(Tensor([1.0], requires_grad=True))


# --- clipping


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, np.inf])
@pytest.mark.parametrize("max_norm", [0.0, 0.5, 100.0, np.inf])
def test_clip_grad_norm_equals_pytorch(norm_type, max_norm):
    grads = [slope(np.ones(s), 2, i) for i, s in enumerate(SHAPES)]

    def compute(torch):
        ps = [torch.zeros(s, dtype=torch.float64, requires_grad=True) for s in SHAPES]
        for p, g in zip(ps, grads):
            p.grad = torch.tensor(g)
        total = torch.nn.utils.clip_grad_norm_(ps, max_norm, norm_type)
        return [total, torch.cat([p.grad.ravel() for p in ps])]

    params = [*leaves(), Tensor([1.0], requires_grad=True)]  # the last has no gradient
    for p, g in zip(params, grads):
        p.grad = g.copy()
    total = optim.clip_grad_norm(iter(params), max_norm, norm_type)
    assert type(total) is float and params[-1].grad is None
    assert all(type(p.grad) is np.ndarray for p in params[:-1])
    got = [np.array(total), np.concatenate([p.grad.ravel() for p in params[:-1]])]
    if np.isinf(max_norm):
        close(got, [np.array(total), np.concatenate([g.ravel() for g in grads])], rtol=0)
    else:
        close(got, reference(f"optim/clip-{norm_type}-{max_norm}", compute))


def test_clip_grad_norm_at_the_extremes():
    x = Tensor(np.ones(4, np.float32), requires_grad=True)
    x.grad = np.full(4, 1e30, np.float32)  # squares overflow float32
    assert optim.clip_grad_norm(x, 1.0) == pytest.approx(2e30)
    np.testing.assert_allclose(x.grad, 0.5, rtol=1e-6)
    assert x.grad.dtype == np.float32
    x.grad = np.array([1, np.inf, 1, 1], np.float32)
    before = x.grad.copy()
    with pytest.raises(RuntimeError, match="the norm of the gradients is inf"):
        optim.clip_grad_norm([x], 1.0, error_if_nonfinite=True)
    assert (x.grad == before).all()
    optim.clip_grad_norm([x], 1.0)
    assert np.isnan(x.grad[1])  # as PyTorch's
    assert optim.clip_grad_norm([Tensor([1.0], requires_grad=True)], 1.0) == 0.0
    empty = Tensor(np.ones((0, 3)), requires_grad=True)
    empty.grad = np.ones((0, 3))
    assert optim.clip_grad_norm([empty], 1.0, np.inf) == 0.0


@settings(max_examples=50, deadline=None)
@given(st.one_of(st.floats(max_value=-1e-9), st.just(np.nan), st.just("1"), st.none()))
def test_clip_grad_norm_misused(bad):
    x = Tensor([1.0], requires_grad=True)
    with pytest.raises((TypeError, ValueError), match="max_norm must be "):
        optim.clip_grad_norm([x], bad)
    with pytest.raises((TypeError, ValueError), match="norm_type must be "):
        optim.clip_grad_norm([x], 1.0, norm_type=bad)


# --- what all have in common

ALL = {
    name: getattr(optim, name)
    for name in optim.__all__
    if name not in ("SWA", "EMA", "clip_grad_norm", "Optimizer", "Lookahead")
}
ALL["Lookahead"] = lambda params, **options: optim.Lookahead(optim.Adam(params, **options), k=3)
FLAT = [n for n in ALL if n != "Lookahead" and not ALL[n].layerwise]


@pytest.fixture(params=ALL)
def name(request):
    return request.param


def test_there_is_no_optimizer_without_an_independent_reference():
    tested = {*FLAGS, *PAPERS, "SWATS", "Lookahead", "Sophia"}
    assert tested == set(ALL)


def options_like(name):
    """Options with which the optimizer moves visibly but surely."""
    return {"lr": 0.02}


STRETCHED = {
    "SGD", "SGDW", "Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW", "Adamax", "NAdam", "RAdam",
    "AdaBound", "AMSBound", "Lion", "Sophia", "ScheduleFreeSGD", "ScheduleFreeAdamW",
}  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.1}], ids=["", "decay"])
@pytest.mark.parametrize("name", sorted(STRETCHED))
def test_stretch_by_stretch_is_the_same(name, options, monkeypatch):
    def run(stretch):
        monkeypatch.setattr(optim.blocks, "PIECE", stretch)
        params = leaves(shapes_for(name))
        opt = ALL[name](params, **options_like(name), **options)
        drive(opt, params, 6)
        if hasattr(opt, "eval"):
            opt.eval()
            opt.train()
            opt.eval()
        return [p.data for p in params], opt.state_dict()["state"]

    (whole, states), (parts, states_of_parts) = run(1 << 20), run(3)
    for p, q in zip(whole, parts):
        np.testing.assert_array_equal(p, q)
    assert states and all(s.keys() == t.keys() for s, t in zip(states, states_of_parts))
    for s, t in zip(states, states_of_parts):
        for key in s:
            np.testing.assert_array_equal(s[key], t[key])


def test_a_long_parameter_is_stepped_alone(monkeypatch):
    """So its gradient is not copied, and the short ones still share a block."""
    monkeypatch.setattr(optim.blocks, "PIECE", 100)
    params = leaves([(3,), (20, 5), (2, 2), (101,)])
    opt = optim.Adam(params)
    drive(opt, params, 3)
    assert [[p.size for p in block.params] for block in opt.param_groups[0].blocks] == [
        [3, 4],
        [100],
        [101],
    ]
    long = opt.param_groups[0].blocks[1]
    long.params[0].grad = np.ones((20, 5))
    assert np.shares_memory(long.gradient(), long.params[0].grad)


def test_which_optimizers_are_stepped_in_stretches():
    """Those whose rule looks at one element at a time, and SWATS, which adds up what it needs."""
    assert set(FLAT) == STRETCHED | {"SWATS"}


def test_parameters_go_their_own_ways(name):
    """One optimizer for all parameters does what one for each would, but for SWATS."""
    if name == "SWATS":
        return
    together, alone = leaves(shapes_for(name)), leaves(shapes_for(name))
    opt = ALL[name](together, **options_like(name))
    for _ in range(2):
        drive(opt, together, 10)
    opts = [ALL[name]([p], **options_like(name)) for p in alone]
    for _ in range(2):
        for t in range(10):
            for i, (p, o) in enumerate(zip(alone, opts)):
                p.grad = slope(p.numpy(), i, t)
                if p.grad is not None or name == "Lookahead":
                    o.step()
    close([p.data for p in together], [p.data for p in alone], rtol=1e-12)


def test_a_parameter_without_gradient_is_left_alone(name):
    params = leaves(shapes_for(name))
    opt = ALL[name](params, lr=0.1)
    before = [p.data.copy() for p in params]
    opt.step()  # nobody has one
    close([p.data for p in params], before, rtol=0, atol=0)
    for i, p in enumerate(params):
        p.grad = None if i == 1 else np.ones(p.shape)
    for _ in range(4):
        opt.step()
    assert (params[1].data == before[1]).all()
    assert all((p.data != x).any() for i, (p, x) in enumerate(zip(params, before)) if i != 1)
    opt.zero_grad()
    assert all(p.grad is None for p in params)


def test_an_array_that_a_leaf_shares_is_not_written_to(name):
    values = start(shapes_for(name))
    kept = copy.deepcopy(values)
    params = [Tensor(x) for x in values]
    for p in params:
        p.requires_grad = True
        p.grad = np.ones(p.shape)
    ALL[name](params, lr=0.1).step()
    np.testing.assert_equal(values, kept)
    assert all((p.data != x).any() for p, x in zip(params, kept))


def test_gradients_are_not_written_to(name):
    params = leaves(shapes_for(name))
    opt = ALL[name](
        params,
        **{"lr": 0.1} | DECAY if name != "Adadelta" and has(name, "weight_decay") else {"lr": 0.1},
    )
    for i, p in enumerate(params):
        p.grad = np.full(p.shape, 0.5 + i)
        p.grad.flags.writeable = False
    opt.step()
    opt.step()
    single = leaves(shapes_for(name)[:1])
    opt = ALL[name](single, lr=0.1)
    single[0].grad = np.ones(single[0].shape)
    single[0].grad.flags.writeable = False
    opt.step()
    opt.step()


def has(name, option):
    return name != "Lookahead" and option in inspect.signature(ALL[name]).parameters


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes_stay_also_against_numpy_options(name, dtype):
    params = leaves(shapes_for(name), dtype)
    opt = ALL[name](params, lr=np.float64(0.01)).schedule(lambda t: np.cos(t) ** 2 / 100)
    drive(opt, params, 6)
    assert type(opt.lr) is float
    for p in params:
        assert p.dtype == dtype and p.data.dtype == dtype
    state = opt.state_dict()
    for s in state["opt"]["state"] if name == "Lookahead" else state["state"]:
        assert all(v.dtype == dtype for v in s.values() if isinstance(v, np.ndarray))


@pytest.mark.parametrize("name", FLAT)
def test_mixed_dtypes_in_one_group(name):
    params = leaves([(3,), (2, 2)]) + leaves([(3,), (2,)], np.float32)
    opt = ALL[name](params, lr=0.01)
    for p in params:
        p.grad = np.ones(p.shape)  # float64 also for the float32 ones
    before = [p.data.copy() for p in params]
    opt.step()
    for p, x in zip(params, before):
        assert p.dtype == x.dtype and (p.data < x).all()
    assert len(opt.param_groups[0].blocks) == 2


def test_a_float64_gradient_of_a_float32_parameter(name):
    (p,) = leaves(shapes_for(name)[:1], np.float32)
    opt = optim.SGD([p], lr=0.1, momentum=0.9) if name == "SGD" else ALL[name]([p], lr=0.1)
    p.grad = np.ones(p.shape)
    opt.step()
    saved = opt.state_dict()
    (state,) = saved.get("opt", saved)["state"]
    assert p.dtype == np.float32
    assert all(v.dtype == np.float32 for v in state.values() if isinstance(v, np.ndarray))


def test_half_precision_where_it_can():
    for cls in optim.SGD, optim.Lion, optim.SGDW, optim.LARS:
        x = Tensor(np.ones(3, np.float16), requires_grad=True)
        x.grad = np.ones(3, np.float16)
        cls([x], lr=0.25).step()
        assert x.dtype == np.float16 and (x.data < 1).all()
    for cls in optim.Shampoo, optim.SOAP:
        with pytest.raises(TypeError, match="make the parameters float32"):
            cls([x])


@pytest.mark.parametrize("name", FLAT)
def test_one_block_however_many_layers(name):
    params = leaves([(2, 3)] * 50)
    opt = ALL[name](params, lr=0.01)
    drive(opt, params, 1)
    opt = ALL[name](params, lr=0.01)
    for p in params:
        p.grad = np.ones(p.shape)
    opt.step()
    assert len(opt.param_groups[0].blocks) == 1
    params[7].grad = params[30].grad = None
    for _ in range(5):
        opt.step()
    assert len(opt.param_groups[0].blocks) == 2
    again = ALL[name](params, lr=0.01)
    again.load_state_dict(opt.state_dict())
    assert len(again.param_groups[0].blocks) == 2


STATE_SIZES = {  # numbers per element of a (4, 6) matrix, as the docstrings' "Memory" says
    "SGD": 0, "SGDW": 1, "Adagrad": 1, "RMSprop": 1, "Adadelta": 2, "Adam": 2, "AdamW": 2,
    "Adamax": 2, "NAdam": 2, "RAdam": 2, "Adafactor": (4 + 6) / 24, "Muon": 1, "AdaBound": 2,
    "AMSBound": 3, "LARS": 1, "LAMB": 2, "SWATS": 2, "Lion": 1, "Sophia": 2,
    "Shampoo": 2 * (16 + 36) / 24, "SOAP": 2 + 2 * (16 + 36) / 24, "ScheduleFreeSGD": 2,
    "ScheduleFreeAdamW": 3,
}  # fmt: skip


@pytest.mark.parametrize("name", STATE_SIZES)
def test_memory_is_as_documented(name):
    params = leaves([(4, 6)])
    opt = ALL[name](params, lr=0.01)
    drive(opt, params, 3)
    (state,) = opt.state_dict()["state"]
    numbers = sum(v.size for v in state.values() if isinstance(v, np.ndarray))
    assert numbers / 24 == pytest.approx(STATE_SIZES[name])


def test_two_optimizers_take_turns(name):
    """On the same parameters, with other shapes of buffers, each keeping its own state."""
    params, copies = leaves(shapes_for(name)), leaves(shapes_for(name))
    a, b = ALL[name](params, lr=0.01), optim.SGD(params[::-1], lr=0.05, momentum=0.9)
    # the same, each step with an optimizer that never lost the parameters: states carried over
    state_a, state_b = None, None
    for t in range(12):
        for i, (p, q) in enumerate(zip(params, copies)):
            p.grad = q.grad = slope(p.numpy(), i, t)
        if t % 2 == 0:
            a.step()
            fresh = ALL[name](copies, lr=0.01)
            if state_a:
                fresh.load_state_dict(state_a)
            fresh.step()
            state_a = fresh.state_dict()
        else:
            b.step()
            fresh = optim.SGD(copies[::-1], lr=0.05, momentum=0.9)
            if state_b:
                fresh.load_state_dict(state_b)
            fresh.step()
            state_b = fresh.state_dict()
        close([p.data for p in params], [q.data for q in copies], rtol=1e-12)


def test_assigned_data_is_what_the_next_step_starts_from(name):
    if name.startswith("ScheduleFree"):
        return  # documented: x and z live in the state
    params = leaves(shapes_for(name))
    opt = ALL[name](params, lr=0.01)
    drive(opt, params, 3)
    for p in params:
        p.data = np.full(p.shape, 100.0)
    with no_grad():
        for p in params:
            p[...] = 50.0
            p.grad = np.ones(p.shape)
    if name == "Lookahead":
        opt.step(), opt.step()  # a round ended with the third step
    opt.step()
    for p in params:
        assert (abs(p.data - 50) < 1.5).all() and (p.data != 50).any()


def test_a_graph_that_needs_the_old_value_raises(name):
    params = leaves(shapes_for(name))
    opt = ALL[name](params, lr=0.1)
    loss = sum((p * p).sum() for p in params)
    loss.backward(retain_graph=True)
    opt.step()
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def plain(x):
    """Whether minigrad.save can write it: nested dicts, lists, tuples, arrays, plain values."""
    if isinstance(x, dict):
        return all(type(k) is str and plain(v) for k, v in x.items())
    if isinstance(x, (list, tuple)):
        return all(map(plain, x))
    return x is None or type(x) in (bool, int, float, str, np.ndarray)


def test_state_round_trip(name):
    params = leaves(shapes_for(name))
    opt = ALL[name](params, lr=0.02).schedule(lambda t: 0.05 / (1 + t))
    drive(opt, params, 7)
    saved = opt.state_dict()
    frozen = copy.deepcopy(saved)
    assert plain(saved)
    values = [p.data.copy() for p in params]
    want = drive(opt, params, 93, first=7)

    again = leaves(shapes_for(name))
    for p, x in zip(again, values):
        p.data = x
    other = ALL[name](again, lr=0.5).schedule(lambda t: 0.05 / (1 + t))
    other.load_state_dict(saved)
    close(drive(other, again, 93, first=7), want, rtol=1e-12)
    # neither optimizer wrote into what was saved
    np.testing.assert_equal(saved, frozen)


def test_state_of_other_parameters_is_refused(name):
    shapes = shapes_for(name)
    params = leaves(shapes)
    opt = ALL[name](params, lr=0.02)
    if name == "SGD":
        opt = optim.SGD(params, lr=0.02, momentum=0.9)
    drive(opt, params, 6 if name != "Lookahead" else 5)
    saved = opt.state_dict()

    def fresh(shapes):
        make = (lambda ps: optim.SGD(ps, momentum=0.9)) if name == "SGD" else ALL[name]
        opt = make(leaves(shapes))
        return opt, copy.deepcopy(opt.state_dict())

    wrong = [(7, 7), *shapes[1:]]
    for others, words in ((wrong, r"must have shape"), (shapes[:-1], r"shape|parameters in")):
        opt, before = fresh(others)
        with pytest.raises(ValueError, match=words):
            opt.load_state_dict(saved)
        np.testing.assert_equal(opt.state_dict(), before)
    other = optim.Adam if name not in ("Adam", "Lookahead", "AdamW") else optim.SGD
    with pytest.raises(ValueError, match="option|another optimizer|what state_dict"):
        other(leaves(shapes)).load_state_dict(saved)
    for garbage in ({}, None, [1], "state"):
        opt, before = fresh(shapes)
        with pytest.raises(ValueError, match="what state_dict"):
            opt.load_state_dict(garbage)
        np.testing.assert_equal(opt.state_dict(), before)


def test_a_saved_option_out_of_range_changes_nothing():
    params = leaves()
    opt = optim.Adam([{"params": params[:2]}, {"params": params[2:], "lr": 0.5}])
    saved = opt.state_dict()
    saved["param_groups"][0]["lr"] = 0.25
    saved["param_groups"][1]["eps"] = -1
    with pytest.raises(ValueError, match="eps must be in"):
        opt.load_state_dict(saved)
    assert [g["lr"] for g in opt.param_groups] == [1e-3, 0.5]


def test_a_deep_copy_goes_its_own_way(name):
    params = leaves(shapes_for(name))
    opt = ALL[name](params, lr=0.02)
    drive(opt, params, 5)
    twins, twin = copy.deepcopy((params, opt))
    before = [p.data.copy() for p in params]
    drive(twin, twins, 5, first=5)
    close([p.data for p in params], before, rtol=0, atol=0)
    drive(opt, params, 5, first=5)
    close([p.data for p in twins], [p.data for p in params], rtol=0, atol=0)


def snapshot(opt, params):
    return copy.deepcopy((opt.state_dict(), [p.data for p in params]))


def test_nothing_is_half_updated(name):
    params = leaves(shapes_for(name))
    opt = ALL[name](params, lr=0.02).schedule(lambda t: 0.01 if t < 100 else -1.0)
    drive(opt, params, 5)
    before = snapshot(opt, params)

    def attempt(words, error=ValueError):
        with pytest.raises(error, match=words):
            opt.step()
        np.testing.assert_equal(snapshot(opt, params), before)

    for p in params:
        p.grad = np.ones(p.shape)
    params[-1].grad = np.ones(99)
    attempt(r"has a .grad of shape \(99,\)")
    params[-1].grad = np.ones(params[-1].shape, complex)
    attempt("has a .grad of complex128", TypeError)
    params[-1].grad = np.ones(params[-1].shape)
    inner = opt.opt if name == "Lookahead" else opt
    inner._schedule = lambda t: float("nan")
    attempt("lr must be in .*got nan")
    inner._schedule = lambda t: 1 / 0
    attempt("division", ZeroDivisionError)
    if getattr(ALL[name], "needs_finite", False):
        inner._schedule = None
        params[-1].grad = np.full(params[-1].shape, np.nan)
        attempt("must be finite")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [0.0, 1e-12, 1e3, 1e8])
def test_no_nan_from_finite_input(name, size, dtype):
    for theta in 0.0, 1.0, 1e4:
        params = [Tensor(np.full(s, theta, dtype), requires_grad=True) for s in shapes_for(name)]
        opt = ALL[name](params, lr=0.01)
        for sign in 1, 1, -1, 0, 1:
            for p in params:
                p.grad = np.full(p.shape, sign * size, dtype)
            opt.step()
        assert all(np.isfinite(p.data).all() for p in params)


def test_schedule_sets_the_rate_of_each_step(name):
    seen = []

    def f(t):
        seen.append(t)
        return 0.1 / (t + 1)

    params = leaves(shapes_for(name))
    opt = ALL[name](params, lr=0.3)
    assert opt.schedule(f) is opt and opt.lr == 0.3
    for t in range(3):
        drive(opt, params, 1, first=t)
        assert opt.lr == 0.1 / (t + 1) and seen == list(range(t + 1))
    by_hand, others = leaves(shapes_for(name)), None
    opt = ALL[name](by_hand, lr=0.1)  # AdaBound's bounds hang on the first rate
    others = leaves(shapes_for(name))
    scheduled = ALL[name](others, lr=0.1).schedule(lambda t: 0.1 / (t + 1))
    for t in range(20):
        opt.lr = 0.1 / (t + 1)
        drive(opt, by_hand, 1, first=t)
        drive(scheduled, others, 1, first=t)
    close([p.data for p in others], [p.data for p in by_hand], rtol=1e-12)


def test_schedule_must_be_a_function():
    with pytest.raises(TypeError, match="a schedule must be a function of the step, got 0.1"):
        optim.SGD(leaves()).schedule(0.1)


@needs_torch
@pytest.mark.parametrize("name", [n for n in FLAGS if n != "Muon"])
def test_groups_equal_pytorchs(name):
    import torch

    def make(module, ps):
        groups = [{"params": ps[:2], "lr": 0.05}, {"params": ps[2:], "weight_decay": 0.2}]
        return getattr(module, name)(groups, lr=0.01)

    got = walk(lambda ps: make(optim, ps), steps=40)
    with exact(torch):
        close(got, walk_torch(torch, lambda ps: make(torch.optim, ps), steps=40))


def test_groups_of_all(name):
    shapes = shapes_for(name)
    params, others = leaves(shapes), leaves(shapes)
    opt = ALL[name]([{"params": params[0], "lr": 0.05}, {"params": iter(params[1:])}], lr=0.01)
    assert [g["lr"] for g in opt.param_groups] == [0.05, 0.01] and opt.lr == 0.05
    if name != "SWATS":
        first, rest = ALL[name](others[:1], lr=0.05), ALL[name](others[1:], lr=0.01)
        for t in range(8):
            for i, (p, q) in enumerate(zip(params, others)):
                p.grad = q.grad = slope(p.numpy(), i, t)
            opt.step(), first.step(), rest.step()
        close([p.data for p in params], [q.data for q in others], rtol=1e-12)
    opt.lr = 0.5
    assert [g["lr"] for g in opt.param_groups] == [0.5, 0.5]


def test_trains_a_network(name):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 4))
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    net = nn.Sequential(
        nn.Linear(4, 16, bias=name != "Muon", rng=rng),
        np.tanh,
        nn.Linear(16, 2, bias=name != "Muon", rng=rng),
    )
    lr = {
        "SGD": 0.5, "SGDW": 0.1, "Adadelta": 3.0, "LARS": 1.0, "LAMB": 0.01, "Adagrad": 0.1, "Muon": 0.05,
        "Shampoo": 0.3, "ScheduleFreeSGD": 2.0, "AdaBound": 0.05, "AMSBound": 0.05,
    }.get(name, 0.02)  # fmt: skip
    opt = ALL[name](net.parameters(), lr=lr)
    first = None
    for _ in range(300):
        opt.zero_grad()
        loss = losses.cross_entropy(net(x), y)
        first = loss.item() if first is None else first
        loss.backward()
        opt.step()
    assert losses.cross_entropy(net(x), y).item() < 0.25 * first


# --- bad input


@pytest.mark.parametrize(
    "make,error,words",
    [
        (lambda c, x: c([]), ValueError, "no parameters to train"),
        (lambda c, x: c(iter([])), ValueError, "no parameters to train"),
        (lambda c, x: c(x), TypeError, r"write \[x\] for one"),
        (lambda c, x: c([x, x]), ValueError, r"shape \(2, 2\) is given twice"),
        (
            lambda c, x: c([{"params": [x]}, {"params": [x]}]),
            ValueError,
            r"shape \(2, 2\) is given twice",
        ),
        (lambda c, x: c([x * 2]), TypeError, "leaf tensors with requires_grad=True"),
        (lambda c, x: c([Tensor([1.0])]), TypeError, "leaf tensors with requires_grad=True"),
        (lambda c, x: c([np.ones(2)]), TypeError, "leaf tensors with requires_grad=True"),
        (lambda c, x: c(["x"]), TypeError, "leaf tensors with requires_grad=True"),
        (lambda c, x: c(3), TypeError, "a list of tensors, got int"),
        (lambda c, x: c(nn.Linear(2, 2)), TypeError, r"write net.parameters\(\)"),
        (lambda c, x: c([{"params": []}]), ValueError, "a parameter group has no parameters"),
        (lambda c, x: c([{"lr": 0.1}]), ValueError, 'a dict with an entry "params"'),
        (lambda c, x: c([{"params": [x]}, 3]), ValueError, 'a dict with an entry "params"'),
        (
            lambda c, x: c([{"params": [x], "rate": 1}]),
            ValueError,
            "the options are .*lr.*unknown: rate",
        ),
        (lambda c, x: c([{"params": [x], "lr": -1.0}]), ValueError, "lr must be in .*got -1.0"),
    ],
)
def test_bad_parameters(make, error, words, name):
    x = Tensor(np.ones((2, 2)), requires_grad=True)
    with pytest.raises(error, match=words):
        make(ALL[name], x)
    assert x.data.tolist() == [[1, 1], [1, 1]]


def outside(domain):
    junk = st.sampled_from(["0.1", None, (0.1,), np.nan, np.inf, -np.inf, 1j, True, np.ones(2)])
    if domain == "{False, True}":
        return st.sampled_from([0, 1, None, "yes", 0.0, np.nan])
    low, *_, high = domain[1:-1].split(", ")
    if domain[0] == "{":
        return st.one_of(junk, st.integers(max_value=int(low) - 1), st.just(1.5))
    below = st.floats(max_value=float(low), exclude_max=domain[0] == "[", allow_nan=False)
    above = st.floats(min_value=float(high), exclude_min=domain[-1] == "]", allow_nan=False)
    parts = [junk]
    parts += [below] if low != "-inf" else []
    parts += [above] if high != "inf" else []
    return st.one_of(*parts)


@pytest.mark.parametrize("name", [n for n in ALL if n != "Lookahead"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_bad_options(name, data):
    cls = ALL[name]
    key = data.draw(st.sampled_from(options_of(cls)))
    bad = data.draw(outside(cls.domains.get(key, "[0, inf)")))
    if key == "betas":
        bad = data.draw(st.sampled_from([(0.9, bad), (bad, 0.9), bad, (0.9,), (0.9, 0.9, 0.9)]))
    if key == "gamma" and bad is None and name == "Sophia":
        bad = 0.0
    x = Tensor(np.ones((2, 2)), requires_grad=True)
    with pytest.raises((TypeError, ValueError), match=rf"{name}: {key}(\[.\])? must be "):
        cls([x], **{key: bad})
    opt = cls([x])
    before = dict(opt.param_groups[0])
    with pytest.raises((TypeError, ValueError), match=rf"{name}: {key}(\[.\])? must be "):
        opt.param_groups[0][key] = bad
    assert opt.param_groups[0] == before
    if key == "lr":
        with pytest.raises((TypeError, ValueError), match="lr must be "):
            opt.lr = bad
    assert x.data.tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize(
    "make,words",
    [
        (lambda x: optim.SGD([x], nesterov=True), "nesterov needs momentum > 0"),
        (
            lambda x: optim.SGDW([x], momentum=0.9, dampening=0.1, nesterov=True),
            "SGDW: nesterov needs .* dampening = 0",
        ),
        (lambda x: optim.Muon([x], adjust_lr_fn="new"), 'adjust_lr_fn must be "original" or .*got .new'),
        (lambda x: optim.Muon([x], ns_coefficients=(1, 2)), "must be 3 numbers"),
        (
            lambda x: optim.Muon([x, Tensor([1.0], requires_grad=True)]),
            r"must be matrices, got shape \(1,\)",
        ),
        (lambda x: optim.Adafactor([x], eps=(None, -1e-3)), r"eps\[1\] must be in"),
        (lambda x: optim.Lookahead(optim.SGD([x]), k=0), r"k must be in \{1, 2, ...\}, got 0"),
        (lambda x: optim.Lookahead(optim.SGD([x]), alpha=2), r"alpha must be in \[0, 1\], got 2"),
    ],
)
def test_bad_combinations(make, words):
    with pytest.raises(ValueError, match=words):
        make(Tensor(np.ones((2, 2)), requires_grad=True))


def test_lookahead_needs_an_optimizer():
    with pytest.raises(TypeError, match="opt must be an optimizer"):
        optim.Lookahead(leaves())


@pytest.mark.parametrize(
    "change,words",
    [
        (lambda group: group.pop("momentum"), "cannot be taken away"),
        (lambda group: group.pop("momentum", 0.9), "cannot be taken away"),
        (lambda group: group.popitem(), "cannot be taken away"),
        (lambda group: group.clear(), "cannot be taken away"),
        (lambda group: operator.delitem(group, "lr"), "cannot be taken away"),
        (lambda group: group.update(rho=0.9), "the options are lr, .*nesterov; unknown: rho"),
        (lambda group: group.update({"lr": 0.5, "params": []}), "unknown: params"),
        (lambda group: operator.ior(group, {"lr": 0.5, "eps": 1.0}), "unknown: eps"),
        (lambda group: group.update([("lr", 0.5), ("momentum", 1.0)]), "momentum must be in"),
        (lambda group: group.update(nesterov=True), "nesterov needs momentum > 0"),
        (lambda group: operator.setitem(group, "nesterov", True), "nesterov needs momentum > 0"),
    ],
)
def test_a_group_refuses_what_is_no_option(change, words):
    group = optim.SGD(leaves()).param_groups[0]
    before = dict(group)
    with pytest.raises(ValueError, match=f"SGD: .*{words}"):
        change(group)
    assert group == before


@pytest.mark.parametrize("name", [n for n in ALL if n != "Lookahead"])
def test_the_options_are_those_of_the_signature(name):
    """In its order, with its defaults; the rule is called with all of them."""
    parameters = inspect.signature(ALL[name]).parameters
    (group,) = ALL[name](leaves(shapes_for(name))).param_groups
    apart = {"hessian"} if name == "Sophia" else set()
    assert [*parameters][0] == "params"
    assert [k for k in parameters if k not in {"params", *apart}] == [*group.options][
        : len(parameters) - 1 - len(apart)
    ]
    for key, value in group.options.items():
        if key not in ("base_lr", "gamma"):
            assert value == parameters[key].default
    rule = inspect.signature(ALL[name].update).parameters
    if name not in ("AdamW", "SGDW"):  # they pass most on
        assert [*rule][:4] == ["self", "theta", "g", "state"]
        assert {*rule} - {"self", "theta", "g", "state"} == {*group.options}


@pytest.mark.parametrize("way", ["deepcopy", "pickle"])
def test_a_copied_group_still_checks(way):
    opt = optim.SGD(leaves(), lr=0.1, momentum=0.9)
    opt.step()
    twin = copy.deepcopy(opt) if way == "deepcopy" else pickle.loads(pickle.dumps(opt))
    (group,) = twin.param_groups
    assert group.options == opt.param_groups[0].options
    with pytest.raises(ValueError, match="SGD: momentum must be in"):
        group["momentum"] = 1.0
    group["momentum"] = 0.5
    assert opt.param_groups[0]["momentum"] == 0.9 and group.options["momentum"] == 0.5


def test_options_that_go_together_are_assigned_together():
    params, others = leaves(), leaves()
    a, b = optim.SGD(params, lr=0.1), optim.SGD(others, lr=0.1, momentum=0.9, nesterov=True)
    a.param_groups[0].update(momentum=0.9, nesterov=True)
    drive(a, params, 9)
    drive(b, others, 9)
    close([p.data for p in params], [p.data for p in others], rtol=0, atol=0)
    group = a.param_groups[0]
    group |= {"lr": np.float32(0.5)}
    assert type(a.lr) is float and a.lr == 0.5


def test_options_can_be_changed_between_steps():
    params, others = leaves(), leaves()
    a, b = optim.SGD(params, lr=0.1), optim.SGD(others, lr=0.1, momentum=0.5)
    a.param_groups[0]["momentum"] = 0.5
    b.step()
    drive(a, params, 9)
    drive(b, others, 9)
    close([p.data for p in params], [p.data for p in others], rtol=0, atol=0)
    opt = optim.Adam(params)
    drive(opt, params, 3)
    opt.param_groups[0]["amsgrad"] = True
    drive(opt, params, 3)


def test_grad_may_come_from_the_engine_as_it_is():
    # the gradient of a sum is a broadcast view: it must neither be written to nor be kept
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    opt = optim.SGD([x], lr=0.5, momentum=0.9)
    for _ in range(2):
        opt.zero_grad()
        x.sum().backward()
        opt.step()
    np.testing.assert_allclose(x.data, 1 - 0.5 - 0.5 * 1.9)
    (g,) = grad(x.sum(), [x])
    assert g.data.tolist() == [[1, 1, 1], [1, 1, 1]]
