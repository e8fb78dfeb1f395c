"""DINOv2 (arXiv 2304.07193): the numbers that SprintVision has to reproduce.

    python dinov2_reference.py network --source published --width 128 --depth 3 --side 224 --table 37 --out FOLDER
    python dinov2_reference.py inputs --out cases-vision/dinov2-inputs.safetensors

`network` draws random weights, writes them as FOLDER/weights.safetensors under the names of `--source`, and writes
FOLDER/expected.safetensors: an image and what the network says about it. The source is

* published: the network as github.com/facebookresearch/dinov2 computes it, stated below, in float64;
* timm: timm's model; transformers: `Dinov2Model`. Their own code computes the outputs, the statement the attention.

`inputs` writes what the resizing of positions and of REPA's pictures makes of small inputs.
"""
import argparse
import math
import os

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


# ---------------------------------------------------------------- the network

def resized_positions(table, grid, antialiased=False, offset=0.1):
    """[1, grid², D] from [1, side², D]: `interpolate_pos_encoding`, or with `antialiased` timm's
    `resample_abs_pos_embed`, which is also what DINOv2 with registers does."""
    side = math.isqrt(table.shape[1])
    if side == grid:
        return table
    square = table.reshape(1, side, side, -1).permute(0, 3, 1, 2).float()
    if antialiased:
        square = F.interpolate(square, size=(grid, grid), mode="bicubic", antialias=True)
    else:
        square = F.interpolate(square, scale_factor=(grid + offset) / side, mode="bicubic")
    assert square.shape[-1] == grid
    return square.permute(0, 2, 3, 1).reshape(1, grid * grid, -1).to(table.dtype)


def features(w, image, antialiased=False):
    """Class token, patch tokens and the attention of all blocks [blocks, H, N, N] of one image [1, 3, S, S]."""
    width = w["cls_token"].shape[-1]
    patch = w["patch_embed.proj.weight"].shape[-1]
    heads, grid = width // 64, image.shape[-1] // patch
    registers = w.get("register_tokens", torch.zeros(1, 0, width, dtype=image.dtype))
    x = F.conv2d(image, w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], stride=patch)
    x = x.flatten(2).transpose(1, 2)
    x = x + resized_positions(w["pos_embed"][:, 1:], grid, antialiased or registers.shape[1] > 0)
    x = torch.cat([w["cls_token"] + w["pos_embed"][:, :1], registers, x], 1)

    def norm(x, name):
        return F.layer_norm(x, (width,), w[f"{name}.weight"], w[f"{name}.bias"], 1e-6)

    def layer(x, name):
        return F.linear(x, w[f"{name}.weight"], w[f"{name}.bias"])

    maps, block = [], 0
    while f"blocks.{block}.norm1.weight" in w:
        name = f"blocks.{block}"
        q, k, v = layer(norm(x, f"{name}.norm1"), f"{name}.attn.qkv").view(-1, 3, heads, 64).permute(1, 2, 0, 3)
        attention = (q @ k.transpose(-2, -1) / 8).softmax(-1)
        maps.append(attention[:, -grid * grid:, -grid * grid:])
        out = (attention @ v).transpose(0, 1).reshape(1, -1, width)
        x = x + w[f"{name}.ls1.gamma"] * layer(out, f"{name}.attn.proj")
        out = layer(F.gelu(layer(norm(x, f"{name}.norm2"), f"{name}.mlp.fc1")), f"{name}.mlp.fc2")
        x = x + w[f"{name}.ls2.gamma"] * out
        block += 1
    x = norm(x, "norm")
    return x[0, 0], x[0, -grid * grid:], torch.stack(maps)


# ---------------------------------------------------------------- random weights

