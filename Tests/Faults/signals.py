"""signals.py: SIGTERM at random moments within the first second of `train`.

  python Tests/Faults/signals.py --work FOLDER [--sprint PROGRAM] [--single 150] [--ranks 50] [--jobs 2] [--seed S]

Single processes get the signal themselves. Of two ranks started by launch/mpirun.sh, one rank gets it in half of the
trials, within a second after it has appeared, and the launcher in the other half. Checked: the exit code is 75, the
output says that the run stops, and `--resume auto` reaches the bits of an undisturbed run. Until `main` begins, and
until a launcher listens, nobody can say anything: then the signal's own end is right, if there is no run folder yet.
Needs root and h5py.
"""

import collections
import re
import signal
import time

from trials import processes, series
from trials.bench import Bench
from trials.program import Late
from trials.table import table

KILLED = {-signal.SIGTERM, 128 + signal.SIGTERM}
SAID = re.compile(r"stop|signal|interrupted", re.I)


def strike(trial):
    """One SIGTERM."""
    trial.ranks = 1 if trial.kind == "single process" else 2
    run = trial.start(launcher="alone" if trial.ranks == 1 else "mpirun.sh")
    moment = trial.random.uniform(0, 1)
    is_rank = trial.kind == "rank of two"
    began = time.monotonic()
    if is_rank:
        run.wait_for(lambda: len(run.rank_pids()) == 2)
        began = time.monotonic()
    time.sleep(max(0, began + moment - time.monotonic()))
    pid = trial.random.choice(sorted(run.rank_pids().values())) if is_rank else run.process.pid
    if not run.alive:
        raise Late
    listens = processes.holds_signal(pid, signal.SIGTERM)
    processes.send(pid, signal.SIGTERM)
    trial.struck(f"SIGTERM after {moment * 1000:.0f} ms to {trial.kind}, {'' if listens else 'not '}held or caught")
    code, has_folder = trial.wait(run), trial.folder.exists()
    trial.figures = dict(outcome=judge(trial, run, code, listens, has_folder))
    trial.finish()


def judge(trial, run, code, listens, has_folder):
    """The outcome in a word; fails the trial if it is not allowed."""
    told = run.text.strip()[-200:]
    if code == 75:
        if not SAID.search(run.text):
            trial.fail(f"exit code 75 without a word: {told!r}")
        return "75, saved" if has_folder else "75, no folder yet"
    if not listens and code in KILLED and not has_folder:
        return "before main"
    trial.fail(f"exit code {code}, {'with' if has_folder else 'without'} a folder, {trial.notes}: {told!r}")
    return "wrong"


def main():
    options = series.options(__doc__, single=150, ranks=50)
    bench = Bench(options)
    bench.make_truths(ranks=(1, 2))
    wanted = ["single process"] * options.single
    wanted += [("rank of two", "launcher of two")[number % 2] for number in range(options.ranks)]
    results = series.carry_out(bench, wanted, options.jobs, strike)
    counts = collections.Counter((result["kind"], result["figures"].get("outcome", "too late")) for result in results)
    failed = collections.Counter(result["kind"] for result in results if result["failures"])
    outcomes = ("75, saved", "75, no folder yet", "before main", "too late", "wrong")
    print(table(("SIGTERM to", "tries", *outcomes, "failed"), [
        (kind, wanted.count(kind), *(counts[kind, outcome] for outcome in outcomes), failed[kind])
        for kind in sorted(set(wanted))]))
    series.leave(results)


if __name__ == "__main__":
    main()
