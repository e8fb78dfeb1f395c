"""Shows that a change leaves every computed bit as it was.

    same_bits.py OLD NEW [--work FOLDER]

OLD and NEW are two builds of the program. Each trains the bundled digits for 200 steps across the stage switch, and is
stopped and resumed twice: on one and on two ranks, with and without alignment. All data sets below /model, /ema and
/adam of the last checkpoint must be equal to the bit. Both programs run with the core type that OpenBLAS chooses.
"""

import argparse
import os
import subprocess
import sys
import tempfile

import h5py
import numpy

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STOPS = [60, 150, None]  # within the first stage, within the second, at the end
SETTINGS = [
    "stages[0].steps=120", "stages[1].steps=80", "checkpoint={interval: 50, keep: 2}", "threads=1",
    "validation={interval: 70, samples: 64}", "samples={interval: 90, per_class: 1, steps: 3}",
]
ALIGNMENT = "alignment={features: teacher, feature_width: 12, projector: 32, after_block: 3, last_step: 130}"


def add_features(path):
    """Copies the digits and adds features of a made-up teacher."""
    with h5py.File(os.path.join(ROOT, "configs/data/digits.h5")) as source, h5py.File(path, "w") as target:
        for name in source:
            source.copy(name, target)
        for name, value in source.attrs.items():
            target.attrs[name] = value
        count = len(source["labels"])
        noise = numpy.random.default_rng(1).standard_normal((count, 64, 12), dtype=numpy.float32)
        target.create_dataset("features/teacher", data=noise)


def train(program, folder, ranks, settings):
    """Trains, with two interruptions, and returns the bytes of every part of the training state by name."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    launcher = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-np", str(ranks)] if ranks > 1 else []
    command = launcher + [program, "train", "--config", "configs/digits.yaml", "--run", folder, "--resume", "auto"]
    for setting in SETTINGS + settings:
        command += ["--set", setting]
    for stop in STOPS:
        last = ["--until", str(stop)] if stop else []
        done = subprocess.run(command + last, cwd=ROOT, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr}")
    state = {}
    with h5py.File(os.path.join(folder, "checkpoints/step-000000200.h5")) as file:
        def keep(name, item):
            if isinstance(item, h5py.Dataset):
                state[name] = item[()].tobytes()
        file.visititems(keep)
    return state


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--work", help="keep the runs here")
    options = parser.parse_args()
    work = options.work or tempfile.mkdtemp(prefix="sprint-bits-")
    aligned = os.path.join(work, "aligned.h5")
    os.makedirs(work, exist_ok=True)
    add_features(aligned)
    variants = {
        "1 rank": (1, []), "2 ranks": (2, []),
        "alignment": (1, [f"data.train=[{aligned}]", ALIGNMENT]),
        "alignment, 2 ranks": (2, [f"data.train=[{aligned}]", ALIGNMENT]),
    }
    differing = 0
    for name, (ranks, settings) in variants.items():
        old, new = (
            train(os.path.abspath(program), os.path.join(work, f"{name} {side}"), ranks, settings)
            for program, side in [(options.old, "old"), (options.new, "new")]
        )
        odd = sorted(part for part in old.keys() | new.keys() if old.get(part) != new.get(part))
        differing += len(odd)
        print(f"{name}: {len(old)} data sets, {len(odd)} differ {odd[:3] if odd else ''}")
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
