"""Random matrices of six kinds of entries: their singular values, and what they do to distances.

Writes high-dimensional-geometry.json. All kinds have mean 0 and variance 1: normal, uniform, signs
±1, Achlioptas' sparse signs (0 with probability 2/3, otherwise ±√3), and Student's t with 5 and
with 3 degrees of freedom, of which the last has no fourth moment.

spectrum: n × n matrices over √n; largest and smallest singular value, the largest distance of
their distribution function from that of the quarter circle, the mean of s⁴, the largest entry.

project: 100 points of R^1024, "dense" (normal entries) or "one-hot", multiplied by an m × 1024
matrix over √m; of the 4950 pairs the largest relative error of a squared distance, and the root
mean square. Here "sparse32" is 0 with probability 1 - 1/32, otherwise ±√32.

Written before running: for a kind to be called as good as the normal one, the ratio of largest
errors has to lie between 1/1.05 and 1.05. In a pilot with seeds 1000 to 1009 the logarithm of the
ratio had a standard deviation of 0.10 to 0.18, so 200 pairs give intervals of ± 1.4 to 2.5 per cent.
"""

import numpy as np

from minigrad.lab.experiments import store, sweep


def sparse(rng, shape, s):
    return np.sqrt(s) * rng.choice([-1, 0, 1], shape, p=[0.5 / s, 1 - 1 / s, 0.5 / s])


KINDS = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "uniform": lambda rng, shape: rng.uniform(-np.sqrt(3), np.sqrt(3), shape),
    "signs": lambda rng, shape: rng.choice([-1.0, 1.0], shape),
    "sparse3": lambda rng, shape: sparse(rng, shape, 3),
    "t5": lambda rng, shape: rng.standard_t(5, shape) / np.sqrt(5 / 3),
    "t3": lambda rng, shape: rng.standard_t(3, shape) / np.sqrt(3),
    "sparse32": lambda rng, shape: sparse(rng, shape, 32),
}


def quarter_circle(s):
    """Its distribution function, ∫ √(4 - u²)/π du from 0 to s."""
    s = np.clip(s, 0, 2)
    return (s * np.sqrt(4 - s**2) / 2 + 2 * np.arcsin(s / 2)) / np.pi


def spectrum(kind, n, seed):
    W = KINDS[kind](np.random.default_rng([seed, n]), (n, n)) / np.sqrt(n)
    s = np.sqrt(np.linalg.eigvalsh(W.T @ W).clip(0))
    steps = np.arange(n + 1) / n
    apart = np.maximum(quarter_circle(s) - steps[:-1], steps[1:] - quarter_circle(s))
    return {
        "largest": s[-1],
        "smallest": s[0],
        "distance": apart.max(),
        "fourth": np.mean(s**4),
        "entry": np.abs(W).max(),
    }


def distances(x):
    """‖a - b‖² = ‖a‖² + ‖b‖² - 2 a·b for all pairs of rows."""
    square, (i, j) = np.sum(x**2, axis=1), np.triu_indices(len(x), 1)
    return square[i] + square[j] - 2 * (x @ x.T)[i, j]


def project(kind, points, m, seed):
    rng = np.random.default_rng([seed, m])
    x = rng.normal(size=(100, 1024)) if points == "dense" else np.eye(1024)[:100]
    W = KINDS[kind](rng, (m, 1024)) / np.sqrt(m)
    error = distances(x @ W.T) / distances(x) - 1
    return {"largest": np.abs(error).max(), "rms": np.sqrt(np.mean(error**2))}


if __name__ == "__main__":
    kinds = ("normal", "uniform", "signs", "sparse3", "t5", "t3")
    sizes = (64, 128, 256, 512, 1024)
    spectra = sweep(spectrum, {"kind": kinds, "n": sizes}, seeds=20)
    projections = sweep(
        project,
        {
            "kind": ("normal", "signs", "sparse3", "sparse32"),
            "points": ("dense", "one-hot"),
            "m": (64, 256),
        },
        seeds=200,
    )
    store(
        __file__,
        {"spectra": spectra, "projections": projections},
        again=("spectra", {"kind": "normal", "n": 256, "seed": 0}),
        tol=1e-5,
    )
