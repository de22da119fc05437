"""Modules: the tree of names, modes, states."""

import numpy as np
import pytest
from module_inputs import close, draw, rng

from compares import compares
from minigrad import nn, optim


class Net(nn.Module):
    """Parameters, arrays and modules, also in lists; one module in two places."""

    def __init__(self, seed=0):
        self.scale = nn.Parameter(draw(2, seed))
        self.count = np.zeros(3, int)
        self.embedding = nn.Embedding(5, 4, rng=rng(seed))
        self.blocks = [nn.Linear(4, 4, rng=rng(seed + 1)), nn.BatchNorm1d(4)]
        self.gains = (nn.Parameter(draw(1, seed)), nn.Parameter(draw(1, seed + 1)))
        self.tied = self.blocks[0]
        self.name = "net"

    def forward(self, i):
        x = self.embedding(i)
        for block in self.blocks:
            x = block(x)
        return self.tied(x) * self.gains[0] + self.scale.sum()


NAMES = [
    "scale", "gains.0", "gains.1", "embedding.weight", "blocks.0.weight", "blocks.0.bias", "blocks.1.weight",
    "blocks.1.bias",
]  # fmt: skip


@compares("torch.nn", "nn.Module", "nn.Parameter")
def test_names_and_parameters():
    net = Net()
    assert [k for k, _ in net.named_parameters()] == NAMES
    assert [id(p) for p in net.parameters()] == [id(p) for _, p in net.named_parameters()]
    extra = {
        "count",
        "blocks.1.running_mean",
        "blocks.1.running_var",
        "blocks.1.num_batches_tracked",
    }
    assert set(net.state_dict()) == {*NAMES, *extra, "tied.weight", "tied.bias"}
    optim.SGD(net.parameters(), lr=0.1)  # would refuse a parameter given twice


def test_every_parameter_gets_its_gradient():
    net = Net()
    net(np.array([0, 1, 2])).sum().backward()
    assert [k for k, p in net.named_parameters() if p.grad is None] == ["gains.1"]


def test_tree():
    assert repr(Net()).splitlines() == [
        "Net()  52 parameters",
        "  embedding: Embedding(5, 4)  20 parameters",
        "  blocks.0: Linear(4, 4)  20 parameters",
        "  blocks.1: BatchNorm1d(4)  8 parameters",
        "  tied: Linear(4, 4)  20 parameters",
    ]
    deep = nn.Sequential(nn.Sequential(nn.Linear(1000, 100, bias=False), nn.Dropout(0.1)), np.tanh)
    assert repr(deep).splitlines() == [
        "Sequential()  100,000 parameters",
        "  0: Sequential()  100,000 parameters",
        "    0: Linear(1000, 100, bias=False)  100,000 parameters",
        "    1: Dropout(0.1)",
    ]


def test_modes_reach_everything():
    net = Net()
    assert net.eval() is net and not net.blocks[1].training
    assert net.train() is net and net.blocks[1].training


def test_states():
    a, b = Net(0), Net(5)
    state = a.state_dict()
    state["scale"][0] = 99  # copies
    assert a.scale.data[0] != 99
    b.load_state_dict(a.state_dict())
    i = np.array([3, 1, 4])
    assert np.array_equal(a(i).numpy(), b(i).numpy())
    y = (b.scale * b.scale).sum()
    b.load_state_dict(
        a.state_dict()
    )  # a change: a graph that still needs the old values must not go on
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


@pytest.mark.parametrize(
    "change,error,message",
    [
        (lambda s: s.pop("scale"), ValueError, "load_state_dict: the state lacks scale"),
        (lambda s: s.update(other=1), ValueError, "load_state_dict: the module has no other"),
        (lambda s: s.update({"blocks.0.bias": np.ones(5)}), ValueError, r"blocks.0.bias has shape \(4,\), the state's \(5,\)"),
        (lambda s: s.update({"tied.bias": np.array(["x"] * 4)}), ValueError, "tied.bias has dtype float64, which the state's <U1 cannot become"),
        (lambda s: s.update(count=np.ones(3)), ValueError, "count has dtype int64, which the state's float64 cannot become"),
        (lambda s: s.update(scale=[1, [2]]), ValueError, "inhomogeneous"),
    ],
)  # fmt: skip
def test_a_state_that_does_not_fit_changes_nothing(change, error, message):
    net, state = Net(), Net(9).state_dict()
    before = net.state_dict()
    change(state)
    with pytest.raises(error, match=message):
        net.load_state_dict(state)
    assert all(np.array_equal(before[k], v) for k, v in net.state_dict().items())


def test_a_state_must_be_a_dict():
    with pytest.raises(TypeError, match="load_state_dict: state must be a dict by name, got list"):
        Net().load_state_dict([1, 2])


def test_forward_must_be_written():
    with pytest.raises(NotImplementedError, match=r"Module must define forward\(...\)"):
        nn.Module()(1)


@compares("torch.nn", "nn.Sequential")
def test_sequential():
    net = nn.Sequential(nn.Linear(2, 3, rng=rng()), np.tanh, nn.Linear(3, 1, rng=rng()))
    x = draw((4, 2))
    close(net(x).numpy(), net[2](np.tanh(net[0](x))).numpy(), rtol=1e-15)
    assert len(net) == 3 and [k for k, _ in net.named_parameters()] == [
        "0.weight",
        "0.bias",
        "2.weight",
        "2.bias",
    ]
    with pytest.raises(
        TypeError, match="Sequential: layer 1 must be a module or a function, got 3"
    ):
        nn.Sequential(np.tanh, 3)


def test_all_modules_stand_in_nn():
    for name in nn.__all__:
        assert getattr(nn, name).__doc__
