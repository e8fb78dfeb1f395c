"""tiny_features.py inception|dinov2 OUT.safetensors: a random network for `sprint evaluate`, without PyTorch.

The Inception has the blocks of torchvision's but is four channels wide in each branch, so that it has 24 features; the
DINOv2 has the width of size S and two blocks.
"""
import sys

import numpy as np
from safetensors.numpy import save_file

random = np.random.default_rng(11)
tensors = {}
WIDTH = 4


def drawn(name, shape, deviation, around=0.0):
    tensors[name] = (around + random.normal(0, deviation, shape)).astype("f4")


# ---------------------------------------------------------------- Inception

def unit(name, inputs, height, width, outputs=WIDTH):
    drawn(f"{name}.conv.weight", (outputs, inputs, height, width), 1.4 / np.sqrt(inputs * height * width))
    for part, around in [("weight", 1), ("bias", 0.3), ("running_mean", 0), ("running_var", 1)]:
        drawn(f"{name}.bn.{part}", outputs, 0.1, around)
    return outputs


def branch(name, inputs, *kernels):
    """Units one behind the other: (what follows the name, height, width)."""
    for ending, height, width in kernels:
        inputs = unit(f"{name}{ending}", inputs, height, width)
    return inputs


DOUBLE = [("_1", 1, 1), ("_2", 3, 3)]


def block_a(name, x):
    return (branch(f"{name}.branch1x1", x, ("", 1, 1)) + branch(f"{name}.branch5x5", x, ("_1", 1, 1), ("_2", 5, 5))
            + branch(f"{name}.branch3x3dbl", x, *DOUBLE, ("_3", 3, 3)) + unit(f"{name}.branch_pool", x, 1, 1))


def block_b(name, x):
    return x + unit(f"{name}.branch3x3", x, 3, 3) + branch(f"{name}.branch3x3dbl", x, *DOUBLE, ("_3", 3, 3))


def block_c(name, x):
    seven = branch(f"{name}.branch7x7", x, ("_1", 1, 1), ("_2", 1, 7), ("_3", 7, 1))
    double = branch(f"{name}.branch7x7dbl", x, ("_1", 1, 1), ("_2", 7, 1), ("_3", 1, 7), ("_4", 7, 1), ("_5", 1, 7))
    return unit(f"{name}.branch1x1", x, 1, 1, outputs=8) + seven + double + unit(f"{name}.branch_pool", x, 1, 1)


def block_d(name, x):
    seven = branch(f"{name}.branch7x7x3", x, ("_1", 1, 1), ("_2", 1, 7), ("_3", 7, 1), ("_4", 3, 3))
    return x + branch(f"{name}.branch3x3", x, ("_1", 1, 1), ("_2", 3, 3)) + seven


def block_e(name, x):
    outputs = unit(f"{name}.branch1x1", x, 1, 1) + unit(f"{name}.branch_pool", x, 1, 1)
    for kind, last, units in [("branch3x3", "_2", [("_1", 1, 1)]), ("branch3x3dbl", "_3", DOUBLE)]:
        inner = branch(f"{name}.{kind}", x, *units)
        outputs += unit(f"{name}.{kind}{last}a", inner, 1, 3) + unit(f"{name}.{kind}{last}b", inner, 3, 1)
    return outputs


def inception():
    x = branch("Conv2d_", 3, ("1a_3x3", 3, 3), ("2a_3x3", 3, 3), ("2b_3x3", 3, 3), ("3b_1x1", 1, 1), ("4a_3x3", 3, 3))
    for block, letters in [(block_a, "5b 5c 5d"), (block_b, "6a"), (block_c, "6b 6c 6d 6e"), (block_d, "7a"),
                           (block_e, "7b 7c")]:
        for letter in letters.split():
            x = block(f"Mixed_{letter}", x)
    drawn("fc.weight", (1008, x), 0.5)


# ---------------------------------------------------------------- DINOv2

def dinov2(width=384, hidden=96, depth=2, table=5):
    def layer(name, outputs, *inputs):
        drawn(f"{name}.weight", (outputs, *inputs), 1 / np.sqrt(np.prod(inputs)))
        drawn(f"{name}.bias", outputs, 0.1)

    def norm(name):
        drawn(f"{name}.weight", width, 0.1, 1)
        drawn(f"{name}.bias", width, 0.1)

    drawn("cls_token", (1, 1, width), 0.5)
    drawn("pos_embed", (1, 1 + table * table, width), 0.5)
    layer("patch_embed.proj", width, 3, 14, 14)
    for block in (f"blocks.{index}" for index in range(depth)):
        for i, (first, outputs, last, inputs) in enumerate(
                [("attn.qkv", 3 * width, "attn.proj", width), ("mlp.fc1", hidden, "mlp.fc2", hidden)]):
            norm(f"{block}.norm{i + 1}")
            layer(f"{block}.{first}", outputs, width)
            layer(f"{block}.{last}", width, inputs)
            drawn(f"{block}.ls{i + 1}.gamma", width, 0.1, 1)
    norm("norm")


{"inception": inception, "dinov2": dinov2}[sys.argv[1]]()
save_file(tensors, sys.argv[2])
