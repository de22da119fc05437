"""Deep sigmoid networks from two starts, what the mean alone does, and what exp costs.

Writes sigmoid-tanh.json. Digits split 80 : 20 by the seed, which also fixes the initial weights and
the order of the batches of 64; hidden layers of 32 units, LeCun's initialization.

deep: training error after 20 epochs for every rate of a grid, 5 seeds. `sigmoid` starts from
LeCun's weights and biases 0, `tanh` too; `translated` is a sigmoid network that starts as the very
function of the tanh network, because tanh(x) = 2 sigmoid(2x) - 1. Nothing is chosen: the chapter
shows the least error over the grid, which can only flatter what fails. `deep longer` has 100 epochs.

mean: the training loss after 10 epochs, and the test error. `sigmoid - 1/2` starts as the same
function as `sigmoid`, and `tanh + 1` as `tanh`: the biases make up for the shift, so that nothing
but the mean of what the next layer sees is different. The rate is chosen by the training loss on 10
seeds, 40 others report. Written before running: a training loss that is lower by a tenth would
matter, and half a point of test error.

costs: microseconds, one thread, float32; the least of 7 repetitions counts. An activation's own cost is
forward and backward, an eighth of a chain of eight, so that what a call of backward costs is shared.
"""

import time

import numpy as np

from minigrad import Tensor, activations, init, losses, nn, optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep

SHIFT = {"sigmoid": 0.0, "sigmoid - 1/2": -0.5, "tanh": 0.0, "tanh + 1": 1.0}


def shifted(name):
    """The activation of that name, and what was added to it."""
    f = activations.tanh if name.startswith("tanh") else activations.sigmoid
    c = SHIFT[name]
    return (lambda x: f(x) + c) if c else f, c


def linears(net):
    """The linear layers of a network."""
    return [layer for layer in net.layers if isinstance(layer, nn.Linear)]


def translate(net):
    """Weights of a tanh network to those of the sigmoid network with the same outputs, in place."""
    first, *inner, last = linears(net)
    first.weight.data, first.bias.data = 2 * first.weight.data, 2 * first.bias.data
    for layer in inner:
        W, b = layer.weight.data, layer.bias.data
        layer.weight.data, layer.bias.data = 4 * W, 2 * b - 2 * W.sum(axis=1)
    W, b = last.weight.data, last.bias.data
    last.weight.data, last.bias.data = 2 * W, b - W.sum(axis=1)


def digits(rng):
    """Training and test set, standardized."""
    train, test = data.split(*data.digits(), 0.8, rng=rng)
    x, x_test = data.standardize(train[0], test[0])
    return (x, train[1]), (x_test, test[1])


def make(optimizer, net, lr):
    """SGD without momentum, or Adam with its defaults."""
    return {"sgd": optim.SGD, "adam": optim.Adam}[optimizer](net.parameters(), lr=lr)


def deep(start, optimizer, depth, lr, epochs, seed):
    """Training error in percent, of a network of `depth` hidden layers."""
    rng = np.random.default_rng(seed)
    (x, y), _ = digits(rng)
    f = activations.tanh if start == "tanh" else activations.sigmoid
    net = training.mlp([64] + [32] * depth + [10], f, rng=rng, weight=init.lecun_normal)
    if start == "translated":
        translate(net)
    training.fit(net, make(optimizer, net, lr), x, y, epochs=epochs, rng=rng)
    return 100 * (1 - training.evaluate(net, x, y)[1])


def mean(activation, optimizer, depth, lr, epochs, seed):
    """Training loss, and test error in percent; the mean of the activations is what differs."""
    rng = np.random.default_rng(seed)
    train, test = digits(rng)
    f, c = shifted(activation)
    net = training.mlp([64] + [32] * depth + [10], f, rng=rng, weight=init.lecun_normal)
    for layer in linears(net)[1:]:
        layer.bias.data = -c * layer.weight.data.sum(axis=1)
    training.fit(net, make(optimizer, net, lr), *train, epochs=epochs, rng=rng)
    return {
        "training loss": training.evaluate(net, *train)[0],
        "test error": 100 * (1 - training.evaluate(net, *test)[1]),
    }


def timed(call):
    """Microseconds of a call: the least of 5 blocks of some milliseconds."""
    call(), call()
    start = time.perf_counter()
    call()
    many = max(3, round(0.004 / (time.perf_counter() - start)))
    blocks = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(many):
            call()
        blocks.append((time.perf_counter() - start) / many)
    return 1e6 * min(blocks)


def operation(library, name, seed):
    """Microseconds of one operation on 64 × 512 numbers in float32."""
    x = np.random.default_rng(seed).normal(0, 2, size=(64, 512)).astype(np.float32)
    if library == "numpy":
        ready = Tensor(x)
        return timed({
            "add": lambda: x + 1, "relu": lambda: np.maximum(x, 0), "exp": lambda: np.exp(x),
            "sigmoid": lambda: activations.sigmoid(ready), "tanh": lambda: np.tanh(x),
        }[name])  # fmt: skip
    import torch

    torch.set_num_threads(1)
    z = torch.from_numpy(x)
    return timed({
        "add": lambda: z + 1, "relu": lambda: torch.relu(z), "exp": lambda: torch.exp(z),
        "sigmoid": lambda: torch.sigmoid(z), "tanh": lambda: torch.tanh(z),
    }[name])  # fmt: skip


