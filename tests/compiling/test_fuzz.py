"""A sample of the fuzz (`make fuzz` runs it whole), and that it leaves out nothing public."""

import numpy as np
import pytest

import fuzz
from minigrad import activations, attention, losses, nn, norms
from minigrad.compiling import writing

CASES = list(fuzz.cases())


def test_every_public_function_is_tried():
    tried = {name.split()[0] for name in fuzz.FUNCTIONS}
    public = {n for m in (activations, attention, losses, nn, norms) for n in m.__all__}
    assert not public - tried - fuzz.ELSEWHERE


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("part", range(8))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_sample(part, order):
    dtype = (np.float32, np.float64)[(part + order) % 2]
    for i, (name, f, makers) in enumerate(CASES):
        if i % 8 == part and name not in fuzz.REFUSED:
            assert fuzz.fuzz(name, f, makers, order, dtype, seed=i) is None, name


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("lines", [1, 7])
def test_long_programs_are_cut_into_pages(lines, monkeypatch):
    monkeypatch.setattr(writing, "PAGE", lines)
    for i, (name, f, makers) in enumerate(CASES[::3]):
        if name not in fuzz.REFUSED:
            assert fuzz.fuzz(name, f, makers, i % 3, np.float64, seed=i) is None, name


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_fuzz_finds_what_is_wrong(monkeypatch):
    """Each of these mistakes of the planner's would be silent."""
    from minigrad.compiling import planning

    def found():
        return [
            name
            for name, f, makers in CASES[:150:3]
            if (wrong := fuzz.fuzz(name, f, makers, 1, np.float64)) is not None
            and "refused" not in wrong
        ]

    assert not found()
    real = planning.pack
    with monkeypatch.context() as m:  # everything in one place
        m.setattr(
            planning,
            "pack",
            lambda regions: (real(regions), [setattr(r, "offset", 0) for r in regions.values()])[0],
        )
        assert found()
    with monkeypatch.context() as m:  # an argument may be overwritten that lies otherwise
        m.setattr(
            planning, "same_place", lambda u, v, roots: planning.nbytes(u) == planning.nbytes(v)
        )
        assert found()
    with monkeypatch.context() as m:  # what a view is of is forgotten
        m.setattr(
            planning, "values", lambda x: [v for v in fuzz_values(x) if v.made.kind != "view"]
        )
        assert found()


def fuzz_values(x):
    from minigrad.compiling.program import values

    return values(x)
