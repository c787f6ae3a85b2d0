"""The Transf head and the loss with gradients, written apart from the program on plain PyTorch modules.

usage: fusion_reference.py OUT_FOLDER
Writes OUT/case.safetensors: weights (`weights.*`), inputs, outputs and gradients (`grad.*`) for each loss target.
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

WIDTH, HEADS, LAYERS, BATCH, FRAMES = 96, 3, 6, 6, 8


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn = nn.MultiheadAttention(WIDTH, HEADS)
        self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH, eps=1e-12), nn.LayerNorm(WIDTH, eps=1e-12)
        self.mlp = nn.ModuleDict(dict(c_fc=nn.Linear(WIDTH, 4 * WIDTH), c_proj=nn.Linear(4 * WIDTH, WIDTH)))

    def forward(self, x):  # [T, B, D]
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        hidden = self.mlp.c_fc(self.ln_2(x))
        return x + self.mlp.c_proj(hidden * torch.sigmoid(1.702 * hidden))


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.frame_position_embeddings = nn.Embedding(77, WIDTH)
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.Sequential(*[Block() for _ in range(LAYERS)])

    def forward(self, x):  # [B, T, D]
        positions = self.frame_position_embeddings(torch.arange(x.shape[1]))
        y = self.transformer.resblocks((x + positions).transpose(0, 1)).transpose(0, 1)
        return (y + x).mean(dim=1)


def target_rows(labels, kind):
    same = (labels[:, None] == labels[None, :]).float()
    if kind == "softmax":
        return torch.softmax(10 * same, dim=1)
    if kind == "normalized":
        return same / same.sum(dim=1, keepdim=True)
    return torch.eye(len(labels))


def loss(video, text, logit_scale, labels, kind):
    """The published form: mean over all B*B elements of the KL terms, times B."""
    video, text = F.normalize(video, dim=-1), F.normalize(text, dim=-1)
    logits = logit_scale.exp() * video @ text.t()
    target = target_rows(labels, kind)
    divergence = nn.KLDivLoss(reduction="mean")
    parts = [divergence(F.log_softmax(rows, dim=1), target) * len(labels) for rows in (logits, logits.t())]
    return sum(parts) / 2


def main():
    torch.manual_seed(3)
    head = Head()
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    frames = torch.randn(BATCH, FRAMES, WIDTH, requires_grad=True)
    text = torch.randn(BATCH, WIDTH, requires_grad=True)
    logit_scale = torch.tensor(2.3, requires_grad=True)
    labels = torch.tensor([4, 1, 4, 0, 1, 4])
    case = {f"weights.{name}": value.clone() for name, value in head.state_dict().items()}
    case |= dict(frames=frames, text=text, logit_scale=logit_scale, labels=labels, fused=head(frames))
    for kind in ("softmax", "normalized", "identity"):
        head.zero_grad()
        for leaf in (frames, text, logit_scale):
            leaf.grad = None
        value = loss(head(frames), text, logit_scale, labels, kind)
        value.backward()
        case[f"{kind}.loss"] = value
        case |= {f"{kind}.grad.{name}": parameter.grad.clone() for name, parameter in head.named_parameters()}
        case |= {f"{kind}.grad.frames": frames.grad.clone(), f"{kind}.grad.text": text.grad.clone(),
                 f"{kind}.grad.logit_scale": logit_scale.grad.clone()}
    save_file({name: value.detach().contiguous() for name, value in case.items()},
              str(Path(sys.argv[1]) / "case.safetensors"))


main()
