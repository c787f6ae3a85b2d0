"""Floating-point operations of the towers and the Transf head, as torch.utils.flop_counter counts those of transformers' CLIP
layers and of PyTorch's own attention module. Nothing is computed: the tensors are on the meta device.

usage: flop_reference.py SIZES
SIZES: JSON with vision {image_size, patch_size, width, layers, heads}, text {..., length}, fusion {layers, frames}, embed_dim.
Prints JSON: image (of one frame) and text, each whole and with the last block at one position only; fusion (of one video).
"""

import json
import sys

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from transformers import CLIPConfig, CLIPModel


def build(sizes):
    def tower(part):
        return dict(hidden_size=part["width"], intermediate_size=4 * part["width"], num_hidden_layers=part["layers"],
                    num_attention_heads=part["heads"])

    vision, text = sizes["vision"], sizes["text"]
    config = CLIPConfig(
        vision_config=dict(image_size=vision["image_size"], patch_size=vision["patch_size"], **tower(vision)),
        text_config=dict(vocab_size=1000, max_position_embeddings=max(2, text["length"]), bos_token_id=998, eos_token_id=999,
                         **tower(text)),
        projection_dim=sizes["embed_dim"])
    # Eager attention is two batched products, which the counter sees on any device.
    return CLIPModel._from_config(config, attn_implementation="eager")


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
        work()
    return counter.get_total_flops()


def count_tower(run_layers, layers, project):
    """run_layers(layers) gives the hidden states behind these layers."""
    whole = count(lambda: project(run_layers(layers)[:, :1]))
    at_one = count(lambda: project(last_layer_at_one_position(layers[-1], run_layers(layers[:-1]))))
    return dict(whole=whole, one_position=at_one)


def count_image(model, size):
    vision = model.vision_model
    pixels = torch.empty(1, 3, size, size)

    def run_layers(layers):
        x = vision.pre_layrnorm(vision.embeddings(pixels))
        for layer in layers:
            x = first(layer(x, attention_mask=None))
        return x

    return count_tower(run_layers, vision.encoder.layers, model.visual_projection)


def count_text(model, length):
    text = model.text_model
    tokens = torch.zeros(1, length, dtype=torch.long)
    causal = torch.full((1, 1, length, length), float("-inf")).triu(1)

    def run_layers(layers):
        x = text.embeddings(input_ids=tokens)
        for layer in layers:
            x = first(layer(x, attention_mask=causal))
        return x

    return count_tower(run_layers, text.encoder.layers, model.text_projection)


def first(output):
    return output[0] if isinstance(output, tuple) else output


def count_fusion(width, heads, layers, frames):
    attention = nn.MultiheadAttention(width, heads, batch_first=True)
    widen, narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
    x = torch.empty(1, frames, width)
    # With the weights asked for, attention is written out in products that the counter sees.
    return layers * count(lambda: narrow(widen(attention(x, x, x, need_weights=True)[0])))


def main():
    sizes = json.loads(sys.argv[1])
    with torch.device("meta"):
        model = build(sizes)
        result = dict(
            image=count_image(model, sizes["vision"]["image_size"]),
            text=count_text(model, sizes["text"]["length"]),
            fusion=count_fusion(sizes["embed_dim"], sizes["text"]["heads"], sizes["fusion"]["layers"],
                                sizes["fusion"]["frames"]))
    print(json.dumps(result))


main()
