"""Every public name is documented with its chapter and compared with something outside minigrad."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import minigrad
from press.backmatter.reference import chapters, public, public_modules

TESTS = Path(__file__).parent


def compared(folder):
    """``(file, reference, name)`` of every ``@compares(reference, *names)`` above a test."""
    for path in sorted(folder.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for mark in getattr(node, "decorator_list", []):
                if isinstance(mark, ast.Call) and getattr(mark.func, "id", "") == "compares":
                    reference, *names = map(ast.literal_eval, mark.args)
                    if not node.name.startswith("test"):
                        names = [f"{node.name} is no test"]
                    yield from ((path.name, reference, name) for name in names)


def faults(folder, modules):
    """What is wrong with the marks of the tests in a folder, in words."""
    things = {}
    for where, module in modules.items():
        if not hasattr(module, "__all__"):
            yield f"{where} does not say in __all__ what is public"
        for name in getattr(module, "__all__", []):
            if not hasattr(module, name):
                yield f"{where}.__all__ names {name}, which does not exist"
            elif not inspect.ismodule(getattr(module, name)):
                things[f"{where}.{name}"] = getattr(module, name)
    left = {(id(thing), full.rpartition(".")[2]): full for full, thing in things.items()}
    for file, reference, name in compared(folder):
        full = f"minigrad.{name}"
        if full not in things:
            yield f"{file}: minigrad.{name} is not a public name"
        elif not reference.strip():
            yield f"{file}: {name} is compared with nothing"
        else:
            left.pop((id(things[full]), name.rpartition(".")[2]), None)
    yield from (f"{full} is compared with nothing: mark a test @compares" for full in left.values())


def test_every_public_name_is_compared():
    assert list(faults(TESTS, public_modules())) == []


def test_every_public_name_names_its_chapter():
    missing = [
        f"{module.__name__}.{name}"
        for module in public_modules().values()
        for name in public(module)
        if not chapters(getattr(module, name), getattr(module, name).__doc__ or "")
    ]
    assert missing == []


def unexplained(doc):
    """Parameters of which a docstring says no more than what they may be."""
    part = re.search(r"(?s)Parameters\n-+\n(.*?)(\n\n|\Z)", inspect.cleandoc(doc))
    for entry in re.split(r"\n(?=\S)", part[1]) if part else ():
        name, _, said = entry.partition(": ")
        words = {*re.findall(r"[a-z]{2,}", said)} - {"in", "whole", "number", "numbers", "each", "finite"}
        if len(words) < 2 and not said.startswith("as `"):
            yield f"{name}: {said}"


def test_parameters_are_explained_in_words():
    missing = [
        f"{module.__name__}.{name}: {entry}"
        for module in public_modules().values()
        for name in public(module)
        for entry in unexplained(getattr(module, name).__doc__ or "")
    ]
    assert missing == []


def test_a_bound_is_no_explanation():
    doc = "A\n\nParameters\n----------\nlr: η >= 0.\nn: whole number >= 1.\neps: ε >= 0, inside the root."
    assert [*unexplained(doc)] == ["lr: η >= 0.", "n: whole number >= 1."]


# --- the check, checked

GOOD = """
@compares("Author 1999", "optim.Adam")
def test_adam(): ...

class TestOthers:
    @compares("numpy", "optim.SGD", "optim.Lion")
    def test_them(self): ...
"""


@pytest.fixture
def world(tmp_path):
    class Optim:
        __all__ = ["Adam", "SGD", "Lion", "Momentum"]
        Adam, SGD, Lion = object(), object(), object()
        Momentum = Lion  # a second name of one thing has to be compared too

    (tmp_path / "sub").mkdir()

    def check(text, optim=Optim):
        (tmp_path / "sub" / "test_optim.py").write_text(text)
        return list(faults(tmp_path, {"minigrad.optim": optim}))

    return check


def test_marks_in_order_have_no_faults(world):
    assert world(GOOD.replace('"optim.Lion"', '"optim.Lion", "optim.Momentum"')) == []


@pytest.mark.parametrize("old, new, fault", [
    ("", "", "minigrad.optim.Momentum is compared with nothing"),
    ('"optim.Lion"', '"optim.Momentum"', "minigrad.optim.Lion is compared with nothing"),
    ('"optim.Adam"', '"optim.Adamm"', "test_optim.py: minigrad.optim.Adamm is not a public name"),
    ("Author 1999", " ", "test_optim.py: optim.Adam is compared with nothing"),
    ("def test_adam", "def adam", "test_optim.py: minigrad.adam is no test is not a public name"),
    ("@compares(\"Author", "@compared(\"Author", "minigrad.optim.Adam is compared with nothing"),
])  # fmt: skip
def test_every_kind_of_fault_is_found(world, old, new, fault):
    found = world(GOOD.replace(old, new))
    assert any(fault in one for one in found), found


def test_faults_of_modules_are_found(world):
    class Wrong:
        __all__ = ["gone"]

    assert "minigrad.optim.__all__ names gone, which does not exist" in world("", Wrong)
    assert "minigrad.optim does not say in __all__ what is public" in world("", object())


def test_public_modules_are_the_documented_ones():
    assert {"minigrad", "minigrad.optim", "minigrad.losses"} <= set(public_modules())
    assert public_modules()["minigrad"] is minigrad
