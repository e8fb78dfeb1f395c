"""Requests to stop: signals, the stop file, the deadline."""

import os
import re
import signal
import time

from trials import processes
from trials.program import Late
from trials.settings import STEPS

from . import DEADLY, STOPS, fault, has_begun, start_launcher


def signal_rank(t, numbers):
    """Asks a rank to stop by one of some signals."""
    run = t.start()
    run.wait_for_start()
    t.pause(share=0.8)
    number = t.random.choice(numbers)
    rank = t.signal_rank(run, number)
    t.struck(f"{number.name} to rank {rank} of {t.ranks}")
    t.expect(run, {75})
    t.finish()


@fault("a signal to a rank", 3)
def _(t):
    signal_rank(t, STOPS)


@fault("HUP or USR2 to a rank", 2)
def _(t):
    signal_rank(t, (signal.SIGHUP, signal.SIGUSR2))


@fault("two or three signals at once", 2)
def _(t):
    run = t.start()
    run.wait_for_start()
    t.pause(share=0.8)
    told = []
    for _ in range(t.random.randint(2, 3)):
        number = t.random.choice(STOPS)
        try:
            told.append((number.name, t.signal_rank(run, number)))
        except Late:
            break
        time.sleep(t.random.choice((0, 0, 0.01, 0.1)))
    if not told:
        raise Late
    t.struck(f"{told}")
    t.expect(run, {75})
    t.finish()


@fault("a second signal while saving", 2)
def _(t):
    t.ranks = 1
    run = t.start(environment=t.bench.slow_saves()(8))
    run.wait_for_start()
    t.pause(share=0.4)
    first, second = (t.random.choice((signal.SIGTERM, signal.SIGINT, signal.SIGHUP)) for _ in range(2))
    t.signal_rank(run, first)
    time.sleep(t.random.uniform(0.6, 1.5))
    t.signal_rank(run, second)
    struck = time.monotonic()
    t.struck(f"{first.name}, then {second.name}")
    t.expect(run, {75, -second, 128 + second})
    if (seconds := time.monotonic() - struck) > 1.5:
        t.fail(f"the second signal ended the process after {seconds:.1f} s, expected 1 s")
    t.finish()


@fault("a signal in start-up", 2)
def _(t):
    run = t.start()
    time.sleep(t.random.uniform(0, 0.6 if t.ranks > 1 else 0.15))
    number = t.random.choice(STOPS)
    pids = run.rank_pids()
    if not pids:
        raise Late
    rank = t.random.choice(sorted(pids))
    listens = processes.holds_signal(pids[rank], number)
    processes.send(pids[rank], number)
    t.struck(f"{number.name} to rank {rank} of {t.ranks} after {time.monotonic() - run.began:.2f} s")
    # Until `main` begins a signal ends a process as the system does; later it may not be lost.
    code = t.expect(run, {75} if listens else {75, -number, 128 + number})
    if code == 0:
        t.fail(f"{number.name} was lost: the run went on to its end")
    if code not in (0, 75):
        t.note(f"ended by the signal itself: {code}")
    t.finish()


@fault("a signal while saving", 2)
def _(t):
    run = t.start()
    run.wait_for(lambda: list(t.folder.glob("checkpoints/*.partial")))
    number = t.random.choice(STOPS)
    rank = t.signal_rank(run, number)
    t.struck(f"{number.name} to rank {rank} of {t.ranks} while saving")
    t.expect(run, {75})
    t.finish()


@fault("TERM, USR1 or kill -9 while sampling", 2)
def _(t):
    run = t.start()
    step = t.random.choice((50, 90, 100, STEPS))
    run.wait_for_step(step)
    time.sleep(t.random.uniform(0, 0.1))
    number = t.random.choice((signal.SIGTERM, signal.SIGUSR1, signal.SIGKILL))
    rank = t.signal_rank(run, number)
    pictures = sorted(os.listdir(t.folder / "samples"))[-1:]
    t.struck(f"{number.name} to rank {rank} of {t.ranks} after step {step}, pictures {pictures}")
    t.expect(run, DEADLY if number == signal.SIGKILL else {75})
    t.finish()


@fault("a signal to mpirun")
def _(t):
    run = start_launcher(t)
    number = t.random.choice((signal.SIGTERM, signal.SIGINT, signal.SIGUSR1))
    # Until it listens mpirun dies of USR1, as of any signal.
    listens = processes.holds_signal(run.process.pid, number)
    processes.send(run.process.pid, number)
    t.struck(f"{number.name} to mpirun")
    # TERM and INT make mpirun kill its ranks; its codes are its own. Ranks that have not begun die of USR1 too.
    t.expect(run, {75} if number == signal.SIGUSR1 and listens and has_begun(run)
             else {75, 1, 130, 143, 137, 138, -15, -2, -10})
    t.finish()


@fault("a signal to mpirun.sh", 2)
def _(t):
    run = t.start(launcher="mpirun.sh")
    run.wait_for_start()
    t.pause(share=0.8)
    number = t.random.choice((signal.SIGTERM, signal.SIGINT, signal.SIGUSR1))
    if not run.alive or not run.rank_pids():
        raise Late
    processes.send(run.process.pid, number)
    t.struck(f"{number.name} to mpirun.sh")
    t.expect(run, {75})
    t.finish()


@fault("stop file")
def _(t):
    run = t.start(extra=["--deadline", "1h"])
    run.wait_for_start()
    t.pause(share=0.5)
    (t.folder / "stop").touch()
    t.struck("stop file")
    t.expect(run, {75, 0})
    (t.folder / "stop").unlink(missing_ok=True)
    t.finish()


@fault("deadline")
def _(t):
    seconds = t.random.uniform(0.2, 5)
    run = t.start(extra=["--deadline", f"{seconds:.2f}s"])
    t.struck(f"deadline after {seconds:.2f} s")
    # Three ranks on two cores may need longer to begin.
    run.wait_for_start()
    start = time.monotonic() - run.began
    t.expect(run, {75, 0})
    late = run.seconds - max(seconds, start)
    # mpirun ends up to two seconds after ranks that end with 75, and at once after those that end with 0.
    if has_begun(run) and re.search(r"step \d+/", run.text) and late > (1 if t.ranks == 1 else 3):
        t.fail(f"ended {late:.1f} s after the deadline, or after the start if that came later")
    t.finish()
