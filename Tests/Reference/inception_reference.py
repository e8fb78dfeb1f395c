"""Inception as FID uses it: the numbers that SprintVision has to reproduce.

    python inception_reference.py --out FOLDER

Draws random weights for torchvision's Inception v3 with the changes of pytorch-fid (github.com/mseitzer/pytorch-fid):
average pools leave out the padding, the last block's pool takes the largest, 1008 classes. Writes them as
FOLDER/weights.safetensors under the names of `pt_inception-2015-12-05`, and FOLDER/expected.safetensors: a picture of
299 x 299 pixels, which needs no resizing, and the features of it in float64.

The spatial features are those of `mixed_6/conv` in the graph of 2015-12-05, of which ADM's evaluator takes the first
7 channels. The graph counts its blocks `mixed`, `mixed_1`, ... from torchvision's Mixed_5b, so this is the first branch
of Mixed_6d. The evaluator flattens [17, 17, 7], channels last.
"""
import argparse
import math

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from torchvision.models import inception


def mean_pool(x):
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


class BlockA(inception.InceptionA):
    def forward(self, x):
        large = self.branch5x5_2(self.branch5x5_1(x))
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), large, double, self.branch_pool(mean_pool(x))], 1)


class BlockC(inception.InceptionC):
    def forward(self, x):
        long = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), long, double, self.branch_pool(mean_pool(x))], 1)


class BlockE(inception.InceptionE):
    pool = staticmethod(mean_pool)

    def forward(self, x):
        wide = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        return torch.cat([
            self.branch1x1(x), self.branch3x3_2a(wide), self.branch3x3_2b(wide), self.branch3x3dbl_3a(double),
            self.branch3x3dbl_3b(double), self.branch_pool(self.pool(x))], 1)


class LastBlock(BlockE):
    pool = staticmethod(lambda x: F.max_pool2d(x, 3, stride=1, padding=1))


def network():
    blocks = [inception.BasicConv2d, BlockA, inception.InceptionB, BlockC, inception.InceptionD, BlockE,
              inception.InceptionAux]
    model = inception.Inception3(num_classes=1008, aux_logits=False, inception_blocks=blocks, init_weights=False)
    model.Mixed_7c = LastBlock(2048)
    return model.eval()


def randomize(model):
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=math.sqrt(2 / module.weight[0].numel()))
        if isinstance(module, nn.BatchNorm2d):
            assert module.eps == 1e-3
            nn.init.normal_(module.weight, 1, 0.1)
            nn.init.normal_(module.bias, 0, 0.1)
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    nn.init.normal_(model.fc.weight, std=1 / math.sqrt(2048))
    nn.init.normal_(model.fc.bias)


def features(model, x):
    seen = {}
    handles = [module.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
               for name, module in [("spatial", model.Mixed_6d.branch1x1), ("last", model.Mixed_7c)]]
    model(x)
    for handle in handles:
        handle.remove()
    pooled = seen["last"].mean((2, 3))
    spatial = seen["spatial"][:, :7].permute(0, 2, 3, 1).flatten(1)
    return pooled, spatial, pooled @ model.fc.weight.T


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    model = network()
    randomize(model)
    state = {k: v.contiguous() for k, v in model.state_dict().items()}
    save_file(state, f"{args.out}/weights.safetensors")
    picture = torch.randint(0, 256, (1, 299, 299, 3), dtype=torch.uint8)
    x = (picture.permute(0, 3, 1, 2).double() - 128) / 128
    pooled, spatial, logits = features(model.double(), x)
    save_file({"picture": picture[0], "pooled": pooled[0].float(), "spatial": spatial[0].float(),
               "logits": logits[0].float()}, f"{args.out}/expected.safetensors")


if __name__ == "__main__":
    main()
