"""The table of all public names, tests/names.csv: complete, and nothing in it that does not exist.

    name,reference,chapter,test
    minigrad.losses.huber_loss,torch.nn.functional.huber_loss,losses/regression,tests/losses/test_pytorch.py::test_equals_pytorch

A name is public if it stands in its module's `__all__`. The reference is what it is compared with:
a name in PyTorch, NumPy or SciPy, or a paper. The test is the one that makes the comparison.
"""

import ast
import csv
import importlib
import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import minigrad

ROOT = Path(__file__).parent.parent
COLUMNS = ["name", "reference", "chapter", "test"]
MODULES = ["minigrad"] + [
    f"minigrad.{part}"
    for part in "init activations norms attention nn losses optim schedules minimizers".split()
]


def existing(names):
    """The modules among `names` that this minigrad has, {name: module}."""
    folder = Path(minigrad.__file__).parent
    specs = {n: importlib.util.find_spec(n) for n in names}
    return {
        n: importlib.import_module(n)
        for n, spec in specs.items()
        if spec and Path(spec.origin).is_relative_to(folder)
    }


@cache
def functions(path):
    """The tests of a file: test_x, TestY, TestY::test_z."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            inside = [f.name for f in node.body if isinstance(f, ast.FunctionDef)]
            found |= {node.name, *(f"{node.name}::{f}" for f in inside)}
    return {name for name in found if name.lower().startswith("test")}


def missing(test, root):
    """What is wrong with "tests/test_x.py::test_y", or None."""
    file, _, name = test.partition("::")
    name = name.split("[")[0]
    if not (root / file).is_file() or not file.endswith(".py"):
        return f"there is no file {file!r}"
    if name not in functions(root / file):
        return f"there is no test {name!r} in {file}"
    return None


def faults(text, modules, root):
    """Every way in which the table `text` disagrees with the modules and the tests, in words."""
    lines = list(csv.reader(text.splitlines()))
    if not lines or lines[0] != COLUMNS:
        return [f"the first line must be {','.join(COLUMNS)}"]
    found, listed = [], []
    public = set()
    for where, module in modules.items():
        if not hasattr(module, "__all__"):
            found.append(f"{where} does not say in __all__ what is public")
        for name in getattr(module, "__all__", []):
            if not hasattr(module, name):
                found.append(f"{where}.__all__ names {name}, which does not exist")
            elif not isinstance(getattr(module, name), ModuleType):
                public.add(f"{where}.{name}")
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(COLUMNS) or not all(field.strip() for field in line):
            found.append(f"line {number} must have {len(COLUMNS)} fields, none empty: {line}")
            continue
        name, _, _, test = line
        if name not in public:
            found.append(f"line {number}: {name} is not a public name")
        if problem := missing(test, root):
            found.append(f"line {number}: {name}: {problem}")
        listed.append(name)
    found += [f"{name} is listed twice" for name in sorted(set(listed)) if listed.count(name) > 1]
    return found + [f"{name} is not listed" for name in sorted(public - set(listed))]


def test_every_public_name_has_its_reference_its_chapter_and_its_test():
    text = (ROOT / "tests" / "names.csv").read_text(encoding="utf-8")
    found = faults(text, existing(MODULES), ROOT)
    assert not found, f"{len(found)} faults in tests/names.csv:\n" + "\n".join(found)


# --- the check, checked: a table in order, and one fault at a time

HEAD = "name,reference,chapter,test\n"
GOOD = (
    'm.f,"Author 1999, eq. 2",a/b,t/test_m.py::test_f\nm.G,torch.G,a/b,t/test_m.py::TestG::test_g\n'
)


@pytest.fixture
def world(tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "test_m.py").write_text(
        "def test_f():\n    pass\n\n\nclass TestG:\n    def test_g(self):\n        pass\n\n\n"
        "def helper():\n    pass\n"
    )
    m = SimpleNamespace(__all__=["f", "G", "sub"], f=len, G=int, sub=csv, hidden=3)
    return {"m": m}, tmp_path


def test_a_table_in_order_has_no_faults(world):
    assert faults(HEAD + GOOD, *world) == []
    assert faults(HEAD + GOOD.replace("test_f\n", "test_f[case-1]\n"), *world) == []


@pytest.mark.parametrize(
    "text,fault",
    [
        ("", "the first line must be name,reference,chapter,test"),
        (GOOD, "the first line must be name,reference,chapter,test"),
        (HEAD + GOOD.splitlines()[0], "m.G is not listed"),
        (HEAD + GOOD + GOOD.splitlines()[0], "m.f is listed twice"),
        (HEAD + GOOD + "m.h,r,c,t/test_m.py::test_f", "line 4: m.h is not a public name"),
        (HEAD + GOOD + "m.hidden,r,c,t/test_m.py::test_f", "line 4: m.hidden is not a public name"),
        (HEAD + GOOD + "m.sub,r,c,t/test_m.py::test_f", "line 4: m.sub is not a public name"),
        (HEAD + GOOD.replace("::test_f", "::test_e"), "there is no test 'test_e' in t/test_m.py"),
        (HEAD + GOOD.replace("::test_f", "::helper"), "there is no test 'helper' in t/test_m.py"),
        (HEAD + GOOD.replace("::test_f", ""), "there is no test '' in t/test_m.py"),
        (HEAD + GOOD.replace("::test_g", "::test_h"), "there is no test 'TestG::test_h'"),
        (HEAD + GOOD.replace("test_m.py::test_f", "test_n.py::test_f"), "no file 't/test_n.py'"),
        (HEAD + GOOD.replace("torch.G", ""), "line 3 must have 4 fields, none empty"),
        (HEAD + GOOD.replace("torch.G,", ""), "line 3 must have 4 fields, none empty"),
    ],
)  # fmt: skip
def test_every_kind_of_fault_is_found(world, text, fault):
    found = faults(text, *world)
    assert any(fault in f for f in found), found


def test_faults_of_modules_are_found(world):
    modules, root = world
    modules["m"].__all__.append("gone")
    assert faults(HEAD + GOOD, modules, root) == ["m.__all__ names gone, which does not exist"]
    modules["n"] = SimpleNamespace()
    assert "n does not say in __all__ what is public" in faults(HEAD + GOOD, modules, root)


def test_modules_are_looked_up_by_import():
    assert list(existing(["minigrad", "minigrad.nothing", "minigrad.optim"])) == [
        "minigrad",
        "minigrad.optim",
    ]
