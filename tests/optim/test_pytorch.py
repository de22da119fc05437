"""Against PyTorch, with every option."""

import inspect
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bowl import BY_PYTORCH, CHECKPOINTS, SHAPES, close, shapes_for, slope, start, walk
from compares import compares
from minigrad import Tensor, optim
from torch_reference import needs_torch, reference


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


DECAY = {"weight_decay": 0.1}


FLAGS = {
    "SGD": [
        {},
        {"lr": 0.05, "momentum": 0.9},
        {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, **DECAY},
        {"lr": 0.05, "momentum": 0.8, "nesterov": True, **DECAY},
        {"lr": 0.05, "dampening": 0.5, **DECAY},
        {"lr": 0.002, "maximize": True, **DECAY},
    ],
    "Adagrad": [
        {},
        {"lr": 0.1, "lr_decay": 0.01, "initial_accumulator_value": 0.3, "eps": 1e-3, **DECAY},
        {"lr": 0.002, "maximize": True, **DECAY},
    ],
    "RMSprop": [
        {},
        {"alpha": 0.9, "centered": True, "eps": 1e-3},
        {"alpha": 0.95, "momentum": 0.7, **DECAY},
        {"alpha": 0.9, "momentum": 0.7, "centered": True, "eps": 1e-2, **DECAY},
        {"lr": 0.002, "maximize": True, **DECAY},
    ],
    "Adadelta": [{}, {"lr": 0.5, "rho": 0.8, "eps": 1e-3, **DECAY}, {"lr": 0.002, "maximize": True, **DECAY}],
    "Adam": [
        {},
        {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3, **DECAY},
        {"lr": 0.05, "betas": (0.8, 0.9), "amsgrad": True, **DECAY},
        {"lr": 0.05, "betas": (0.0, 0.0), "eps": 0.1},
        {"lr": 0.002, "maximize": True, **DECAY},
    ],
    "AdamW": [{}, {"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-2, "amsgrad": True, **DECAY}, {"lr": 0.002, "maximize": True, **DECAY}],
    "Adamax": [{}, {"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-2, **DECAY}, {"lr": 0.002, "maximize": True, **DECAY}],
    "NAdam": [
        {},
        {"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-2, "momentum_decay": 0.1, **DECAY},
        {"lr": 0.05, "decoupled_weight_decay": True, **DECAY},
        {"lr": 0.002, "maximize": True, **DECAY},
    ],
    "RAdam": [
        {},
        {"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-2, **DECAY},
        {"lr": 0.05, "betas": (0.8, 0.6), **DECAY},  # ρ_∞ = 4: never adapts
        {"lr": 0.05, "decoupled_weight_decay": True, **DECAY},
        {"lr": 0.002, "maximize": True, **DECAY},
    ],
    "Adafactor": [
        {},
        {"lr": 0.1, "beta2_decay": -0.5, "eps": (1e-3, 0.1), "d": 1.5, **DECAY},
        {"lr": 0.002, "maximize": True, **DECAY},
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


def test_all_that_pytorch_has_are_compared():
    assert set(FLAGS) == BY_PYTORCH


@compares(
    "torch.optim",
    "optim.SGD", "optim.Adagrad", "optim.RMSprop", "optim.Adadelta", "optim.Adam", "optim.AdamW",
    "optim.Adamax", "optim.NAdam", "optim.RAdam", "optim.Adafactor", "optim.Muon",
)  # fmt: skip
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
    "maximize": st.booleans(),
}


@needs_torch
@pytest.mark.parametrize("name", FLAGS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_equals_pytorch_live(name, data):
    import torch

    names = inspect.signature(getattr(optim, name)).parameters
    apart = {"params", "maximize"} if name == "Muon" else {"params"}
    flags = {k: data.draw(OPTIONS[k], label=k) for k in names if k not in apart}
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
        if (name, key) != ("Muon", "maximize"):  # only PyTorch's Muon has none
            assert ours.default == theirs[key].default
    machinery = {"foreach", "fused", "capturable", "differentiable"}
    missing = theirs.keys() - inspect.signature(getattr(optim, name)).parameters.keys() - machinery
    assert not missing - {"decoupled_weight_decay"}  # of Adam: that is AdamW


@compares("torch.optim", "optim.Optimizer")
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
