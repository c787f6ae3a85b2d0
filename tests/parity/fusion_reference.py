"""The fusion heads and the loss with gradients, written apart from the program on plain PyTorch modules.

usage: fusion_reference.py OUT_FOLDER
Writes, of the Transf head and the loss, OUT/case.safetensors: weights (`weights.*`), inputs, outputs and gradients (`grad.*`) for
each loss target; of every head that has weights, OUT/heads.safetensors: `frames` and `direction`, and for each head `NAME.fused`,
`NAME.weights.*` and `NAME.grad.*`, the gradients of (fused * direction).sum().
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

WIDTH, HEADS, LAYERS, BATCH, FRAMES = 96, 3, 6, 6, 8


class Block(nn.Module):
    def __init__(self, eps):
        super().__init__()
        self.attn = nn.MultiheadAttention(WIDTH, HEADS)
        self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH, eps=eps), nn.LayerNorm(WIDTH, eps=eps)
        self.mlp = nn.ModuleDict(dict(c_fc=nn.Linear(WIDTH, 4 * WIDTH), c_proj=nn.Linear(4 * WIDTH, WIDTH)))

    def forward(self, x):  # [T, B, D]
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        hidden = self.mlp.c_fc(self.ln_2(x))
        return x + self.mlp.c_proj(hidden * torch.sigmoid(1.702 * hidden))


class Transf(nn.Module):
    def __init__(self, rows=77, eps=1e-12):
        super().__init__()
        self.frame_position_embeddings = nn.Embedding(rows, WIDTH)
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.Sequential(*[Block(eps) for _ in range(LAYERS)])

    def forward(self, x):  # [B, T, D]
        positions = self.frame_position_embeddings(torch.arange(x.shape[1]))
        y = self.transformer.resblocks((x + positions).transpose(0, 1)).transpose(0, 1)
        return (y + x).mean(dim=1)


class Conv1D(nn.Module):
    def __init__(self, published):
        super().__init__()
        self.published = published
        self.shift = nn.Conv1d(WIDTH, WIDTH, 3, padding=1, groups=WIDTH, bias=False)

    def forward(self, x):
        channels = x.contiguous().view(x.shape[0], WIDTH, x.shape[1]) if self.published else x.permute(0, 2, 1)
        return (self.shift(channels).permute(0, 2, 1) + x).mean(dim=1)


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm_visual = nn.LSTM(WIDTH, WIDTH, batch_first=True)

    def forward(self, x):
        return (self.lstm_visual(x)[0] + x).mean(dim=1)


class TransfCls(nn.Module):
    def __init__(self):
        super().__init__()
        self.transformer = nn.Module()
        self.transformer.cls_token = nn.Parameter(torch.randn(1, 1, WIDTH))
        self.transformer.pos_embed = nn.Parameter(torch.randn(1, FRAMES + 1, WIDTH))
        layer = nn.TransformerEncoderLayer(WIDTH, nhead=8)
        self.transformer.transformer_enc = nn.TransformerEncoder(layer, LAYERS, nn.LayerNorm(WIDTH), enable_nested_tensor=False)
        self.eval()  # no dropout

    def forward(self, x):
        rows = torch.cat([self.transformer.cls_token.expand(len(x), -1, -1), x], dim=1) + self.transformer.pos_embed
        return self.transformer.transformer_enc(rows.transpose(0, 1))[0]


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


def disturb(head):
    """Weights of no particular start; of copied layers, different ones."""
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return head


def save(tensors, file):
    save_file({name: value.detach().clone().contiguous() for name, value in tensors.items()}, str(file))


def save_heads(file):
    torch.manual_seed(5)
    heads = {"Transf": Transf(), "Transf_as_many_positions_as_frames": Transf(FRAMES, eps=1e-5), "Conv_1D": Conv1D(False),
             "Conv_1D_published": Conv1D(True), "LSTM": Lstm(), "Transf_cls": TransfCls()}
    frames, direction = torch.randn(BATCH, FRAMES, WIDTH), torch.randn(BATCH, WIDTH)
    case = dict(frames=frames, direction=direction)
    for name, head in heads.items():
        disturb(head)
        leaf = frames.clone().requires_grad_()
        fused = head(leaf)
        (fused * direction).sum().backward()
        case |= {f"{name}.fused": fused, f"{name}.grad.frames": leaf.grad}
        case |= {f"{name}.weights.{key}": value for key, value in head.state_dict().items()}
        case |= {f"{name}.grad.{key}": parameter.grad for key, parameter in head.named_parameters()}
    save(case, file)


def save_loss(file):
    torch.manual_seed(3)
    head = disturb(Transf())
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
    save(case, file)


save_loss(Path(sys.argv[1]) / "case.safetensors")
save_heads(Path(sys.argv[1]) / "heads.safetensors")
