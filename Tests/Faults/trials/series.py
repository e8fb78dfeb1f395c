"""A series of trials of one program, some at a time."""

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from . import bench
from .trial import Trial


def options(doc, **counts):
    """The options of a program, with numbers of trials by name; parses the command line."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    bench.add_options(parser)
    parser.add_argument("--jobs", type=int, default=1, help="trials at a time")
    for name, count in counts.items():
        parser.add_argument(f"--{name}", type=int, default=count, help=f"tries of this kind; {count} if left out")
    found = parser.parse_args()
    print(f"seed {found.seed}", flush=True)
    return found


def carry_out(place, wanted, jobs, fault):
    """Lets `fault(trial)` strike in trials of these kinds; returns what happened, in order, and prints failures."""
    began = time.monotonic()

    def one(item):
        number, kind = item
        trial = Trial(place, number, kind)
        return dict(trial.carry_out(fault), figures=getattr(trial, "figures", {}))

    results = []
    with ThreadPoolExecutor(jobs) as pool:
        for result in pool.map(one, enumerate(wanted)):
            results.append(result)
            if result["failures"]:
                print(f"FAILED {result['number']} {result['kind']} codes {result['codes']} {result['notes']}")
                print("".join(f"  ** {text}\n" for text in result["failures"]), end="", flush=True)
    print(f"{len(results)} trials in {time.monotonic() - began:.0f} s")
    return results


def leave(results):
    """Ends the program: with 1 if a trial failed, or if there was none."""
    sys.exit(not results or any(result["failures"] for result in results))
