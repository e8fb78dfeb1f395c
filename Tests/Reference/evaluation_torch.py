"""The numbers of `sprint evaluate --network inception=W|dinov2-s=W` as PyTorch and numpy compute them.

    evaluation_torch.py inception|dinov2 WEIGHTS.safetensors SAMPLES.npz REFERENCE.npz [--double]

SAMPLES and REFERENCE hold `arr_0`, uint8 [n, H, W, 3]. Inception is torchvision's with pytorch-fid's blocks, on
pictures that are resized as TensorFlow 1 does; DINOv2 is its own code's statement, on pictures that Pillow resizes.
Prints one
JSON object with the keys of `sprint evaluate --json`.
"""
import argparse
import json

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

import dinov2_reference
import evaluation_reference
import inception_reference


def resize_bilinear(pictures, side):
    """`tf.image.resize_bilinear` with `align_corners=False` of [n, H, W, 3]: no half-pixel centres, no antialiasing."""
    x = pictures.astype(np.float32)
    for axis in (1, 2):
        extent = x.shape[axis]
        place = np.arange(side, dtype=np.float32) * np.float32(extent / side)
        first = np.minimum(place.astype(int), extent - 1)
        second = np.minimum(first + 1, extent - 1)
        share = (place - first.astype(np.float32)).reshape([-1 if i == axis else 1 for i in range(4)])
        low, high = x.take(first, axis), x.take(second, axis)
        x = low + (high - low) * share
    return x


def inception(weights, pictures, dtype):
    model = inception_reference.network()
    model.load_state_dict(weights)
    model.to(dtype)
    found = []
    for picture in pictures:
        x = (resize_bilinear(picture[None], 299) - 128) / 128
        found.append(inception_reference.features(model, torch.from_numpy(x).permute(0, 3, 1, 2).to(dtype)))
    return [torch.cat(kind).double().numpy() for kind in zip(*found)]


def dinov2(weights, pictures, dtype):
    weights = {name: value.to(dtype) for name, value in weights.items()}
    mean, deviation = (torch.tensor(x, dtype=dtype) for x in (dinov2_reference.MEAN, dinov2_reference.DEVIATION))
    found = []
    for picture in pictures:
        resized = np.array(Image.fromarray(picture).resize((224, 224), Image.BICUBIC))
        x = (torch.from_numpy(resized).to(dtype) / 255 - mean) / deviation
        found.append(dinov2_reference.features(weights, x.permute(2, 0, 1)[None])[0])
    return [torch.stack(found).double().numpy()]


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=["inception", "dinov2"])
    parser.add_argument("weights")
    parser.add_argument("sets", nargs=2)
    parser.add_argument("--double", action="store_true")
    args = parser.parse_args()
    compute = {"inception": inception, "dinov2": dinov2}[args.network]
    dtype = torch.float64 if args.double else torch.float32
    own, other = (compute(load_file(args.weights), np.load(path)["arr_0"], dtype) for path in args.sets)
    found = {"fid" if args.network == "inception" else "fdd": evaluation_reference.frechet(own[0], other[0])}
    found["precision"], found["recall"] = evaluation_reference.precision_recall(own[0], other[0])
    if args.network == "inception":
        found["sfid"] = evaluation_reference.frechet(own[1], other[1])
        found["inception_score"] = evaluation_reference.inception_score(own[2])[0]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
