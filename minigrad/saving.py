"""Save and load states: arrays in an `.npz` file, never pickle, so that loading runs no code.

A state is what `state_dict()` of a module or an optimizer gives: dicts, lists and tuples of arrays,
numbers, strings, booleans and None. The arrays become entries of the file, named by their place
("state/0/m"); how they are nested is written down as JSON in one more entry. Any program that reads
`.npz` can read the arrays. First used in `chapters/autograd/training-loop.ipynb`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np

from .autograd.arrays import Array
from .autograd.tensor import Tensor

STRUCTURE = "__structure__"


def save(path: str | os.PathLike[str], state: Any) -> None:
    """Write a state to `path`, which must end in .npz; `load` gives it back as it was.

    The file is complete or not there: a state that cannot be saved, or a full disk, leaves an older
    file as it was. The same state gives the same bytes.

    Parameters
    ----------
    state: dicts (with string keys), lists and tuples of arrays, Tensors (saved as arrays), numbers,
        strings, booleans and None, nested as you like.

    Raises
    ------
    ValueError: another ending. TypeError: something in the state that is none of these.

    Example
    -------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "state.npz"
    >>> save(path, {"weight": np.ones(2), "betas": (0.9, 0.999), "steps": 3})
    >>> load(path)
    {'weight': array([1., 1.]), 'betas': (0.9, 0.999), 'steps': 3}
    """
    path = as_path("save", path)
    if path.suffix != ".npz":
        raise ValueError(f"save: path must end in .npz, got {str(path)!r}")
    entries: dict[str, Array] = {STRUCTURE: np.empty(0)}  # its place, so that no array takes it
    structure = encode(state, "", entries)
    entries[STRUCTURE] = np.array(json.dumps(structure))
    unfinished = path.with_name(path.name + ".part")
    try:
        with ZipFile(unfinished, "w") as file:
            for name, array in entries.items():
                # ZipInfo without a time: the same state gives the same bytes
                with file.open(ZipInfo(name + ".npy"), "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, array, allow_pickle=False)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def load(path: str | os.PathLike[str]) -> Any:
    """Read what `save` wrote; of any other .npz file, a dict of its arrays.

    Raises
    ------
    ValueError: not such a file, or one with pickled objects, which are never unpickled.
    FileNotFoundError: no such file.

    Example
    -------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "state.npz"
    >>> save(path, [np.zeros(1), None]); load(path)
    [array([0.]), None]
    """
    path = as_path("load", path)
    try:
        with ZipFile(path) as file:
            entries = {}
            for name in file.namelist():
                with file.open(name) as entry:
                    entries[name.removesuffix(".npy")] = np.lib.format.read_array(
                        entry, allow_pickle=False
                    )
        if STRUCTURE not in entries:
            return entries
        return decode(json.loads(entries[STRUCTURE].item()), entries)
    except (BadZipFile, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ValueError(
            f"load: {str(path)!r} is not a file of arrays that minigrad.save wrote ({error})"
        ) from None


def as_path(who: str, path: Any) -> Path:
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"{who}: path must be a string or a Path, got {path!r}")
    return Path(path)


def encode(x: Any, place: str, entries: dict[str, Array]) -> Any:
    """x as JSON, its arrays put into `entries` and named there."""
    if x is None or type(x) in (bool, int, float, str):
        return x
    if isinstance(x, Tensor):
        x = x.numpy()
    if isinstance(x, (np.ndarray, np.generic)) and not x.dtype.hasobject:
        name = place or "array"
        while name in entries:  # {"a/b": x, "a": {"b": y}}
            name += "'"
        entries[name] = np.asarray(x)
        return {"array" if isinstance(x, np.ndarray) else "scalar": name}
    inside = f"{place}/" if place else ""
    if type(x) in (list, tuple):
        items = [encode(v, f"{inside}{i}", entries) for i, v in enumerate(x)]
        return items if type(x) is list else {"tuple": items}
    if type(x) is dict and all(type(k) is str for k in x):
        return {"dict": {k: encode(v, f"{inside}{k}", entries) for k, v in x.items()}}
    raise TypeError(
        f"save: the state's {place or 'top'} is a {type(x).__name__}"
        f"{' of objects' if isinstance(x, np.ndarray) else ''}"
        f"{' with keys that are not strings' if type(x) is dict else ''}: a state is made of "
        "dicts with string keys, lists, tuples, arrays, Tensors, numbers, strings, bools and None"
    )


def decode(x: Any, entries: dict[str, Array]) -> Any:
    """What `encode` made JSON of."""
    if isinstance(x, list):
        return [decode(v, entries) for v in x]
    if not isinstance(x, dict):
        return x
    ((kind, inside),) = x.items()
    if kind == "array":
        return entries[inside]
    if kind == "scalar":
        return entries[inside][()]
    if kind == "tuple":
        return tuple(decode(v, entries) for v in inside)
    return {k: decode(v, entries) for k, v in inside.items()}
