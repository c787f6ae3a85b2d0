"""ActionCLIP's training step on plain PyTorch modules, timed: what train_step_benchmark is compared with.

usage: train_step.py [--arch ViT-B/32] [--videos 4] [--frames 8] [--precision fp32|bf16] [--steps 5] ...
Prints one line of JSON with the fields of train_step_benchmark. Needs torch alone.

The step is that of the published training loop: sequence-first nn.MultiheadAttention, LayerNorm in fp32, all texts at their
full context length, torch.optim.AdamW as it comes. Its clips are normalised floats, because there the loader normalises.
Parameters carry CLIP's names, the fusion head's below `fusion.`, so that weights can be exchanged (see check_same_step.py).
"""

import argparse
import json
import statistics
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn


@dataclass(frozen=True)
class Sizes:
    """Of the two towers; heads are 64 wide."""

    image_size: int = 224
    patch_size: int = 32
    vision_width: int = 768
    vision_layers: int = 12
    text_width: int = 512
    text_layers: int = 12
    embed_dim: int = 512
    context_length: int = 77
    vocabulary_size: int = 49408


ARCHITECTURES = {
    "ViT-B/32": Sizes(),
    "ViT-B/16": Sizes(patch_size=16),
    "ViT-L/14": Sizes(patch_size=14, vision_width=1024, vision_layers=24, text_width=768, embed_dim=768),
    "tiny": Sizes(64, 32, 128, 2, 128, 2, 128, 77, 1000),
}
FUSION_LAYERS = 6
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
SHORTEST_TEXT, LONGEST_TEXT = 8, 14


class LayerNorm(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.float()).to(x.dtype)


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    def __init__(self, width, heads, mask, eps):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads)
        self.ln_1 = LayerNorm(width, eps=eps)
        self.mlp = nn.Sequential(
            OrderedDict(c_fc=nn.Linear(width, 4 * width), gelu=QuickGELU(), c_proj=nn.Linear(4 * width, width))
        )
        self.ln_2 = LayerNorm(width, eps=eps)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x):  # [L, N, width]
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=self.mask)[0]
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, width, layers, heads, mask=None, eps=1e-5):
        super().__init__()
        self.resblocks = nn.Sequential(*[Block(width, heads, mask, eps) for _ in range(layers)])

    def forward(self, x):  # [N, L, width]
        return self.resblocks(x.transpose(0, 1)).transpose(0, 1)


