"""A sample of the table of NumPy's functions (`make fuzz` runs it whole), and that it notices."""

import inspect

import numpy as np
import numpy_table as table
import pytest

from minigrad import Tensor
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


def options_out_of_place(sheet, skip):
    """Options that a call by position would take for another one of NumPy's."""
    for f, known in sheet.items():
        try:
            theirs = [p.name for p in inspect.signature(f).parameters.values()]
        except (TypeError, ValueError):  # written in C, without a signature
            continue
        rule = known if callable(known) else next(filter(None, known))
        for i, p in enumerate(list(inspect.signature(rule).parameters.values())[skip:]):
            by_position = p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
            if by_position and p.default is not p.empty and theirs[i : i + 1] != [p.name]:
                yield f"{public_name(f)}: {p.name}"


def test_options_stand_where_numpy_has_them():
    assert list(options_out_of_place(RULES, 2)) == []
    assert list(options_out_of_place(COMPOSITES, 0)) == []
    wrong = {np.nan_to_num: lambda x, nan=0.0: x}  # NumPy's second is `copy`
    assert list(options_out_of_place(wrong, 0)) == ["np.nan_to_num: nan"]


def test_an_option_by_position_is_numpys():
    x = Tensor([1.0, np.nan, 3.0])
    assert np.array_equal(np.nan_to_num(x, True).data, [1, 0, 3])
    with pytest.raises(TypeError, match="copy="):
        np.nan_to_num(x, False)
    assert np.array_equal(np.take(x, [0, 5], None, None, "clip").data, [1, 3])


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
