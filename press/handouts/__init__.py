"""What is handed out: the book on paper (`pdf`), chapters as slides (`slides`).

Both are made from the built pages, opened in Chromium: there the formulas are typeset, the figures
are vector pictures, the sliders move. A notebook without its solutions is made by `press.build`.

    python -m press.handouts pdf                                  # _build/pdf/{zh,en}/…
    python -m press.handouts slides --chapter optimizers/adam     # _build/slides/{zh,en}/…
"""