class VisionTransformer(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        width, patch = sizes.vision_width, sizes.patch_size
        positions = (sizes.image_size // patch) ** 2 + 1
        self.conv1 = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.class_embedding = nn.Parameter(width**-0.5 * torch.randn(width))
        self.positional_embedding = nn.Parameter(width**-0.5 * torch.randn(positions, width))
        self.ln_pre = LayerNorm(width)
        self.transformer = Transformer(width, sizes.vision_layers, width // 64)
        self.ln_post = LayerNorm(width)
        self.proj = nn.Parameter(width**-0.5 * torch.randn(width, sizes.embed_dim))

    def forward(self, images):  # [N, 3, S, S] -> [N, D]
        patches = self.conv1(images).flatten(2).transpose(1, 2)
        class_token = self.class_embedding.to(patches.dtype).expand(len(patches), 1, -1)
        x = torch.cat([class_token, patches], dim=1) + self.positional_embedding.to(patches.dtype)
        x = self.transformer(self.ln_pre(x))
        return self.ln_post(x[:, 0]) @ self.proj


class Fusion(nn.Module):
    """The `Transf` head: positions added, blocks, the input added back, mean over time."""

    def __init__(self, sizes):
        super().__init__()
        self.frame_position_embeddings = nn.Embedding(77, sizes.embed_dim)
        self.transformer = Transformer(sizes.embed_dim, FUSION_LAYERS, sizes.text_width // 64, eps=1e-12)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)

    def forward(self, frames):  # [B, T, D] -> [B, D]
        positions = self.frame_position_embeddings(torch.arange(frames.shape[1], device=frames.device))
        fused = self.transformer(frames + positions)
        return (fused.to(frames.dtype) + frames).mean(dim=1)


class ActionClip(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        width, length = sizes.text_width, sizes.context_length
        self.sizes = sizes
        self.visual = VisionTransformer(sizes)
        mask = torch.full((length, length), float("-inf")).triu(1)
        self.transformer = Transformer(width, sizes.text_layers, width // 64, mask)
        self.token_embedding = nn.Embedding(sizes.vocabulary_size, width)
        self.positional_embedding = nn.Parameter(0.01 * torch.randn(length, width))
        self.ln_final = LayerNorm(width)
        self.text_projection = nn.Parameter(width**-0.5 * torch.randn(width, sizes.embed_dim))
        self.logit_scale = nn.Parameter(torch.tensor(1 / 0.07).log())
        self.fusion = Fusion(sizes)
        nn.init.normal_(self.token_embedding.weight, std=0.02)

    def encode_video(self, clips):  # [B, T, 3, S, S], normalised -> [B, D]
        return self.fusion(self.visual(clips.flatten(0, 1)).view(*clips.shape[:2], -1))

    def encode_text(self, tokens):  # [B, L] -> [B, D]
        x = self.token_embedding(tokens) + self.positional_embedding
        x = self.ln_final(self.transformer(x))
        return x[torch.arange(len(x)), tokens.argmax(dim=-1)] @ self.text_projection


@dataclass
class Inputs:
    clips: torch.Tensor  # [B, T, 3, S, S] uint8
    tokens: torch.Tensor  # [B, L]
    label_ids: torch.Tensor  # [B]


def random_inputs(options, sizes):
    """Texts end with the largest token, as CLIP's do."""
    start, end = sizes.vocabulary_size - 2, sizes.vocabulary_size - 1
    tokens = torch.zeros(options.videos, sizes.context_length, dtype=torch.long)
    for i, row in enumerate(tokens):
        length = options.text_length or LONGEST_TEXT - i % (LONGEST_TEXT - SHORTEST_TEXT + 1)
        row[:length] = torch.randint(1, start, (length,))
        row[0], row[length - 1] = start, end
    clips = torch.randint(0, 256, (options.videos, options.frames, 3, sizes.image_size, sizes.image_size), dtype=torch.uint8)
    return Inputs(clips, tokens, torch.arange(options.videos))


def normalize(clips):
    shape = (1, 1, 3, 1, 1)
    return (clips.float() / 255 - torch.tensor(MEAN).view(shape)) / torch.tensor(STD).view(shape)


def contrastive_loss(video, text, logit_scale, label_ids):
    """KL divergence from the targets to both directions' softmax, mean over the batch."""
    video, text = video.float(), text.float()
    video, text = video / video.norm(dim=-1, keepdim=True), text / text.norm(dim=-1, keepdim=True)
    logits = logit_scale.exp() * video @ text.t()
    target = F.softmax(10 * (label_ids[:, None] == label_ids[None, :]).float(), dim=1)
    parts = [F.kl_div(F.log_softmax(rows, dim=1), target, reduction="batchmean") for rows in (logits, logits.t())]
    return (parts[0] + parts[1]) / 2


def make_optimizer(model, lr, task):
    """Three groups: the text side, the image side, and the fusion head at ten times the rate."""
    groups = {"text": [], "visual": [], "fusion": []}
    for name, parameter in model.named_parameters():
        part = name.split(".")[0]
        parameter.requires_grad_(task == "finetune" or part == "fusion")
        groups[part if part in groups else "text"].append(parameter)
    return torch.optim.AdamW(
        [dict(params=groups["text"]), dict(params=groups["visual"]), dict(params=groups["fusion"], lr=10 * lr)],
        lr=lr, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.2,
    )


def step(model, optimizer, inputs, precision):
    optimizer.zero_grad()
    with torch.autocast(inputs.clips.device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
        video = model.encode_video(inputs.clips)
        text = model.encode_text(inputs.tokens)
    loss = contrastive_loss(video, text, model.logit_scale, inputs.label_ids)
    loss.backward()
    optimizer.step()
    return loss.item()


def step_flops(sizes, videos, frames, task):
    """Floating-point operations of a step, counted as actionclip does (model/cost.h): of the matrix products, 2 a multiply-add; the
    backward pass of what learns costs twice its forward pass. Every position of every block is computed here."""

    def blocks(layers, length, width):
        return layers * (24 * length * width**2 + 4 * length**2 * width)

    patches, patch_values = (sizes.image_size // sizes.patch_size) ** 2, 3 * sizes.patch_size**2
    image = blocks(sizes.vision_layers, patches + 1, sizes.vision_width)
    image += 2 * sizes.vision_width * (patches * patch_values + sizes.embed_dim)
    text = blocks(sizes.text_layers, sizes.context_length, sizes.text_width) + 2 * sizes.text_width * sizes.embed_dim
    towers, fusion = frames * image + text, blocks(FUSION_LAYERS, frames, sizes.embed_dim)
    return videos * ((3 if task == "finetune" else 1) * towers + 3 * fusion)


def process_memory(field):
    """VmRSS or VmHWM (the peak) of this process, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}")


def run(options, model, inputs, resident):
    """Takes one step to warm up and options.steps more. `inputs` hold bytes; the step is given normalised floats."""
    device = torch.device(options.device)
    model.to(device).train()
    optimizer = make_optimizer(model, options.lr, options.task)
    inputs = Inputs(normalize(inputs.clips).to(device), inputs.tokens.to(device), inputs.label_ids.to(device))
    losses, seconds, gradient_norms = [], [], {}
    for i in range(options.steps + 1):
        start = time.perf_counter()
        losses.append(step(model, optimizer, inputs, options.precision))
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        elapsed = time.perf_counter() - start
        if i > 0:
            seconds.append(elapsed)
        else:
            gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
            gradient_norms = {name: g.norm().item() for name, g in gradients.items() if g is not None}
    peak = process_memory("VmHWM")
    flops = step_flops(model.sizes, *inputs.clips.shape[:2], options.task)
    result = {
        "program": "python",
        "torch": torch.__version__,
        "device": str(device),
        "threads": torch.get_num_threads(),
        "arch": options.arch,
        "videos": options.videos,
        "frames": options.frames,
        "seconds": statistics.median(seconds),
        "seconds_min": min(seconds),
        "steps": len(seconds),
        "losses": losses,
        "memory_added": peak - resident,
        "memory_peak": peak,
        "device_memory_peak": torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0,
        "flops": flops,
        "tflops": flops / statistics.median(seconds) * 1e-12,
    }
    return result, gradient_norms


def parse(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch", default="ViT-B/32", choices=ARCHITECTURES)
    parser.add_argument("--videos", type=int, default=4, help="videos a step")
    parser.add_argument("--frames", type=int, default=8, help="frames a video")
    parser.add_argument("--text-length", type=int, default=0, help="tokens of each text; 0: 8 to 14. All 77 are computed")
    parser.add_argument("--steps", type=int, default=5, help="timed steps, behind one that warms up")
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--task", default="finetune", choices=["finetune", "prompt"])
    parser.add_argument("--lr", type=float, default=5e-6)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    options = parser.parse_args(arguments)
    if options.device == "auto":
        options.device = "cuda:0" if torch.cuda.is_available() else "cpu"
    return options


def main():
    resident = process_memory("VmRSS")
    options = parse()
    torch.manual_seed(1)
    sizes = ARCHITECTURES[options.arch]
    model = ActionClip(sizes)
    result, _ = run(options, model, random_inputs(options, sizes), resident)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
