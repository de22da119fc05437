"""SWA and EMA."""

import numpy as np
import pytest

from bowl import close
from compares import compares
from minigrad import Tensor, nn, optim
from torch_reference import reference


@compares("torch.optim.swa_utils.AveragedModel", "optim.SWA")
@compares("torch.optim.swa_utils.get_ema_multi_avg_fn", "optim.EMA")
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
def test_applied_swaps_and_restores(make):
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
