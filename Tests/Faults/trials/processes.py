"""Processes that a trial has started, found by a mark in their environment."""

import os
import re
import signal
from collections import namedtuple
from pathlib import Path

MARK = "SPRINT_TRIAL"
# The signals that ask sprint to stop.
STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)

Process = namedtuple("Process", "pid rank name")


def hear_all_signals():
    """Takes back what a shell or nohup has set: who is started with a signal ignored passes that on to its children."""
    for number in STOPS:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def marked(mark):
    """Living processes with this mark: pid, rank (or None) and name of the program."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            environment = Path(f"/proc/{entry}/environ").read_bytes()
            if f"{MARK}={mark}\0".encode() not in environment + b"\0":
                continue
            if re.search(r"^State:\s+[ZX]", Path(f"/proc/{entry}/status").read_text(), re.M):
                continue
            name = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
        except OSError:
            continue
        rank = re.search(rb"OMPI_COMM_WORLD_RANK=(\d+)", environment)
        found.append(Process(int(entry), int(rank[1]) if rank else None, os.path.basename(name)))
    return found


def send(pid, number):
    """Sends a signal to a process that may have ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def holds_signal(pid, number):
    """Whether a process blocks or catches a signal: until `main` begins, the system ends it on a signal."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    blocked, caught = (int(re.search(rf"^{name}:\s+(\w+)", status, re.M)[1], 16) for name in ("SigBlk", "SigCgt"))
    # A program that has just been put in mpirun's place has mpirun's handlers for a moment. sprint catches no CHLD.
    has_foreign_handlers = caught >> (signal.SIGCHLD - 1) & 1
    return bool(blocked >> (number - 1) & 1 or caught >> (number - 1) & 1 and not has_foreign_handlers)
