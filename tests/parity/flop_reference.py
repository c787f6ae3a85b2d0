"""Floating-point operations of encoders, fusion heads and the classifier, forward and in a training step, as
torch.utils.flop_counter counts those of transformers' CLIP layers, open_clip's ResNet and PyTorch's own modules. Nothing is
computed: the tensors are on the meta device.

usage: flop_reference.py REQUESTS
REQUESTS: a JSON list of
  vision      {image_size, patch_size, width, layers, heads, mlp_width, joint}, or {image_size, width, heads, stages} of a ResNet
  text        {width, layers, heads, mlp_width, length}
  fusion      {type, layers}
  embed_dim, frames, classes
  trained     {image, text: how many of the last blocks learn, with what follows them (null: all, -1: nothing),
               context, fusion: bool}
Prints a JSON list: of image (one video), text (one text), fusion and classifier (one video): forward, training; of image and text,
forward_whole, which computes the last layer for all positions.
"""

import json
import sys

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPVisionConfig, CLIPVisionModelWithProjection


def transformer(part):
    return dict(hidden_size=part["width"], intermediate_size=part["mlp_width"], num_hidden_layers=part["layers"],
                num_attention_heads=part["heads"])


def build(kind, config):
    # Eager attention is two batched products, which the counter sees on any device.
    return kind._from_config(config, attn_implementation="eager")


def attend(attention, query_rows, rows):
    """transformers' CLIPAttention for the queries of some rows only."""

    def split(x):
        return x.view(*x.shape[:2], attention.num_heads, -1).transpose(1, 2)

    query, key, value = split(attention.q_proj(query_rows)), split(attention.k_proj(rows)), split(attention.v_proj(rows))
    weights = torch.softmax(query @ key.transpose(-1, -2), -1)
    return attention.out_proj((weights @ value).transpose(1, 2).reshape(query_rows.shape))


def last_layer_at_one_position(layer, x):
    normalised = layer.layer_norm1(x)
    row = x[:, :1] + attend(layer.self_attn, normalised[:, :1], normalised)
    return row + layer.mlp(layer.layer_norm2(row))


def count(work):
    with FlopCounterMode(display=False) as counter:
        result = work()
    return counter.get_total_flops(), result


def costs(work):
    """Of the forward pass, and of it and the backward pass together."""
    forward, result = count(work)
    if not result.requires_grad:
        return dict(forward=forward, training=forward)
    backward, _ = count(lambda: result.sum().backward())
    return dict(forward=forward, training=forward + backward)


def let_learn(modules, blocks, learning):
    """modules: all of an encoder in their order, of which `blocks` are the blocks; learning: see above."""
    first = 0 if learning is None else len(modules) if learning < 0 else modules.index(blocks[-1]) + 1 - learning
    for i, module in enumerate(modules):
        for parameter in module.parameters():
            parameter.requires_grad_(i >= first)


def count_tower(run_layers, layers, project):
    """run_layers(layers) gives the hidden states behind these layers."""
    whole, _ = count(lambda: project(run_layers(layers)[:, :1]))
    return dict(forward_whole=whole,
                **costs(lambda: project(last_layer_at_one_position(layers[-1], run_layers(layers[:-1])))))


def count_vit(request):
    frames, size = request["frames"], request["vision"]["image_size"]
    model = build(CLIPVisionModelWithProjection,
                  CLIPVisionConfig(image_size=size, patch_size=request["vision"]["patch_size"],
                                   projection_dim=request["embed_dim"], **transformer(request["vision"])))
    vision, embeddings = model.vision_model, model.vision_model.embeddings
    pixels, layers = torch.empty(frames, 3, size, size), list(vision.encoder.layers)
    let_learn([embeddings, vision.pre_layrnorm, *layers, vision.post_layernorm, model.visual_projection], layers,
              request["trained"]["image"])

    def embed():
        if not request["vision"]["joint"]:
            return embeddings(pixels)
        patches = embeddings.patch_embedding(pixels).flatten(2).transpose(1, 2).reshape(1, -1, request["vision"]["width"])
        return torch.cat([embeddings.class_embedding.view(1, 1, -1), patches], dim=1)

    def run_layers(some):
        x = vision.pre_layrnorm(embed())
        for layer in some:
            x = first(layer(x, attention_mask=None))
        return x

    return count_tower(run_layers, layers, lambda x: model.visual_projection(vision.post_layernorm(x)))


def pool_at_the_mean(pool, x):
    """open_clip's AttentionPool2d for the only query whose result it returns."""
    places = x.flatten(2).transpose(1, 2)
    rows = torch.cat([places.mean(dim=1, keepdim=True), places], dim=1) + pool.positional_embedding

    def split(y):
        return y.view(*y.shape[:2], pool.num_heads, -1).transpose(1, 2)

    query, key, value = split(pool.q_proj(rows[:, :1])), split(pool.k_proj(rows)), split(pool.v_proj(rows))
    pooled = torch.softmax(query @ key.transpose(-1, -2), -1) @ value
    return pool.c_proj(pooled.transpose(1, 2).flatten(1))


