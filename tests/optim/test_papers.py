"""Against the papers' formulas, for what PyTorch does not have."""

import copy

import numpy as np
import pytest
import scipy.linalg

from bowl import (
    BY_PAPER,
    CHECKPOINTS,
    SHAPES,
    close,
    leaves,
    slope,
    start,
    walk,
)
from compares import compares
from minigrad import Tensor, optim


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


def test_all_that_pytorch_has_not_are_compared():
    assert {*PAPERS, "SWATS", "Lookahead", "Sophia"} == BY_PAPER


@compares("Chen et al. 2023", "optim.Lion")
@compares("Defazio et al. 2024", "optim.ScheduleFreeSGD", "optim.ScheduleFreeAdamW")
@compares("Gupta et al. 2018", "optim.Shampoo")
@compares("Loshchilov & Hutter 2019", "optim.SGDW")
@compares("Luo et al. 2019", "optim.AdaBound", "optim.AMSBound")
@compares("Vyas et al. 2024", "optim.SOAP")
@compares("You et al. 2017", "optim.LARS")
@compares("You et al. 2020", "optim.LAMB")
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


@compares("Keskar & Socher 2017", "optim.SWATS")
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


@compares("Zhang et al. 2019", "optim.Lookahead")
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
