"""Weights that other programs wrote, converted by the program, and loaded strictly by others.

usage: weights_round_trip.py PROGRAM CASE FOLDER
Every case makes a small random model, saves it, lets PROGRAM convert it and compares: tensor for tensor, and the logits. A
deviation ends the script with an error.
"""

import json
import subprocess
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

from clip_modules import FRAMES, IMAGE, LAYERS, PATCH, WIDTH, Clip, FusionHead, archive, example, randomize

CONTEXT, VOCABULARY = 16, 100


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout} {done.stderr}"
    return json.loads(done.stdout)


def convert(program, source, target, scheme, *more):
    report = run([program, "convert", str(source), str(target), "--to", scheme, "--json", *more])
    assert not report["missing"], report["missing"]
    frames = more[more.index("--frames"):][:2] if "--frames" in more else ()
    inspect(program, source, report, *frames)
    return report


def inspect(program, source, converted, *more):
    """It says of a file what `convert` does, and which tensors are used."""
    report = run([program, "inspect", "weights", str(source), "--json", *more])
    for key in ("format", "scheme", "architecture", "parameters", "missing", "left_over", "used"):
        assert report[key] == converted[key], (key, report[key], converted[key])
    natives = {tensor["name"]: tensor["native"] for tensor in report["tensors"]}
    assert sorted(name for name, native in natives.items() if native is None) == sorted(report["left_over"]), report
    assert {name: native for name, native in natives.items() if native is not None} == converted["native"], report


def numbers_of(*modules):
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def assert_found(report, stored_as, scheme, parameters, vision, text):
    """`vision` and `text`: some of the sizes, as the program names them."""
    assert (report["format"], report["scheme"]) == (stored_as, scheme), report
    assert sum(report["parameters"].values()) == parameters, (report["parameters"], parameters)
    config = report["architecture"]["config"]
    for found, expected in ((config["vision"], vision), (config["text"], text)):
        assert {key: found[key] for key in expected} == expected, (found, expected)


CLIP_VISION = dict(image_size=IMAGE, patch_size=PATCH, width=WIDTH, layers=LAYERS)  # of Clip()
CLIP_TEXT = dict(context_length=CONTEXT, vocabulary_size=VOCABULARY, width=WIDTH, layers=LAYERS)


def same_tensors(ours, expected, dtype=None):
    assert ours.keys() == expected.keys(), sorted(ours.keys() ^ expected.keys())
    for name, tensor in expected.items():
        wanted = tensor if dtype is None or not tensor.is_floating_point() else tensor.to(dtype)
        assert ours[name].dtype == wanted.dtype and torch.equal(ours[name], wanted), name


def same_logits(ours, expected):
    error = ((ours - expected).abs().max() / expected.abs().max()).item()
    assert error < 1e-5, error


def logits_of(images, texts, scale):
    return scale.exp() * F.normalize(images, dim=-1) @ F.normalize(texts, dim=-1).t()


def clip_logits(model, images, tokens):
    encode_image = getattr(model, "encode_image", None) or model.visual
    with torch.no_grad():
        return logits_of(encode_image(images[:, 0]), model.encode_text(tokens), model.logit_scale)


def huggingface_logits(model, images, tokens):
    with torch.no_grad():
        return model(input_ids=tokens, pixel_values=images[:, 0]).logits_per_image


# --- open_clip


def open_clip_config(vision=None, text=None, quick_gelu=False):
    vision_cfg = dict(image_size=IMAGE, layers=LAYERS, width=WIDTH, head_width=32, patch_size=16) | (vision or {})
    text_cfg = dict(context_length=CONTEXT, vocab_size=VOCABULARY, width=WIDTH, heads=2, layers=LAYERS) | (text or {})
    return dict(embed_dim=48, vision_cfg=vision_cfg, text_cfg=text_cfg, quick_gelu=quick_gelu)


def open_clip_model(config, custom_text=False):
    from open_clip.model import CLIP, CustomTextCLIP

    return randomize((CustomTextCLIP if custom_text else CLIP)(**config))


def save_open_clip(folder, model, config, as_pickle=False):
    folder.mkdir()
    content = dict(model_cfg=config, preprocess_cfg=dict(mean=[0.5, 0.4, 0.3], std=[0.2, 0.3, 0.4]))
    (folder / "open_clip_config.json").write_text(json.dumps(content))
    if as_pickle:
        torch.save(model.state_dict(), folder / "open_clip_pytorch_model.bin")
    else:
        save_file(model.state_dict(), folder / "open_clip_model.safetensors")


