"""A trial: one run in its own folder, disturbed by a fault, restarted until it is done, and compared with the truth."""

import json
import random
import re
import shutil
import time

from . import checkpoints
from .comparison import Comparison
from .places import Places
from .program import LIMIT, Late, Run
from .settings import RANKS, SETTINGS, STEPS, words

ATTEMPTS = 8  # restarts until a run has to be done


class Trial:
    """One trial. A kind of fault is a function of it."""

    def __init__(self, bench, number, kind):
        self.bench, self.number, self.kind = bench, number, kind
        self.random = random.Random(f"{bench.seed}:{number}:{kind}")
        self.root = bench.work / "trials" / f"{bench.seed}.{number}"
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        self.folder = self.root / "run"
        self.ranks, self.settings = self.random.choice(RANKS), []
        self.checks_resume = True
        self.runs, self.failures, self.notes, self.strikes = [], [], [], 0
        self.places, self.comparison = Places(), Comparison()

    def fail(self, text):
        self.failures.append(text)

    def note(self, text):
        self.notes.append(text)

    def struck(self, text):
        """A fault has struck."""
        self.strikes += 1
        self.note(text)

    def mount(self, megabytes):
        """Puts the run's folder on a small disk of its own; returns the disk."""
        disk = self.places.mount(self.root / "disk", megabytes)
        self.folder = disk / "run"
        return disk

    # Starting

    def train(self, extra=()):
        """The words of the command that trains, without the program."""
        settings = words(SETTINGS + self.settings)
        return ["train", "--config", str(self.bench.configuration), "--run", str(self.folder), *settings, *extra]

    def command(self, ranks, launcher, extra=()):
        """The command of a launcher: `alone`, `mpirun`, `mpirun.sh` or `restart.sh`."""
        train, launch = self.train(extra), self.bench.checkout / "launch"
        resumed = [str(self.bench.sprint), *train, "--resume", "auto"]
        wrapped = [str(launch / "mpirun.sh"), str(self.bench.configuration), str(ranks), "1", *train[3:]]
        return {
            "alone": resumed,
            "mpirun": ["mpirun", "--oversubscribe", "-np", str(ranks), *resumed],
            "mpirun.sh": wrapped,
            "restart.sh": [str(launch / "restart.sh"), "-k", "4", str(self.folder), *wrapped],
        }[launcher]

    def start(self, ranks=None, launcher=None, extra=(), command=None, environment=None, output=None):
        """Starts the program with `--resume auto`; `command` replaces the whole command."""
        ranks = ranks or self.ranks
        launcher = launcher or ("alone" if ranks == 1 else "mpirun")
        newest = checkpoints.newest_whole(self.folder)
        number = len(self.runs)
        run = Run(
            command or self.command(ranks, launcher, extra), self.root / f"log-{number}.txt",
            f"{self.bench.seed}.{self.number}-{number}", self.bench.sprint,
            environment=dict(environment or {}, TMPDIR=str(self.bench.temporary)), output=output, cwd=self.root)
        run.ranks, run.launcher, run.expected = ranks, launcher, newest
        self.runs.append(run)
        return run

    def pause(self, share=1.0, start=0.0):
        """Sleeps until a random moment of a run."""
        time.sleep(self.random.uniform(start, share) * self.bench.moments)

    def signal_rank(self, run, number, rank=None):
        """Signals a rank, or a random one; returns the rank."""
        return run.signal_rank(number, self.random, rank)

    # Ends

    def wait(self, run, limit=LIMIT):
        """Waits for the end of a run and checks what holds at every end."""
        code = run.wait(limit)
        self.failures += run.problems
        if self.checks_resume and run.launcher != "restart.sh":
            self.check_resume(run)
        return code

    def check_resume(self, run):
        """Fails unless the run went on from the newest whole checkpoint, and from zero only where there was none."""
        resumed = re.search(r"resumed at step (\d+)", run.text)
        if resumed and int(resumed[1]) != (run.expected or 0):
            self.fail(f"resumed at {resumed[1]}, the newest whole checkpoint is {run.expected} ({run.log.name})")
        elif run.has_begun and not resumed and run.expected is not None:
            self.fail(f"started from zero, though step {run.expected} is whole ({run.log.name})")

    def expect(self, run, codes, limit=LIMIT):
        """Waits; the exit code has to be one of these, or 0 if all was done."""
        code = self.wait(run, limit)
        is_done = f"done: {self.folder}" in run.text
        if code not in codes and not (code == 0 and is_done):
            self.fail(
                f"exit code {code} of {run.launcher} x {run.ranks}, expected {sorted(codes)} ({run.log.name}): "
                f"{run.text.strip()[-200:]}")
        if code == 0 and not is_done:
            self.fail(f"exit code 0, but not done ({run.log.name})")
        return code

    def finish(self, ranks=None, refusal=None):
        """Restarts until the run is done, then compares everything with the truth. With `refusal`, exit code 2 with
        such a text is as good."""
        for _ in range(ATTEMPTS):
            run = self.start(ranks)
            code = self.wait(run)
            if code == 0:
                return self.compare()
            if code == 2 and refusal and re.search(refusal, run.text):
                return self.note("refused: " + re.search(refusal + ".*", run.text)[0][:160])
            if code != 75:
                return self.fail(f"restart ended with {code}: {run.text.strip()[-300:]} ({run.log.name})")
        self.fail(f"not done after {ATTEMPTS} restarts")

    def compare(self):
        """Holds what the finished run has left against the undisturbed one, apart from what it said that it gave up."""
        for run in self.runs:
            for found in re.finditer(r"^(.+): steps (\d+) to (\d+) could not be written to the end", run.text, re.M):
                name = found[1].removeprefix(f"{self.folder}/").split("/")[0]
                self.comparison.given_up[name] |= set(range(int(found[2]), int(found[3]) + 1))
        self.failures += self.comparison.problems(self.folder, self.bench.truth(self.ranks))
        if checkpoints.newest_whole(self.folder) != STEPS:
            self.fail(f"the last checkpoint is not whole; whole are {checkpoints.whole(self.folder)}")

    def carry_out(self, fault):
        """Lets a fault strike; returns what happened."""
        began, is_late = time.monotonic(), False
        try:
            fault(self)
        except Late:
            is_late = True
            self.finish_undisturbed()
        except Exception as error:
            self.fail(f"the trial itself: {error!r}")
        self.close()
        return dict(
            number=self.number, kind=self.kind, ranks=self.ranks, strikes=self.strikes, late=is_late,
            failures=self.failures, notes=self.notes, codes=[run.code for run in self.runs],
            seconds=round(time.monotonic() - began, 1))

    def finish_undisturbed(self):
        """Ends a trial whose fault came too late: the run still has to come out right."""
        try:
            for run in self.runs:
                if run.code is None:
                    self.wait(run)
            self.places.thaw()
            self.finish()
        except Exception as error:
            self.fail(f"the trial itself: {error!r}")

    def close(self):
        """Ends what is left, and keeps the folder of a trial that failed."""
        for run in self.runs:
            if run.alive or run.code is None:
                run.kill()
        self.places.thaw()
        if self.failures:
            kept = self.bench.work / "failed" / f"{self.root.name}-{re.sub('[^a-z0-9]+', '-', self.kind.lower())}"
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(self.root, kept, symlinks=True, ignore=shutil.ignore_patterns("filler", "*.fifo"))
            commands = [" ".join(f"'{word}'" for word in run.command) for run in self.runs]
            told = dict(kind=self.kind, notes=self.notes, failures=self.failures, commands=commands)
            (kept / "trial.json").write_text(json.dumps(told, indent=1))
        self.places.unmount()
        shutil.rmtree(self.root, ignore_errors=True)
