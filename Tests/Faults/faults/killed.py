"""Processes that are killed."""

import os
import signal
import time

from trials import processes
from trials.program import Late
from trials.settings import RANKS

from . import DEADLY, fault, start_launcher


@fault("kill -9 a rank", 3)
def _(t):
    run = t.start()
    t.pause()
    rank = t.signal_rank(run, signal.SIGKILL)
    t.struck(f"rank {rank} of {t.ranks} killed")
    t.expect(run, DEADLY)
    t.finish()


@fault("kill -9 several ranks and mpirun")
def _(t):
    t.ranks = t.random.choice((2, 3))
    run = t.start()
    t.pause()
    found = processes.marked(run.mark)
    victims = t.random.sample(found, t.random.randint(1, len(found))) if found else []
    if not run.alive:
        raise Late
    for victim in victims:
        processes.send(victim.pid, signal.SIGKILL)
    t.struck(f"killed {[(victim.name, victim.rank) for victim in victims]}")
    t.expect(run, DEADLY)
    t.finish()


@fault("kill -9 mpirun")
def _(t):
    run = start_launcher(t)
    processes.send(run.process.pid, signal.SIGKILL)
    t.struck("mpirun killed")
    t.expect(run, {-9})
    t.finish()


@fault("kill -9 while saving", 3)
def _(t):
    run = t.start()
    count = t.random.randint(1, 12)
    seen = set()

    def is_saving():
        try:
            names = os.listdir(t.folder / "checkpoints")
        except OSError:
            return False
        seen.update(name for name in names if name.endswith(".partial"))
        return len(seen) >= count

    run.wait_for(is_saving)
    time.sleep(t.random.uniform(0, 0.05))
    t.signal_rank(run, signal.SIGKILL, rank=0)
    t.struck(f"rank 0 killed at save {count}; there were {sorted(os.listdir(t.folder / 'checkpoints'))[-3:]}")
    t.expect(run, DEADLY)
    t.finish()


@fault("kill -9 at once and again (crash loop)", 2)
def _(t):
    for _ in range(t.random.randint(3, 7)):
        run = t.start()
        t.pause(share=1.2)
        try:
            rank = t.signal_rank(run, signal.SIGKILL)
        except Late:
            t.wait(run)
            break
        t.struck(f"rank {rank} killed after {time.monotonic() - run.began:.2f} s")
        t.expect(run, DEADLY)
    t.finish()


@fault("on other ranks", 2)
def _(t):
    t.comparison.tolerance = t.bench.rounding
    for _ in range(t.random.randint(1, 3)):
        ranks = t.random.choice(RANKS)
        run = t.start(ranks)
        t.pause()
        number = t.random.choice((signal.SIGKILL, signal.SIGTERM))
        try:
            t.signal_rank(run, number)
        except Late:
            t.wait(run)
            continue
        t.struck(f"{number.name} on {ranks} ranks")
        t.expect(run, DEADLY | {143, -15})
    t.finish(t.random.choice(RANKS))


@fault("restart.sh under fire")
def _(t):
    t.ranks = t.random.choice((2, 3))
    run = t.start(launcher="restart.sh")
    for _ in range(t.random.randint(2, 4)):
        time.sleep(t.random.uniform(0.3, 2))
        try:
            t.struck(f"killed rank {t.signal_rank(run, signal.SIGKILL)}")
        except Late:
            break
    if not t.strikes:
        raise Late
    t.expect(run, {137, 75})
    t.finish()
