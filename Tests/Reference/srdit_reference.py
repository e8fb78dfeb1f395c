"""A small PyTorch statement of SR-DiT (SpeedrunDiT, arXiv 2512.12386): the numbers the Swift trainer has to reproduce.

Written for reading and for making test cases. It runs on the CPU in float32 (or float64 with --double), needs only
`torch`, `numpy` and `safetensors`, and takes what SPRINT has in common from sprint_reference.py beside it.

    python srdit_reference.py case --out case.safetensors --width 16 --heads 2 --middle 2 --side 8 ...

SR-DiT is SPRINT's encoder / sparse middle / decoder plus: a noisy class token as token 0 (REG), RMS norms, fixed
sine-cosine positions and RoPE together, normed queries and keys, the first block's values mixed into every later
block, a contrastive term, and a resolution-dependent time shift. CASES-srdit.md describes the case files.

Shapes: B batch, C latent channels, S side, p patch, N = (S/p)^2 patches, T = N + 1 tokens, M kept tokens, D width,
H heads, F feature width = class token width.
"""
from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import nn

from sprint_reference import Mlp, Named, RMSNorm, bench_training, compile_blocks, random_keep, turn

QK_EPS = 2.0 ** -23  # torch's RMSNorm without an eps takes the machine epsilon, here of float32


@dataclass
class Config:
    width: int = 16
    heads: int = 2
    depth: tuple[int, int, int] = (2, 1, 2)  # encoder, middle, decoder blocks; the published split is 2 / depth - 4 / 2
    side: int = 8
    channels: int = 4
    patch: int = 1
    classes: int = 10
    mlp_ratio: float = 4.0
    rope_theta: float = 10000.0
    projector: int = 16      # hidden width of the alignment projector
    feature_width: int = 12  # width of the teacher's features, and so of the class token
    shift_base: int = 4096   # the time shift is sqrt(C S S / shift_base); 0 = none
    qk_eps: float = QK_EPS

    @property
    def patches(self) -> int:
        return (self.side // self.patch) ** 2

    @property
    def shift(self) -> float:
        return math.sqrt(self.channels * self.side ** 2 / self.shift_base) if self.shift_base else 1.0


def shifted(t, shift):
    """Later (noisier) times for larger latents; 0 and 1 stay."""
    return (shift * t / (1 + (shift - 1) * t)).clamp(0, 1)


def rope_tables(cfg: Config):
    """cos and sin [T, D/H]: half a head turns with the row, half with the column; the class token does not turn."""
    half = cfg.width // cfg.heads // 2
    grid = cfg.side // cfg.patch
    speed = 1 / cfg.rope_theta ** (torch.arange(0, half, 2, dtype=torch.float32) / half)
    angle = torch.outer(torch.arange(grid, dtype=torch.float32), speed).repeat_interleave(2, -1)  # [grid, half]
    place = torch.cartesian_prod(torch.arange(grid), torch.arange(grid))  # row, column of each patch
    table = torch.cat([angle[place[:, 0]], angle[place[:, 1]]], -1)
    table = torch.cat([torch.zeros(1, 2 * half), table])
    return table.cos(), table.sin()


def position_table(cfg: Config):
    """[1, T, D]: sine then cosine of the COLUMN (first half), then of the row; zero for the class token."""
    grid, quarter = cfg.side // cfg.patch, cfg.width // 4
    speed = 1 / 10000 ** (torch.arange(quarter, dtype=torch.float64) / quarter)
    angle = torch.outer(torch.arange(grid, dtype=torch.float64), speed)
    wave = torch.cat([angle.sin(), angle.cos()], -1)  # [grid, D/2]
    columns, rows = wave.repeat(grid, 1), wave.repeat_interleave(grid, 0)
    return torch.cat([torch.zeros(1, cfg.width), torch.cat([columns, rows], -1).float()])[None]


def rms(x, eps=1e-6):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)


def modulated(x, shift, scale):
    return rms(x) * (1 + scale[:, None]) + shift[:, None]


class HeadNorm(nn.Module):
    def __init__(self, width: int, eps: float):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        return rms(x, self.eps) * self.weight


