"""A checkpoint in the layout of the published ActionCLIP ones, with small random weights.

usage: published_checkpoint.py OUT_FOLDER
Writes OUT/published.pt: epoch, model_state_dict (CLIP's names, fp16), fusion_model_state_dict (`module.` keys), optimizer_state_dict.
"""

import sys
from pathlib import Path

import torch
from torch import nn

WIDTH, LAYERS, PATCH, IMAGE, VOCABULARY, CONTEXT = 64, 2, 32, 64, 49408, 77


def block():
    module = nn.Module()
    module.attn = nn.MultiheadAttention(WIDTH, 1)
    module.ln_1, module.ln_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
    module.mlp = nn.ModuleDict(dict(c_fc=nn.Linear(WIDTH, 4 * WIDTH), c_proj=nn.Linear(4 * WIDTH, WIDTH)))
    return module


def transformer(layers):
    module = nn.Module()
    module.resblocks = nn.Sequential(*[block() for _ in range(layers)])
    return module


def main():
    torch.manual_seed(1)
    model, head = nn.Module(), nn.Module()
    visual = model.visual = nn.Module()
    visual.conv1 = nn.Conv2d(3, WIDTH, PATCH, PATCH, bias=False)
    visual.class_embedding = nn.Parameter(torch.randn(WIDTH))
    visual.positional_embedding = nn.Parameter(torch.randn((IMAGE // PATCH) ** 2 + 1, WIDTH))
    visual.ln_pre, visual.ln_post = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
    visual.transformer = transformer(LAYERS)
    visual.proj = nn.Parameter(torch.randn(WIDTH, WIDTH))
    model.transformer = transformer(LAYERS)
    model.token_embedding = nn.Embedding(VOCABULARY, WIDTH)
    model.positional_embedding = nn.Parameter(0.1 * torch.randn(CONTEXT, WIDTH))
    model.ln_final = nn.LayerNorm(WIDTH)
    model.text_projection = nn.Parameter(torch.randn(WIDTH, WIDTH))
    model.logit_scale = nn.Parameter(torch.tensor(4.6))
    head.module = nn.Module()
    head.module.frame_position_embeddings = nn.Embedding(77, WIDTH)
    head.module.transformer = transformer(6)
    optimizer = torch.optim.AdamW(head.parameters())
    sum(p.sum() for p in head.parameters()).backward()
    optimizer.step()
    torch.save({"epoch": 3, "model_state_dict": {name: value.half() for name, value in model.state_dict().items()},
                "fusion_model_state_dict": head.state_dict(), "optimizer_state_dict": optimizer.state_dict()},
               Path(sys.argv[1]) / "published.pt")


main()
