"""Folders that cannot be written, are moved away, or removed."""

import shutil
import time

from trials.program import Late

from . import fault


def run_until_folder(t):
    """A run at a random moment, with its folder."""
    run = t.start()
    t.pause(share=0.9)
    if not t.folder.exists() or not run.alive:
        raise Late
    return run


@fault("folder cannot be written", 2)
def _(t):
    run = run_until_folder(t)
    folders = [path for path in (t.folder, t.folder / "checkpoints", t.folder / "samples") if path.exists()]
    path = t.random.choice(folders)
    if not t.places.freeze(path):
        raise Late
    t.struck(f"{path.name} read only")
    t.comparison.reason = f"{path.name} could not be written"
    if t.random.random() < 0.5:
        time.sleep(t.random.uniform(0.05, 1))
        t.places.thaw()
    t.expect(run, {0, 1, 2, 75})
    t.places.thaw()
    t.finish()


def move_away(t):
    """Starts a run and moves its folder away; returns the run and where the folder is now."""
    run = run_until_folder(t)
    moved = t.folder.with_name("moved")
    t.folder.rename(moved)
    return run, moved


@fault("folder moved away and back", 3)
def _(t):
    run, moved = move_away(t)
    t.struck("folder moved and back")
    time.sleep(t.random.uniform(0, 0.7))
    if t.folder.exists():
        shutil.rmtree(t.folder)
    moved.rename(t.folder)
    t.expect(run, {0, 1, 2, 75})
    t.comparison.reason = "folder was away"
    t.finish()


@fault("folder moved away until the end", 2)
def _(t):
    run, moved = move_away(t)
    t.struck("folder moved")
    t.expect(run, {0, 1, 2, 75})
    if t.folder.exists():
        t.note(f"the folder was made anew: {sorted(path.name for path in t.folder.iterdir())}")
        shutil.rmtree(t.folder)
    moved.rename(t.folder)
    t.comparison.reason = "folder was away"
    t.finish()


@fault("folder removed")
def _(t):
    run = run_until_folder(t)
    shutil.rmtree(t.folder, ignore_errors=True)
    t.struck("folder removed")
    t.expect(run, {0, 1, 2, 75})
    left = sorted(str(path.relative_to(t.folder)) for path in t.folder.rglob("*")) if t.folder.exists() else []
    t.note(f"left: {left or 'nothing'}")
    shutil.rmtree(t.folder, ignore_errors=True)
    t.finish()
