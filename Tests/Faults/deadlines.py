"""deadlines.py: runs with random deadlines, long validations, pictures and slow saves.

  python Tests/Faults/deadlines.py --work FOLDER [--sprint PROGRAM] [--runs 20] [--seed S]

Each run has its own random intervals of validations, pictures and saves, a deadline at a whole second of the clock, and
a disk that takes up to two seconds longer for each save (slow_saves.c). Checked: the process is over no later than its
deadline; it does not end earlier than what came next would have taken, plus a tenth, plus half a second to end the
process. What came next is what was due, the longest recent step, and the saves until then, as measured in this run;
what this run never came to, as measured in one without a deadline. Times of a machine with other work vary: let it run
alone. Needs root, h5py and a C compiler.
"""

import math
import time
from datetime import datetime, timezone

from trials import duties, series
from trials.bench import Bench
from trials.table import table
from trials.trial import Trial

MODEL = "model={width: 128, heads: 4, depth: [1, 4, 1], patch: 1, side: 8, channels: 1, classes: 10}"
INTERVALS = {"validation": (9, 30), "pictures": (11, 40), "save": (5, 25)}
FIXED = [MODEL, "threads=2", "stages[0].steps=100000", "stages[0].batch=16", "validation.samples=360",
         "samples.per_class=1", "samples.steps=25", "log.interval=1"]


def prepare(trial, intervals, background):
    """Replaces the settings of the tiny run."""
    trial.ranks, trial.checks_resume = 1, False
    trial.settings = FIXED + [
        f"validation.interval={intervals['validation']}", f"samples.interval={intervals['pictures']}",
        f"checkpoint.interval={intervals['save']}", f"checkpoint.background={str(background).lower()}"]


def meet(trial):
    """One run with a deadline."""
    draw = trial.random
    intervals = {part: draw.randint(*bounds) for part, bounds in INTERVALS.items()}
    slow = draw.choice((0, draw.uniform(0, 2)))
    prepare(trial, intervals, draw.random() < 0.5)
    deadline = math.ceil(time.time() + draw.uniform(4, 25))
    moment = datetime.fromtimestamp(deadline, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    run, watch = duties.start(
        trial, extra=["--deadline", moment], environment=trial.bench.slow_saves()(slow) if slow else None)
    began = time.time()
    trial.struck(f"{moment}, {intervals}, saves {slow:.1f} s slower")
    trial.wait(run)
    ended = time.time() if run.seconds is None else began + run.seconds
    watch.join()
    account = duties.Account(watch.lines)
    coming = account.next(intervals, dict(trial.bench.usual, save=trial.bench.usual["save"] + slow))
    needed = sum(seconds for _, seconds in coming) + duties.TO_LEAVE
    early, allowed = deadline - ended, 1.1 * needed
    if run.code != 75:
        trial.fail(f"exit code {run.code}, expected 75: {run.text.strip()[-200:]}")
    if early < 0:
        trial.fail(f"ended {-early:.2f} s after the deadline")
    if early > allowed:
        trial.fail(f"ended {early:.2f} s early; what came next takes {needed:.2f} s, and a tenth: {allowed:.2f} s")
    trial.figures = dict(
        deadline=deadline - began, ended=ended - began, steps=account.step, early=early, allowed=allowed,
        coming=", ".join(f"{part} {seconds:.2f}" for part, seconds in coming))


def usual(bench):
    """What the parts take in a run without a deadline."""
    trial = Trial(bench, "usual", "undisturbed")
    prepare(trial, dict(validation=10, pictures=12, save=8), True)
    run, watch = duties.start(trial, extra=["--until", "25"])
    trial.wait(run)
    watch.join()
    seconds = duties.Account(watch.lines).seconds
    trial.close()
    return {part: max(seconds[part], default=0) for part in ("step", "validation", "pictures", "save")}


def main():
    options = series.options(__doc__, runs=20)
    bench = Bench(options)
    bench.usual = usual(bench)
    print("undisturbed:", ", ".join(f"{part} {seconds:.2f} s" for part, seconds in bench.usual.items()), flush=True)
    results = series.carry_out(bench, [f"run {number}" for number in range(options.runs)], options.jobs, meet)
    rows = []
    for result in results:
        figures = result["figures"]
        numbers = [f"{figures.get(name, math.nan):.2f}" for name in ("deadline", "ended", "early", "allowed")]
        verdict = "failed" if result["failures"] else "good"
        rows.append((result["number"], *numbers, figures.get("steps"), figures.get("coming"), verdict))
    header = ("run", "deadline, s", "ended at", "early by", "allowed", "steps", "what came next, s", "verdict")
    print(table(header, rows))
    series.leave(results)


if __name__ == "__main__":
    main()
