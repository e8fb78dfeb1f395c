"""What the parts of a run took, from its output with the time of each line, and what came next when it stopped."""

import re
import subprocess
import threading
import time
from collections import defaultdict

TO_LEAVE = 0.5  # seconds to end a process


class Watch:
    """Notes the clock's time of each line of a run's output, and keeps the output in its log."""

    def __init__(self, run):
        self.lines = []
        self._reader = threading.Thread(target=self._read, args=(run,))
        self._reader.start()

    def _read(self, run):
        with open(run.log, "wb") as log:
            for line in run.process.stdout:
                self.lines.append((time.time(), line.decode(errors="replace").strip()))
                log.write(line)
                log.flush()

    def join(self):
        self._reader.join()


class Account:
    """The seconds of each kind of part, in order, and how far the run came."""

    def __init__(self, lines):
        self.step, self.seconds = 0, defaultdict(list)
        # What came to its end after the last step; of saves, one that was under way.
        self.done = set()
        before = None
        for moment, line in lines:
            self._take(moment, line, before)
            before = moment

    def _take(self, moment, line, before):
        if match := re.match(r"step (\d+)/", line):
            self.step, self.done = int(match[1]), set()
            if before:
                self.seconds["step"].append(moment - before)
        elif match := re.match(r"checkpoint .*step-(\d+)\.h5 in ([\d.]+) s", line):
            if int(match[1]) < self.step:
                self.done.add("save")
            self.seconds["save"].append(float(match[2]))
        elif "validation" in line and before:
            self.done.add("validation")
            self.seconds["validation"].append(moment - before)
        elif line.startswith("samples ") and before:
            self.done.add("pictures")
            self.seconds["pictures"].append(moment - before)

    def next(self, intervals, usual):
        """What would have come next, as (part, seconds): what was due after the last step, the next step, the saves.
        `intervals` are steps between parts, `usual` the seconds of those that this run never came to."""
        def cost(part):
            recent = self.seconds[part][-20:]
            return max(recent) if recent else usual[part]

        due = {part for part, interval in intervals.items() if self.step and self.step % interval == 0}
        parts = [part for part in ("validation", "pictures") if part in due - self.done]
        saves = 2 if "save" in due | self.done else 1
        return [(part, cost(part)) for part in [*parts, "step", *["save"] * saves]]


def start(trial, **arguments):
    """Starts a run whose output is watched."""
    run = trial.start(output=subprocess.PIPE, **arguments)
    return run, Watch(run)
