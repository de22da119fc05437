"""Experiments whose result is more than luck: sweeps over settings and seeds, choices reported on
fresh seeds, paired differences with their intervals, and stored results of long runs.

An experiment is a function ``run(seed=…, **setting)`` of its settings and its seed and of nothing
else. It returns a score, or a dict of scores, or of curves; less is better where a choice is made,
and a score that is not a number, of a run that diverged, counts as ``inf``.

>>> import numpy as np
>>> def run(method, rate, seed):  # what stands for an hour of training
...     noise = np.random.default_rng([seed, method == "new"]).normal(0, 0.01)
...     luck = np.random.default_rng(seed).normal()  # of the seed, which both methods share
...     return np.log10(rate / 0.1) ** 2 - 0.05 * (method == "new") + luck + noise
>>> scores = sweep(run, {"method": ("old", "new"), "rate": (0.01, 0.1, 1.0)}, seeds=3)
>>> tuned = scores.best("rate", fresh=range(100, 110))
>>> dict(zip(tuned.axes["method"], tuned.chosen["rate"]))
{'old': 0.1, 'new': 0.1}
>>> new_old = compare(tuned.at(method="new"), tuned.at(method="old"), matters=0.03)
>>> print(f"{new_old:.2f}", new_old.verdict)
-0.06 ± 0.01 True
"""

from .comparisons import Comparison, compare, seeds_needed
from .intervals import Interval, interval
from .stored import Stored, load, store
from .sweeps import Scores, sweep

__all__ = [
    "Comparison", "Interval", "Scores", "Stored",
    "compare", "interval", "load", "seeds_needed", "store", "sweep",
]  # fmt: skip
