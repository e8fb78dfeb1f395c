"""Checkpoints, read without sprint: which ones are whole, and whether two hold the same state."""

import functools
import hashlib
import json
import threading

import h5py
import numpy

# The HDF5 library is not safe with several threads, and h5py's own lock leaves gaps.
_hdf5 = threading.Lock()


def whole(folder):
    """The steps of checkpoints whose manifests are right, by this module's own SHA-256."""
    steps = []
    for manifest in sorted((folder / "checkpoints").glob("step-*.manifest.json")):
        path = manifest.with_name(manifest.name.replace(".manifest.json", ".h5"))
        try:
            told, data = json.loads(manifest.read_text()), path.read_bytes()
            own = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            if told["file"] == path.name and told["fingerprint"] == own:
                steps.append(int(path.stem[5:]))
        except (OSError, ValueError, KeyError, TypeError):
            pass
    return steps


def newest_whole(folder):
    """The newest step with a whole checkpoint, or None."""
    return max(whole(folder), default=None)


def state(path):
    """All data sets of a file by name."""
    found = {}
    with _hdf5, h5py.File(path) as file:
        def keep(name, item):
            if isinstance(item, h5py.Dataset):
                found[name] = numpy.asarray(item)
        file.visititems(keep)
    return found


known_state = functools.cache(state)


def difference(path, truth, tolerance=0.0):
    """What differs between a checkpoint and the truth, in words, or None: bits, or relative norms with a tolerance."""
    try:
        own, true = state(path), known_state(truth)
    except OSError as error:
        return f"unreadable: {error}"
    odd = sorted(own.keys() ^ true.keys())
    odd += [name for name in sorted(own.keys() & true.keys()) if _differ(own[name], true[name], tolerance)]
    return f"{len(odd)} of {len(true)} data sets differ: {odd[:3]}" if odd or not true else None


def _differ(own, true, tolerance):
    if own.tobytes() == true.tobytes():
        return False
    if not tolerance or own.dtype.kind != "f" or own.shape != true.shape:
        return True
    error = numpy.linalg.norm((own - true).astype("f8")) / max(numpy.linalg.norm(true.astype("f8")), 1e-30)
    return not error <= tolerance
