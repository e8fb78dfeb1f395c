"""Two processes at one place, and readers that go away."""

import re
import signal
import subprocess
import time

from trials.program import LIMIT, Late
from trials.refusal import refusal_problem

from . import DEADLY, fault


@fault("two processes in one folder", 5)
def _(t):
    t.checks_resume = False
    first = t.start()
    t.pause(share=0.9)
    second = t.start()
    t.struck(f"two runs of {t.ranks} ranks, the second after {second.began - first.began:.2f} s")
    fate = t.random.choice(("both go on", "the first is killed", "the second is killed", "TERM to the first"))
    if fate != "both go on":
        t.pause(share=0.8, start=0.3)
        run = second if fate == "the second is killed" else first
        try:
            t.signal_rank(run, signal.SIGTERM if "TERM" in fate else signal.SIGKILL)
        except Late:
            fate += " (late)"
    t.note(fate)
    codes = [t.wait(run) for run in (first, second)]
    for run, code in zip((first, second), codes):
        if code not in DEADLY | {0, 2, 143, -15}:
            t.fail(f"exit code {code} ({run.log.name})")
        if code == 2 and (problem := refusal_problem(run.text)):
            t.fail(f"{problem} ({run.log.name})")
    # Whoever takes the folder first keeps it.
    if fate == "both go on" and codes.count(0) == 0:
        t.fail(f"neither run reached its end: {codes}")
    t.checks_resume = True
    t.finish()


SAMPLES = ["--count", "300", "--steps", "30", "--threads", "1"]


@fault("two `sample` processes with one output", 3)
def _(t):
    logs = []

    def draw(path):
        logs.append(t.root / f"sample-{len(logs)}.txt")
        command = [str(t.bench.sprint), "sample", "--run", str(t.bench.truth(1)), *SAMPLES, "--out", str(path)]
        with open(logs[-1], "wb") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    began = time.monotonic()
    if draw(t.root / "right.h5").wait(LIMIT):
        return t.fail("sample failed undisturbed")
    seconds = time.monotonic() - began
    out = t.root / "out.h5"
    first = draw(out)
    time.sleep(t.random.uniform(0.1, 0.9) * seconds)
    second = draw(out)
    is_killed = t.random.random() < 0.4
    if is_killed:
        time.sleep(t.random.uniform(0, 0.5) * seconds)
        first.kill()
    codes = first.wait(LIMIT), second.wait(LIMIT)
    t.struck(f"exit codes {codes}{', the first was killed' if is_killed else ''}")
    if not set(codes) <= {0, 2, -9}:
        t.fail(f"exit codes {codes}")
    if codes[1] == 2 and (problem := refusal_problem(logs[2].read_text())):
        t.fail(problem)
    if 0 in codes and out.read_bytes() != (t.root / "right.h5").read_bytes():
        t.fail(f"exit code 0, but other images than one process draws: {codes}")


@fault("reader of standard output goes away", 3)
def _(t):
    run = t.start(output=subprocess.PIPE)
    for _ in range(t.random.randint(1, 60)):
        if not run.process.stdout.readline():
            raise Late
    run.process.stdout.close()
    t.struck("the pipe's reader closed it")
    code = t.wait(run)
    # mpirun is not sprint: what it makes of a closed pipe is its own affair, but the state has to survive.
    if code != 0 and t.ranks == 1:
        t.fail(f"exit code {code} because nobody reads standard output, expected 0")
    t.finish()


@fault("into head", 2)
def _(t):
    t.ranks = 1
    words = " ".join(f"'{word}'" for word in t.command(1, "alone"))
    count = t.random.randint(1, 60)
    run = t.start(command=["bash", "-c", f"set -o pipefail; {words} 2>&1 | head -n {count}"])
    t.struck(f"| head -n {count}")
    if (code := t.wait(run)) != 0:
        t.fail(f"exit code {code} because head has read enough, expected 0")
    if not re.search(r"started", (t.folder / "metrics.jsonl").read_text()):
        t.fail("metrics.jsonl does not tell of the run")
    t.finish()
