"""Which test compares which public name with what.

    @compares("torch.nn.functional", "losses.mse_loss", "losses.l1_loss")
    def test_equals_pytorch(): ...

says that ``minigrad.losses.mse_loss`` is compared with ``torch.nn.functional.mse_loss``. What is
compared with a thing of another name, or with a formula, says so: ``@compares("Lin 1991", …)``.
tests/test_names.py looks that every public name is compared with something.
"""

from collections.abc import Callable
from typing import TypeVar

Test = TypeVar("Test", bound=Callable)


def compares(reference: str, *names: str) -> Callable[[Test], Test]:
    """Mark a test as the one that compares public names of minigrad with a reference.

    Args:
        reference: the module of PyTorch, NumPy or SciPy that has the same names; or a full name,
            a paper, a formula.
        names: without ``minigrad.``.
    """
    return lambda test: test
