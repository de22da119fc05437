"""Losses for classification and for distillation, each with its own learning rate.

Writes choosing-a-loss.json: errors in per cent of networks with 64 hidden units (tanh, SGD with
momentum 0.9) trained on 300 digits or 300 points of three spirals, and of 64-16-10 students (tanh,
Adam) that see 300 digits with the logits of a teacher, and no labels.
"""

from functools import cache

import numpy as np

from minigrad import activations, losses, no_grad, optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep

# eight to a decade: with wrong labels the best rate is known to a factor of 1.3 or not at all
ETAS = tuple(float(f"{eta:.2g}") for eta in 10.0 ** np.arange(-2.25, 0.1, 0.125))
STUDENT_ETAS = (0.01, 0.018, 0.032, 0.056, 0.1, 0.18)
TEMPERATURES = {"KL, T = 1": 1, "KL, T = 20": 20}


def of_classes(name):
    """A loss of logits and one-hot targets t; squared errors are summed over the classes."""
    if name == "cross-entropy":
        return losses.cross_entropy

    def squared(z, t):
        q = activations.softmax(z) if name == "MSE of probabilities" else z
        return ((q - t) ** 2).sum() / len(t)

    return squared


def of_logits(name):
    """A loss of the student's logits z and the teacher's v."""
    if name == "MSE of logits":
        return losses.mse_loss
    T = TEMPERATURES[name]

    def softened(z, v):
        p = activations.softmax(v / T)
        log_q = activations.log_softmax(z / T)
        return T * T * losses.kl_div(log_q, p, reduction="batchmean")

    return softened


def thirds(truth, rng):
    """Which 300 digits to train on, which 300 to choose the rate with, and which are never seen."""
    everything = np.arange(len(truth))
    (train, _), rest = data.split(everything, truth, 300 / len(truth), rng=rng)
    (validation, _), (test, _) = data.split(*rest, 300 / len(rest[1]), rng=rng)
    return train, validation, test


def error(net, x, y):
    return 100 * (1 - training.evaluate(net, x, y)[1])


def classify(loss, noise, epochs, eta, seed, of="digits"):
    """Errors; a share `noise` of the labels is drawn at random, but not those of the test.

    And what has been learned by heart: the shares of the wrongly and of the rightly labelled
    training data that are predicted as they are labelled.
    """
    if of == "digits":
        x, truth = data.digits()
    else:
        x, truth = data.spirals(1800, rng=np.random.default_rng([seed, 1]))
    K = truth.max() + 1
    rng = np.random.default_rng(seed)
    chance = rng.integers(0, K, len(truth))
    labels = np.where(rng.random(len(truth)) < noise, chance, truth)
    train, validation, test = thirds(truth, rng)
    net = training.mlp([x.shape[1], 64, K], rng=rng)
    opt = optim.SGD(net.parameters(), lr=eta, momentum=0.9)
    targets = np.eye(K)[labels[train]]
    training.fit(
        net, opt, x[train], targets, epochs=epochs, batch=50, rng=rng, loss=of_classes(loss)
    )
    with no_grad():
        learned = net(x[train]).data.argmax(axis=1) == labels[train]
    wrong = labels[train] != truth[train]
    return {
        "validation": error(net, x[validation], labels[validation]),
        "test": error(net, x[test], truth[test]),
        "wrong": 100 * learned[wrong].mean() if wrong.any() else 0.0,
        "right": 100 * learned[~wrong].mean(),
    }


@cache
def teacher(seed):
    """The three parts of the digits, and a teacher that learned 900: the first part, and 600 more.

    The 600 are taken from the part for the test, and do not count there.
    """
    x, truth = data.digits()
    rng = np.random.default_rng(seed)
    train, validation, test = thirds(truth, rng)
    seen = np.concatenate([train, test[:600]])
    net = training.mlp([64, 128, 10], rng=rng)
    opt = optim.Adam(net.parameters(), lr=0.003)
    training.fit(net, opt, x[seen], truth[seen], epochs=40, batch=50, rng=rng)
    return train, validation, test[600:], net


def distill(loss, eta, seed):
    """Errors of a student, and how often it disagrees with its teacher."""
    x, truth = data.digits()
    train, validation, test, wise = teacher(seed)
    rng = np.random.default_rng([seed, 1])
    net = training.mlp([64, 16, 10], rng=rng)
    opt = optim.Adam(net.parameters(), lr=eta)
    with no_grad():
        v = wise(x).data
    value = of_logits(loss)
    training.fit(net, opt, x[train], v[train], epochs=40, batch=50, rng=rng, loss=value)
    return {
        "validation": error(net, x[validation], truth[validation]),
        "test": error(net, x[test], truth[test]),
        "disagreement": error(net, x[test], v[test].argmax(axis=1)),
        "teacher": error(wise, x[test], truth[test]),
    }


if __name__ == "__main__":
    both = {"loss": ("cross-entropy", "MSE of probabilities")}
    fresh = range(100, 124)
    spirals = sweep(
        classify,
        both | {"of": ("spirals",), "noise": (0.4,), "epochs": (40,), "eta": ETAS[10:]},
        seeds=16,
    ).best("eta", by="validation", fresh=range(100, 160))
    logits = sweep(
        classify,
        {"loss": ("MSE of logits",), "noise": (0.0,), "epochs": (40,), "eta": ETAS[1:10:2]},
        seeds=3,
    ).best("eta", by="validation", fresh=fresh)
    students = sweep(
        distill, {"loss": (*TEMPERATURES, "MSE of logits"), "eta": STUDENT_ETAS}, seeds=5
    ).best("eta", by="validation", fresh=fresh)
    clean = sweep(
        classify, both | {"noise": (0.0,), "epochs": (10, 40), "eta": ETAS[4::2]}, seeds=3
    )
    noisy = sweep(
        classify, both | {"noise": (0.2, 0.4), "epochs": (40,), "eta": ETAS[1:11]}, seeds=7
    )
    store(
        __file__,
        {
            "tidy curves": clean,
            "curves": noisy,
            "clean": clean.best("eta", by="validation", fresh=fresh),
            "noisy": noisy.best("eta", by="validation", fresh=fresh),
            "spirals": spirals,
            "logits": logits,
            "students": students,
        },
        again=(
            "clean",
            {"loss": "MSE of probabilities", "noise": 0.0, "epochs": 10, "seed": 100},
        ),
        tol=0.02,
    )
