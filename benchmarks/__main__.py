from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
from importlib import import_module
from typing import Any

from . import environment

SECTIONS = ("training", "second_order", "optimizers", "functions", "processes")
OWN_PROCESS = ("training", "second_order")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="minigrad beside NumPy by hand, PyTorch, JAX, …"
    )
    parser.add_argument("--quick", action="store_true", help="few repetitions")
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", default=[],
        help=f"sections ({', '.join(SECTIONS)}) or workloads whose names contain one of these",
    )  # fmt: skip
    parser.add_argument(
        "--cpu-time", action="store_true",
        help="measure the processor's time, not the wall's: for a machine that is busy otherwise",
    )  # fmt: skip
    parser.add_argument("--list", action="store_true", help="the names of all workloads")
    options = parser.parse_args()
    environment.enter()

    if options.cpu_time:
        os.environ["BENCHMARK_CLOCK"] = "process_time"
    from . import report
    from .measure import attempt

    start = {"clock": "processor time" if options.cpu_time else "wall", "load at start": load()}
    found: dict[str, dict[str, Any]] = {}
    for section in SECTIONS:
        try:
            names = import_module(f".{section}", __package__).WORKLOADS
        except ImportError as error:
            print(f"{section}: not measured: {error}", file=sys.stderr)
            continue
        # the networks are what matters; the long lists of functions take fewer rounds
        rounds, seconds = (15, 0.05) if section in OWN_PROCESS else (5, 0.02)
        if options.quick:
            rounds, seconds = 3, 0.005
        for name in names:
            if options.only and not any(part in (section, *name.split()) for part in options.only):
                continue
            if options.list:
                print(f"{section}: {name}")
                continue
            print(f"{section}: {name} …", file=sys.stderr, flush=True)
            run = in_child if section in OWN_PROCESS else attempt
            result = report.summary(run(section, name, rounds, seconds))
            found.setdefault(section, {})[name] = result
            if "skipped" in result:
                print(f"{name}: not measured: {result['skipped']}", file=sys.stderr)
            gc.collect()
    if options.list:
        return
    machine = environment.describe() | start | {"load at end": load()}
    results = {"machine": machine, "workloads": found}
    print(report.report(results))
    whole = not (options.quick or options.only or options.cpu_time)
    path = report.RESULTS if whole else environment.HOME.parent / "bench-results.json"
    report.write(path, results)
    print(f"Written to {path.relative_to(environment.ROOT)}")
    if any("wrong" in w for workloads in found.values() for w in workloads.values()):
        sys.exit("contestants disagree: see above")


def in_child(section: str, name: str, rounds: int, seconds: float) -> dict[str, Any]:
    """As `attempt`, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.child", "workload", section, name]
    done = subprocess.run([*command, str(rounds), str(seconds)], check=True, stdout=subprocess.PIPE)
    return dict(json.loads(done.stdout))


def load() -> str:
    """How many processes want to run: above 1, others share the cores with the measurement."""
    return f"{os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
