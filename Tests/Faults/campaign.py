"""campaign.py: throws faults at `sprint train`, and checks that every run ends in the bits of one never disturbed.

  python Tests/Faults/campaign.py --work FOLDER [--sprint PROGRAM] [--precision float32|bfloat16] [--trials N]
      [--seconds N] [--seed S] [--jobs N]

Needs root, h5py and Open MPI. A tiny configuration is trained undisturbed on 1, 2 and 3 ranks: the truth. Then trial
after trial: one kind of fault, at random moments, and `--resume auto` until the run is done. Trial K of seed S draws
from the seed "S:K:KIND" alone (the moments also hang on the machine); `--seed S --only K` repeats it.

Checked after each: exit codes; time limit; `resumed at step` of the newest whole checkpoint; the last checkpoint bit
for bit (up to rounding if the number of ranks changed); metrics.jsonl, TensorBoard and pictures, every step once,
with the truth's numbers; nothing half written; no process left. What failed is kept in FOLDER/failed.
"""

import argparse
import collections
import json
import os
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from faults import KINDS
from trials import bench
from trials.table import table
from trials.trial import Trial


def kind_of(seed, number, kinds):
    """Weighted, in shuffled rounds, so that every kind has its turn early."""
    cycle = [name for name in kinds for _ in range(KINDS[name][1])]
    random.Random(f"{seed}:{number // len(cycle)}").shuffle(cycle)
    return cycle[number % len(cycle)]


def summary(results):
    """A row for each kind of fault."""
    columns = ("strikes", "failures", "late", "seconds")
    rows = collections.defaultdict(lambda: dict(trials=0, **dict.fromkeys(columns, 0)))
    for result in results:
        for name in (result["kind"], "all"):
            row = rows[name]
            row["trials"] += 1
            for column in columns:
                row[column] += bool(result[column]) if column in ("failures", "late") else result[column]
    order = sorted(rows, key=lambda name: (name == "all", name))
    header = ("kind", "trials", "faults", "trials failed", "too late", "seconds a trial")
    return table(header, [
        (name, row["trials"], row["strikes"], row["failures"], row["late"], f"{row['seconds'] / row['trials']:.1f}")
        for name, row in ((name, rows[name]) for name in order)])


def tell(result):
    """Prints a trial."""
    print(f"{'FAILED' if result['failures'] else 'passed'} {result['number']} {result['kind']} x{result['ranks']} "
          f"codes {result['codes']}")
    for text in result["notes"]:
        print("    ", text)
    for text in result["failures"]:
        print("  ** ", text)
    sys.stdout.flush()


def carry_out(place, options):
    """Carries out the trials, some at a time; returns their results."""
    until = time.monotonic() + options.seconds
    numbers = range(options.trials) if options.only is None else [options.only]
    results = []

    def one(number):
        if time.monotonic() > until:
            return None
        kind = kind_of(options.seed, number, options.kind or list(KINDS))
        return Trial(place, number, kind).carry_out(KINDS[kind][0])

    with open(place.work / f"results-{options.seed}.jsonl", "a") as file, ThreadPoolExecutor(options.jobs) as pool:
        for result in pool.map(one, numbers):
            if result is None:
                continue
            results.append(result)
            file.write(json.dumps(result) + "\n")
            file.flush()
            if result["failures"] or options.only is not None or options.verbose:
                tell(result)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    bench.add_options(parser)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no trial after so many seconds")
    parser.add_argument("--jobs", type=int, default=1, help="trials at a time")
    parser.add_argument("--only", type=int, help="this trial alone")
    parser.add_argument("--kind", action="append", choices=sorted(KINDS), metavar="NAME", help="only such faults")
    parser.add_argument("--verbose", action="store_true", help="print trials that pass too")
    options = parser.parse_args()
    print(f"seed {options.seed}, {len(KINDS)} kinds of fault", flush=True)
    place = bench.Bench(options)
    place.make_truths()
    took = ", ".join(f"{ranks} ranks {seconds:.1f} s" for ranks, seconds in place.seconds.items())
    print(f"undisturbed: {took}", flush=True)
    # Several at a time share the cores, and each takes longer.
    place.moments *= max(1, options.jobs / 2)
    began = time.monotonic()
    results = carry_out(place, options)
    seconds = time.monotonic() - began
    print(summary(results))
    failed = sum(bool(result["failures"]) for result in results)
    used = os.times()
    core_seconds = used.user + used.system + used.children_user + used.children_system
    count = max(1, len(results))
    print(f"{len(results)} trials in {seconds:.0f} s ({seconds / count:.2f} s and {core_seconds / count:.2f} seconds "
          f"of a core each), seed {options.seed}, {failed} failed")
    sys.exit(bool(failed) or not results)


if __name__ == "__main__":
    main()
