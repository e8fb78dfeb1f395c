"""One start of sprint."""

import os
import re
import signal
import subprocess
import time

from . import processes
from .settings import TIMEOUT

LIMIT = 90  # seconds: whoever runs longer hangs
CRASH = re.compile(
    r"Fatal error|Illegal instruction|Segmentation fault|SIGSEGV|SIGILL|SIGTRAP|Assertion|core dumped|Bus error")
BEGUN = re.compile(r"weights, \d+ images")


class Late(Exception):
    """The run was over before the fault could strike."""


class Run:
    """One start of the program, alone or by a launcher. Its output is a file, unless `output` is given."""

    def __init__(self, command, log, mark, program, *, environment=None, output=None, cwd=None):
        self.command, self.log, self.mark, self.program = command, log, mark, program
        self.problems, self.code, self.seconds = [], None, None
        variables = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
        variables.update(environment or {}, SPRINT=str(program), **{processes.MARK: mark})
        for name in ("COLUMNS", "SLURM_JOB_END_TIME"):
            variables.pop(name, None)
        self.began = time.monotonic()
        with open(log, "wb") as file:
            self.process = subprocess.Popen(
                command, stdout=output or file, stderr=output or subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env=variables, start_new_session=True, cwd=cwd)

    @property
    def text(self):
        return self.log.read_text(errors="replace")

    @property
    def alive(self):
        return self.process.poll() is None

    @property
    def has_begun(self):
        """Whether training is about to begin: what is wrong later is no mistake of the user."""
        return BEGUN.search(self.text) is not None

    # Signals

    def rank_pids(self):
        """The pids of sprint's processes by rank; alone it is rank 0."""
        return {found.rank or 0: found.pid for found in processes.marked(self.mark) if found.name == self.program.name}

    def pid_of(self, rank, random):
        """Waits for a rank, or for any; (rank, pid)."""
        until = time.monotonic() + 5
        while time.monotonic() < until and self.alive:
            pids = self.rank_pids()
            if pids and (rank is None or rank in pids):
                rank = random.choice(sorted(pids)) if rank is None else rank
                return rank, pids[rank]
        raise Late

    def signal_rank(self, number, random, rank=None):
        """Signals this rank, or a random one; returns the rank."""
        rank, pid = self.pid_of(rank, random)
        processes.send(pid, number)
        return rank

    # Waiting

    def wait_for(self, condition, seconds=30):
        """Waits until a condition holds; Late if the run ends before."""
        until = time.monotonic() + seconds
        while not condition():
            if not self.alive or time.monotonic() > until:
                raise Late
            time.sleep(0.001)

    def wait_for_start(self):
        self.wait_for(lambda: self.has_begun)

    def wait_for_step(self, step):
        self.wait_for(lambda: f"step {step}/" in self.text)

    def wait(self, limit=LIMIT):
        """Waits for the end. Hanging, crashing and leaving processes behind are problems."""
        try:
            self.code = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.problems.append(f"hang: did not end within {limit} s ({self.log.name})")
            self.kill()
        self.seconds = time.monotonic() - self.began
        self.look_for_orphans()
        if match := CRASH.search(self.text):
            self.problems.append(f"crash: `{match[0]}` in {self.log.name}")
        return self.code

    def kill(self):
        """Kills every process of this start."""
        for found in processes.marked(self.mark):
            processes.send(found.pid, signal.SIGKILL)
        self.code = self.process.wait()

    def look_for_orphans(self):
        until = time.monotonic() + TIMEOUT + 10
        while left := processes.marked(self.mark):
            if time.monotonic() > until:
                self.problems.append(f"left {TIMEOUT + 10} s after the launcher's end: {left}")
                return self.kill()
            time.sleep(0.05)
