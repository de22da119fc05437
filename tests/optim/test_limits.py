"""Limiting cases, in which one optimizer is another or a formula is known."""

import numpy as np
import pytest
import scipy.linalg

from bowl import SHAPES, close, drive, leaves, slope, start, walk
from minigrad import Tensor, optim
from minigrad.optim.muon import orthogonalize


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


def test_soap_moves_the_small_elements_of_a_vector_too():
    x = Tensor(np.zeros(3, np.float32), requires_grad=True)
    x.grad = np.array([1, -1e-7, 1e7], np.float32)
    optim.SOAP([x], lr=0.1, eps=1e-12).step()
    np.testing.assert_allclose(x.data, [-0.1, 0.1, -0.1], rtol=1e-4)


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
@pytest.mark.parametrize("lr", [0.0, 1e-200])
def test_schedule_free_at_a_rate_whose_square_is_zero(cls, lr):
    params = leaves()
    drive(cls(params, lr=lr), params, 3)
    close([p.data for p in params], start(SHAPES))


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