class Attention(nn.Module):
    """Values of the network's first block are mixed into those of every later block by one trained number."""

    def __init__(self, cfg: Config, first: bool):
        super().__init__()
        d, self.heads = cfg.width, cfg.heads
        self.qkv = nn.Linear(d, 3 * d)
        self.q_norm, self.k_norm = HeadNorm(d // self.heads, cfg.qk_eps), HeadNorm(d // self.heads, cfg.qk_eps)
        self.proj = nn.Linear(d, d)
        if not first:
            self.v1_lambda = nn.Parameter(torch.tensor(0.5))

    def forward(self, x, cos, sin, values):
        """Also returns this block's own values [B, H, T, D/H], before any mixing."""
        b, n, d = x.shape
        q, k, own = self.qkv(x).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        v = own if values is None else self.v1_lambda * values + (1 - self.v1_lambda) * own
        cos, sin = cos.unsqueeze(-3), sin.unsqueeze(-3)
        q, k = turn(self.q_norm(q), cos, sin), turn(self.k_norm(k), cos, sin)
        y = F.scaled_dot_product_attention(q, k, v)
        return self.proj(y.transpose(1, 2).reshape(b, n, d)), own


class Block(nn.Module):
    def __init__(self, cfg: Config, first: bool):
        super().__init__()
        self.attn = Attention(cfg, first)
        self.mlp = Mlp(cfg.width, int(cfg.width * cfg.mlp_ratio))
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(cfg.width, 6 * cfg.width))

    def forward(self, x, c, cos, sin, values):
        shift1, scale1, gate1, shift2, scale2, gate2 = self.adaLN_modulation(c).chunk(6, -1)
        y, own = self.attn(modulated(x, shift1, scale1), cos, sin, values)
        x = x + gate1[:, None] * y
        return x + gate2[:, None] * self.mlp(modulated(x, shift2, scale2)), own


class SRDiT(nn.Module):
    """Parameter names are those of the published checkpoints (which also hold the two RoPE tables, feat_rope.*)."""

    def __init__(self, cfg: Config):
        super().__init__()
        self.cfg = cfg
        d, f, h = cfg.width, cfg.feature_width, cfg.projector
        self.mask_token = nn.Parameter(torch.zeros(1, 1, d))
        self.fusion_proj = nn.Linear(2 * d, d)
        self.x_embedder = Named(proj=nn.Conv2d(cfg.channels, d, cfg.patch, cfg.patch))
        self.t_embedder = Named(mlp=nn.Sequential(nn.Linear(256, d), nn.SiLU(), nn.Linear(d, d)))
        self.y_embedder = Named(embedding_table=nn.Embedding(cfg.classes + 1, d))  # last row: "no class"
        self.pos_embed = nn.Parameter(position_table(cfg), requires_grad=False)
        self.blocks = nn.ModuleList(Block(cfg, i == 0) for i in range(sum(cfg.depth)))
        self.projectors = nn.ModuleList([nn.Sequential(nn.Linear(d, h), nn.SiLU(), nn.Linear(h, h), nn.SiLU(),
                                                       nn.Linear(h, f))])
        self.final_layer = Named(linear=nn.Linear(d, cfg.patch ** 2 * cfg.channels), linear_cls=nn.Linear(d, f),
                                 adaLN_modulation=nn.Sequential(nn.SiLU(), nn.Linear(d, 2 * d)))
        self.cls_projectors2 = nn.Linear(f, d)
        self.wg_norm = RMSNorm(d)
        cos, sin = rope_tables(cfg)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def initialize(self):
        """The published initialisation; the mask token starts at zero and is trained."""
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)):
                nn.init.xavier_uniform_(module.weight.data.flatten(1))
                nn.init.zeros_(module.bias)
        time = self.t_embedder.mlp
        for weight in (self.y_embedder.embedding_table.weight, time[0].weight, time[2].weight):
            nn.init.normal_(weight, std=0.02)
        silent = [b.adaLN_modulation[1] for b in [*self.blocks, self.final_layer]]
        for layer in [*silent, self.final_layer.linear, self.final_layer.linear_cls]:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        return self

    def condition(self, t, y):
        """c [B, D]; the sines of t are taken in float32 whatever the model computes in."""
        freqs = torch.exp(-math.log(10000.0) * torch.arange(128, dtype=torch.float32) / 128)
        angle = t.float()[:, None] * freqs
        time = self.t_embedder.mlp(torch.cat([angle.cos(), angle.sin()], -1).to(t.dtype))
        return time + self.y_embedder.embedding_table(y)

    def forward(self, x, t, y, token, keep=None, path_drop=False):
        """Velocity of the latents [B, C, S, S], of the class token [B, F], and the projected features [B, T, F].

        token [B, F]: the noisy class token. keep [B, M]: ids the middle blocks see, 0 = class token, 1 + k = patch k
        (None: all). path_drop: the middle blocks' output of the whole batch is replaced by the mask token.
        """
        c = self.condition(t, y)
        first = self.wg_norm(self.cls_projectors2(token))[:, None]
        x = torch.cat([first, self.x_embedder.proj(x).flatten(2).transpose(1, 2)], 1) + self.pos_embed
        b, n, d = x.shape
        encoder, middle, _ = self.cfg.depth
        values = None
        for block in self.blocks[:encoder]:
            x, own = block(x, c, self.cos, self.sin, values)
            values = own if values is None else values
        shallow, features = x, self.projectors[0](x)

        cos, sin, seen = self.cos, self.sin, values
        if keep is not None:
            x = x.gather(1, keep[..., None].expand(-1, -1, d))
            seen = values.gather(2, keep[:, None, :, None].expand(-1, values.shape[1], -1, values.shape[3]))
            cos, sin = cos[keep], sin[keep]
        for block in self.blocks[encoder:encoder + middle]:
            x, _ = block(x, c, cos, sin, seen)
        mask = self.mask_token.expand(b, n, d)
        deep = x if keep is None else mask.scatter(1, keep[..., None].expand(-1, -1, d), x)
        if path_drop:
            deep = mask + 0 * deep  # the middle blocks get a gradient of zero, not none

        x = self.fusion_proj(torch.cat([shallow, deep], -1))  # SPRINT has them the other way round
        for block in self.blocks[encoder + middle:]:
            x, _ = block(x, c, self.cos, self.sin, values)
        shift, scale = self.final_layer.adaLN_modulation(c).chunk(2, -1)
        x = modulated(x, shift, scale)
        return self.unpatchify(self.final_layer.linear(x[:, 1:])), self.final_layer.linear_cls(x[:, 0]), features

    def unpatchify(self, x):
        """A token's outputs are ordered row, column, channel (SPRINT: channel first)."""
        b, n, _ = x.shape
        p, g, c = self.cfg.patch, math.isqrt(n), self.cfg.channels
        return x.view(b, g, g, p, p, c).permute(0, 5, 1, 3, 2, 4).reshape(b, c, g * p, g * p)


