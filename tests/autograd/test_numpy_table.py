"""A sample of the table of NumPy's functions (`make fuzz` runs it whole), and that it notices."""

import inspect

import numpy as np
import numpy_table as table
import pytest

from minigrad.autograd.messages import public_name
from minigrad.autograd.tensor import COMPOSITES, PIECEWISE_CONSTANT, RULES

CELLS = list(table.cells())


def test_every_parameter_of_numpys_signatures_is_tried():
    names = {name for f in table.FUNCTIONS for name in table.parameters(f)}
    assert names - table.VALUES.keys() - table.ARRAYS - table.LISTS <= table.UNTRIED
    assert {c.function for c in CELLS} == set(table.FUNCTIONS)
    for f in table.FUNCTIONS:
        if not isinstance(f, np.ufunc):
            assert set(inspect.signature(f).parameters) == set(table.parameters(f))


@pytest.mark.parametrize("part", range(8))
def test_a_sample(part):
    for cell in CELLS[3 * part :: 24]:
        found, _ = table.wrong(cell)
        assert found is None, f"{table.name_of(cell)}: {found}"


def wrong_cells(*functions):
    return [c for c in table.cells(functions) if table.wrong(c)[0] is not None]


@pytest.mark.parametrize(
    "sheet,f,wrong",
    [
        (RULES, np.tanh, (lambda g, y, x: g * (1 - y),)),
        (RULES, np.transpose, (lambda g, y, x, axes=None: np.transpose(g, axes), None)),
        (COMPOSITES, np.vstack, lambda tup: np.concatenate([np.reshape(p, (-1, p.shape[-1])) for p in tup])),
        (COMPOSITES, np.trace, lambda a, offset=0, axis1=0, axis2=1: np.trace(a.numpy(), offset, axis1, axis2)),
        (COMPOSITES, np.pad, lambda array, pad_width, mode=None: COMPOSITES[np.concatenate]([array])),
    ],
    ids=lambda x: public_name(x) if callable(x) and x in (np.tanh, np.transpose, np.vstack, np.trace, np.pad) else "",
)  # fmt: skip
def test_the_table_finds_what_is_wrong(sheet, f, wrong, monkeypatch):
    assert not wrong_cells(f)
    monkeypatch.setitem(sheet, f, wrong)
    assert wrong_cells(f)


def test_what_is_constant_by_mistake_is_found(monkeypatch):
    monkeypatch.delitem(RULES, np.sin)
    monkeypatch.setattr(
        "minigrad.autograd.tensor.PIECEWISE_CONSTANT", PIECEWISE_CONSTANT | {np.sin}
    )
    assert wrong_cells(np.sin)
