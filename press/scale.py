"""How much stands behind a claim: data, length of training and seeds, read off the code itself.

A claim's cell computes its verdict from names, these were computed in cells before it, and so on
back: what is found on that way is the claim's scale. A stored result (``stored["tuned"]``) has its
settings and seeds in the JSON beside the chapter, and its data where the script says ``data.…()``.
"""

import ast
import functools
import json
import re
import symtable
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minigrad.lab.claims import CLAIM

from .notebook import Notebook

#: What in a setting is the length of a run.
LENGTHS = ("epochs", "steps")
DATA = ("iris", "digits", "two_moons", "blobs", "spirals", "letters", "texts")
SCOPES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_MAGIC = re.compile(r"(?m)^\s*[%!].*$")


@dataclass
class Scale:
    """Sets that a claim's numbers come from: of data, lengths of runs, seeds (how many)."""

    data: set[str] = field(default_factory=set)
    lengths: dict[str, set[int]] = field(default_factory=dict)
    seeds: set[int] = field(default_factory=set)
    stored: bool = False  # results of a script
    drawn: bool = False  # random numbers, in the chapter itself

    def add(self, other: "Scale") -> None:
        self.data |= other.data
        self.seeds |= other.seeds
        for name, values in other.lengths.items():
            self.lengths.setdefault(name, set()).update(values)
        self.stored |= other.stored
        self.drawn |= other.drawn


@dataclass(frozen=True)
class Statement:
    """A statement at the top of a cell: the names it binds or changes, those it reads, and whether
    it forgets what the names that it binds were before."""

    node: ast.stmt
    binds: frozenset[str]
    reads: frozenset[str]
    anew: bool = False


def statement(node: ast.stmt) -> Statement:
    binds, reads = names_of(node)
    anew = isinstance(node, ast.Assign | ast.FunctionDef | ast.ClassDef)
    changed = {root(one) for one in ast.walk(node)
               if isinstance(one, ast.Subscript | ast.Attribute)
               and isinstance(one.ctx, ast.Store)}  # fmt: skip
    return Statement(node, frozenset(binds | changed), frozenset(reads), anew and not changed)


def names_of(node: ast.stmt) -> tuple[set[str], set[str]]:
    """The names that a statement binds and those it reads, what is local in it left out."""
    blocks = [getattr(node, part) for part in ("body", "orelse", "finalbody")
              if isinstance(getattr(node, part, None), list)]  # fmt: skip
    if not blocks and not any(isinstance(one, SCOPES) for one in ast.walk(node)):
        return simple(node)
    if not blocks or isinstance(node, ast.FunctionDef | ast.ClassDef):
        table = symtable.symtable(ast.unparse(node), "a cell", "exec")
        binds = {one.get_name() for one in table.get_symbols()
                 if one.is_assigned() or one.is_imported() or one.is_namespace()}  # fmt: skip
        return binds, read(table)
    heads = [getattr(node, part, None) for part in ("target", "iter", "test")]
    binds, reads = simple(*filter(None, heads), *getattr(node, "items", []))
    for inner in (one for block in blocks for one in block):
        bound, used = names_of(inner)
        reads |= used - binds
        binds |= bound
    return binds, reads


def simple(*nodes: ast.AST) -> tuple[set[str], set[str]]:
    """As `names_of`, where nothing is local."""
    binds, reads = set(), set()
    for one in (one for node in nodes for one in ast.walk(node)):
        if isinstance(one, ast.Name):
            (reads if isinstance(one.ctx, ast.Load) else binds).add(one.id)
        elif isinstance(one, ast.alias):
            binds.add((one.asname or one.name).partition(".")[0])
    return binds, reads


def read(table: symtable.SymbolTable) -> set[str]:
    """The names of the notebook that are read in a scope, or in one within it."""
    top = table.get_type() == "module"
    own = {one.get_name() for one in table.get_symbols()
           if one.is_referenced() and (top or one.is_global())}  # fmt: skip
    return own.union(*map(read, table.get_children()))


def root(node: ast.expr) -> str:
    """``a`` of ``a.b[3]``."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def behind(of: Statement, before: list[Statement]) -> list[Statement]:
    """The statement, and those before it on which what it reads depends."""
    found, wanted = [of], set(of.reads)
    for one in reversed(before):
        if one.binds & wanted:
            found.append(one)
            wanted = (wanted - one.binds if one.anew else wanted) | one.reads
    return found


def called(node: ast.AST) -> str:
    """The last name of a call's function: ``store`` of ``experiments.store(…)``."""
    function = getattr(node, "func", None)
    return getattr(function, "attr", None) or getattr(function, "id", "")


def sets_of_data(nodes: Iterable[ast.AST]) -> set[str]:
    return {one.attr for node in nodes for one in ast.walk(node)
            if isinstance(one, ast.Attribute) and one.attr in DATA
            and isinstance(one.value, ast.Name) and one.value.id == "data"}  # fmt: skip


@functools.cache
def functions(script: Path, changed: int) -> dict[str, list[ast.stmt]]:
    """For each function of a script all that it depends on."""
    lines = [statement(node) for node in ast.parse(script.read_text(encoding="utf-8")).body]
    lines = [line for line in lines if not isinstance(line.node, ast.If)]  # under __main__
    everything = {}
    for line in lines:
        if isinstance(line.node, ast.FunctionDef):
            found, wanted = [line], set(line.reads)
            while more := [one for one in lines if one.binds & wanted and one not in found]:
                found += more
                wanted |= {name for one in more for name in one.reads}
            everything[line.node.name] = [one.node for one in found]
    return everything


@functools.cache
def data_of(script: Path, changed: int, function: str) -> frozenset[str]:
    return frozenset(sets_of_data(functions(script, changed).get(function, [])))


