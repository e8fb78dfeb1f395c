"""Writes random autoencoders with inputs and the outputs of another implementation, and times it.

    autoencoder_reference.py write FOLDER --form new|old|compvis|statement [--quant] [--widths 32,64] [--side 64] ...
    autoencoder_reference.py time VAE.safetensors --side 256 --batch 8 --threads 2

FOLDER gets vae.safetensors, and case.safetensors with images, moments (mean, then standard deviation), latents and
decoded images. `new` and `old` are diffusers' AutoencoderKL and its former names. The other forms are written as the
code of CompVis's latent-diffusion does it (ldm/modules/diffusionmodules/model.py, its names too): `compvis` in PyTorch
and `statement` in float64 by numpy, which needs no PyTorch.
"""
import argparse
import os
import time

import numpy as np


class Numpy:
    """The operations of an autoencoder in float64."""

    @staticmethod
    def array(values): return np.asarray(values, np.float64)

    @staticmethod
    def numpy(values): return values

    @staticmethod
    def conv(x, weight, bias, stride=1, pad=(0, 0, 0, 0)):
        top, left, bottom, right = pad
        x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
        k = weight.shape[2]
        height, width = (x.shape[2] - k) // stride + 1, (x.shape[3] - k) // stride + 1
        y = np.zeros((x.shape[0], weight.shape[0], height, width))
        for i in range(k):
            for j in range(k):
                window = x[:, :, i:i + (height - 1) * stride + 1:stride, j:j + (width - 1) * stride + 1:stride]
                y += np.einsum("bchw,oc->bohw", window, weight[:, :, i, j], optimize=True)
        return y + bias[None, :, None, None]

    @staticmethod
    def norm(x, weight, bias):
        groups = x.reshape(x.shape[0], 32, -1)
        mean, var = groups.mean(-1, keepdims=True), groups.var(-1, keepdims=True)
        y = ((groups - mean) / np.sqrt(var + 1e-6)).reshape(x.shape)
        return y * weight[None, :, None, None] + bias[None, :, None, None]

    @staticmethod
    def silu(x): return x / (1 + np.exp(-x))

    @staticmethod
    def attention(q, k, v):
        b, c, h, w = q.shape
        q, k, v = (t.reshape(b, c, h * w) for t in (q, k, v))
        scores = np.einsum("bci,bcj->bij", q, k, optimize=True) / np.sqrt(c)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        return np.einsum("bij,bcj->bci", scores, v, optimize=True).reshape(b, c, h, w)

    @staticmethod
    def double(x): return x.repeat(2, axis=2).repeat(2, axis=3)


class Torch:
    """The operations of an autoencoder in PyTorch."""

    @staticmethod
    def array(values):
        import torch
        return torch.from_numpy(np.asarray(values, np.float32))

    @staticmethod
    def numpy(values): return values.numpy()

    @staticmethod
    def conv(x, weight, bias, stride=1, pad=(0, 0, 0, 0)):
        import torch.nn.functional as F
        top, left, bottom, right = pad
        return F.conv2d(F.pad(x, (left, right, top, bottom)), weight, bias, stride)

    @staticmethod
    def norm(x, weight, bias):
        import torch.nn.functional as F
        return F.group_norm(x, 32, weight, bias, 1e-6)

    @staticmethod
    def silu(x):
        import torch.nn.functional as F
        return F.silu(x)

    @staticmethod
    def attention(q, k, v):
        import torch
        b, c, h, w = q.shape
        scores = torch.bmm(q.reshape(b, c, h * w).permute(0, 2, 1), k.reshape(b, c, h * w)) * c ** -0.5
        scores = torch.softmax(scores, dim=2).permute(0, 2, 1)
        return torch.bmm(v.reshape(b, c, h * w), scores).reshape(b, c, h, w)

    @staticmethod
    def double(x):
        import torch.nn.functional as F
        return F.interpolate(x, scale_factor=2.0, mode="nearest")