# ---------------------------------------------------------------- losses

CLASS_WEIGHT, ALIGN_WEIGHT, CONTRAST_WEIGHT = 0.03, 0.5, 0.05


def losses(model, x, noise, token, token_noise, t, y, teacher, keep=None, path_drop=False):
    """dict: image, class, align, contrast (each unweighted) and total; t is the draw before the time shift.

    teacher [B, N, F]: patch features; the clean class token is their row 0. contrast is MINUS the distance to the
    previous sample's target (the first sample's is the last one's), of the latents alone: the published code computes
    the same for the class token and never adds it.
    """
    t = shifted(t, model.cfg.shift)
    tt, tc = t[:, None, None, None], t[:, None]
    v, v_token, features = model((1 - tt) * x + tt * noise, t, y, (1 - tc) * token + tc * token_noise, keep, path_drop)
    target = noise - x
    out = {"image": (v - target).square().mean(), "class": (v_token - (token_noise - token)).square().mean()}
    teacher = torch.cat([token[:, None], teacher], 1)
    out["align"] = -(F.normalize(features, dim=-1) * F.normalize(teacher, dim=-1)).sum(-1).mean()
    out["contrast"] = -(v - target.roll(1, 0)).square().mean()
    out["total"] = (out["image"] + ALIGN_WEIGHT * out["align"] + CLASS_WEIGHT * out["class"]
                    + CONTRAST_WEIGHT * out["contrast"])
    return out, (t, v, v_token, features)


# ---------------------------------------------------------------- sampler

