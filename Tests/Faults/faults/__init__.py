"""The kinds of fault: each is a function of a trial, registered by name and weight."""

import re
import signal

from trials.program import Late

KINDS = {}
# Exit codes of a rank that was killed: mpirun tells 137, others that lost it first 75.
DEADLY = {137, -9, 1, 75}
STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP)


def fault(name, weight=1):
    """Registers a kind of fault."""
    def register(function):
        KINDS[name] = (function, weight)
        return function
    return register


def start_launcher(t):
    """Starts two or three ranks and waits for a random moment at which their mpirun is alive."""
    t.ranks = t.random.choice((2, 3))
    run = t.start()
    t.pause()
    if not run.alive:
        raise Late
    return run


def has_begun(run):
    """Whether training is about to begin."""
    return re.search(r"weights, \d+ images", run.text) is not None


from . import damaged, data, disks, folders, frozen, killed, signalled, together  # noqa: E402, F401
