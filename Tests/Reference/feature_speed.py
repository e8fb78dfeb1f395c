"""Measures Inception and DINOv2 in PyTorch, on two threads, eight images at a time; FeatureSpeed.swift measures sprint.

    python feature_speed.py inception|dinov2-b|dinov2-l --weights FOLDER    writes FOLDER/weights.safetensors, random
    python feature_speed.py inception|dinov2-b|dinov2-l                     prints images/s

Needs torch, torchvision, timm and safetensors.
"""
import argparse
import time

import torch
from safetensors.torch import save_file

import inception_reference


def dinov2(letter):
    import timm
    return timm.create_model(f"vit_{ {'s': 'small', 'b': 'base', 'l': 'large'}[letter] }_patch14_dinov2", img_size=224,
                             num_classes=0).eval()


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=["inception", "dinov2-s", "dinov2-b", "dinov2-l"])
    parser.add_argument("--weights")
    args = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(2)
    if args.network == "inception":
        model, side = inception_reference.network(), 299
        inception_reference.randomize(model)
        run = lambda x: inception_reference.features(model, x)
    else:
        model, side = dinov2(args.network[-1]), 224
        run = model.forward_features
    if args.weights:
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, f"{args.weights}/weights.safetensors")
        return
    x = torch.randn(8, 3, side, side)
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        run(x)
        seconds.append(time.perf_counter() - start)
    print(f"{args.network} in PyTorch {torch.__version__}: {8 / min(seconds):.3f} images/s")


main()
