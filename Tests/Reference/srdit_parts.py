"""Trains the digits with SPRINT and with SR-DiT's parts, one part added at a time, all with equal FLOP.

    python configs/data/make_digits_teacher.py data
    python Tests/Reference/srdit_parts.py .build/release/sprint runs/parts [--share 0.2] [--seeds 3]

Networks and data are those of configs/digits-srdit.yaml; the first row is SPRINT's schedule of two stages on the same
blocks, and all rows have `share` of the work of configs/digits.yaml. Each run is rated by 500 samples: the share
that a classifier puts into their class, and the Frechet distance of their pixels to the held-out digits. What is
already in the folder is not computed again. The script needs PyYAML, h5py, scikit-learn and scipy.
"""
import argparse
import copy
import json
import pathlib
import subprocess
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import yaml
from scipy.linalg import eigvals
from sklearn.datasets import load_digits
from sklearn.svm import SVC

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"
SAMPLES = 500
SAMPLER = ["--sampler", "ode", "--steps", "25", "--guidance", "pdg", "--scale", "1.5"]


def without(document, *keys):
    """The document without these keys, each `section.key` or `section`."""
    document = copy.deepcopy(document)
    for key in keys:
        *sections, last = key.split(".")
        place = document
        for section in sections:
            place = place[section]
        place.pop(last)
    return document


def ladder():
    """Names and documents: SPRINT, then one part more in each row, and at last the whole recipe."""
    whole = yaml.safe_load((CONFIGS / "digits-srdit.yaml").read_text())
    sprint = yaml.safe_load((CONFIGS / "digits.yaml").read_text())
    sprint["model"]["depth"] = whole["model"]["depth"]
    sprint["data"] = whole["data"]
    added = [  # what each row adds to the one before it
        ("RMS norms", ["model.norm", "model.qk_norm_epsilon"]),
        ("shared values", ["model.value_residual"]),
        ("fixed positions", ["model.position"]),
        ("learned mask token", ["model.mask_token"]),
        ("class token", ["model.class_token", "class_token"]),
        ("alignment", ["alignment"]),
        ("contrast: all of SR-DiT", ["contrastive"]),
    ]
    one_stage = without(whole, *[key for _, keys in added for key in keys])
    rows = [("SPRINT, two stages", sprint), ("one stage, random drop, uniform time", one_stage)]
    for count, (name, _) in enumerate(added, 1):
        rows.append((f"+ {name}", without(whole, *[key for _, keys in added[count:] for key in keys])))
    return rows


def work(sprint, path):
    """The FLOP of each stage's image in training, the projector's included."""
    plan = subprocess.run([sprint, "plan", path, "--gflops", "100", "--memory", "10", "--json"],
                          check=True, capture_output=True, text=True)
    stages = json.loads(plan.stdout)["stages"]
    return [(stage["steps"] * stage["batch"], stage["training_gflop"] + stage["projector_gflop"]) for stage in stages]


def equalized(sprint, folder, rows, share):
    """Writes the documents with the numbers of steps that make their work `share` of the first one's; returns paths."""
    paths, budget = [], None
    for index, (_, document) in enumerate(rows):
        path = folder / f"{index}.yaml"
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        images = work(sprint, path)
        total = sum(count * flop for count, flop in images)
        budget = budget or share * total
        for stage in document["stages"]:
            stage["steps"] = round(stage["steps"] * budget / total)
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        paths.append(path)
    return paths


def frechet(a, b):
    ca, cb = np.cov(a.T.astype("f8")), np.cov(b.T.astype("f8"))
    cross = np.sqrt(np.maximum(eigvals(ca @ cb).real, 0)).sum()
    return ((a.mean(0, dtype="f8") - b.mean(0, dtype="f8")) ** 2).sum() + np.trace(ca) + np.trace(cb) - 2 * cross


class Judge:
    def __init__(self):
        digits = load_digits()
        images, labels = (digits.images.astype("f4") / 8 - 1).reshape(-1, 64), digits.target
        train = np.arange(len(images)) % 5 != 0
        self.classifier, self.held_out = SVC(gamma=0.064).fit(images[train], labels[train]), images[~train]

    def rate(self, path):
        with h5py.File(path) as file:
            samples, labels = np.clip(file["latents"][:], -1, 1).reshape(-1, 64), file["labels"][:]
        return self.classifier.score(samples, labels), frechet(samples, self.held_out)


def train_and_draw(sprint, path, seed):
    """Trains one seed of a document, draws its samples, and returns their file."""
    run = path.with_suffix("") / str(seed)
    samples = run / "samples.h5"
    if not samples.exists():
        settings = [f"seed={seed}", "threads=1"]
        subprocess.run(
            [sprint, "train", "--config", path, "--run", run, "--resume", "auto"]
            + [word for setting in settings for word in ("--set", setting)], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([sprint, "sample", "--run", run, "--count", str(SAMPLES), *SAMPLER, "--threads", "1",
                        "--out", samples], check=True, stdout=subprocess.DEVNULL)
    return samples


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sprint")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--share", type=float, default=1)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--side-by-side", type=int, default=2)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    rows, judge = ladder(), Judge()
    paths = equalized(args.sprint, args.folder, rows, args.share)
    with ThreadPoolExecutor(args.side_by_side) as pool:
        jobs = [[pool.submit(train_and_draw, args.sprint, path, seed) for seed in range(1, args.seeds + 1)]
                for path in paths]
        print("| network | updates | share in their class | Frechet distance |\n| --- | --- | --- | --- |")
        for (name, document), row in zip(rows, jobs):
            shares, distances = zip(*[judge.rate(job.result()) for job in row])
            updates = " + ".join(str(stage["steps"]) for stage in document["stages"])
            print(f"| {name} | {updates} | {', '.join(f'{s:.4g}' for s in shares)}"
                  f" | {', '.join(f'{d:.2f}' for d in distances)} |", flush=True)


main()
