"""What was made once is kept below ``_build``, for both editions and for later builds.

A thing has a name, and is kept with a note of what it was made of, code included: when that is
another, the thing is made anew in its place. So nothing has to be told that something has changed,
and a build that was interrupted leaves whole things.
"""

import hashlib
import pickle
import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def digest(*contents: bytes | str) -> str:
    """A fingerprint.

    >>> digest("ab", "c") == digest("a", "bc")
    False
    """
    parts = [part.encode() if isinstance(part, str) else part for part in contents]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def made(root: Path, name: str, of: str, make: Callable[[], T]) -> T:
    """What `make` returns, or what it once returned.

    Args:
        root: the folder of the book.
        name: what is made.
        of: what it is made of, as a fingerprint.
    """
    kept = _open(Path(root))
    found = kept.execute("SELECT it FROM made WHERE name = ? AND of = ?", (name, of)).fetchone()
    if found:
        return pickle.loads(found[0])
    it = make()
    kept.execute("INSERT OR REPLACE INTO made VALUES (?, ?, ?)", (name, of, pickle.dumps(it)))
    return it


@cache
def _open(root: Path) -> sqlite3.Connection:
    file = root / "_build" / ".cache" / "kept.sqlite"
    file.parent.mkdir(parents=True, exist_ok=True)
    # Both editions are built at once and share it.
    kept = sqlite3.connect(file, timeout=60, isolation_level=None)
    kept.execute("PRAGMA synchronous = OFF")
    kept.execute("CREATE TABLE IF NOT EXISTS made (name PRIMARY KEY, of, it)")
    return kept
