"""tiny_autoencoder.py CHANNELS OUT.safetensors: a random AutoencoderKL whose images have twice the side of latents."""
import sys

import numpy as np
from safetensors.numpy import save_file

channels, width = int(sys.argv[1]), 32
random = np.random.default_rng(7)
tensors = {}


def layer(name, *shape, weight=1.0):
    scale = weight / np.sqrt(np.prod(shape[1:]))
    tensors[f"{name}.weight"] = random.normal(0, scale, shape).astype("f4")
    tensors[f"{name}.bias"] = random.normal(0, 0.1, shape[0]).astype("f4")


def norm(name):
    tensors[f"{name}.weight"] = random.normal(1, 0.1, width).astype("f4")
    tensors[f"{name}.bias"] = random.normal(0, 0.1, width).astype("f4")


def block(name):
    for i in (1, 2):
        norm(f"{name}.norm{i}")
        layer(f"{name}.conv{i}", width, width, 3, 3)


def middle(half):
    for i in (0, 1):
        block(f"{half}.mid_block.resnets.{i}")
    norm(f"{half}.mid_block.attentions.0.group_norm")
    for name in ("to_q", "to_k", "to_v", "to_out.0"):
        layer(f"{half}.mid_block.attentions.0.{name}", width, width)


layer("post_quant_conv", channels, channels, 1, 1)
layer("decoder.conv_in", width, channels, 3, 3)
middle("decoder")
for i in (0, 1):
    block(f"decoder.up_blocks.{i}.resnets.0")
layer("decoder.up_blocks.0.upsamplers.0.conv", width, width, 3, 3)
norm("decoder.conv_norm_out")
layer("decoder.conv_out", 3, width, 3, 3, weight=0.5)

layer("encoder.conv_in", width, 3, 3, 3)
for i in (0, 1):
    block(f"encoder.down_blocks.{i}.resnets.0")
layer("encoder.down_blocks.0.downsamplers.0.conv", width, width, 3, 3)
middle("encoder")
norm("encoder.conv_norm_out")
layer("encoder.conv_out", 2 * channels, width, 3, 3)
layer("quant_conv", 2 * channels, 2 * channels, 1, 1)
save_file(tensors, sys.argv[2])