class CompVis:
    """The autoencoder of latent-diffusion: `ch_mult` times `ch` channels, attention at some levels."""

    def __init__(self, backend, tensors, levels, blocks, attention):
        self.ops, self.levels, self.blocks, self.attention = backend, levels, blocks, attention
        self.tensors = {name: backend.array(values) for name, values in tensors.items()}

    def conv(self, x, name, stride=1, pad=(1, 1, 1, 1)):
        return self.ops.conv(x, self.tensors[name + ".weight"], self.tensors[name + ".bias"], stride, pad)

    def norm(self, x, name): return self.ops.norm(x, self.tensors[name + ".weight"], self.tensors[name + ".bias"])

    def block(self, x, name):
        h = self.conv(self.ops.silu(self.norm(x, name + ".norm1")), name + ".conv1")
        h = self.conv(self.ops.silu(self.norm(h, name + ".norm2")), name + ".conv2")
        if name + ".nin_shortcut.weight" in self.tensors:
            x = self.conv(x, name + ".nin_shortcut", pad=(0, 0, 0, 0))
        return x + h

    def attend(self, x, name):
        h = self.norm(x, name + ".norm")
        q, k, v = (self.conv(h, f"{name}.{part}", pad=(0, 0, 0, 0)) for part in "qkv")
        return x + self.conv(self.ops.attention(q, k, v), name + ".proj_out", pad=(0, 0, 0, 0))

    def middle(self, h, half):
        h = self.block(h, half + ".mid.block_1")
        h = self.attend(h, half + ".mid.attn_1")
        return self.block(h, half + ".mid.block_2")

    def level(self, h, name, blocks, attends):
        for block in range(blocks):
            h = self.block(h, f"{name}.block.{block}")
            if attends: h = self.attend(h, f"{name}.attn.{block}")
        return h

    def end(self, h, half): return self.conv(self.ops.silu(self.norm(h, half + ".norm_out")), half + ".conv_out")

    def moments(self, images):
        h = self.conv(self.ops.array(images), "encoder.conv_in")
        for level in range(self.levels):
            h = self.level(h, f"encoder.down.{level}", self.blocks, level in self.attention)
            if level < self.levels - 1:
                h = self.conv(h, f"encoder.down.{level}.downsample.conv", 2, (0, 0, 1, 1))
        h = self.end(self.middle(h, "encoder"), "encoder")
        if "quant_conv.weight" in self.tensors: h = self.conv(h, "quant_conv", pad=(0, 0, 0, 0))
        mean, logvar = np.split(self.ops.numpy(h), 2, axis=1)
        return np.concatenate([mean, np.exp(0.5 * np.clip(logvar, -30, 20))], axis=1)

    def images(self, latents):
        h = self.ops.array(latents)
        if "post_quant_conv.weight" in self.tensors: h = self.conv(h, "post_quant_conv", pad=(0, 0, 0, 0))
        h = self.middle(self.conv(h, "decoder.conv_in"), "decoder")
        for level in reversed(range(self.levels)):
            h = self.level(h, f"decoder.up.{level}", self.blocks + 1, level in self.attention)
            if level > 0: h = self.conv(self.ops.double(h), f"decoder.up.{level}.upsample.conv")
        return self.ops.numpy(self.end(h, "decoder"))


def random_tensors(widths, latents, blocks, attention, quant, rng):
    """Random tensors by CompVis's names; convolutions as PyTorch starts them, norms near 1 and 0."""
    tensors = {}

    def conv(name, inputs, outputs, kernel):
        bound = 1 / np.sqrt(inputs * kernel ** 2)
        tensors[name + ".weight"] = rng.uniform(-bound, bound, (outputs, inputs, kernel, kernel)) * 1.7
        tensors[name + ".bias"] = rng.uniform(-bound, bound, outputs)

    def norm(name, channels):
        tensors[name + ".weight"] = rng.normal(1, 0.2, channels)
        tensors[name + ".bias"] = rng.normal(0, 0.2, channels)

    def block(name, inputs, outputs):
        norm(name + ".norm1", inputs)
        conv(name + ".conv1", inputs, outputs, 3)
        norm(name + ".norm2", outputs)
        conv(name + ".conv2", outputs, outputs, 3)
        if inputs != outputs: conv(name + ".nin_shortcut", inputs, outputs, 1)

    def attend(name, channels):
        norm(name + ".norm", channels)
        for part in ("q", "k", "v", "proj_out"): conv(f"{name}.{part}", channels, channels, 1)

    def middle(half, channels):
        block(half + ".mid.block_1", channels, channels)
        attend(half + ".mid.attn_1", channels)
        block(half + ".mid.block_2", channels, channels)

    conv("encoder.conv_in", 3, widths[0], 3)
    channels = widths[0]
    for level, width in enumerate(widths):
        for index in range(blocks):
            block(f"encoder.down.{level}.block.{index}", channels, width)
            channels = width
            if level in attention: attend(f"encoder.down.{level}.attn.{index}", channels)
        if level < len(widths) - 1: conv(f"encoder.down.{level}.downsample.conv", channels, channels, 3)
    middle("encoder", channels)
    norm("encoder.norm_out", channels)
    conv("encoder.conv_out", channels, 2 * latents, 3)
    conv("decoder.conv_in", latents, channels, 3)
    middle("decoder", channels)
    for level in reversed(range(len(widths))):
        for index in range(blocks + 1):
            block(f"decoder.up.{level}.block.{index}", channels, widths[level])
            channels = widths[level]
            if level in attention: attend(f"decoder.up.{level}.attn.{index}", channels)
        if level > 0: conv(f"decoder.up.{level}.upsample.conv", channels, channels, 3)
    norm("decoder.norm_out", channels)
    conv("decoder.conv_out", channels, 3, 3)
    if quant:
        conv("quant_conv", 2 * latents, 2 * latents, 1)
        conv("post_quant_conv", latents, latents, 1)
    return {name: values.astype(np.float32) for name, values in tensors.items()}


