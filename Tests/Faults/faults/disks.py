"""Disks that are full at the start, for a while, or to the end."""

import time

from trials.places import fill
from trials.program import Late

from . import fault

LEFT = (0, 0, 4096, 20_000, 600_000)


def saving(t):
    """Random settings of checkpoints."""
    failure, background = t.random.choice(("continue", "stop")), t.random.choice(("true", "false"))
    return [f"checkpoint.on_failure={failure}", f"checkpoint.background={background}"]


@fault("disk full for a while", 3)
def _(t):
    disk = t.mount(12)
    t.settings = saving(t)
    run = t.start()
    t.pause(share=0.9)
    filler = fill(disk, t.random.choice(LEFT))
    t.struck(f"disk full, {t.settings}")
    time.sleep(t.random.uniform(0.02, 1.5))
    filler.unlink()
    t.comparison.reason = "disk was full"
    t.expect(run, {0, 1, 75})
    t.finish()


@fault("disk full to the end", 3)
def _(t):
    disk = t.mount(12)
    t.settings = saving(t)
    run = t.start(extra=["--patience", "2"])
    t.pause(share=0.9)
    if not run.alive:
        raise Late
    filler = fill(disk, t.random.choice(LEFT))
    t.struck(f"disk full, {t.settings}")
    t.comparison.reason = "disk was full"
    t.expect(run, {1, 75})
    again = t.start(extra=["--patience", "2"])  # with the disk still full
    t.expect(again, {0, 1, 75})
    t.note(f"with the disk still full: exit code {again.code}: {again.text.strip()[-120:]}")
    filler.unlink()
    t.finish()


@fault("disk full at the start", 2)
def _(t):
    disk = t.mount(12)
    filler = fill(disk)
    returns = t.random.random() < 0.5
    patience = 30 if returns else 2
    run = t.start(extra=["--patience", str(patience)])
    t.struck(f"disk full at the start, {'space returns' if returns else f'patience {patience} s'}")
    if returns:
        time.sleep(t.random.uniform(0.5, 3))
        filler.unlink()
        if t.wait(run) != 0:
            t.fail(f"exit code {run.code} though space returned: {run.text.strip()[-200:]}")
    else:
        if t.wait(run) != 75:
            t.fail(f"exit code {run.code} on a full disk, expected 75: {run.text.strip()[-200:]}")
        if not patience <= run.seconds <= patience + 8:
            t.fail(f"ended after {run.seconds:.1f} s with a patience of {patience} s")
        if "No space left" not in run.text:
            t.fail(f"does not name the full disk: {run.text.strip()[-200:]}")
        filler.unlink()
    t.finish()
