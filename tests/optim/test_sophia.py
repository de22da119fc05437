"""Sophia: the algorithm of its paper, and its two estimates of the Hessian's diagonal."""

import copy

import numpy as np
import pytest

from bowl import drive, leaves
from compares import compares
from minigrad import Tensor, losses, optim


def sophia_rule(lr, betas, gamma, eps, weight_decay):
    def rule(theta, g, memory):
        memory["m"] = betas[0] * memory.get("m", 0) + (1 - betas[0]) * g
        update = np.clip(memory["m"] / np.maximum(gamma * memory["h"], eps), -1, 1)
        return theta - lr * weight_decay * theta - lr * update

    return rule


@compares("Liu et al. 2023", "optim.Sophia")
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


def test_sophias_estimate_reaches_every_piece(monkeypatch):
    def h(piece):
        monkeypatch.setattr(optim.blocks, "PIECE", piece)
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


@pytest.mark.parametrize("hessian", ["gnb", "hutchinson"])
def test_sophia_maximizes_with_the_curvature_of_the_negative(hessian):
    x, y = (Tensor([1.0, -2.0], requires_grad=True) for _ in range(2))
    up = optim.Sophia([x], lr=0.1, hessian=hessian, maximize=True)
    down = optim.Sophia([y], lr=0.1, hessian=hessian)
    for t in range(4):
        for opt, loss in (up, (1 - x**4).sum()), (down, (y**4 - 1).sum()):
            rng = np.random.default_rng(t) if hessian == "hutchinson" else None
            opt.update_hessian(loss, batch_size=2, rng=rng)
        up.step(lambda: (1 - x**4).sum().backward())
        down.step(lambda: (y**4 - 1).sum().backward())
    np.testing.assert_array_equal(x.data, y.data)
    np.testing.assert_equal(up.state_dict()["state"], down.state_dict()["state"])


def test_sophia_refuses_an_estimate_that_is_not_finite():
    x = Tensor(np.ones(2, np.float32), requires_grad=True)
    opt = optim.Sophia([x])
    opt.update_hessian((x * x).sum(), batch_size=2)
    before = copy.deepcopy(opt.state_dict())
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="has inf or nan"):
        opt.update_hessian((1e25 * x).sum(), batch_size=2)
    np.testing.assert_equal(opt.state_dict(), before)


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