def write_statement(arguments, inputs, rng):
    attention = {len(arguments.widths) - 1} if arguments.attends else set()
    tensors = random_tensors(
        arguments.widths, arguments.latents, arguments.blocks, attention, arguments.quant, rng)
    if arguments.type == "float16": tensors = {name: values.astype(np.float16) for name, values in tensors.items()}
    backend = Numpy if arguments.form == "statement" else Torch
    model = CompVis(backend, tensors, len(arguments.widths), arguments.blocks, attention)
    from safetensors.numpy import save_file
    save_file({arguments.prefix + name: values for name, values in tensors.items()}, arguments.vae)
    return model.moments(inputs["images"]), model.images(inputs["latents"])


OLD = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def old_name(name):
    for new, old in OLD.items(): name = name.replace(f".{new}.", f".{old}.")
    return name


def diffusers_model(arguments):
    import torch
    from diffusers import AutoencoderKL
    count = len(arguments.widths)
    torch.manual_seed(arguments.seed)
    model = AutoencoderKL(
        block_out_channels=arguments.widths, down_block_types=["DownEncoderBlock2D"] * count,
        up_block_types=["UpDecoderBlock2D"] * count, layers_per_block=arguments.blocks,
        latent_channels=arguments.latents, use_quant_conv=arguments.quant, use_post_quant_conv=arguments.quant)
    with torch.no_grad():
        for parameter in model.parameters(): parameter.mul_(1.7) if parameter.dim() == 4 else parameter.add_(
            0.1 * torch.randn_like(parameter))
    return model.eval()


def write_diffusers(arguments, inputs):
    import torch
    from safetensors.torch import save_file
    model = diffusers_model(arguments)
    rename = old_name if arguments.form == "old" else lambda name: name
    save_file({rename(name): values.contiguous() for name, values in model.state_dict().items()}, arguments.vae)
    with torch.no_grad():
        moments = model.encode(torch.from_numpy(inputs["images"])).latent_dist
        images = model.decode(torch.from_numpy(inputs["latents"])).sample
    return torch.cat([moments.mean, moments.std], 1).numpy(), images.numpy()


def write(arguments):
    from safetensors.numpy import save_file
    os.makedirs(arguments.folder, exist_ok=True)
    arguments.vae = os.path.join(arguments.folder, "vae.safetensors")
    rng = np.random.default_rng(arguments.seed)
    side, factor = arguments.side, 2 ** (len(arguments.widths) - 1)
    inputs = {
        "images": rng.uniform(-1, 1, (arguments.batch, 3, side, side)).astype(np.float32),
        "latents": rng.normal(
            size=(arguments.batch, arguments.latents, side // factor, side // factor)).astype(np.float32)}
    ours = arguments.form in ("compvis", "statement")
    moments, images = write_statement(arguments, inputs, rng) if ours else write_diffusers(arguments, inputs)
    # safetensors writes the memory of an array, whatever its strides.
    outputs = {"moments": moments, "decoded": images}
    outputs = {name: np.ascontiguousarray(values, np.float32) for name, values in outputs.items()}
    save_file(inputs | outputs, os.path.join(arguments.folder, "case.safetensors"))
    print(f"moments within {np.abs(moments).max():.3g}, deviation {moments.std():.3g}; "
          f"images within {np.abs(images).max():.3g}, deviation {images.std():.3g}")


def measure(arguments):
    import resource
    import torch
    torch.set_num_threads(arguments.threads)
    model = diffusers_model(arguments)
    images = torch.rand(arguments.batch, 3, arguments.side, arguments.side) * 2 - 1
    factor = 2 ** (len(arguments.widths) - 1)
    latents = torch.randn(arguments.batch, arguments.latents, arguments.side // factor, arguments.side // factor)
    runs = {"encode": lambda: model.encode(images), "decode": lambda: model.decode(latents)}
    with torch.no_grad():
        for name in arguments.only or runs:
            seconds = []
            for _ in range(arguments.repeats):
                start = time.perf_counter()
                runs[name]()
                seconds.append(time.perf_counter() - start)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{name}: {arguments.batch / min(seconds):.3f} images/s, peak {peak:.0f} MiB", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, function in (("write", write), ("time", measure)):
        command = commands.add_parser(name)
        command.set_defaults(run=function)
        command.add_argument("--widths", type=lambda text: [int(w) for w in text.split(",")], default=[32, 64])
        command.add_argument("--latents", type=int, default=4)
        command.add_argument("--blocks", type=int, default=2)
        command.add_argument("--side", type=int, default=64)
        command.add_argument("--batch", type=int, default=2)
        command.add_argument("--seed", type=int, default=0)
        command.add_argument("--quant", action="store_true")
        if function is measure:
            command.add_argument("--threads", type=int, default=2)
            command.add_argument("--repeats", type=int, default=3)
            command.add_argument("--only", nargs="*", choices=["encode", "decode"])
            continue
        command.add_argument("folder")
        command.add_argument("--form", choices=["new", "old", "compvis", "statement"], default="new")
        command.add_argument("--attends", action="store_true", help="attention in the lowest level")
        command.add_argument("--type", choices=["float32", "float16"], default="float32")
        command.add_argument("--prefix", default="")
    arguments = parser.parse_args()
    arguments.run(arguments)


main()
