"""Adam, AMSGrad, AdaBound and SGD with momentum on the digits, each with rates of its own.

Writes amsgrad-adabound.json. A 64-32-10 network (tanh) or logistic regression on 1097 digits; 300
others choose the rates, 400 report. "batch 4" has batches of 4; in "rare" 5 zeros are left, too.
"""

import numpy as np

from minigrad import optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep


def powers(low, high, step):
    """Rates from 10^low to 10^high, evenly spaced on a logarithmic scale, to two digits."""
    return tuple(float(f"{rate:.2g}") for rate in 10.0 ** np.arange(low, high + step / 2, step))


FRESH = range(100, 150)


def optimizer(method, params, lr, beta2, final_lr):
    if method.split()[0] in ("adam", "amsgrad"):
        return optim.Adam(params, lr=lr, betas=(0.9, beta2), amsgrad="amsgrad" in method)
    if method == "momentum":  # η times the moving average of the gradients, as in AdaBound
        return optim.SGD(params, lr=0.1 * lr, momentum=0.9)
    kind = {"adabound": optim.AdaBound, "amsbound": optim.AMSBound}[method]
    return kind(params, lr=lr, betas=(0.9, beta2), final_lr=final_lr)


def run(task, method, lr, epochs, seed, beta2=0.999, final_lr=0.1):
    """Training, validation and test loss, and the error on the test data in per cent."""
    x, y = data.digits()
    rng = np.random.default_rng(seed)
    train, check, test = np.split(rng.permutation(len(x)), [1097, 1397])
    if task == "rare":
        train = np.concatenate([train[y[train] != 0], train[y[train] == 0][:5]])
    net = training.mlp([64, 10] if task == "logistic" else [64, 32, 10], rng=rng)
    opt = optimizer(method, net.parameters(), lr, beta2, final_lr)
    batch = 4 if task in ("batch 4", "rare") else 64
    steps = epochs * -(-len(train) // batch)
    if "decaying" in method:
        opt.schedule(lambda t: lr * (1 - t / steps))
    training.fit(net, opt, x[train], y[train], epochs=epochs, batch=batch, rng=rng)
    result = {
        name: training.evaluate(net, x[rows], y[rows])[0]
        for name, rows in (("train", train), ("validation", check), ("test", test))
    }
    return result | {"error": 100 * (1 - training.evaluate(net, x[test], y[test])[1])}


if __name__ == "__main__":
    usual = sweep(
        run,
        {"task": ("logistic", "network"), "method": ("adam", "amsgrad"),
         "lr": powers(-3, 0.25, 0.25), "epochs": (10, 40)},
        seeds=8, workers=2,
    )  # fmt: skip
    arms = ("adam", "amsgrad", "adam decaying", "amsgrad decaying")
    small = sweep(
        run,
        {"task": ("batch 4", "rare"), "method": arms, "lr": powers(-3, -1, 0.25), "epochs": (5,),
         "beta2": (0.9, 0.999)},
        seeds=8, workers=2,
    )  # fmt: skip
    longer = sweep(
        run,
        {"task": ("rare",), "method": arms, "lr": powers(-3.25, -1.25, 0.25), "epochs": (25,),
         "beta2": (0.9,)},
        seeds=8, workers=2,
    )  # fmt: skip
    another = sweep(  # Adam at a larger rate than its validation loss chooses
        run,
        {"task": ("rare",), "method": ("adam decaying",), "lr": (0.018,), "epochs": (25,),
         "beta2": (0.9,)},
        seeds=FRESH, workers=2,
    )  # fmt: skip
    bounds = sweep(
        run,
        {"task": ("network",), "method": ("adabound", "amsbound"), "lr": powers(-3.5, -0.5, 0.5),
         "epochs": (10, 40), "final_lr": powers(-3, 2, 1)},
        seeds=5, workers=2,
    )  # fmt: skip
    momentum = sweep(
        run,
        {"task": ("network",), "method": ("momentum",), "lr": powers(-0.75, 1.25, 0.25),
         "epochs": (10, 40)},
        seeds=8, workers=2,
    )  # fmt: skip
    lr, both = {"fresh": FRESH}, {"fresh": FRESH, "ends": ("lr",)}
    by_loss = usual.best("lr", by="train", **lr)
    taken = by_loss.at(task="network", method="adam", epochs=40).chosen["lr"]
    finer = sweep(  # AdaBound at the rate that Adam chose, which its coarser grid does not have
        run,
        {"task": ("network",), "method": ("adabound",), "lr": (taken,), "epochs": (40,),
         "final_lr": (0.1, 1.0, 10.0)},
        seeds=FRESH, workers=2,
    )  # fmt: skip
    store(
        __file__,
        {
            "usual": usual.best("lr", by="validation", **lr),
            "usual by training": by_loss,
            "small": small.best("lr", by="validation", **lr),
            "longer": longer.best("lr", by="validation", **lr),
            "another rate": another,
            "bounds": bounds.best("lr", "final_lr", by="validation", **both),
            "bounds by training": bounds.best("lr", "final_lr", by="train", **both),
            "finer": finer,
            "momentum": momentum.best("lr", by="validation", **lr),
            "momentum by training": momentum.best("lr", by="train", **lr),
            "each final": bounds.at(method="adabound", epochs=40).best(
                "lr", by="validation", fresh=range(100, 130), ends=("lr",)
            ),
        },
        again=(
            "usual", {"task": "network", "method": "amsgrad", "epochs": 10, "seed": 103},
        ),
        tol=0.02,
    )  # fmt: skip
