"""minigrad beside NumPy written out by hand, PyTorch, JAX, autograd and micrograd, in one run.

    python -m benchmarks                  # everything; writes benchmarks/results.json
    python -m benchmarks --quick          # the same with few repetitions, into _build
    python -m benchmarks --only iris adam # parts of it, by name

Every contestant is first checked to compute the same numbers. Then all of them run in turn, round
after round, so that whatever else the machine does meets them alike; quoted are the median and the
quartiles of the ratios within a round.

To add a workload that trains a network: describe it in `tasks.py`, and write one function of its
name in each module of `contestants/` that can take part.
"""
