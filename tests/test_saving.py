"""States written and read back: the same values, types and nesting, and no code run by a file."""

import json
import os
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import minigrad
from compares import compares
from minigrad import Tensor, load, nn, optim, save


def same(a, b):
    """Equal in value, type and nesting; NaN equals NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (np.ndarray, np.generic)):
        nan = a.dtype.kind in "fc"
        return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=nan)
    return a == b or a != a and b != b


dtypes = st.sampled_from(["f2", "f4", "f8", "i8", "u1", "?", "c16", "U3"])
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
    arrays.arrays(dtypes, arrays.array_shapes(min_dims=0, min_side=0, max_dims=3, max_side=3)),
    st.floats().map(np.float64), st.integers(0, 9).map(np.int32),
)  # fmt: skip
names = st.text("ab/.'_é file", max_size=4)
states = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(names, inner, max_size=3),
    ),
    max_leaves=8,
)


@compares("numpy", "load")
@compares("numpy.savez", "save")
@settings(max_examples=150, deadline=None)
@given(state=states)
def test_comes_back_as_it_was(state, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.npz"
    save(path, state)
    assert same(load(path), state)


def train(net, opt, steps):
    x = np.random.default_rng(0).standard_normal((8, 3))
    for _ in range(steps):
        opt.zero_grad()
        (net(x) ** 2).mean().backward()
        opt.step()


def make(seed):
    rng = np.random.default_rng(seed)
    net = nn.Sequential(
        nn.Linear(3, 4, rng=rng), nn.BatchNorm1d(4), np.tanh, nn.Linear(4, 1, rng=rng)
    )
    return net, optim.Adam(net.parameters(), lr=0.01, betas=(0.8, 0.99), amsgrad=True)


def test_training_goes_on_from_a_file(tmp_path):
    net, opt = make(0)
    train(net, opt, 5)
    save(tmp_path / "run.npz", {"net": net.state_dict(), "opt": opt.state_dict(), "epoch": 5})
    train(net, opt, 5)

    again, opt2 = make(1)
    state = load(tmp_path / "run.npz")
    again.load_state_dict(state["net"])
    opt2.load_state_dict(state["opt"])
    train(again, opt2, 5)
    assert state["epoch"] == 5 and opt2.param_groups[0]["betas"] == (0.8, 0.99)
    for a, b in zip(net.state_dict().values(), again.state_dict().values()):
        assert np.array_equal(a, b)


def test_the_file_is_a_plain_npz(tmp_path):
    net = nn.Linear(2, 3)
    save(tmp_path / "net.npz", {"net": net.state_dict(), "t": 3})
    with np.load(tmp_path / "net.npz", allow_pickle=False) as file:
        assert np.array_equal(file["net/weight"], net.weight.data)
        assert set(file.files) == {"net/weight", "net/bias", "__structure__"}
        assert json.loads(file["__structure__"].item())["dict"]["t"] == 3


def test_reads_any_npz(tmp_path):
    np.savez_compressed(tmp_path / "other.npz", a=np.arange(3), b=np.ones((2, 2)))
    assert same(load(tmp_path / "other.npz"), {"a": np.arange(3), "b": np.ones((2, 2))})


def test_names_that_npz_or_structure_might_claim(tmp_path):
    state = {
        "file": np.ones(1), "allow_pickle": np.ones(2), "__structure__": np.ones(3), "": np.ones(4),
        "a/b": np.ones(5), "a": {"b": np.ones(6)}, "array": {"array": 1}, "tuple": {"tuple": [1]},
    }  # fmt: skip
    save(tmp_path / "x.npz", state)
    assert same(load(tmp_path / "x.npz"), state)


def test_tensors_are_saved_as_arrays_and_order_is_kept(tmp_path):
    save(tmp_path / "x.npz", [Tensor([1.0, 2.0], requires_grad=True), np.asfortranarray(np.eye(2))])
    x, eye = load(str(tmp_path / "x.npz"))
    assert type(x) is np.ndarray and x.tolist() == [1, 2] and eye.tolist() == [[1, 0], [0, 1]]


def test_the_same_state_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        save(tmp_path / f"{name}.npz", {"x": np.arange(4.0), "y": [1, (2,)]})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.npz") as file:  # at any time
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize(
    "state,message",
    [
        (
            {"a": [1, {"f": len}]},
            "save: the state's a/1/f is a builtin_function_or_method: a state is made of dicts",
        ),
        ({"a": {1, 2}}, "save: the state's a is a set"),
        ({"a": {1: 2}}, "save: the state's a is a dict with keys that are not strings"),
        (np.array([object()]), "save: the state's top is a ndarray of objects"),
        ({"x": 1j}, "save: the state's x is a complex"),
        (nn.Linear(1, 1), "save: the state's top is a Linear"),
    ],
)
def test_what_is_not_a_state_leaves_the_old_file(state, message, tmp_path):
    path = tmp_path / "x.npz"
    save(path, [1])
    with pytest.raises(TypeError, match=message):
        save(path, state)
    assert load(path) == [1] and os.listdir(tmp_path) == ["x.npz"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.npz"
    save(path, [1])

    def full(*_, **__):
        raise OSError("no space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(OSError, match="no space"):
        save(path, [2])
    assert load(path) == [1] and os.listdir(tmp_path) == ["x.npz"]


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("bomb",)


def test_nothing_is_unpickled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("bomb.npz", x=np.array([Bomb()], dtype=object))
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps(Bomb()))
    for path in ("bomb.npz", "pickle.npz"):
        with pytest.raises(
            ValueError, match=f"load: '{path}' is not a file of arrays that minigrad.save wrote"
        ):
            load(path)
    assert not os.path.exists("bomb")


def test_damaged_files(tmp_path):
    path = tmp_path / "x.npz"
    save(path, {"x": np.arange(1000.0)})
    whole = path.read_bytes()
    for broken in (
        b"",
        whole[: len(whole) // 2],
        whole.replace(b"\x93NUMPY", b"\x93NUMPX"),
        b"text" * 100,
    ):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match="is not a file of arrays that minigrad.save wrote"):
            load(path)
    flipped = bytearray(whole)
    flipped[whole.index(np.float64(500).tobytes())] ^= 1
    path.write_bytes(flipped)
    with pytest.raises(ValueError, match="CRC"):
        load(path)
    for structure in ("[1", '{"array": "y"}', '{"a": 1, "b": 2}', '{"list": 3}'):
        with zipfile.ZipFile(path, "w") as file, file.open("__structure__.npy", "w") as entry:
            np.lib.format.write_array(entry, np.array(structure), allow_pickle=False)
        with pytest.raises(ValueError, match="is not a file of arrays that minigrad.save wrote"):
            load(path)


def test_paths(tmp_path):
    with pytest.raises(ValueError, match=r"save: path must end in .npz, got '.*state'"):
        save(tmp_path / "state", [])
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.npz")
    assert minigrad.save is save and minigrad.load is load