def load_open_clip(folder):
    """As open_clip itself loads a folder: strictly."""
    import open_clip

    return open_clip.create_model(f"local-dir:{folder}").eval()


def open_clip_sizes(config):
    vision, text = config["vision_cfg"], config["text_cfg"]
    blocks = dict(stages=vision["layers"]) if isinstance(vision["layers"], list) else dict(layers=vision["layers"], stages=[])
    attended = 32 * vision["width"] if blocks["stages"] else vision["width"]
    sizes = dict(image_size=vision["image_size"], width=vision["width"], heads=attended // vision["head_width"], **blocks)
    return sizes, {key: text[key] for key in ("context_length", "width", "heads", "layers")}


def round_trip_of_open_clip(program, folder, config, through, custom_text=False):
    model = open_clip_model(config, custom_text)
    images, tokens = example(image=config["vision_cfg"]["image_size"])
    save_open_clip(folder / "in", model, config, as_pickle=custom_text)
    report = convert(program, folder / "in", folder / "middle", through)
    assert not report["left_over"], report
    assert_found(report, "pickled archive" if custom_text else "safetensors", "open_clip", numbers_of(model),
                 *open_clip_sizes(config))  # fmt: skip
    convert(program, folder / "middle", folder / "out", "open_clip")
    again = load_open_clip(folder / "out")
    names = {name.removeprefix("text."): value for name, value in model.state_dict().items()}
    same_tensors(again.state_dict(), names)
    same_logits(clip_logits(again, images, tokens), clip_logits(model, images, tokens))
    preprocessing = json.loads((folder / "out/open_clip_config.json").read_text())["preprocess_cfg"]
    assert preprocessing == dict(mean=[0.5, 0.4, 0.3], std=[0.2, 0.3, 0.4]), preprocessing
    return model


def case_open_clip_gelu(program, folder):
    """Its heads and its GELU, which no tensor shows, come from its configuration and reach transformers' model."""
    from transformers import CLIPModel

    model = round_trip_of_open_clip(program, folder, open_clip_config(), "huggingface")
    images, tokens = example()
    other, loading = CLIPModel.from_pretrained(folder / "middle", output_loading_info=True)
    assert not any(loading.values()), loading
    same_logits(huggingface_logits(other.eval(), images, tokens), clip_logits(model, images, tokens))


def case_open_clip_wide_mlp(program, folder):
    config = open_clip_config(vision=dict(mlp_ratio=4.9231), text=dict(mlp_ratio=3.0), quick_gelu=True)
    round_trip_of_open_clip(program, folder, config, "huggingface")


def case_open_clip_layer_scale(program, folder):
    round_trip_of_open_clip(program, folder, open_clip_config(vision=dict(ls_init_value=1e-4)), "native")


def case_open_clip_resnet(program, folder):
    vision = dict(image_size=64, layers=[1, 2, 1, 1], width=16, head_width=64, patch_size=None)
    round_trip_of_open_clip(program, folder, open_clip_config(vision=vision), "native")


def case_open_clip_custom_text(program, folder):
    round_trip_of_open_clip(program, folder, open_clip_config(), "native", custom_text=True)


def case_open_clip_end_token(program, folder):
    round_trip_of_open_clip(program, folder, open_clip_config(text=dict(pool_type="eos", eos_id=VOCABULARY - 3)), "native")


def case_torch_save_of_a_wrapped_model(program, folder):
    """A training checkpoint: DataParallel's prefix, an optimizer, bf16, all parameters in one storage, two of them shared."""
    config = open_clip_config(quick_gelu=True)
    model = open_clip_model(config)
    optimizer = torch.optim.AdamW(model.parameters())
    sum(p.sum() for p in model.parameters()).backward()
    optimizer.step()
    state = {name: value.bfloat16() for name, value in model.state_dict().items()}
    state["visual.ln_pre.bias"] = state["visual.ln_post.bias"]
    flat = torch.cat([value.reshape(-1) for value in state.values()])
    views = iter(flat.split([value.numel() for value in state.values()]))
    state = {name: next(views).view(value.shape) for name, value in state.items()}
    state["visual.ln_pre.bias"] = state["visual.ln_post.bias"]
    torch.save(dict(epoch=3, name="run", state_dict={f"module.{name}": value for name, value in state.items()},
                    optimizer=optimizer.state_dict()), folder / "in.pt")  # fmt: skip
    report = convert(program, folder / "in.pt", folder / "keep.safetensors", "openai")
    assert_found(report, "pickled archive", "openai", numbers_of(model), CLIP_VISION | dict(patch_size=16), CLIP_TEXT)
    assert report["left_over"] and all(name.startswith("optimizer/") for name in report["left_over"]), report
    same_tensors(load_file(folder / "keep.safetensors"), state)
    for dtype, name in ((torch.float32, "fp32"), (torch.float16, "fp16")):
        convert(program, folder / "in.pt", folder / f"{name}.safetensors", "openai", "--dtype", name)
        same_tensors(load_file(folder / f"{name}.safetensors"), state, dtype)
    other = open_clip_model(config)
    other.load_state_dict(load_file(folder / "fp32.safetensors"))
    model.load_state_dict({name: value.float() for name, value in state.items()})
    images, tokens = example()
    same_logits(clip_logits(other, images, tokens), clip_logits(model, images, tokens))


# --- Hugging Face


def huggingface_model(**settings):
    from transformers import CLIPConfig, CLIPModel

    vision = dict(image_size=IMAGE, patch_size=16, hidden_size=WIDTH, intermediate_size=160, num_hidden_layers=LAYERS,
                  num_attention_heads=4)  # fmt: skip
    text = dict(hidden_size=32, intermediate_size=128, num_hidden_layers=3, num_attention_heads=4, vocab_size=VOCABULARY,
                max_position_embeddings=CONTEXT, bos_token_id=1, eos_token_id=VOCABULARY - 1)  # fmt: skip
    config = CLIPConfig(vision_config=vision | settings, text_config=text | settings, projection_dim=48)
    return randomize(CLIPModel(config))


def load_huggingface(folder):
    from transformers import CLIPModel

    model, loading = CLIPModel.from_pretrained(folder, output_loading_info=True)
    assert not any(loading.values()), loading
    return model.eval()


def huggingface_sizes(model):
    vision, text = model.config.vision_config, model.config.text_config
    return (dict(image_size=vision.image_size, patch_size=vision.patch_size, width=vision.hidden_size,
                 layers=vision.num_hidden_layers, heads=vision.num_attention_heads),
            dict(context_length=text.max_position_embeddings, vocabulary_size=text.vocab_size, width=text.hidden_size,
                 layers=text.num_hidden_layers, heads=text.num_attention_heads))  # fmt: skip


def round_trip_of_huggingface(program, folder, model, through, stored_as="safetensors"):
    images, tokens = example()
    report = convert(program, folder / "in", folder / "middle", through)
    assert not report["left_over"], report
    assert_found(report, stored_as, "huggingface", numbers_of(model), *huggingface_sizes(model))
    convert(program, folder / "middle", folder / "out", "huggingface")
    again = load_huggingface(folder / "out")
    same_tensors(again.state_dict(), model.state_dict())
    same_logits(huggingface_logits(again, images, tokens), huggingface_logits(model, images, tokens))


def case_huggingface_one_file(program, folder):
    model = huggingface_model()
    model.save_pretrained(folder / "in")
    round_trip_of_huggingface(program, folder, model, "native")


def case_huggingface_gelu_through_open_clip(program, folder):
    model = huggingface_model(hidden_act="gelu")
    model.save_pretrained(folder / "in")
    round_trip_of_huggingface(program, folder, model, "open_clip")
    images, tokens = example()
    same_logits(clip_logits(load_open_clip(folder / "middle"), images, tokens), huggingface_logits(model, images, tokens))


def case_huggingface_sharded(program, folder):
    model = huggingface_model()
    model.save_pretrained(folder / "in", max_shard_size="100KB")
    shards = sorted((folder / "in").glob("model-*.safetensors"))
    assert len(shards) > 2, shards
    round_trip_of_huggingface(program, folder, model, "native", f"safetensors in {len(shards)} files")
    refuse_without(shards[1], program, folder)


def refuse_without(shard, program, folder):
    shard.unlink()
    command = [program, "convert", str(folder / "in"), str(folder / "none"), "--to", "native"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and shard.name in done.stderr, done.stderr


def case_huggingface_pickled_shards(program, folder):
    """As transformers 4 saved large models: pytorch_model.bin.index.json, and a torch.save for each shard."""
    model = huggingface_model()
    model.config.save_pretrained(folder / "in")
    items = list(model.state_dict().items())
    count = 3
    names = [f"pytorch_model-{i + 1:05d}-of-{count:05d}.bin" for i in range(count)]
    shards = {name: dict(items[i::count]) for i, name in enumerate(names)}
    for name, state in shards.items():
        torch.save(state, folder / "in" / name)
    size = sum(value.numel() * value.element_size() for _, value in items)
    index = dict(metadata=dict(total_size=size), weight_map={key: name for name, state in shards.items() for key in state})
    (folder / "in/pytorch_model.bin.index.json").write_text(json.dumps(index, indent=2))
    load_huggingface(folder / "in")  # transformers takes it
    round_trip_of_huggingface(program, folder, model, "native", f"pickled archive in {count} files")
    refuse_without(folder / "in" / names[1], program, folder)


def case_huggingface_pickled_half(program, folder):
    model = huggingface_model(eos_token_id=2).half()
    model.config.save_pretrained(folder / "in")
    state = dict(model.state_dict())
    state["text_model.embeddings.position_ids"] = torch.arange(CONTEXT)[None]  # as older versions saved it
    torch.save(state, folder / "in/pytorch_model.bin")
    report = convert(program, folder / "in", folder / "out", "huggingface")
    assert report["left_over"] == ["text_model.embeddings.position_ids"], report
    assert_found(report, "pickled archive", "huggingface", numbers_of(model), *huggingface_sizes(model))
    same_tensors(load_huggingface(folder / "out").state_dict(), model.state_dict())


# --- OpenAI, published ActionCLIP, mmaction2


def load_as_openai(file):
    """open_clip's own loader of OpenAI's state dicts, which reads the architecture from the tensors; fp16 on the way."""
    from open_clip.model import build_model_from_openai_state_dict

    return build_model_from_openai_state_dict(load_file(file)).float()


def case_openai_archive(program, folder):
    model = randomize(Clip())
    state = {name: value.half() for name, value in model.state_dict().items()}
    archive(state, (IMAGE, CONTEXT, VOCABULARY)).save(str(folder / "in.pt"))
    report = convert(program, folder / "in.pt", folder / "out.safetensors", "openai")
    assert report["left_over"] == ["context_length", "input_resolution", "vocab_size"], report
    assert_found(report, "TorchScript archive", "openai", numbers_of(model), CLIP_VISION, CLIP_TEXT)
    same_tensors(load_file(folder / "out.safetensors"), state)
    convert(program, folder / "in.pt", folder / "hf", "huggingface", "--dtype", "fp32")
    model.load_state_dict({name: value.float() for name, value in state.items()})
    images, tokens = example()
    expected = clip_logits(model, images, tokens)
    same_logits(huggingface_logits(load_huggingface(folder / "hf"), images, tokens), expected)
    same_logits(clip_logits(load_as_openai(folder / "out.safetensors"), images, tokens), expected)


def case_openai_resnet_archive(program, folder):
    vision = dict(image_size=64, layers=[1, 2, 1, 1], width=16, head_width=64, patch_size=None)
    config = open_clip_config(vision=vision, text=dict(heads=1), quick_gelu=True)
    model = open_clip_model(config)
    # Statistics that are not those of a fresh model, and all numbers as fp16 holds them.
    state = {name: value + 0.1 if "running_" in name else value for name, value in model.state_dict().items()}
    state = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    archive(state, (64, CONTEXT, VOCABULARY)).save(str(folder / "in.pt"))
    report = convert(program, folder / "in.pt", folder / "out.safetensors", "openai")
    assert report["left_over"] == ["context_length", "input_resolution", "vocab_size"], report
    assert_found(report, "TorchScript archive", "openai", numbers_of(model), *open_clip_sizes(config))
    same_tensors(load_file(folder / "out.safetensors"), state)
    model.load_state_dict(state)
    images, tokens = example(image=64)
    same_logits(clip_logits(load_as_openai(folder / "out.safetensors"), images, tokens), clip_logits(model, images, tokens))


def video_logits(model, head, images, tokens):
    with torch.no_grad():
        frames = model.visual(images.flatten(0, 1)).unflatten(0, images.shape[:2])
        return logits_of(head(frames), model.encode_text(tokens), model.logit_scale)


def load_published(file):
    """The lines that `actionclip convert --help` gives."""
    tensors = load_file(file)
    return [{name[len(part):]: value for name, value in tensors.items() if name.startswith(part)}
            for part in ("model_state_dict/", "fusion_model_state_dict/")]  # fmt: skip


# Of the published heads, Transf alone uses them.
POSITIONS = "module.frame_position_embeddings.weight"


def same_heads(ours, expected, unused):
    """Tensor for tensor, but for positions that the head does not use: they are not kept, zeros stand for them."""
    ours, expected = dict(ours), dict(expected)
    if unused:
        assert torch.equal(ours.pop(POSITIONS), torch.zeros_like(expected.pop(POSITIONS)))
    same_tensors(ours, expected)


def round_trip_of_published(program, folder, kind, shift=False):
    unused = kind in ("Transf_cls", "LSTM", "Conv_1D")

    def make():
        return randomize(Clip(shift=shift)), nn.DataParallel(randomize(FusionHead(kind))).eval()

    model, head = make()
    optimizer = torch.optim.AdamW(model.parameters())
    sum(p.sum() for p in model.parameters()).backward()
    optimizer.step()
    torch.save(dict(epoch=3, model_state_dict=model.state_dict(), fusion_model_state_dict=head.state_dict(),
                    optimizer_state_dict=optimizer.state_dict()), folder / "in.pt")  # fmt: skip
    report = convert(program, folder / "in.pt", folder / "native.safetensors", "native", "--frames", str(FRAMES))
    in_head = numbers_of(head) - (head.module.frame_position_embeddings.weight.numel() if unused else 0)
    assert_found(report, "pickled archive", "actionclip", numbers_of(model) + in_head, CLIP_VISION, CLIP_TEXT)
    left_over = [name for name in report["left_over"] if not name.startswith("optimizer_state_dict/")]
    assert left_over == ([f"fusion_model_state_dict/{POSITIONS}"] if unused else []), left_over
    config = report["architecture"]["config"]
    assert config["fusion"]["type"] == kind and config["vision"]["temporal_shift"] == shift, config
    report = convert(program, folder / "native.safetensors", folder / "out.safetensors", "actionclip")
    assert not report["left_out"] and not report["left_over"], report
    assert ["zeros" in note for note in report["notes"]] == ([True] if unused else []), report
    other, other_head = make()
    for module, state in zip((other, other_head), load_published(folder / "out.safetensors")):
        module.load_state_dict(state)
    same_tensors(other.state_dict(), model.state_dict())
    same_heads(other_head.state_dict(), head.state_dict(), unused)
    images, tokens = example()
    same_logits(video_logits(other, other_head, images, tokens), video_logits(model, head, images, tokens))


def case_published_mean(program, folder):
    round_trip_of_published(program, folder, "meanP")


def case_published_transf_with_shift(program, folder):
    round_trip_of_published(program, folder, "Transf", shift=True)


def case_published_transf_cls(program, folder):
    round_trip_of_published(program, folder, "Transf_cls")


def case_published_lstm(program, folder):
    round_trip_of_published(program, folder, "LSTM")


def case_published_conv(program, folder):
    round_trip_of_published(program, folder, "Conv_1D")


def case_mmaction2(program, folder):
    model, adapter = randomize(Clip()), randomize(FusionHead("Transf", FRAMES, layers=2, eps=1e-5))
    state = {f"clip.{name}": value for name, value in model.state_dict().items()}
    state |= {f"adapter.{name}": value for name, value in adapter.state_dict().items()}
    state["data_preprocessor.mean"] = torch.ones(3, 1, 1)
    torch.save(dict(meta=dict(epoch=1, seed=2, time="now"), state_dict=state), folder / "in.pth")
    report = convert(program, folder / "in.pth", folder / "native.safetensors", "native")
    assert report["left_over"] == ["state_dict/data_preprocessor.mean"], report
    assert_found(report, "pickled archive", "mmaction2", numbers_of(model, adapter), CLIP_VISION, CLIP_TEXT)
    fusion = report["architecture"]["config"]["fusion"]
    assert (fusion["positions"], fusion["frames"], fusion["layers"], fusion["layer_norm_eps"]) == (FRAMES, FRAMES, 2, 1e-5), fusion
    names = {name.removeprefix("clip.").replace("adapter.", "fusion."): value for name, value in state.items()
             if not name.startswith("data_preprocessor.")}  # fmt: skip
    same_tensors(load_file(folder / "native.safetensors"), names)

    # The published head holds as many positions as a text has tokens.
    report = convert(program, folder / "in.pth", folder / "out.safetensors", "actionclip")
    assert any("positions" in note for note in report["notes"]) and any("epsilon" in note for note in report["notes"]), report
    other, other_head = Clip(), nn.DataParallel(FusionHead("Transf", CONTEXT, layers=2, eps=1e-5)).eval()
    for module, part in zip((other, other_head), load_published(folder / "out.safetensors")):
        module.load_state_dict(part)
    images, tokens = example()
    same_logits(video_logits(other, other_head, images, tokens), video_logits(model, adapter, images, tokens))


def main():
    program, case, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    torch.manual_seed(5)
    globals()[f"case_{case}"](program, folder)


main()
