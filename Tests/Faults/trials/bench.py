"""Where trials take place: the program under test, a folder to work in, and the truth."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from . import processes
from .settings import RANKS, ROUNDING, write_configuration
from .trial import Trial

CHECKOUT = Path(__file__).resolve().parents[3]


def add_options(parser):
    """Options that all programs of this folder have."""
    parser.add_argument("--sprint", help="the program; .build/release/sprint of the checkout if left out")
    parser.add_argument("--work", required=True, help="a folder for the runs; what failed is kept in WORK/failed")
    parser.add_argument("--precision", choices=ROUNDING, default="float32", help="the precision of all runs")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="seed of all random moments")


class Bench:
    """The program under test, a folder to work in, and the truth: a run for each number of ranks, never disturbed."""

    def __init__(self, options):
        if os.geteuid() != 0:
            sys.exit("these trials mount disks and make namespaces: run them as root")
        processes.hear_all_signals()
        self.seed, self.checkout = options.seed, CHECKOUT
        self.sprint = Path(options.sprint or CHECKOUT / ".build/release/sprint").resolve()
        self.work = Path(options.work).resolve()
        self.temporary = self.work / "t"
        self.temporary.mkdir(parents=True, exist_ok=True)
        self.configuration = write_configuration(CHECKOUT, self.work / "base.yaml", options.precision)
        self.rounding = ROUNDING[options.precision]
        self.data = CHECKOUT / "configs/data/digits.h5"
        self.held_out = CHECKOUT / "configs/data/digits-holdout.h5"
        self.seconds = {}
        # Seconds of a run, for random moments. It grows with the number of trials at a time.
        self.moments = 3.0
        told = subprocess.run([self.sprint, "train", "--help"], capture_output=True, text=True).stdout
        self.has_patience = "--patience" in told

    def truth(self, ranks):
        """The folder of the run on so many ranks that was never disturbed."""
        return self.work / "truth" / str(ranks) / "run"

    def make_truths(self, ranks=RANKS):
        """Trains undisturbed on each number of ranks. Up to rounding all must agree."""
        for count in ranks:
            trial = Trial(self, f"truth{count}", "truth")
            trial.ranks = count
            run = trial.start()
            if trial.wait(run) != 0 or trial.failures:
                sys.exit(f"the undisturbed run failed: {trial.failures} {run.text[-800:]}")
            self.seconds[count] = run.seconds
            shutil.rmtree(self.truth(count).parent, ignore_errors=True)
            shutil.copytree(trial.root, self.truth(count).parent)
            trial.ranks, trial.comparison.tolerance = ranks[0], self.rounding
            trial.compare()
            if trial.failures:
                sys.exit(f"the truths differ: {trial.failures}")
            trial.close()
        self.moments = min(self.seconds.values())

    def slow_saves(self):
        """The library that makes saves slow; the variables that load it into sprint. See slow_saves.c."""
        library = self.work / "slow_saves.so"
        source = Path(__file__).resolve().parents[1] / "slow_saves.c"
        if not library.exists() or library.stat().st_mtime < source.stat().st_mtime:
            made = library.with_name(f"slow_saves-{os.getpid()}.so")
            subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", made, source, "-ldl"], check=True)
            made.rename(library)
        return lambda seconds: {"LD_PRELOAD": str(library), "SLOW_SAVES": f"{seconds:.3f}"}