@torch.no_grad()
def sample(model, x, token, y, steps, eps, token_eps, guidance="none", scale=1.0, token_scale=1.0, low=0.0, high=1.0):
    """Euler-Maruyama over latents and class token, in float64: `steps - 1` noisy steps, then a noiseless one to 0.

    Times 1 ... 0.04 and 0 are shifted first; shifted ones reach the network, the diffusion 2t and the interval.
    guidance "cfg" (weak branch: no class) or "pdg" (no class, and no deep path) acts where low <= t <= high and
    scale > 1; with token_scale <= 0 the class token follows the conditional branch alone.
    eps [steps - 1, B, C, S, S] and token_eps [steps - 1, B, F]. Returns the latents and the class token.
    """
    kind, b = model.cos.dtype, len(x)
    times = torch.cat([torch.linspace(1.0, 0.04, steps, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)])
    times = shifted(times, model.cfg.shift).tolist()
    state = [x.double(), token.double()]

    def drifts(t, y, path_drop=False):
        times = torch.full((b,), t, dtype=torch.float64).to(kind)
        v = model(state[0].to(kind), times, y, state[1].to(kind), None, path_drop)
        # v - (w / 2) score with w = 2 t
        return [v_k.double() - t * ((t - 1) * v_k.double() - s) / (t * t + (1 - t) * t) for v_k, s in zip(v, state)]

    for i, (t, after) in enumerate(zip(times[:-1], times[1:])):
        drift = drifts(t, y)
        if guidance != "none" and scale > 1 and low <= t <= high:
            weak = drifts(t, torch.full_like(y, model.cfg.classes), guidance == "pdg")
            by = [scale, token_scale if token_scale > 0 else 1.0]
            drift = [w + s * (d - w) for d, w, s in zip(drift, weak, by)]
        state = [s + d * (after - t) for s, d in zip(state, drift)]
        if i < steps - 1:
            size = math.sqrt(2 * t) * math.sqrt(abs(after - t))
            state = [s + size * e[i].double() for s, e in zip(state, (eps, token_eps))]
    return state


# ---------------------------------------------------------------- cases

def make_case(args):
    from safetensors.torch import save_file

    torch.manual_seed(args.seed)
    depth = (args.encoder, args.middle, args.decoder)
    cfg = Config(args.width, args.heads, depth, args.side, args.channels, args.patch, args.classes,
                 args.mlp_ratio, projector=args.projector, feature_width=args.feature_width,
                 shift_base=args.shift_base)
    model = SRDiT(cfg).initialize()
    with torch.no_grad():  # a trained-looking model: zero-initialised layers would hide most of the gradient
        for p in model.parameters():
            if p.requires_grad:
                p.add_(torch.randn_like(p) * args.jitter)
        for layer in [*(b.attn.qkv for b in model.blocks), model.cls_projectors2] if args.small != 1 else ():
            rows = slice(None) if layer is model.cls_projectors2 else slice(2 * cfg.width)  # queries and keys
            layer.weight[rows] *= args.small
            layer.bias[rows] *= args.small
    if args.double:
        model = model.double()
    kind = model.cos.dtype
    ema = {k: p.detach().clone() for k, p in model.named_parameters()}
    out = {f"param.{k}": p.detach().clone() for k, p in model.named_parameters()}
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=args.lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=args.weight_decay)
    b, f = args.batch, cfg.feature_width
    for step in range(args.steps):
        x, noise = torch.randn(2, b, cfg.channels, cfg.side, cfg.side)
        token, token_noise = torch.randn(2, b, f)
        inputs = dict(x=x, noise=noise, token=token, token_noise=token_noise, t=torch.rand(b),
                      y=torch.randint(0, cfg.classes + 1, (b,)), teacher=torch.randn(b, cfg.patches, f))
        drop = step in args.drop_steps
        inputs["path_drop"] = torch.tensor(drop, dtype=torch.uint8)
        if args.ratio > 0:
            inputs["keep"] = random_keep(b, cfg.patches + 1, args.ratio)
        out |= {f"step.{step}.input.{k}": v for k, v in inputs.items()}
        given = {k: v.to(kind) if v.is_floating_point() else v for k, v in inputs.items() if k != "path_drop"}
        terms, (t, v, v_token, features) = losses(model, **given, path_drop=drop)
        optimizer.zero_grad(set_to_none=True)
        terms["total"].backward()
        out[f"step.{step}.output.t"] = t
        if step == 0:
            out |= {"step.0.output.velocity": v.detach(), "step.0.output.token_velocity": v_token.detach(),
                    "step.0.output.features": features.detach()}
            out |= {f"step.0.grad.{k}": p.grad.clone() for k, p in model.named_parameters() if p.grad is not None}
        norm = nn.utils.clip_grad_norm_(trainable, args.clip)
        out |= {f"step.{step}.output.loss.{k}": v.detach() for k, v in terms.items()}
        out[f"step.{step}.output.grad_norm"] = norm.detach()
        optimizer.step()
        with torch.no_grad():
            for k, p in model.named_parameters():
                ema[k].mul_(args.ema).add_(p, alpha=1 - args.ema)
    out |= {f"final.param.{k}": p.detach().clone() for k, p in model.named_parameters()}
    out |= {f"final.ema.{k}": v for k, v in ema.items()}

    n, k = args.sample_batch, args.sample_steps
    start = torch.randn(n, cfg.channels, cfg.side, cfg.side), torch.randn(n, f)
    labels = torch.randint(0, cfg.classes, (n,))
    eps = torch.randn(k - 1, n, cfg.channels, cfg.side, cfg.side), torch.randn(k - 1, n, f)
    out |= {"sample.input.noise": start[0], "sample.input.token_noise": start[1], "sample.input.y": labels,
            "sample.input.eps": eps[0], "sample.input.token_eps": eps[1]}
    for guidance in ("none", "cfg", "pdg"):
        images, tokens = sample(
            model, *start, labels, k, *eps, guidance, args.scale, args.token_scale, args.low, args.high)
        out |= {f"sample.output.{guidance}": images, f"sample.output.token.{guidance}": tokens}
    meta = asdict(cfg) | dict(ratio=args.ratio, lr=args.lr, weight_decay=args.weight_decay, clip=args.clip,
                              ema=args.ema, class_weight=CLASS_WEIGHT, align_weight=ALIGN_WEIGHT,
                              contrast_weight=CONTRAST_WEIGHT,
                              steps=args.steps, sample_steps=k, scale=args.scale, token_scale=args.token_scale,
                              low=args.low, high=args.high, double=args.double)
    floats = {k: (v.float() if v.is_floating_point() else v).clone().contiguous() for k, v in out.items()}
    save_file(floats, args.out, metadata={"srdit.case": json.dumps(meta)})
    print(f"{args.out}: {len(floats)} tensors, {sum(p.numel() for p in model.parameters())} parameters, "
          f"loss {float(out['step.0.output.loss.total']):.6f}")


