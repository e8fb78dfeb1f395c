"""Processes that are stopped, and go on or never do."""

import signal
import time

from trials import processes
from trials.program import Late
from trials.settings import TIMEOUT

from . import fault


@fault("stop a rank, go on within the timeout")
def _(t):
    run = t.start()
    t.pause(share=0.9)
    rank = t.signal_rank(run, signal.SIGSTOP)
    t.struck(f"rank {rank} of {t.ranks} stopped for 2 s")
    time.sleep(2)
    t.signal_rank(run, signal.SIGCONT, rank)
    if t.expect(run, {0}) != 0:
        t.fail("a pause of 2 s ended the run")
    t.finish()


@fault("stop a rank, go on after the timeout")
def _(t):
    t.ranks = t.random.choice((2, 3))
    run = t.start()
    run.wait_for_start()
    t.pause(share=0.7)
    rank = t.signal_rank(run, signal.SIGSTOP)
    t.struck(f"rank {rank} of {t.ranks} stopped for {TIMEOUT + 3} s")
    time.sleep(TIMEOUT + 3)
    try:
        t.signal_rank(run, signal.SIGCONT, rank)
    except Late:
        pass
    t.expect(run, {75})
    t.finish()


@fault("stop a rank for ever")
def _(t):
    t.ranks = t.random.choice((2, 3))
    run = t.start(launcher=t.random.choice(("mpirun", "mpirun.sh")))
    run.wait_for_start()
    t.pause(share=0.7)
    rank = t.signal_rank(run, signal.SIGSTOP)
    stopped = time.monotonic()
    t.struck(f"rank {rank} of {t.ranks} stopped for ever ({run.launcher})")
    t.expect(run, {75})
    seconds = time.monotonic() - stopped
    if seconds > TIMEOUT + 15:
        t.fail(f"a stopped rank was found after {seconds:.0f} s")
    if f"rank {rank}" not in run.text and "rank 0" not in run.text:
        t.fail("the stopped rank was not named")
    t.finish()


@fault("stop all processes, go on after the timeout")
def _(t):
    run = t.start()
    t.pause(share=0.9)
    found = processes.marked(run.mark)
    if not found:
        raise Late
    for process in found:
        processes.send(process.pid, signal.SIGSTOP)
    t.struck(f"all stopped for {TIMEOUT + 3} s")
    time.sleep(TIMEOUT + 3)
    for process in found:
        processes.send(process.pid, signal.SIGCONT)
    t.expect(run, {0, 75})
    t.finish()
