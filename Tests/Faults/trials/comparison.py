"""What a finished run must have in common with one that was never disturbed."""

import collections

from . import checkpoints, curves, log
from .settings import LAST


class Comparison:
    """Holds a run against the truth, and knows what a fault itself has made impossible."""

    def __init__(self):
        # Another number of ranks sums in another order: equal up to rounding.
        self.tolerance = 0.0
        # Steps whose lines the fault itself destroyed.
        self.allowed_gaps = set()
        # Steps that the run gave up, and said so, by the name in its folder: `samples`, `metrics.jsonl`, ...
        self.given_up = collections.defaultdict(set)
        self.has_whole_curves = True
        # Said with failures of the log if it could not be written for a while.
        self.reason = None

    def problems(self, folder, truth):
        """Everything that differs: state, log, curves and pictures; and what is half written."""
        found = []
        name = f"checkpoints/{LAST}.h5"
        if different := checkpoints.difference(folder / name, truth / name, self.tolerance):
            found.append(f"the final state is not the truth: {different}")
        if left := [str(path.relative_to(folder)) for path in folder.rglob("*.partial")]:
            found.append(f"left half written: {left}")
        prefix = f"log ({self.reason}): " if self.reason else "log: "
        for aspect in (self._log, self._curves, self._pictures):
            found += [prefix + problem for problem in aspect(folder, truth)]
        return found

    def _log(self, folder, truth):
        """Every step once, in order, with the truth's numbers."""
        own, problems = log.losses(folder / "metrics.jsonl")
        true, _ = log.losses(truth / "metrics.jsonl")
        yield from problems
        for key in log.KEYS:
            yield from self._series(key, own[key], dict(true[key]))

    def _series(self, key, own, wanted):
        steps = [step for step, _ in own]
        missing = sorted(wanted.keys() - set(steps) - self.allowed_gaps - self.given_up["metrics.jsonl"])
        double = sorted(step for step, count in collections.Counter(steps).items() if count > 1)
        wrong = [step for step, value in own if step not in wanted or not self._is_same(value, wanted[step])]
        if missing:
            yield f"metrics.jsonl lacks {key} of {len(missing)} steps: {missing[:8]}"
        if double:
            yield f"metrics.jsonl has {key} of {len(double)} steps twice: {double[:8]}"
        if steps != sorted(steps):
            yield f"metrics.jsonl is out of order ({key})"
        if wrong:
            yield f"metrics.jsonl: {key} of steps {wrong[:8]} is not the truth's"

    def _is_same(self, own, true):
        if own is None or true is None:
            return own is true
        return abs(own - true) <= self.tolerance * abs(true)

    def _curves(self, folder, truth):
        own, wanted = curves.steps(folder / "tensorboard"), curves.steps(truth / "tensorboard")
        if own is None:
            yield "TensorBoard's file has a broken record"
            return
        given_up = self.allowed_gaps | self.given_up["tensorboard"]
        if self.has_whole_curves and (missing := sorted(set(wanted) - set(own) - given_up)):
            yield f"TensorBoard lacks {len(missing)} steps: {missing[:8]}"
        if len(own) != len(set(own)):
            yield "TensorBoard has steps twice"
        if own != sorted(own):
            yield "TensorBoard is out of order"

    def _pictures(self, folder, truth):
        for picture in sorted((truth / "samples").glob("*.png")):
            own = folder / "samples" / picture.name
            if not own.exists() and int(picture.stem.removeprefix("step-")) in self.given_up["samples"]:
                continue
            if not own.exists():
                yield f"picture {picture.name} is missing"
            elif not self.tolerance and own.read_bytes() != picture.read_bytes():
                yield f"picture {picture.name} differs"
