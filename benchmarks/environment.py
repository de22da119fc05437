"""Where the peers live, and what the machine is like. Needs nothing but Python itself."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "_build" / "bench-env"
REQUIREMENTS = ROOT / "benchmarks" / "requirements.txt"
PACKAGES = ("numpy", "scipy", "torch", "jax", "jaxlib", "autograd", "micrograd")


def enter() -> None:
    """Go on in the environment of the peers, with the threads set; return if already there."""
    if Path(sys.prefix) == HOME:
        hold_to_cores()
    else:
        python = HOME / "bin" / "python"
        installed = HOME / "installed.txt"
        if not installed.exists() or installed.read_text() != REQUIREMENTS.read_text():
            install(python)
            installed.write_text(REQUIREMENTS.read_text())
        # pip has compiled the others' files; ours must be kept compiled too, or `import` is slow
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.execve(python, [python, "-m", "benchmarks", *sys.argv[1:]], os.environ | threads())


def install(python: Path) -> None:
    print(f"Installing PyTorch, JAX and the others into {HOME.relative_to(ROOT)} …", flush=True)
    venv.create(HOME, clear=True, with_pip=True)
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "-r", REQUIREMENTS, "-c", ROOT / "requirements.txt"],
        check=True,
    )  # fmt: skip
    path = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    Path(path, "minigrad-book.pth").write_text(str(ROOT))


def threads() -> dict[str, str]:
    """The same number of threads for everyone: that of OMP_NUM_THREADS, or else one."""
    n = os.environ.get("OMP_NUM_THREADS", "1")
    settings = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), n)
    # of torch.compile: nothing kept from an earlier run, so that what it takes is what is told
    return settings | {"JAX_PLATFORMS": "cpu", "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}


def hold_to_cores() -> None:
    """As many cores as threads, for this process and those it starts.

    Why: JAX starts as many threads as there are cores to run on. Of XLA's flags neither
    --xla_cpu_multi_thread_eigen=false nor intra_op_parallelism_threads=1 changed that (jaxlib
    0.10.2: two threads shared a step evenly); the variable NPROC did, but holds nobody else.
    """
    if hasattr(os, "sched_setaffinity"):  # Linux
        n = int(os.environ["OMP_NUM_THREADS"])
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n])


def cores() -> int:
    """On how many this process may run."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe() -> dict[str, str]:
    """The machine, the settings and the versions, as far as they bear on the numbers."""
    import numpy  # noqa: F401  so that its BLAS is loaded and can be asked
    from threadpoolctl import threadpool_info

    blas = next((p for p in threadpool_info() if p["user_api"] == "blas"), {})
    return {
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "cores used": str(cores()),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "threads": os.environ["OMP_NUM_THREADS"],
        "BLAS of NumPy": (
            f"{blas.get('internal_api')} {blas.get('version')}, "
            f"{blas.get('architecture')} kernels, {blas.get('num_threads')} thread(s)"
        ),
        "OPENBLAS_CORETYPE": os.environ.get("OPENBLAS_CORETYPE", "not set"),
        "versions": ", ".join(f"{p} {importlib.metadata.version(p)}" for p in PACKAGES),
        "minigrad": commit(),
    }


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or "unknown"


def commit() -> str:
    """The commit measured, and whether minigrad differs from it."""
    try:
        git = ["git", "-C", str(ROOT)]
        head = subprocess.check_output([*git, "rev-parse", "--short", "HEAD"], text=True).strip()
        changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", "minigrad"]).returncode
        return head + (", with changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
