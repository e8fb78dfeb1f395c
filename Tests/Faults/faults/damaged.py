"""Files that are damaged between two starts."""

import shutil
import signal

from trials import log
from trials.program import Late
from trials.settings import STEPS

from . import DEADLY, fault

REFUSED = r"none of its checkpoints is whole|speaks of checkpoints, but none|has lost"


def interrupt(t):
    """Kills a run once there is something to be damaged."""
    run, step = t.start(), t.random.randint(30, STEPS - 10)
    run.wait_for_step(step)
    t.signal_rank(run, signal.SIGKILL)
    t.expect(run, DEADLY)


def damage(t, path):
    """Damages a file in one of many ways; says how."""
    data = bytearray(path.read_bytes())
    kinds = ("bit", "bits", "cut", "empty", "zeros", "garbage", "longer", "gone", "folder", "hole", "link")
    kind = t.random.choice(kinds)
    if not data and kind not in ("gone", "folder"):
        kind = "longer"
    place = t.random.randrange(max(1, len(data)))
    if kind == "bit":
        data[place] ^= 1 << t.random.randrange(8)
    elif kind == "bits":
        for _ in range(64):
            data[t.random.randrange(len(data))] ^= 1 << t.random.randrange(8)
    elif kind == "cut":
        del data[place:]
    elif kind == "empty":
        data.clear()
    elif kind == "zeros":
        data[place:] = bytes(len(data) - place)
    elif kind == "hole":
        data[place:place + 4096] = bytes(len(data[place:place + 4096]))
    elif kind == "garbage":
        data[place:place + 300] = t.random.randbytes(len(data[place:place + 300]))
    elif kind == "longer":
        data += t.random.randbytes(t.random.choice((1, 100, 5000)))
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to("/nowhere/at/all")
    elif kind != "gone":
        path.write_bytes(data)
    return f"{path.name}: {kind}"


@fault("damaged checkpoints or manifests", 5)
def _(t):
    interrupt(t)
    files = sorted(path for path in (t.folder / "checkpoints").iterdir() if path.suffix != ".partial")
    if not files:
        raise Late
    # Mostly the newest ones, where it hurts.
    count = t.random.choice((1, 1, 2, 3, len(files)))
    newest = sorted(files, reverse=True)[:count]
    for path in newest if t.random.random() < 0.6 else t.random.sample(files, min(count, len(files))):
        t.struck(damage(t, path))
    t.finish(refusal=REFUSED)


@fault("checkpoints mixed up")
def _(t):
    interrupt(t)
    folder = t.folder / "checkpoints"
    files = sorted(folder.glob("*.h5"))
    if len(files) < 2:
        raise Late
    a, b = t.random.sample(files, 2)
    kind = t.random.choice(("swapped", "copied over", "manifest swapped", "renamed later", "stray files"))
    if kind == "swapped":
        swap(a, b)
    elif kind == "copied over":
        shutil.copy(a, b)
    elif kind == "manifest swapped" and manifest(a).exists() and manifest(b).exists():
        swap(manifest(a), manifest(b))
    elif kind == "renamed later":
        shutil.copy(a, folder / "step-000000999.h5")
    else:
        for name in ("step-.h5", "step-abc.h5", "step-000000007.h5.stray", "notes.txt", f"step-{'9' * 22}.h5"):
            (folder / name).write_bytes(b"x" * 100)
    t.struck(f"{kind}: {a.name}, {b.name}")
    t.finish(refusal=REFUSED)


def manifest(path):
    return path.with_suffix(".manifest.json")


def swap(a, b):
    other = a.with_name("x")
    a.rename(other), b.rename(a), other.rename(b)


@fault("damaged metrics.jsonl", 3)
def _(t):
    interrupt(t)
    path = t.folder / "metrics.jsonl"
    (before, _), original = log.losses(path), path.read_bytes()
    while True:
        how = damage(t, path)
        if path.is_dir() or path.is_symlink():
            t.struck(how)
            t.expect(t.start(), {2})
            if "metrics.jsonl" not in t.runs[-1].text:
                t.fail("metrics.jsonl was not named")
            path.rmdir() if path.is_dir() else path.unlink()
        elif not how.endswith("gone"):
            t.struck(how)
        after = log.losses(path)[0] if path.exists() else {key: [] for key in before}
        # A line that still can be read but says something else, nobody can tell.
        if all(set(after[key]) <= set(before[key]) for key in before):
            break
        path.write_bytes(original)
    if not t.strikes:
        t.struck(how)
    # Lines that the damage itself has taken cannot come back, if their steps are not trained again.
    t.comparison.allowed_gaps = {step for key in before for step, _ in set(before[key]) - set(after[key])}
    t.finish()


@fault("damaged TensorBoard files")
def _(t):
    interrupt(t)
    files = sorted((t.folder / "tensorboard").iterdir())
    if not files:
        raise Late
    t.struck(damage(t, t.random.choice(files)))
    t.comparison.has_whole_curves = False
    t.finish(refusal=r"tensorboard/events")


@fault("damaged config.yaml or pictures")
def _(t):
    interrupt(t)
    path = t.random.choice([t.folder / "config.yaml", *(t.folder / "samples").iterdir()])
    if path.suffix == ".png":
        t.struck(f"{path.name} removed")
        path.unlink()
        t.note("pictures of steps long past are not drawn again")
        t.expect(t.start(), {0})
        return
    t.struck(damage(t, path))
    t.finish(refusal=r"config\.yaml")