def count_resnet(request):
    from open_clip.modified_resnet import ModifiedResNet
    sizes = request["vision"]
    model = ModifiedResNet(sizes["stages"], request["embed_dim"], sizes["heads"], sizes["image_size"], sizes["width"])
    blocks = [block for stage in (model.layer1, model.layer2, model.layer3, model.layer4) for block in stage]
    stem = [model.conv1, model.bn1, model.conv2, model.bn2, model.conv3, model.bn3]
    let_learn([*stem, *blocks, model.attnpool], blocks, request["trained"]["image"])
    pixels = torch.empty(request["frames"], 3, sizes["image_size"], sizes["image_size"])

    def trunk():
        x = model.stem(pixels)
        for block in blocks:
            x = block(x)
        return x

    whole, _ = count(lambda: model.attnpool(trunk()))
    return dict(forward_whole=whole, **costs(lambda: pool_at_the_mean(model.attnpool, trunk())))


def count_text(request):
    length = request["text"]["length"]
    model = build(CLIPTextModelWithProjection,
                  CLIPTextConfig(vocab_size=1000, max_position_embeddings=length, bos_token_id=998, eos_token_id=999,
                                 projection_dim=request["embed_dim"], **transformer(request["text"])))
    text = model.text_model
    layers = list(text.encoder.layers)
    let_learn([text.embeddings, *layers, text.final_layer_norm, model.text_projection], layers, request["trained"]["text"])
    tokens = torch.zeros(1, length, dtype=torch.long)
    context = torch.zeros(1, length, request["text"]["width"], requires_grad=request["trained"]["context"])
    causal = torch.full((1, 1, length, length), float("-inf")).triu(1)

    def run_layers(some):
        x = text.embeddings(input_ids=tokens) + context
        for layer in some:
            x = first(layer(x, attention_mask=causal))
        return x

    return count_tower(run_layers, layers, lambda x: model.text_projection(text.final_layer_norm(x)))


def first(output):
    return output[0] if isinstance(output, tuple) else output


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        y = self.norms[0](x)
        # With the weights asked for, attention is written out in products that the counter sees.
        x = x + self.attention(y, y, y, need_weights=True)[0]
        return x + self.mlp(self.norms[1](x))


class ClassToken(nn.Module):
    def __init__(self, width, layers, frames):
        super().__init__()
        self.positions = nn.Parameter(torch.zeros(1, frames + 1, width))
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(width, 8), layers, nn.LayerNorm(width),
                                             enable_nested_tensor=False)

    def forward(self, x):
        rows = torch.cat([x[:, :1], x], dim=1) + self.positions
        return self.encoder(rows.transpose(0, 1))[0]


def fusion_head(request):
    """A module and what it makes of [1, T, D]."""
    width, layers = request["embed_dim"], request["fusion"]["layers"]
    kind = request["fusion"]["type"]
    if kind == "Conv_1D":
        head = nn.Conv1d(width, width, 3, padding=1, groups=width, bias=False)
        return head, lambda x: head(x.transpose(1, 2)).transpose(1, 2).mean(1)
    if kind == "LSTM":
        head = nn.LSTM(width, width, batch_first=True)
        return head, lambda x: head(x)[0].mean(1)
    if kind == "Transf":
        head = nn.Sequential(*[Block(width, request["text"]["heads"]) for _ in range(layers)])
        return head, lambda x: head(x).mean(1)
    if kind == "Transf_cls":
        head = ClassToken(width, layers, request["frames"])
        return head, head
    return nn.Identity(), lambda x: x.mean(1)


def count_heads(request, frames_learn):
    head, run = fusion_head(request)
    classifier = nn.Linear(request["embed_dim"], max(1, request["classes"]))
    head.requires_grad_(request["trained"]["fusion"])
    frames = torch.empty(1, request["frames"], request["embed_dim"], requires_grad=frames_learn)
    fused = costs(lambda: run(frames))
    video = torch.empty(1, request["embed_dim"], requires_grad=frames_learn or run(frames).requires_grad)
    return dict(fusion=fused, classifier=costs(lambda: classifier(video)))


ENCODERS = {}  # what was counted, as many requests have the same


def count_encoder(function, part, learning, request):
    key = json.dumps([part, learning, request[part], request["embed_dim"], request["frames"]])
    if key not in ENCODERS:
        ENCODERS[key] = function(request)
    return ENCODERS[key]


def answer(request):
    trained = request["trained"]
    with torch.device("meta"):
        count_image = count_resnet if "stages" in request["vision"] else count_vit
        image = count_encoder(count_image, "vision", trained["image"], request)
        text = count_encoder(count_text, "text", [trained["text"], trained["context"]], request)
        return dict(image=image, text=text, **count_heads(request, trained["image"] is None or trained["image"] >= 0))


print(json.dumps([answer(request) for request in json.loads(sys.argv[1])]))
