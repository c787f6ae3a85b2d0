"""Attention roll-out (Abnar & Zuidema 2020) with whole matrices over all tokens of a video, on plain PyTorch modules.

usage: attention_rollout_reference.py OUT_FOLDER
Writes OUT/CASE.safetensors for plain, shift, shift_still, joint and joint_short: `weights.*`, `images` [B T, 3, S, S] and
`maps` [B T, G, G].
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from visual_prompts_reference import FRAMES, IMAGE, PATCH, WIDTH, Encoder, shift

GRID = IMAGE // PATCH


def flow_of_shift(frames, length):
    """[tokens, tokens]: which share of a token's channels comes from which token, found by shifting one token at a time."""
    count = frames * length
    flow = torch.zeros(count, count, dtype=torch.double)
    for source in range(count):
        x = torch.zeros(count, WIDTH, dtype=torch.double)
        x[source] = 1
        flow[:, source] = shift(x.view(frames, length, WIDTH), frames).reshape(count, WIDTH).mean(1)
    return flow / flow.sum(1, keepdim=True)


def rollout(model, images, frames, shifted):
    x = model.ln_pre(model.tokens(images, frames))
    sequences, length = x.shape[:2]
    moved = flow_of_shift(frames, length) if shifted else None
    flow = torch.eye(sequences * length, dtype=torch.double)
    for block in model.transformer.resblocks:
        if shifted:
            x, flow = shift(x, frames), moved @ flow
        y = block.ln_1(x)
        heads = block.attn(y, y, y, need_weights=True, average_attn_weights=False)[1]
        mixed = torch.block_diag(*heads.mean(1)) + torch.eye(len(flow))
        flow = mixed / mixed.sum(1, keepdim=True) @ flow
        x = block(x)
    return flow[::length].sum(0).view(sequences, length)[:, 1:].reshape(frames, GRID, GRID)


def case(joint, shifted, videos, frames):
    model = Encoder(joint)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # Away from even attention.
            parameter.mul_(3) if name.endswith("in_proj_weight") else parameter.add_(0.1 * torch.randn_like(parameter))
    images = torch.randn(videos * frames, 3, IMAGE, IMAGE)
    result = {f"weights.{name}": value.clone() for name, value in model.state_dict().items()}
    model.double().eval()
    with torch.no_grad():
        maps = [rollout(model, video.double(), frames, shifted) for video in images.split(frames)]
    return result | dict(images=images, maps=torch.cat(maps).float())


def main():
    torch.manual_seed(17)
    cases = {
        "plain": case(False, False, 2, FRAMES),
        "shift": case(False, True, 2, FRAMES), "shift_still": case(False, True, 3, 1),
        "joint": case(True, False, 2, FRAMES), "joint_short": case(True, False, 2, FRAMES - 1),
    }
    for name, tensors in cases.items():
        save_file({key: value.contiguous() for key, value in tensors.items()}, str(Path(sys.argv[1]) / f"{name}.safetensors"))


main()
