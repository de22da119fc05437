"""The laboratory of the chapters: what they import beside the engine, which never imports it.

A chapter needs seven names: ``from minigrad.lab import check, check_close, claim, language, record,
slider, table``; the words that they show are in both languages (:mod:`minigrad.lab.words`). The
import also sets the style of figures (:mod:`minigrad.lab.style`). What chapters share besides: test
problems (:mod:`minigrad.lab.problems`, :mod:`minigrad.lab.standard_problems`), data
(:mod:`minigrad.lab.data`), the training loop (:mod:`minigrad.lab.training`), experiments
(:mod:`minigrad.lab.experiments`), plots (:mod:`minigrad.lab.plots`).
"""

from . import style  # noqa: F401  imported for its effect: rcParams and the PNG formatter
from .checks import check, check_close
from .claims import claim, record
from .sliders import slider
from .tables import table
from .words import language

__all__ = ["check", "check_close", "claim", "language", "record", "slider", "table"]