def random_weights(width, depth, table, registers, hidden):
    shapes = {"cls_token": (1, 1, width), "pos_embed": (1, 1 + table * table, width), "mask_token": (1, width),
              "patch_embed.proj.weight": (width, 3, 14, 14), "patch_embed.proj.bias": (width,),
              "norm.weight": (width,), "norm.bias": (width,)}
    if registers:
        shapes["register_tokens"] = (1, registers, width)
    for i in range(depth):
        for name, shape in {"norm1.weight": (width,), "norm1.bias": (width,), "attn.qkv.weight": (3 * width, width),
                            "attn.qkv.bias": (3 * width,), "attn.proj.weight": (width, width),
                            "attn.proj.bias": (width,), "ls1.gamma": (width,), "norm2.weight": (width,),
                            "norm2.bias": (width,), "mlp.fc1.weight": (hidden, width), "mlp.fc1.bias": (hidden,),
                            "mlp.fc2.weight": (width, hidden), "mlp.fc2.bias": (width,), "ls2.gamma": (width,)}.items():
            shapes[f"blocks.{i}.{name}"] = shape
    return {name: drawn(name, shape) for name, shape in shapes.items()}


def drawn(name, shape):
    value = torch.randn(shape)
    if "norm" in name and name.endswith("weight"):
        return 1 + 0.2 * value
    if name.endswith("weight"):
        return value / math.sqrt(math.prod(shape[1:]))
    return 0.5 * value


def chunked(weights, chunks, depth):
    """The names of a network whose blocks are in `chunks` chunks."""
    def renamed(name):
        if not name.startswith("blocks."):
            return name
        _, block, rest = name.split(".", 2)
        return f"blocks.{int(block) // (depth // chunks)}.{block}.{rest}"
    return {renamed(name): value for name, value in weights.items()}


# ---------------------------------------------------------------- other programs' models

