"""Temporal shift and joint space-time attention, written from their description on plain PyTorch modules.

usage: visual_prompts_reference.py OUT_FOLDER
Writes OUT/CASE.safetensors for shift, shift_still, joint, joint_still and joint_short: `weights.*`, `images` [B T, 3, S, S],
`features`, `upstream` and `grad.*`, the gradients of (features * upstream).sum(). The still cases have T = 1; joint_short has
fewer frames than the model has positions in time.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

IMAGE, PATCH, WIDTH, LAYERS, HEADS, OUTPUT, FRAMES = 32, 16, 64, 3, 4, 24, 4
PATCHES = (IMAGE // PATCH) ** 2


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.mlp = nn.ModuleDict(dict(c_fc=nn.Linear(WIDTH, 4 * WIDTH), c_proj=nn.Linear(4 * WIDTH, WIDTH)))

    def forward(self, x):
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        hidden = self.mlp.c_fc(self.ln_2(x))
        return x + self.mlp.c_proj(hidden * torch.sigmoid(1.702 * hidden))


def shift(x, frames):
    """[B T, 1 + P, width]: patch tokens along time, an eighth of the channels each way."""
    class_token, patches = x[:, :1], x[:, 1:]
    patches = patches.reshape(-1, frames, PATCHES, WIDTH)
    nothing = torch.zeros_like(patches[:, :1])
    following = torch.cat([patches[:, 1:], nothing], dim=1)
    previous = torch.cat([nothing, patches[:, :-1]], dim=1)
    part = WIDTH // 8
    moved = torch.cat([following[..., :part], previous[..., part:2 * part], patches[..., 2 * part:]], dim=-1)
    return torch.cat([class_token, moved.reshape(-1, PATCHES, WIDTH)], dim=1)


class Encoder(nn.Module):
    def __init__(self, joint):
        super().__init__()
        self.joint = joint
        self.conv1 = nn.Conv2d(3, WIDTH, PATCH, PATCH, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(WIDTH))
        self.positional_embedding = nn.Parameter(torch.randn(PATCHES + 1, WIDTH))
        if joint:
            self.time_embedding = nn.Parameter(torch.randn(FRAMES, WIDTH))
        self.ln_pre, self.ln_post = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.ModuleList([Block() for _ in range(LAYERS)])
        self.proj = nn.Parameter(torch.randn(WIDTH, OUTPUT))

    def tokens(self, images, frames):
        patches = self.conv1(images).flatten(2).transpose(1, 2) + self.positional_embedding[1:]
        if self.joint:
            patches = patches.reshape(-1, frames, PATCHES, WIDTH) + self.time_embedding[None, :frames, None]
            patches = patches.flatten(1, 2)
        class_token = (self.class_embedding + self.positional_embedding[0]).expand(len(patches), 1, WIDTH)
        return torch.cat([class_token, patches], dim=1)

    def forward(self, images, frames):
        x = self.ln_pre(self.tokens(images, frames))
        for block in self.transformer.resblocks:
            x = block(x if self.joint else shift(x, frames))
        return self.ln_post(x[:, 0]) @ self.proj


def case(joint, videos, frames):
    model = Encoder(joint)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
    result = {f"weights.{name}": value.clone() for name, value in model.state_dict().items()}
    images = torch.randn(videos * frames, 3, IMAGE, IMAGE)
    features = model(images, frames)
    upstream = torch.randn_like(features)
    (features * upstream).sum().backward()
    result |= dict(images=images, features=features, upstream=upstream)
    return result | {f"grad.{name}": parameter.grad for name, parameter in model.named_parameters()}


def main():
    torch.manual_seed(13)
    cases = {
        "shift": case(False, 2, FRAMES), "shift_still": case(False, 3, 1),
        "joint": case(True, 2, FRAMES), "joint_still": case(True, 3, 1), "joint_short": case(True, 2, FRAMES - 1),
    }
    for name, tensors in cases.items():
        save_file({key: value.detach().contiguous() for key, value in tensors.items()},
                  str(Path(sys.argv[1]) / f"{name}.safetensors"))


if __name__ == "__main__":
    main()
