"""Compares the rounding errors of sprint's bfloat16 with those of PyTorch's autocast.

    precision_errors.py SPRINT CASE... [--list]

SPRINT is the program, a CASE a file of Tests/Reference/cases. The first step of each case is computed in float64 by
the reference, in bfloat16 under autocast by the reference, and in bfloat16 by `sprint verify`. The error of a tensor is
|found - float64| / |float64|; tensors that are zero in float64 are left out. Prints one line a case and the medians
over all tensors; with --list, one line a tensor too.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from sprint_reference import Config, Sprint, flow_matching_loss


def model_of(path, tensors):
    """The network of a case, with its weights."""
    with safe_open(path, "pt") as file:
        meta = json.loads(file.metadata()["sprint.case"])
    config = Config(**{name: tuple(value) if name == "depth" else value for name, value in meta.items()
                       if name in Config.__dataclass_fields__})
    model = Sprint(config)
    model.load_state_dict({name[len("param."):]: value for name, value in tensors.items() if name.startswith("param.")})
    return model, meta["align_weight"]


def first_step(path, kind, autocast=False):
    """Velocity and gradients of the first step, by name; computed in a number format, or in bfloat16 by autocast."""
    tensors = load_file(path)
    model, align_weight = model_of(path, tensors)
    model = model.to(kind)

    def given(name):
        return tensors.get(f"step.0.input.{name}")

    x, noise, t = (given(name).to(kind) for name in ("x", "noise", "t"))
    y, keep, drop = given("y"), given("keep"), given("path_drop").bool()
    teacher = None if given("teacher") is None else given("teacher").to(kind)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        loss, align = flow_matching_loss(model, x, noise, t, y, keep, drop, teacher)
        with torch.no_grad():
            tt = t[:, None, None, None]
            velocity = model((1 - tt) * x + tt * noise, t, y, keep, drop)[0]
    (loss + align_weight * align).backward()
    found = {f"step.0.grad.{name}": p.grad for name, p in model.named_parameters() if p.grad is not None}
    return {"step.0.output.velocity": velocity} | found


def error(found, right):
    return float((found.double() - right).norm() / right.norm())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sprint")
    parser.add_argument("cases", nargs="+")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(2)
    ours, theirs, ratios = [], [], []
    for path in options.cases:
        right, autocast = first_step(path, torch.float64), first_step(path, torch.float32, autocast=True)
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "out.safetensors")
            command = [options.sprint, "verify", path, "--precision", "bfloat16", "--out", out]
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
            sprint = load_file(out)
        names = [name for name, value in right.items() if float(value.norm()) > 0]
        own, other = ([error(found[name], right[name]) for name in names] for found in (sprint, autocast))
        for name, a, b in zip(names, own, other) if options.list else ():
            print(f"  {name:60} {a:.2e} {b:.2e} {a / b:5.2f}")
        ours, theirs, ratios = ours + own, theirs + other, ratios + [a / b for a, b in zip(own, other)]
        medians = statistics.median(own), statistics.median(other)
        print(f"{os.path.basename(path):36} sprint {medians[0]:.2e}  PyTorch {medians[1]:.2e}")
    print(f"{len(ours)} tensors: median error of sprint {statistics.median(ours):.2e}, of PyTorch "
          f"{statistics.median(theirs):.2e}, median ratio {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
