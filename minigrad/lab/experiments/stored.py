"""Results of long experiments: written by a script, read and tried again by its chapter."""

import hashlib
import importlib.util
import json
import math
import os
import platform
import re
from pathlib import Path

import numpy as np
import scipy

from ..checks import check_close
from ..words import own
from .sweeps import Scores

ROUND = 6  # significant digits of a stored score


class Stored(dict):
    """Stored results by name, as :func:`load` returns them.

    Attributes:
        made_with: the versions, and the kernel of the BLAS, that made them.
        entry: the entry that :meth:`again` runs.
    """

    def __init__(self, results, made_with, entry):
        super().__init__(results)
        self.made_with, self.entry = made_with, entry

    def again(self):
        """Run the entry again that the script named, and print ``✓`` with the tolerance."""
        pair = self[self.entry["result"]].pair(**self.entry["settings"])
        label = own("重算一项，与存下的相同 · one entry computed again, as stored")
        check_close(label, *pair, tol=self.entry["tol"])


def store(script, results, *, again, tol):
    """Write the results of a script of long experiments beside it, as JSON.

    The file has every score (to 6 digits, null for ``inf``), the settings, the seeds, the versions
    and a hash of the script. It does not have a hash of what the script imports: any edit to
    minigrad would make all results stale, most of which it cannot change. That they still come out
    is what :meth:`Stored.again` looks at.

    Args:
        script: ``__file__``.
        results: ``{name: scores}``, whose runs are functions of the script and whose settings are
            strings, numbers or booleans.
        again: ``(name, {setting: value, …, "seed": seed})``, the entry that the chapter will run
            again. It must take less than 5 seconds: if no run does, store a short one as well, a
            sweep with fewer epochs.
        tol: its tolerance, see :meth:`Scores.again`.

    Raises:
        ValueError: an entry that is not there, or does not come out again now.
    """
    script = Path(script)
    name, entry = again
    results[name].again(tol, **entry)
    data = {
        "script": _hash(script),
        "made with": _versions(),
        "cpu minutes": math.ceil(sum(os.times()[:4]) / 60),  # of this process and its children
        "again": {"result": name, "settings": entry, "tol": tol},
        "results": {name: _to_json(scores) for name, scores in results.items()},
    }
    text = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False)
    rows = re.sub(r"\[\s+([^][{}]*?)\s+\]", _on_one_line, text)
    script.with_suffix(".json").write_text(rows + "\n", encoding="utf-8", newline="\n")


def load(path):
    """The results that a script stored: ``load("tuned.json")`` beside a chapter.

    Returns:
        :class:`Stored`, a dict of :class:`Scores`.

    Raises:
        ValueError: the script has been changed since; ``make experiments`` runs it again.
    """
    path = Path(path)
    data = json.loads(path.read_text(encoding="utf-8"))
    script = path.with_suffix(".py")
    if data["script"] != _hash(script):
        raise ValueError(
            f"{path} is stale: {script.name} is not the script that wrote it; run it again "
            f"(make experiments C={path.parent.name}/{path.stem})"
        )
    module = _import(script)
    results = {name: _from_json(one, module) for name, one in data["results"].items()}
    return Stored(results, data["made with"], data["again"])


def _on_one_line(row):
    return f"[{' '.join(row[1].split())}]"


def _hash(script):
    """Of the text of a script, whatever its line ends."""
    return hashlib.sha256(script.read_text(encoding="utf-8").encode()).hexdigest()


def _import(script):
    """The script as a module; its name may have hyphens."""
    spec = importlib.util.spec_from_file_location(script.stem.replace("-", "_"), script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _to_json(scores):
    for name, values in scores.axes.items():
        if bad := [v for v in values if not isinstance(v, (str, int, float, bool))]:
            raise ValueError(f"store: {name} has {bad[0]!r}; store names instead of such values")
    rounded = np.array([float(f"{v:.{ROUND}g}") for v in scores.values.flat], object)
    rounded[~np.isfinite(rounded.astype(float))] = None
    return {
        "run": scores.run.__name__,
        "axes": scores.axes,
        "chosen": {name: np.asarray(won).tolist() for name, won in scores.chosen.items()},
        "values": rounded.reshape(scores.values.shape).tolist(),
    }


def _from_json(data, module):
    values = np.array(data["values"], float)  # null becomes NaN
    axes = {name: tuple(along) for name, along in data["axes"].items()}
    chosen = {
        name: np.array(won, object) if isinstance(won, list) else won
        for name, won in data["chosen"].items()
    }
    values = np.where(np.isnan(values), np.inf, values)
    return Scores(values, axes, getattr(module, data["run"]), 1, chosen)


def _versions():
    import threadpoolctl  # comes with scikit-learn

    kernels = {pool.get("architecture") for pool in threadpoolctl.threadpool_info()} - {None}
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "kernel": ", ".join(sorted(kernels)),
    }
