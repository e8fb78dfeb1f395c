"""Loads weights into SR-DiT's class of srdit_reference.py, strictly, and writes what it finds for given inputs.

    python srdit_velocity.py WEIGHTS INPUTS OUT width=24 heads=2 ...

INPUTS holds x, t, y (float32, whole numbers) and token; OUT gets velocity and token_velocity. The further arguments are
fields of its Config; depth is depth=2,2,1. Needs torch and safetensors.
"""
import sys

import torch
from safetensors.torch import load_file, save_file

from srdit_reference import Config, SRDiT


@torch.no_grad()
def main():
    weights, inputs, out = sys.argv[1:4]
    fields = dict(argument.split("=") for argument in sys.argv[4:])
    depth = tuple(int(n) for n in fields.pop("depth").split(","))
    model = SRDiT(Config(depth=depth, **{k: int(v) for k, v in fields.items()}))
    # The published class also holds the table of its rotary embedding.
    state = {k: v for k, v in load_file(weights).items() if not k.startswith("feat_rope.")}
    model.load_state_dict(state, strict=True)
    given = load_file(inputs)
    velocity, token, _ = model(given["x"], given["t"], given["y"].long(), given["token"])
    save_file({"velocity": velocity.contiguous(), "token_velocity": token.contiguous()}, out)


main()
