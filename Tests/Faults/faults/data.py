"""Data that change while a run reads them."""

import os
import shutil
import struct

from trials.program import Late

from . import fault, has_begun


def spoil(t, path):
    """Spoils a data set in one of several ways; says how."""
    kind = t.random.choice(("truncated", "emptied", "replaced", "removed", "not finite"))
    if kind == "truncated":
        os.truncate(path, t.random.randrange(path.stat().st_size))
    elif kind == "emptied":
        os.truncate(path, 0)
    elif kind == "replaced":
        (t.root / "new.h5").write_bytes(b"not at all HDF5")
        (t.root / "new.h5").rename(path)
    elif kind == "removed":
        path.unlink()
    else:
        size = path.stat().st_size
        with open(path, "r+b") as file:
            file.seek(size // 2)
            file.write(struct.pack("<f", float("nan")) * (size // 4 - size // 8))
    return kind


def spoil_in_run(t, source, key):
    """Spoils a copy of a data set during a run, restores it, and lets the run reach its end."""
    path = t.root / source.name
    shutil.copy(source, path)
    t.settings = [f"{key}=[{path}]"]
    run = t.start()
    t.pause(share=0.9)
    if not run.alive:
        raise Late
    had_begun = has_begun(run)
    kind = spoil(t, path)
    t.struck(f"{key} {kind}")
    # A file that is open stays as it is.
    code = t.expect(run, {0} if kind in ("replaced", "removed") and had_begun else {0, 1, 2})
    if code in (1, 2) and str(path) not in run.text:
        t.fail(f"the file was not named: {run.text.strip()[-200:]}")
    if code == 2 and "step 1/" in run.text:
        t.fail("exit code 2 for data that became unreadable in training, expected 1")
    shutil.copy(source, path)
    t.finish()


@fault("data truncated, replaced, removed or not finite", 3)
def _(t):
    spoil_in_run(t, t.bench.data, "data.train")


@fault("held-out data truncated, replaced, removed or not finite", 2)
def _(t):
    spoil_in_run(t, t.bench.held_out, "data.validation")
