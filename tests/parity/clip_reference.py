"""Random CLIP weights, inputs and the outputs that transformers' CLIPModel gives for them.

usage: clip_reference.py SIZE OUT_FOLDER [archive]
Writes OUT/weights.safetensors (CLIP's own names) and OUT/io.safetensors, of size small with `upstream` and `grad.*`: the
gradients of (logits * upstream).sum() in CLIP's names. With `archive` OUT/archive.pt in place of the former: the TorchScript
archive of fp16 weights and three sizes that OpenAI publishes.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel

from clip_modules import archive

SIZES = {
    # image size, patch, vision width, vision layers, text width, text layers, embedding, vocabulary, context
    "ViT-B/32": (224, 32, 768, 12, 512, 12, 512, 49408, 77),
    "ViT-B/16": (224, 16, 768, 12, 512, 12, 512, 49408, 77),
    "small": (48, 16, 128, 3, 64, 2, 96, 500, 20),
}


def build(size):
    image, patch, vision_width, vision_layers, text_width, text_layers, embed, vocabulary, context = SIZES[size]
    config = CLIPConfig(
        vision_config=dict(image_size=image, patch_size=patch, hidden_size=vision_width,
                           intermediate_size=4 * vision_width, num_hidden_layers=vision_layers,
                           num_attention_heads=vision_width // 64),
        text_config=dict(hidden_size=text_width, intermediate_size=4 * text_width, num_hidden_layers=text_layers,
                         num_attention_heads=max(1, text_width // 64), vocab_size=vocabulary,
                         max_position_embeddings=context, bos_token_id=vocabulary - 2, eos_token_id=vocabulary - 1),
        projection_dim=embed)
    model = CLIPModel._from_config(config, attn_implementation="eager").float().eval()
    with torch.no_grad():  # larger than CLIP's own start, and no zero bias, so that an error anywhere shows
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def tower(source, prefix, target):
    renamed = {}
    for name, value in source.items():
        if not name.startswith(prefix):
            continue
        layer, rest = name[len(prefix):].split(".", 1)
        if rest.startswith("self_attn") and "out_proj" not in rest:
            continue
        for old, new in (("self_attn.out_proj", "attn.out_proj"), ("layer_norm1", "ln_1"), ("layer_norm2", "ln_2"),
                         ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj")):
            rest = rest.replace(old, new)
        renamed[f"{target}.{layer}.{rest}"] = value
    layers = {name[len(prefix):].split(".")[0] for name in source if name.startswith(prefix)}
    for layer in layers:
        for kind in ("weight", "bias"):
            parts = [source[f"{prefix}{layer}.self_attn.{p}_proj.{kind}"] for p in "qkv"]
            renamed[f"{target}.{layer}.attn.in_proj_{kind}"] = torch.cat(parts)
    return renamed


def clip_names(source):
    renamed = {
        "visual.conv1.weight": source["vision_model.embeddings.patch_embedding.weight"],
        "visual.class_embedding": source["vision_model.embeddings.class_embedding"],
        "visual.positional_embedding": source["vision_model.embeddings.position_embedding.weight"],
        "visual.proj": source["visual_projection.weight"].t(),
        "token_embedding.weight": source["text_model.embeddings.token_embedding.weight"],
        "positional_embedding": source["text_model.embeddings.position_embedding.weight"],
        "text_projection": source["text_projection.weight"].t(),
        "logit_scale": source["logit_scale"],
    }
    for kind in ("weight", "bias"):
        renamed[f"visual.ln_pre.{kind}"] = source[f"vision_model.pre_layrnorm.{kind}"]
        renamed[f"visual.ln_post.{kind}"] = source[f"vision_model.post_layernorm.{kind}"]
        renamed[f"ln_final.{kind}"] = source[f"text_model.final_layer_norm.{kind}"]
    renamed |= tower(source, "vision_model.encoder.layers.", "visual.transformer.resblocks")
    renamed |= tower(source, "text_model.encoder.layers.", "transformer.resblocks")
    return {name: value.contiguous() for name, value in renamed.items()}


def gradients(model, tokens, pixels):
    logits = model(input_ids=tokens, pixel_values=pixels).logits_per_image
    upstream = torch.randn_like(logits)
    (logits * upstream).sum().backward()
    named = clip_names({name: parameter.grad for name, parameter in model.named_parameters()})
    return dict(upstream=upstream) | {f"grad.{name}": gradient for name, gradient in named.items()}


def main():
    size, out, as_archive = sys.argv[1], Path(sys.argv[2]), sys.argv[3:] == ["archive"]
    torch.manual_seed(7)
    model = build(size)
    if as_archive:
        model = model.half().float()
    image, context, vocabulary = SIZES[size][0], SIZES[size][8], SIZES[size][7]
    pixels = torch.randn(3, 3, image, image)
    tokens = torch.zeros(5, context, dtype=torch.long)
    for row, length in enumerate((3, 7, context, 12, 5)):
        tokens[row, 0] = vocabulary - 2
        tokens[row, 1:length - 1] = torch.randint(1, vocabulary - 2, (length - 2,))
        tokens[row, length - 1] = vocabulary - 1
    with torch.no_grad():
        image_features = model.visual_projection(model.vision_model(pixel_values=pixels).pooler_output)
        text_features = model.text_projection(model.text_model(input_ids=tokens).pooler_output)
        logits = model(input_ids=tokens, pixel_values=pixels).logits_per_image
    tensors = clip_names(model.state_dict())
    if as_archive:
        archive(tensors, (image, context, vocabulary)).save(str(out / "archive.pt"))
    else:
        save_file(tensors, str(out / "weights.safetensors"))
    io = dict(pixels=pixels, tokens=tokens, image_features=image_features, text_features=text_features, logits=logits)
    if size == "small":
        io |= gradients(model, tokens, pixels)
    save_file({name: value.contiguous() for name, value in io.items()}, str(out / "io.safetensors"))


main()