def timm_outputs(weights, image, args):
    import timm
    from timm.models.vision_transformer import checkpoint_filter_fn
    size = {384: "small", 768: "base", 1024: "large"}.get(args.width, "small")
    reg = f"_reg{args.registers}" if args.registers else ""
    model = timm.create_model(f"vit_{size}_patch14{reg}_dinov2", img_size=args.side, embed_dim=args.width,
                              depth=args.depth, num_heads=args.width // 64, num_classes=0).eval()
    stored = timm.create_model(f"vit_{size}_patch14{reg}_dinov2", img_size=14 * args.table, embed_dim=args.width,
                               depth=args.depth, num_heads=args.width // 64, num_classes=0)
    stored.load_state_dict(checkpoint_filter_fn(dict(weights), stored))
    model.load_state_dict(checkpoint_filter_fn(dict(stored.state_dict()), model))
    x = model.forward_features(image)
    return stored.state_dict(), x[0, 0], x[0, 1 + args.registers:]


def transformers_outputs(weights, image, args):
    import transformers
    kind = "Dinov2WithRegisters" if args.registers else "Dinov2"
    options = dict(num_register_tokens=args.registers) if args.registers else {}
    config = getattr(transformers, f"{kind}Config")(
        hidden_size=args.width, num_hidden_layers=args.depth, num_attention_heads=args.width // 64,
        image_size=14 * args.table, patch_size=14, mlp_ratio=args.hidden // args.width, **options)
    model = getattr(transformers, f"{kind}Model")(config).eval()
    named = {}
    for name, value in weights.items():
        name = name.replace("blocks.", "encoder.layer.").replace("attn.proj", "attention.output.dense")
        for own, other in {"cls_token": "embeddings.cls_token", "mask_token": "embeddings.mask_token",
                           "pos_embed": "embeddings.position_embeddings",
                           "register_tokens": "embeddings.register_tokens",
                           "patch_embed.proj": "embeddings.patch_embeddings.projection"}.items():
            name = name.replace(own, other)
        for i in "12":
            name = name.replace(f"ls{i}.gamma", f"layer_scale{i}.lambda1")
        if name.startswith("norm."):
            name = "layer" + name
        if "attn.qkv" in name:
            for part, piece in zip(("query", "key", "value"), value.chunk(3)):
                named[name.replace("attn.qkv", f"attention.attention.{part}")] = piece.contiguous()
        else:
            named[name] = value
    model.save_pretrained(args.out)  # the names of the files, which differ from those of the modules in some versions
    os.rename(f"{args.out}/model.safetensors", f"{args.out}/names.safetensors")
    from safetensors.torch import load_file
    assert set(load_file(f"{args.out}/names.safetensors")) == set(named)
    save_file(named, f"{args.out}/model.safetensors", metadata={"format": "pt"})
    model = type(model).from_pretrained(args.out).eval()
    os.remove(f"{args.out}/model.safetensors")
    os.remove(f"{args.out}/names.safetensors")
    x = model(image).last_hidden_state
    return named, x[0, 0], x[0, 1 + args.registers:]


@torch.no_grad()
def make_network(args):
    torch.manual_seed(args.seed)
    args.hidden = args.hidden or 4 * args.width
    weights = random_weights(args.width, args.depth, args.table, args.registers, args.hidden)
    weights = {name: value.to(args.stored).float() for name, value in weights.items()}
    picture = torch.randint(0, 256, (3, args.resolution, args.resolution), dtype=torch.uint8)
    image = repa_input(picture, args.side) if args.resolution else torch.randn(1, 3, args.side, args.side)
    double = {name: value.double() for name, value in weights.items()}
    token, patches, maps = features(double, image.double(), args.antialiased)
    named = weights
    if args.source == "timm":
        named, token, patches = timm_outputs(weights, image, args)
    elif args.source == "transformers":
        named, token, patches = transformers_outputs(weights, image, args)
    elif args.chunks:
        named = chunked(weights, args.chunks, args.depth)
    save_file({k: v.to(args.stored).contiguous() for k, v in named.items()}, f"{args.out}/weights.safetensors")
    expected = {"image": image[0], "class_token": token, "patch_tokens": patches, "attention": maps}
    expected = {k: v.float().contiguous() for k, v in expected.items()}
    if args.resolution:
        expected["picture"] = picture.permute(1, 2, 0).contiguous()
    save_file(expected, f"{args.out}/expected.safetensors")


# ---------------------------------------------------------------- inputs

def normalized(picture):
    constant = lambda values: torch.tensor(values).view(3, 1, 1)
    return (picture / 255 - constant(MEAN)) / constant(DEVIATION)


def repa_input(picture, side):
    """`preprocess_raw_image` of github.com/sihyun-yu/REPA, train.py: [1, 3, side, side] from bytes [3, S, S]."""
    return F.interpolate(normalized(picture)[None], side, mode="bicubic")


def make_inputs(args):
    torch.manual_seed(args.seed)
    out = {}
    for side, grid, width in [(4, 3, 2), (4, 7, 2), (37, 16, 1), (16, 37, 1)]:
        table = torch.randn(1, side * side, width)
        name = f"{side}.{grid}"
        out |= {f"table.{name}": table[0], f"published.{name}": resized_positions(table, grid)[0],
                f"antialiased.{name}": resized_positions(table, grid, antialiased=True)[0]}
    picture = torch.randint(0, 256, (3, 32, 32), dtype=torch.uint8)
    out |= {"picture": picture.permute(1, 2, 0).contiguous(), "normalized": normalized(picture),
            "aligned": repa_input(picture, 28)[0]}
    save_file(out, args.out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    network = commands.add_parser("network")
    network.add_argument("--source", choices=["published", "timm", "transformers"], default="published")
    for name, value in [("width", 128), ("depth", 3), ("side", 56), ("table", 5), ("registers", 0), ("hidden", 0),
                        ("chunks", 0), ("seed", 0), ("resolution", 0)]:
        network.add_argument(f"--{name}", type=int, default=value)
    network.add_argument("--antialiased", action="store_true", help="positions as timm and REPA resize them")
    network.add_argument("--stored", type=lambda s: getattr(torch, s), default=torch.float32)
    network.add_argument("--out", required=True)
    inputs = commands.add_parser("inputs")
    inputs.add_argument("--seed", type=int, default=0)
    inputs.add_argument("--out", required=True)
    args = parser.parse_args()
    make_network(args) if args.command == "network" else make_inputs(args)


if __name__ == "__main__":
    main()
