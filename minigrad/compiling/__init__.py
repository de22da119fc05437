"""compile: a function of arrays, recorded once and replayed as straight-line NumPy.

Three stages, a file each: `recording.py` runs the function on stand-ins and notes every call,
`planning.py` drops what nobody needs and decides which arrays share memory, `writing.py` prints the
rest as a Python function. `compiled.py` decides when to record, and what must hold for a replay.
Derived in `chapters/autograd/compiling-the-tape.ipynb`.
"""

from .compiled import Compiled, compile
from .program import CompileError

__all__ = ["CompileError", "Compiled", "compile"]
