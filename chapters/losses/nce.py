"""How far NCE is off on the double well: over N, over k, and for near and far noise.

Writes nce.json. One run fits 20 sets of N data and kN noise points by Newton's method, and returns
what the errors of ln Z are, how far the fitted density is from the true one (KL), the same for
maximum likelihood with Z by quadrature, and how often there was no density to be fitted.
"""

import numpy as np

from minigrad.lab.experiments import store, sweep

GRID = np.linspace(-4, 4, 1601)
THETA = np.array([0.5, 2.0, -0.5])
# of the noise N(m, s²): m and s in units of the data's own, s measured from the data's mean
NOISES = {
    "matched": (0, 1), "twice": (0, 2), "four": (0, 4), "half": (0, 0.5),
    "right": (2, 1), "left": (-2, 1), "far": (3, 1),
}  # fmt: skip


def features(x):
    """T(x) = (x, x², x⁴), and 1 for c."""
    return np.stack([x, x**2, x**4, np.ones_like(x)], -1)


def log_normalizer(theta):
    """ln Z(θ), by quadrature."""
    f = features(GRID)[:, :3] @ theta
    return f.max() + np.log(np.exp(f - f.max()).sum() * (GRID[1] - GRID[0]))


TRUE = np.append(THETA, -log_normalizer(THETA))
P = np.exp(features(GRID) @ TRUE) * (GRID[1] - GRID[0])
MEAN = P @ GRID
SD = np.sqrt(P @ (GRID - MEAN) ** 2)


def newton(derivatives, params, steps=100):
    """The minimum of a convex function; a step is halved until the value falls. None if it has none."""
    value, g, H = derivatives(params)
    for _ in range(steps):
        try:
            step = np.linalg.solve(H, g)
        except np.linalg.LinAlgError:
            return None
        if not np.isfinite(step).all() or np.abs(params).max() > 1e4:
            return None
        if g @ step < 1e-12:
            return params
        t = 1.0
        while t > 1e-8:
            new = derivatives(params - t * step)
            if new[0] <= value - 1e-4 * t * (g @ step):
                break
            t /= 2
        else:
            return None
        params, (value, g, H) = params - t * step, new
    return None


def nce_fit(x, y, log_noise):
    """(θ, c) of least NCE loss and its Hessian I, or None: logistic regression with an offset."""
    k = len(y) / len(x)
    G = features(np.concatenate([x, y]))
    offset = log_noise(np.concatenate([x, y])) + np.log(k)
    data = np.arange(len(G)) < len(x)

    def derivatives(params):
        z = G @ params - offset
        h = 1 / (1 + np.exp(-np.clip(z, -500, 500)))
        value = np.logaddexp(0, np.where(data, -z, z)).sum() / len(x)
        return (
            value, (h - data) @ G / len(x), (G * (h * (1 - h))[:, None]).T @ G / len(x)
        )  # fmt: skip

    start = np.array([0.0, 0.0, -0.1, -1.0])
    found = newton(derivatives, start)
    return None if found is None else (found, derivatives(found)[2])


def ml_fit(x):
    """θ and −ln Z(θ) of greatest likelihood: a convex problem in θ, its Z by quadrature."""
    mean = features(x)[:, :3].mean(0)
    T = features(GRID)[:, :3]

    def derivatives(theta):
        log_z = log_normalizer(theta)
        p = np.exp(T @ theta - log_z) * (GRID[1] - GRID[0])
        expected = p @ T
        return log_z - mean @ theta, expected - mean, (T * p[:, None]).T @ T - np.outer(
            expected, expected)  # fmt: skip

    theta = newton(derivatives, np.array([0.0, 0.0, -0.1]))
    return np.append(theta, -log_normalizer(theta))


def divergence(theta):
    """KL(p_d ‖ p_θ), the fitted density being normalized by quadrature."""
    return P @ (features(GRID) @ TRUE - features(GRID)[:, :3] @ theta) + log_normalizer(theta)


def errors(N, k, noise, rng):
    """Of one set of data and noise."""
    m, s = NOISES[noise]
    m, s = MEAN + m * SD, s * SD
    x = np.interp(rng.random(N), np.cumsum(P) - P / 2, GRID)
    y = m + s * rng.standard_normal(k * N)
    fit = nce_fit(x, y, lambda u: -(((u - m) / s) ** 2) / 2 - np.log(s * np.sqrt(2 * np.pi)))
    ml = ml_fit(x)
    of_ml = ml[3] - TRUE[3], divergence(ml[:3])
    if fit is None or fit[0][2] >= 0:  # no minimum, or one that cannot be normalized
        return np.inf, np.inf, np.inf, False, *of_ml
    params, I = fit
    error = params[3] - TRUE[3]
    bar = np.sqrt(max(np.linalg.inv(I)[3, 3] - 1 - 1 / k, 0) / N)
    return error, params[3] - ml[3], divergence(params[:3]), abs(error) <= 1.96 * bar, *of_ml


def run(N, k, noise, seed):
    """Over 20 sets: mean squares for ln Z, the median of its error and of KL, and the shares of
    sets for which the truth lies within 1.96 standard errors, and that have no minimum or one that
    cannot be normalized (both count as misses, and their errors as infinite)."""
    rng = np.random.default_rng(seed)
    log_z, from_ml, kl, inside, ml_log_z, ml_kl = np.array(
        [errors(N, k, noise, rng) for _ in range(20)]
    ).T
    return {
        "log Z": np.mean(log_z**2), "typical": np.median(np.abs(log_z)), "KL": np.median(kl),
        "from ml": np.mean(from_ml**2), "inside": np.mean(inside),
        "ml log Z": np.mean(ml_log_z**2), "ml KL": np.median(ml_kl),
        "no fit": np.mean(np.isinf(log_z)),
    }  # fmt: skip


if __name__ == "__main__":
    over_n = sweep(
        run, {"N": (125, 250, 500, 1000, 2000, 4000), "k": (1, 10), "noise": ("matched",)},
        seeds=20, workers=2,
    )  # fmt: skip
    # the restriction to N >= 500 was made after these; it is tested on sets not seen before
    fresh = sweep(
        run, {"N": (125, 250, 500, 1000, 2000, 4000), "k": (1, 10), "noise": ("matched",)},
        seeds=range(20, 60), workers=2,
    )  # fmt: skip
    over_k = sweep(
        run, {"N": (500,), "k": (1, 3, 10, 30, 100), "noise": ("matched",)}, seeds=20, workers=2
    )
    over_noise = sweep(
        run, {"N": (125, 1000), "k": (1, 10), "noise": tuple(NOISES)}, seeds=10, workers=2
    )
    store(
        __file__, {"N": over_n, "fresh": fresh, "k": over_k, "noise": over_noise},
        again=("N", {"N": 500, "k": 10, "noise": "matched", "seed": 3}), tol=1e-4,
    )  # fmt: skip
