"""What was made once is kept, until what it is made of changes (press/kept.py)."""

import sqlite3
import subprocess
import sys

import pytest

from press.kept import digest, made
from press.notebook import ROOT


def test_a_thing_is_made_once_until_it_is_made_of_something_else(tmp_path):
    calls = []

    def make():
        calls.append(None)
        return {"set": {len(calls)}}

    assert [made(tmp_path, "a", of, make) for of in "xxyyx"] == [{"set": {n}} for n in (1, 1, 2, 2, 3)]
    assert made(tmp_path, "b", "x", make) == {"set": {4}}
    file = tmp_path / "_build" / ".cache" / "kept.sqlite"
    with sqlite3.connect(file) as kept:
        assert kept.execute("SELECT name, of FROM made ORDER BY name").fetchall() == [("a", "x"), ("b", "x")]
    kept.close()


def test_what_could_not_be_made_is_not_kept(tmp_path):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            made(tmp_path, "a", "x", lambda: 1 / 0)
    assert made(tmp_path, "a", "x", lambda: None) is made(tmp_path, "a", "x", lambda: 1) is None


def test_a_build_that_is_killed_leaves_whole_things(tmp_path):
    program = (
        "import os; from press.kept import made\n"
        f"made({str(tmp_path)!r}, 'a', 'x', lambda: [1])\n"
        f"made({str(tmp_path)!r}, 'b', 'x', lambda: os.kill(os.getpid(), 9))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == -9
    assert [made(tmp_path, name, "x", lambda: [2]) for name in "ab"] == [[1], [2]]


def test_fingerprints_tell_where_one_content_ends():
    assert len({digest("ab", "c"), digest("a", "bc"), digest("abc"), digest("abc", "")}) == 4
    assert digest("é") == digest("é".encode())
