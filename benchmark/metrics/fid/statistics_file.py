"""Statistics files: mean and covariance in pytorch-fid's .npz, with what they were computed from beside them.

    save(path, moments, {"protocol": "pytorch-fid", "weights_sha256": ...})
    moments, about = load(path)        # about is {} for a file of another tool

pytorch-fid reads what we write (keys `mu` and `sigma`), and we read what it writes; then N and protocol are unknown.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.errors import BenchError
from benchmark.files import write_atomic
from benchmark.metrics.fid.moments import Moments


def save(path: Path, moments: Moments, about: dict[str, Any]) -> None:
    """Write float64 `mu` and `sigma`, N, and `about` as JSON; the file appears whole or not at all."""
    require_suffix(path)
    buffer = io.BytesIO()
    text = json.dumps(about, sort_keys=True)
    np.savez_compressed(
        buffer, mu=moments.mean, sigma=moments.covariance, count=np.int64(moments.count or 0), about=text
    )
    write_atomic(path, buffer.getvalue())


def require_suffix(path: Path) -> None:
    """BenchError for a path that `load` would not be given, best raised before hours of work."""
    if path.suffix != ".npz":
        raise BenchError(f"--save-stats {path}: statistics files end in .npz; {path.with_suffix('.npz')} would do")


def load(path: Path) -> tuple[Moments, dict[str, Any]]:
    """Moments and what the file says of them. BenchError for a file that holds none or nonsense."""
    try:
        with path.open("rb") as opened:  # NumPy leaves a damaged file open
            file = np.load(opened, allow_pickle=False)
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise BenchError(f"{path}: holds one array, not the `mu` and `sigma` of a statistics file")
            held = {name: np.asarray(file[name]) for name in ("mu", "sigma", "count", "about") if name in file.files}
        about = json.loads(str(held["about"])) if "about" in held else {}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise BenchError(f"{path}: cannot be read as a statistics file: {error}") from error
    if not {"mu", "sigma"} <= held.keys():
        raise BenchError(f"{path}: holds no `mu` and `sigma`; give a statistics file of pytorch-fid or --save-stats")
    if not all(np.issubdtype(held[name].dtype, np.floating) for name in ("mu", "sigma")):
        raise BenchError(f"{path}: mu and sigma are {held['mu'].dtype} and {held['sigma'].dtype}, not real numbers")
    mean, covariance = (np.asarray(held[name], dtype=np.float64) for name in ("mu", "sigma"))
    if mean.ndim != 1 or not len(mean) or covariance.shape != (len(mean), len(mean)):
        raise BenchError(f"{path}: mu is {mean.shape} and sigma {covariance.shape}; they should be (D,) and (D, D)")
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise BenchError(f"{path}: a statistic is NaN or infinite")
    if (covariance.diagonal() < 0).any() or not np.allclose(covariance, covariance.T, atol=1e-6 * covariance.max()):
        raise BenchError(f"{path}: sigma is no covariance: not symmetric, or negative on its diagonal")
    count = held.get("count", np.zeros((), int))
    if not isinstance(about, dict) or count.shape or not np.issubdtype(count.dtype, np.integer):
        raise BenchError(f"{path}: `about` is no table, or `count` no whole number")
    return Moments(mean, covariance, int(count) or None), about