def alone(library, activation, width, seed):
    """Microseconds of one activation on 64 × width numbers, forward and backward."""
    x = np.random.default_rng(seed).normal(size=(64, width)).astype(np.float32)
    if library == "numpy":
        f, ones = getattr(activations, activation), np.ones_like(x)

        def chain():
            z = Tensor(x, requires_grad=True)
            for _ in range(8):
                z = f(z)
            z.backward(ones)

        return timed(chain) / 8
    import torch

    torch.set_num_threads(1)
    g, start, ones = getattr(torch, activation), torch.from_numpy(x), torch.ones(64, width)

    def chain_of_torch():
        z = start.detach().requires_grad_()
        for _ in range(8):
            z = g(z)
        z.backward(ones)

    return timed(chain_of_torch) / 8


def step(library, activation, width, seed):
    """Microseconds of a step of SGD: batch 64, two hidden layers as wide as the input, 10 classes."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(64, width)).astype(np.float32)
    y = rng.integers(10, size=64)
    if library == "numpy":
        f = {"none": lambda z: z}.get(activation) or getattr(activations, activation)
        net = training.mlp([width, width, width, 10], f, rng=rng, dtype=np.float32)
        optimizer = optim.SGD(net.parameters(), lr=0.01)

        def one():
            optimizer.zero_grad()
            losses.cross_entropy(net(x), y).backward()
            optimizer.step()

        return timed(one)
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    f = {
        "none": torch.nn.Identity, "relu": torch.nn.ReLU, "tanh": torch.nn.Tanh,
        "sigmoid": torch.nn.Sigmoid,
    }[activation]  # fmt: skip
    Linear = torch.nn.Linear
    net = torch.nn.Sequential(
        Linear(width, width), f(), Linear(width, width), f(), Linear(width, 10)
    )
    descent = torch.optim.SGD(net.parameters(), lr=0.01)
    x, y = torch.from_numpy(x), torch.from_numpy(y)

    def one_of_torch():
        descent.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()
        descent.step()

    return timed(one_of_torch)


def doubling(first, count):
    """first, 2 first, 4 first, …"""
    return tuple(first * 2**k for k in range(count))


if __name__ == "__main__":
    libraries = {"library": ("numpy", "torch")}
    names = ("add", "relu", "exp", "sigmoid", "tanh")
    operations = sweep(operation, {**libraries, "name": names}, seeds=7)
    kinds = ("none", "relu", "sigmoid", "tanh")
    widths = {"width": (32, 128, 512, 1024)}
    steps = sweep(step, {**libraries, "activation": kinds, **widths}, seeds=7)
    alones = sweep(alone, {**libraries, "activation": kinds[1:], **widths}, seeds=7)

    depths = {"depth": (2, 4, 6, 10)}
    by_sgd = {
        "start": ("sigmoid", "translated", "tanh"), "optimizer": ("sgd",), **depths,
        "lr": doubling(0.0125, 12), "epochs": (20,),
    }  # fmt: skip
    by_adam = {
        "start": ("sigmoid", "translated"), "optimizer": ("adam",), **depths,
        "lr": doubling(0.0005, 9), "epochs": (20,),
    }  # fmt: skip
    plain = {"start": ("sigmoid",), "epochs": (100,)}
    longer = {**by_sgd, **plain, "depth": (6,), "lr": (0.4, 1.6, 6.4)}
    adam_longer = {**by_adam, **plain, "depth": (10,), "lr": (0.002, 0.008)}

    def tuned(optimizer, first, count, depth=(1, 2), epochs=10, seeds=10, fresh=40):
        grid = {
            "activation": tuple(SHIFT), "optimizer": (optimizer,), "depth": depth,
            "lr": doubling(first, count), "epochs": (epochs,),
        }  # fmt: skip
        tuning = sweep(mean, grid, seeds=seeds, workers=2)
        return tuning, tuning.best("lr", by="training loss", fresh=range(100, 100 + fresh))

    tuning_sgd, tuned_sgd = tuned("sgd", 0.1, 10)
    tuning_adam, tuned_adam = tuned("adam", 0.004, 8)
    _, longer_sgd = tuned("sgd", 0.1, 10, depth=(2,), epochs=50, seeds=5, fresh=20)
    store(
        __file__,
        {
            "deep sgd": sweep(deep, by_sgd, seeds=5, workers=2),
            "deep adam": sweep(deep, by_adam, seeds=5, workers=2),
            "deep longer": sweep(deep, longer, seeds=3, workers=2),
            "deep adam longer": sweep(deep, adam_longer, seeds=3, workers=2),
            "tuning sgd": tuning_sgd, "tuned sgd": tuned_sgd,
            "tuning adam": tuning_adam, "tuned adam": tuned_adam,
            "longer sgd": longer_sgd,
            "operations": operations, "steps": steps, "alone": alones,
        },
        again=(
            "tuning sgd",
            {"activation": "sigmoid - 1/2", "optimizer": "sgd", "depth": 2, "lr": 0.1,
             "epochs": 10, "seed": 0},
        ),
        tol=1e-4,
    )  # fmt: skip
