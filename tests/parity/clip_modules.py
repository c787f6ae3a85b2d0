"""CLIP and the temporal fusion heads of ActionCLIP on plain PyTorch modules, with the names of published checkpoints.

Written apart from the program, for the scripts that make and check weights files.
"""

from collections import OrderedDict

import torch
from torch import nn

WIDTH, LAYERS, HEAD_WIDTH, PATCH, IMAGE, FRAMES = 64, 2, 64, 32, 64, 4


class QuickGelu(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    def __init__(self, width, heads, eps=1e-5):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads)
        self.ln_1, self.ln_2 = nn.LayerNorm(width, eps=eps), nn.LayerNorm(width, eps=eps)
        self.mlp = nn.Sequential(OrderedDict(c_fc=nn.Linear(width, 4 * width), gelu=QuickGelu(), c_proj=nn.Linear(4 * width, width)))

    def forward(self, x, mask=None):  # [L, N, width]
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp(self.ln_2(x))


class Shifted(nn.Module):
    """A block of the image encoder behind a shift of its patch tokens along time."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x, mask=None):  # [1 + patches, B T, width]
        tokens = x[1:].unflatten(1, (-1, FRAMES))
        fold = x.shape[2] // 8
        moved = tokens.clone()
        moved[:, :, :, :2 * fold] = 0
        moved[:, :, :-1, :fold] = tokens[:, :, 1:, :fold]
        moved[:, :, 1:, fold:2 * fold] = tokens[:, :, :-1, fold:2 * fold]
        return self.net(torch.cat([x[:1], moved.flatten(1, 2)]), mask)


class Transformer(nn.Module):
    def __init__(self, width, layers, heads, eps=1e-5):
        super().__init__()
        self.resblocks = nn.Sequential(*[Block(width, heads, eps) for _ in range(layers)])

    def forward(self, x, mask=None):
        for block in self.resblocks:
            x = block(x, mask)
        return x


class Visual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTH, PATCH, PATCH, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(WIDTH))
        self.positional_embedding = nn.Parameter(torch.randn((IMAGE // PATCH) ** 2 + 1, WIDTH))
        self.ln_pre, self.ln_post = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.transformer = Transformer(WIDTH, LAYERS, WIDTH // HEAD_WIDTH)
        self.proj = nn.Parameter(torch.randn(WIDTH, WIDTH))

    def forward(self, images):
        x = self.conv1(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_embedding.expand(len(x), 1, -1), x], 1) + self.positional_embedding
        x = self.transformer(self.ln_pre(x).transpose(0, 1))
        return self.ln_post(x[0]) @ self.proj


class Clip(nn.Module):
    def __init__(self, vocabulary=100, context=16, shift=False):
        super().__init__()
        self.visual = Visual()
        if shift:
            blocks = self.visual.transformer.resblocks
            self.visual.transformer.resblocks = nn.Sequential(*[Shifted(block) for block in blocks])
        self.transformer = Transformer(WIDTH, LAYERS, WIDTH // HEAD_WIDTH)
        self.token_embedding = nn.Embedding(vocabulary, WIDTH)
        self.positional_embedding = nn.Parameter(0.1 * torch.randn(context, WIDTH))
        self.ln_final = nn.LayerNorm(WIDTH)
        self.text_projection = nn.Parameter(torch.randn(WIDTH, WIDTH))
        self.logit_scale = nn.Parameter(torch.tensor(4.6))

    def encode_text(self, tokens):
        length = tokens.shape[1]
        # Of the inputs' type: attention in double takes a float mask and computes something else with it (torch 2.15).
        mask = torch.full((length, length), float("-inf"), dtype=self.positional_embedding.dtype).triu(1)
        x = self.token_embedding(tokens) + self.positional_embedding[:length]
        x = self.ln_final(self.transformer(x.transpose(0, 1), mask))
        return x[tokens.argmax(1), torch.arange(len(tokens))] @ self.text_projection


class ClassTokenEncoder(nn.Module):
    def __init__(self, frames, layers):
        super().__init__()
        layer = nn.TransformerEncoderLayer(WIDTH, 8)
        self.transformer_enc = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(WIDTH), enable_nested_tensor=False)
        self.cls_token = nn.Parameter(torch.randn(1, 1, WIDTH))
        self.pos_embed = nn.Parameter(torch.randn(1, frames + 1, WIDTH))

    def forward(self, x):
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.pos_embed
        return self.transformer_enc(x.transpose(0, 1))[0]


class FusionHead(nn.Module):
    """A head of the published code, which keeps frame positions in every head but meanP."""

    def __init__(self, kind, positions=16, frames=FRAMES, layers=6, eps=1e-12):
        super().__init__()
        self.kind = kind
        if kind != "meanP":
            self.frame_position_embeddings = nn.Embedding(positions, WIDTH)
        if kind == "Transf":
            self.transformer = Transformer(WIDTH, layers, WIDTH // HEAD_WIDTH, eps)
        if kind == "Transf_cls":
            self.transformer = ClassTokenEncoder(frames, layers)
        if kind == "LSTM":
            self.lstm_visual = nn.LSTM(WIDTH, WIDTH, batch_first=True)
        if kind == "Conv_1D":
            self.shift = nn.Conv1d(WIDTH, WIDTH, 3, padding=1, groups=WIDTH, bias=False)

    def forward(self, x):  # [B, T, D]
        if self.kind == "Transf_cls":
            return self.transformer(x)
        if self.kind == "Transf":
            positions = self.frame_position_embeddings.weight[:x.shape[1]]
            x = self.transformer((x + positions).transpose(0, 1)).transpose(0, 1) + x
        if self.kind == "LSTM":
            x = self.lstm_visual(x)[0] + x
        if self.kind == "Conv_1D":
            x = self.shift(x.contiguous().view(-1, x.shape[2], x.shape[1])).transpose(1, 2) + x
        return x.mean(1)


def randomize(module):
    """Away from the zeros and ones that parameters start from, so that a tensor in a wrong place shows."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return module.eval()


class Node(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def archive(tensors, sizes):
    """The TorchScript archive of fp16 weights, counters and three sizes that OpenAI publishes."""
    root = Node()
    for name, value in tensors.items():
        *path, leaf = name.split(".")
        module = root
        for part in path:
            if part not in module._modules:
                module.add_module(part, Node())
            module = module._modules[part]
        if value.is_floating_point():
            module.register_parameter(leaf, nn.Parameter(value.half(), requires_grad=False))
        else:
            module.register_buffer(leaf, value)
    for name, value in zip(("input_resolution", "context_length", "vocab_size"), sizes):
        root.register_buffer(name, torch.tensor(value))
    return torch.jit.script(root)


def example(batch=2, vocabulary=100, context=16, image=IMAGE):
    """Images [batch, FRAMES, 3, S, S] and texts whose end is the largest id."""
    images = torch.randn(batch, FRAMES, 3, image, image)
    tokens = torch.zeros(3, context, dtype=torch.long)
    for row, length in enumerate((4, context, 7)):
        tokens[row, :length] = torch.randint(3, vocabulary - 2, (length,))
        tokens[row, length - 1] = vocabulary - 1
    return images, tokens
