"""What prints the book: runs the notebooks, checks them, and makes both editions of the site.

Never installed with `minigrad`; what chapters themselves import is :mod:`minigrad.lab`.
"""
