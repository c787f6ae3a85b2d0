"""Prompts with a learned context as CoOp builds them (Zhou et al. 2022), on the text encoder of a random open_clip model.

usage: context_reference.py OUT_FOLDER
For shared and class-specific vectors and each of CoOp's places of the class name: writes OUT/KIND_POSITION.safetensors, a whole
state dict in CLIP's names with `context.vectors`, and OUT/KIND_POSITION_io.safetensors: features [C, D] of all labels' prompts,
`weights` [C, D], and `gradient`, that of sum(features * weights) for the vectors.
A letter of a label is a token: 'a' is 1.
"""

import sys
from pathlib import Path

import torch
from open_clip.model import CLIP
from safetensors.torch import save_file

LABELS = ["abc", "d", "efghi", "ca"]
VECTORS = 3  # odd, so that the halves around a label differ
CONTEXT, VOCABULARY, WIDTH, EMBED = 12, 40, 64, 32
START, END = VOCABULARY - 2, VOCABULARY - 1
# Where CoOp says that the class stands -> where this program says that the vectors do.
POSITIONS = {"end": "begin", "middle": "middle", "front": "end"}


def build():
    model = CLIP(embed_dim=EMBED, quick_gelu=True,
                 vision_cfg=dict(image_size=32, patch_size=16, width=64, layers=1, head_width=64),
                 text_cfg=dict(context_length=CONTEXT, vocab_size=VOCABULARY, width=WIDTH, heads=1, layers=2)).float().eval()
    with torch.no_grad():  # no zero bias, so that an error anywhere shows
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.05 * torch.randn_like(parameter))
    return model.requires_grad_(False)


def token_rows():
    """Start, a token for each vector, the name, end, padding: CoOp cuts the embeddings of these into prefix and suffix."""
    rows = torch.zeros(len(LABELS), CONTEXT, dtype=torch.long)
    for row, label in zip(rows, LABELS):
        tokens = [START] + VECTORS * [5] + [ord(letter) - ord("a") + 1 for letter in label] + [END]
        row[:len(tokens)] = torch.tensor(tokens)
    return rows


def prompts(embeddings, vectors, position):
    """[C, L, width]: the vectors put together with the embeddings of start token, name and the rest."""
    result = []
    for i, label in enumerate(LABELS):
        own = vectors[i] if vectors.dim() == 3 else vectors
        start, rest = embeddings[i, :1], embeddings[i, 1 + VECTORS:]
        name, rest = rest[:len(label)], rest[len(label):]
        half = VECTORS // 2
        parts = {"end": [start, own, name, rest],
                 "middle": [start, own[:half], name, own[half:], rest],
                 "front": [start, name, own, rest]}[position]
        result.append(torch.cat(parts))
    return torch.stack(result)


def encode(model, embedded, tokens):
    x = model.transformer(embedded + model.positional_embedding, attn_mask=model.attn_mask)
    x = model.ln_final(x)
    return x[torch.arange(len(x)), tokens.argmax(-1)] @ model.text_projection


def main():
    out = Path(sys.argv[1])
    torch.manual_seed(11)
    model = build()
    tokens = token_rows()
    embeddings = model.token_embedding(tokens)
    weights = torch.randn(len(LABELS), EMBED)
    for kind, shape in (("shared", (VECTORS, WIDTH)), ("specific", (len(LABELS), VECTORS, WIDTH))):
        for position, ours in POSITIONS.items():
            vectors = (0.5 * torch.randn(shape)).requires_grad_()
            features = encode(model, prompts(embeddings, vectors, position), tokens)
            (features * weights).sum().backward()
            state = {name: value.contiguous() for name, value in model.state_dict().items()}
            save_file(state | {"context.vectors": vectors.detach()}, str(out / f"{kind}_{ours}.safetensors"))
            save_file(dict(features=features.detach(), weights=weights, gradient=vectors.grad),
                      str(out / f"{kind}_{ours}_io.safetensors"))


main()