def bench(args):
    """Prints images per second of whole training steps of SR-DiT-B/1.

    The autoencoder's latents and the teacher's features are given, as the trainer reads them from a file.
    """
    torch.set_num_threads(args.threads)
    cfg = Config(768, 12, (2, 8, 2), args.side, 32, 1, 1000, projector=2048, feature_width=768)
    model = SRDiT(cfg).initialize()
    if args.compile:
        compile_blocks(model.blocks)
    b = args.batch

    def make_loss():
        x, noise = torch.randn(2, b, 32, args.side, args.side)
        token, token_noise = torch.randn(2, b, 768)
        teacher = torch.randn(b, cfg.patches, 768)

        def loss(y):
            keep = random_keep(b, cfg.patches + 1, args.ratio) if args.ratio else None
            drops_path = bool(torch.rand(()) < 0.05)
            return losses(model, x, noise, token, token_noise, torch.rand(b), y, teacher, keep, drops_path)[0]["total"]

        return loss

    bench_training(model, make_loss, args)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    case = commands.add_parser("case")
    for name, kind, default in [("width", int, 16), ("heads", int, 2), ("encoder", int, 2), ("middle", int, 2),
                                ("decoder", int, 2), ("side", int, 8), ("channels", int, 4), ("patch", int, 1),
                                ("classes", int, 10),
                                ("mlp-ratio", float, 4.0), ("projector", int, 16), ("feature-width", int, 12),
                                ("shift-base", int, 4096), ("batch", int, 3), ("steps", int, 3), ("seed", int, 0),
                                ("ratio", float, 0.75), ("lr", float, 1e-3), ("weight-decay", float, 0.0),
                                ("clip", float, 1.0), ("ema", float, 0.99), ("jitter", float, 0.05),
                                ("small", float, 1.0),
                                ("sample-batch", int, 2), ("sample-steps", int, 4),
                                ("scale", float, 3.0), ("token-scale", float, 2.0), ("low", float, 0.0),
                                ("high", float, 1.0)]:
        case.add_argument(f"--{name}", type=kind, default=default)
    case.epilog = "--small scales what the norms of queries, keys and class token see: a wrong eps then shows."
    case.add_argument("--drop-steps", type=lambda s: [int(v) for v in s.split(",")], default=[],
                      help="training steps whose whole batch loses the deep path, as 0,2")
    case.add_argument("--double", action="store_true", help="compute in float64 (stored as float32)")
    case.add_argument("--out", required=True)
    timing = commands.add_parser("bench", help="SR-DiT-B/1")
    for name, kind, default in [
            ("batch", int, 16), ("steps", int, 12), ("threads", int, 2), ("side", int, 16), ("ratio", float, 0.75)]:
        timing.add_argument(f"--{name}", type=kind, default=default)
    timing.add_argument("--compile", action="store_true")
    timing.add_argument("--bf16", action="store_true")
    args = parser.parse_args()
    make_case(args) if args.command == "case" else bench(args)


if __name__ == "__main__":
    main()
