"""What prints the book: runs the notebooks, checks them, and makes both editions of the site.

Never installed with `minigrad`; what chapters themselves import is :mod:`minigrad.lab`.
"""

import sys

# nbformat imports jsonschema, which takes two seconds to prepare a grammar of addresses that no
# notebook needs, unless it finds that there is none.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
