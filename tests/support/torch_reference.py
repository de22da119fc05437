"""PyTorch's answers: computed where it is installed, else read from what ships in tests/reference/.

    want = reference("losses/huber-sum", lambda torch: [torch.nn.functional.huber_loss(...), ...])

gives a list of arrays. With PyTorch (2.13) installed the stored answers are checked to be the
computed ones; `REWRITE_REFERENCE=1 pytest tests` stores them anew.
"""

import atexit
import os
from pathlib import Path

import numpy as np
import pytest

try:
    import torch
except ImportError:  # a fresh machine: the shipped answers stand in
    torch = None

FOLDER = Path(__file__).parents[1] / "reference"
REWRITE = torch is not None and bool(os.environ.get("REWRITE_REFERENCE"))
stores: dict[str, dict[str, np.ndarray]] = {}


def store(module):
    """The stored arrays of one test module, {"key#i": array}."""
    if module not in stores:
        path = FOLDER / f"{module}.npz"
        stores[module] = dict(np.load(path)) if path.exists() and not REWRITE else {}
        if REWRITE:
            atexit.register(
                lambda: np.savez_compressed(path, **dict(sorted(stores[module].items())))
            )
    return stores[module]


def reference(key, compute):
    module, name = key.split("/", 1)
    stored = store(module)
    if torch is None:
        answers = [stored[k] for k in (f"{name}#{i}" for i in range(99)) if k in stored]
        assert answers, f"no stored answer for {key}: run REWRITE_REFERENCE=1 pytest with PyTorch"
        return answers
    answers = [np.asarray(a.detach() if hasattr(a, "detach") else a) for a in compute(torch)]
    for i, a in enumerate(answers):
        if REWRITE:
            stored[f"{name}#{i}"] = a
        else:
            assert f"{name}#{i}" in stored, f"{key} is not stored: run REWRITE_REFERENCE=1 pytest"
            exact = a.dtype != np.float32  # whose last bits depend on the processor
            rtol, atol = (1e-9, 1e-12) if exact else (1e-5, 1e-6)
            np.testing.assert_allclose(stored[f"{name}#{i}"], a, rtol=rtol, atol=atol)
    return answers


needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch is not installed")
