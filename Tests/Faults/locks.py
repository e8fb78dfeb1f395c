"""locks.py: two processes at one place, again and again: the second is refused, the first does not notice.

  python Tests/Faults/locks.py --work FOLDER [--sprint PROGRAM] [--trainings 50] [--samplers 50] [--jobs 2] [--seed S]

A second training starts in the folder of a first one, or a second sampler with the output of a first one, after a
random delay; half of them in namespaces of their own with another host name. In a third of the trials the first one is
then killed. Checked: the second ends with exit code 2 and names host, process and start time of the first; the first
one's result has the bits of an undisturbed one; after a kill the next process is let in at once and reaches the same
bits. Needs root and h5py.
"""

import collections
import signal
import socket
import subprocess
import time

from trials import series
from trials.bench import Bench
from trials.program import Late
from trials.refusal import refusal_problem
from trials.table import table

SAMPLES = ["--count", "400", "--steps", "40", "--threads", "1"]
OTHER_HOST = ["unshare", "-u", "-n", "sh", "-c", 'hostname "$0"; exec "$@"']


class Place:
    """What the processes of a trial compete for."""

    def __init__(self, trial):
        self.trial = trial
        self.is_training = "training" in trial.kind
        self.out = trial.root / "out.h5"
        self.other_host = f"other{trial.number}" if "other host" in trial.kind else None

    def start(self, elsewhere=False):
        """Starts a process, on the other host if there is one and it is wanted."""
        trial = self.trial
        command = trial.command(1, "alone") if self.is_training else sampler(trial.bench, self.out)
        host = self.other_host if elsewhere else None
        if host:
            command = [*OTHER_HOST, host, *command]
        run = trial.start(1, command=command)
        run.host, run.unix = host or socket.gethostname(), time.time()
        return run

    def is_locked(self):
        """Whether somebody has the lock and has said who."""
        lock = self.trial.folder / "lock" if self.is_training else self.out.with_name("out.h5.lock")
        return lock.exists() and lock.stat().st_size > 0

    def check_result(self):
        """Holds the result against the undisturbed one."""
        if self.is_training:
            return self.trial.compare()
        if self.out.read_bytes() != self.trial.bench.images.read_bytes():
            self.trial.fail("the images are not those of an undisturbed sampler")

    @property
    def seconds(self):
        return self.trial.bench.seconds[1] if self.is_training else self.trial.bench.sampling


def sampler(bench, out):
    return [str(bench.sprint), "sample", "--run", str(bench.truth(1)), *SAMPLES, "--out", str(out)]


def compete(trial):
    """One try."""
    trial.ranks, trial.checks_resume = 1, False
    place = Place(trial)
    first = place.start(elsewhere=trial.random.random() < 0.5)
    if trial.random.random() < 0.5:
        first.wait_for(place.is_locked)
        time.sleep(trial.random.uniform(0, 0.6) * place.seconds)
    else:
        time.sleep(trial.random.choice((0, trial.random.uniform(0, 0.3))))
    delay = time.monotonic() - first.began
    second = place.start(elsewhere=first.host == socket.gethostname())
    owner, refused = wait_for_refusal(trial, first, second)
    trial.struck(f"the second started {delay:.2f} s after the first")
    if refused.code != 2:
        trial.fail(f"exit code {refused.code} of the second process, expected 2: {refused.text.strip()[-200:]}")
    elif problem := refusal_problem(refused.text, owner.process.pid, owner.unix, owner.host):
        trial.fail(problem)
    if trial.random.random() < 1 / 3:
        time.sleep(trial.random.uniform(0, 0.4) * place.seconds)
        kill_and_follow(trial, place, owner)
    elif trial.wait(owner) != 0:
        return trial.fail(f"exit code {owner.code} of the first process: {owner.text.strip()[-200:]}")
    place.check_result()


def wait_for_refusal(trial, first, second):
    """Waits until one of two processes has ended; returns the other one and it."""
    until = time.monotonic() + 60
    while first.alive and second.alive and time.monotonic() < until:
        time.sleep(0.005)
    # Where both start at once either may be the first to hold the lock.
    owner, refused = (first, second) if first.alive or first.process.returncode == 0 else (second, first)
    trial.wait(refused)
    # A process needs up to a second to come to the lock, which its owner may have left by then.
    if refused.code == 0 and not owner.alive and trial.wait(owner) == 0 and overlap(first, second) < 1:
        raise Late
    return owner, refused


def overlap(first, second):
    """Seconds that both were there."""
    return min(run.began + run.seconds for run in (first, second)) - second.began


def kill_and_follow(trial, place, owner):
    """Kills the owner; the next process has to be let in at once, and reach the end."""
    if not owner.alive:
        raise Late
    owner.process.send_signal(signal.SIGKILL)
    trial.note("killed")
    owner.process.wait()
    follower = place.start(elsewhere=owner.host == socket.gethostname())
    trial.wait(owner)
    trial.figures = dict(killed=1)
    if trial.wait(follower) != 0:
        trial.fail(f"exit code {follower.code} after the first was killed: {follower.text.strip()[-200:]}")


def kinds(options):
    """The kinds of all tries: half of each with another host."""
    for name, count in (("trainings", options.trainings), ("samplers", options.samplers)):
        for number in range(count):
            yield f"two {name}{', other host' if number % 2 else ''}"


def main():
    options = series.options(__doc__, trainings=50, samplers=50)
    bench = Bench(options)
    bench.make_truths(ranks=(1,))
    bench.images = bench.work / "undisturbed.h5"
    bench.sampling = draw_undisturbed(bench)
    results = series.carry_out(bench, list(kinds(options)), options.jobs, compete)
    rows = collections.defaultdict(lambda: [0, 0, 0, 0])
    for result in results:
        figures = (1, result["figures"].get("killed", 0), result["late"], bool(result["failures"]))
        rows[result["kind"]] = [sum(pair) for pair in zip(rows[result["kind"]], figures)]
    print(table(("kind", "tries", "first killed", "too late", "failed"), [(kind, *row) for kind, row in rows.items()]))
    series.leave(results)


def draw_undisturbed(bench):
    """Draws the images that every sampler has to draw; returns the seconds that it takes."""
    began = time.monotonic()
    bench.images.unlink(missing_ok=True)
    subprocess.run(sampler(bench, bench.images), check=True, capture_output=True)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