class Results:
    """The stored results of a chapter, as far as their settings say."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.axes: dict[str, dict[str, list[Any]]] = {}
        if path.exists():
            results = json.loads(path.read_text(encoding="utf-8"))["results"]
            self.axes = {name: one["axes"] for name, one in results.items()}
            self.run = {name: one["run"] for name, one in results.items()}

    def scale(self, name: str, chosen: dict[str, Any]) -> Scale:
        """Of one result, or of the part of it that has the ``chosen`` settings."""
        axes = self.axes[name] | {key: [value] for key, value in chosen.items()}
        script = self.path.with_suffix(".py")
        data = data_of(script, script.stat().st_mtime_ns, self.run[name])
        lengths = {key: set(axes[key]) for key in LENGTHS if key in axes}
        lengths = {key: values for key, values in lengths.items()
                   if all(isinstance(value, int) for value in values)}  # fmt: skip
        seeds = {len(axes["seed"])} if "seed" in axes else set()
        return Scale({*data}, lengths, seeds, stored=True)


def scale_of(found: list[Statement], results: Results, stored: set[str]) -> Scale:
    """What the statements behind a claim say of its scale."""
    scale, named = Scale(), set()
    whole = [one.node for one in found]
    assigned = {target.id: node.value for node in whole if isinstance(node, ast.Assign)
                for target in node.targets if isinstance(target, ast.Name)}  # fmt: skip
    for node in (one for statement in whole for one in ast.walk(statement)):
        if called(node) in ("default_rng", "sweep"):
            scale.drawn = True
        if isinstance(node, ast.keyword):
            written(node.arg, node.value, scale, assigned)
        if isinstance(node, ast.comprehension | ast.For) and isinstance(node.target, ast.Name):
            written(f"{node.target.id}s", node.iter, scale, assigned)
        if isinstance(node, ast.arguments):  # the last ones have defaults
            for argument, default in zip(node.args[::-1], node.defaults[::-1]):
                written(argument.arg, default, scale, assigned)
        chosen = {}
        if called(node) == "at" and isinstance(node.func, ast.Attribute):
            chosen = {key.arg: key.value.value for key in node.keywords
                      if key.arg and isinstance(key.value, ast.Constant)}  # fmt: skip
            node = node.func.value
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            if node.value.id in stored:
                for name in matching(node.slice, results.axes):
                    if chosen or name not in named:
                        named.add(name)
                        scale.add(results.scale(name, chosen))
    if any(stored & statement.reads for statement in found) and not named:
        texts = {one.value for node in whole for one in ast.walk(node)
                 if isinstance(one, ast.Constant) and isinstance(one.value, str)}  # fmt: skip
        for name in [name for name in results.axes if name in texts] or results.axes:
            scale.add(results.scale(name, {}))
    scale.data |= sets_of_data(whole) if not scale.stored else set()
    return scale


def matching(key: ast.expr, names: Iterable[str]) -> list[str]:
    """The results that a subscript may mean: ``stored[f"{task} tuned"]`` all that end so."""
    if isinstance(key, ast.JoinedStr):
        parts = [re.escape(one.value) if isinstance(one, ast.Constant) else ".*"
                 for one in key.values]  # fmt: skip
        return [name for name in names if re.fullmatch("".join(parts), name)]
    return [key.value] if isinstance(key, ast.Constant) and key.value in names else []


def written(name: str | None, value: ast.expr, scale: Scale, assigned: dict) -> None:
    """Seeds and lengths of runs that are written in the chapter: ``fresh=range(20)``, ``epochs=6``,
    ``for seed in SEEDS``; a name stands for what was assigned to it."""
    value = assigned.get(value.id, value) if isinstance(value, ast.Name) else value
    if name in ("seeds", "fresh") and (count := length(value)):
        scale.seeds.add(count)
    if name in LENGTHS and isinstance(value, ast.Constant) and isinstance(value.value, int):
        scale.lengths.setdefault(name, set()).add(value.value)


def length(value: ast.expr) -> int:
    """Of ``range(…)`` or a list; of a number itself; 0 if it is not written there."""
    if isinstance(value, ast.Constant) and isinstance(value.value, int):
        return value.value
    if isinstance(value, ast.Tuple | ast.List):
        return len(value.elts)
    if called(value) == "range":
        ends = [end.value for end in value.args if isinstance(end, ast.Constant)]
        return len(range(*ends)) if len(ends) == len(value.args) else 0
    return 0


def scales(book: Notebook) -> dict[str, Scale]:
    """The scale of every claim of a notebook, by its name."""
    before: list[Statement] = []
    results, stored, found = Results(book.path.with_suffix(".json")), set(), {}
    for _, cell in book.code:
        names = [data["name"] for output in cell.outputs
                 if (data := output.get("data", {}).get(CLAIM))]  # fmt: skip
        for node in ast.parse(_MAGIC.sub("", cell.source)).body:
            line = statement(node)
            if isinstance(node, ast.Assign) and called(node.value) == "load":
                stored |= line.binds
            claims = [one for one in ast.walk(node) if called(one) == "claim"]
            said = {one.value for call in claims for one in ast.walk(call)
                    if isinstance(one, ast.Constant)}  # fmt: skip
            if claims:
                mine = [name for name in names if name in said] or names
                for name in mine:
                    call = next((one for one in claims if name in {
                        c.value for c in ast.walk(one) if isinstance(c, ast.Constant)}), None)
                    alone = isinstance(node, ast.Expr) and call is not None
                    own = statement(ast.Expr(call)) if alone else line
                    found[name] = scale_of(behind(own, before), results, stored)
            before.append(line)
    return found
