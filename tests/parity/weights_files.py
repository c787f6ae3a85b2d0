"""Weights files written and judged by the reference implementations (safetensors, torch).

  weights_files.py write-safetensors FOLDER   files and expected.json: {file: {tensor: {dtype, shape, hex}}}
  weights_files.py write-torch FOLDER         the same with torch.save and torch.jit.save
  weights_files.py dump-safetensors FILE      {tensor: {dtype, shape, hex}} of one file, and its metadata
  weights_files.py judge-safetensors FOLDER   a line a file, sorted: "<name> accepted" or "<name> refused"
"""

import json
import sys
import warnings
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

NAMES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip


def describe(tensor):
    tensor = tensor.detach().contiguous()
    raw = tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
    return {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "hex": raw.hex()}


def every_type():
    torch.manual_seed(0)
    tensors = {f"all.{name}": (torch.rand(3, 5) * 100 - 20).abs().to(dtype) for dtype, name in NAMES.items()}
    tensors["scalar"] = torch.tensor(2.5)
    tensors["empty"] = torch.zeros(0, 4)
    tensors["ünï.code"] = torch.arange(7, dtype=torch.int8)
    return tensors


def write_safetensors(folder):
    files = {"types.safetensors": every_type(), "none.safetensors": {}, "odd.safetensors": {"a": torch.ones(3).half(), "b": torch.ones(2)}}
    for name, tensors in files.items():
        save_file(tensors, folder / name, metadata={"format": "pt", "labels": "ä\n\"b\""})
    return {name: {k: describe(v) for k, v in tensors.items()} for name, tensors in files.items()}


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.attn = torch.nn.MultiheadAttention(4, 2)
        self.mlp = torch.nn.Sequential(OrderedDict(c_fc=torch.nn.Linear(4, 8), c_proj=torch.nn.Linear(8, 4)))

    def forward(self, x):
        return self.mlp(self.attn(x, x, x)[0])


class Tower(torch.nn.Module):
    sizes: list[int]

    def __init__(self):
        super().__init__()
        self.resblocks = torch.nn.Sequential(Block(), Block())
        self.proj = torch.nn.Parameter(torch.rand(4, 6))
        self.register_buffer("steps", torch.arange(3))
        self.sizes, self.eps, self.name, self.pairs = [1, 2, 3], 1e-5, "tower", {"k": 1}
        self.pair, self.flag, self.nothing, self.words = (1, 2.0), True, None, ["a", "b"]

    def forward(self, x):
        unused = self.sizes[0] + self.eps + self.pairs["k"] + self.pair[1] + len(self.words) + len(self.name)
        return self.resblocks(x) @ self.proj + self.steps[0] + unused * 0


class Clip(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.visual = Tower()
        self.logit_scale = torch.nn.Parameter(torch.tensor(4.6))

    def forward(self, x):
        return self.visual(x) * self.logit_scale


def plain_files():
    shared = torch.arange(24, dtype=torch.float32)
    types = every_type()
    del types["ünï.code"]
    return {
        "types.pt": types,
        "views.pt": {"t": torch.rand(3, 4).t(), "step": shared[1::3], "slice": torch.rand(6, 6)[2:4, 1:5],
                     "channels_last": torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last)},
        "shared.pt": {"a": shared, "b": shared.view(4, 6), "c": shared[12:]},
        "parameter.pt": {"p": torch.nn.Parameter(torch.rand(2, 3))},
        "state.pt": Clip().half().state_dict(),
        "bf16.pt": Clip().bfloat16().state_dict(),
    }  # fmt: skip


def nested_files():
    model = Clip()
    fusion = torch.nn.DataParallel(torch.nn.Linear(4, 4))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.rand(2, 1, 4)).sum().backward()
    optimizer.step()
    return {
        "published.pt": {"epoch": 3, "model_state_dict": model.state_dict(), "fusion_model_state_dict": fusion.state_dict(),
                         "optimizer_state_dict": optimizer.state_dict()},
        "values.pt": {"none": None, "yes": True, "big": 2**40, "negative": -7, "float": 0.5, "text": "ü", "size": torch.Size([1, 2]),
                      "tuple": (1, (2, 3), ()), "list": [torch.ones(1), [torch.zeros(2)]], "seed": 2**63 + 5,
                      "dtype": torch.float16, "device": torch.device("cpu")},
    }  # fmt: skip


def flatten(value, prefix=""):
    if isinstance(value, torch.Tensor):
        return {prefix: describe(value)}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    join = prefix + "/" if prefix else ""
    return {name: entry for key, item in items for name, entry in flatten(item, f"{join}{key}").items()}


def write_torch(folder):
    expected = {}
    for name, content in {**plain_files(), **nested_files()}.items():
        torch.save(content, folder / name)
        expected[name] = flatten(content)
    for protocol in (3, 4):
        torch.save(plain_files()["types.pt"], folder / f"protocol{protocol}.pt", pickle_protocol=protocol)
        expected[f"protocol{protocol}.pt"] = flatten(plain_files()["types.pt"])
    model = Clip().half().eval()
    for name, scripted in {"scripted.pt": torch.jit.script(model), "scripted_tower.pt": torch.jit.script(model.visual)}.items():
        scripted.save(str(folder / name))
        expected[name] = flatten(dict(scripted.state_dict()))
    traced = torch.jit.trace(Clip().eval(), torch.rand(2, 1, 4), check_trace=False)
    traced.save(str(folder / "traced.pt"))
    expected["traced.pt"] = flatten(dict(traced.state_dict()))
    torch.save(Clip().state_dict(), folder / "legacy.pth", _use_new_zipfile_serialization=False)
    return expected


def read(path):
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()


def accepted(path):
    try:
        read(path)
    except SafetensorError:
        return False
    return True


def main():
    warnings.simplefilter("ignore")
    command, path = sys.argv[1], Path(sys.argv[2])
    if command == "write-safetensors":
        (path / "expected.json").write_text(json.dumps(write_safetensors(path)))
    elif command == "write-torch":
        (path / "expected.json").write_text(json.dumps(write_torch(path)))
    elif command == "dump-safetensors":
        tensors, metadata = read(path)
        print(json.dumps({"tensors": {name: describe(tensor) for name, tensor in tensors.items()}, "metadata": metadata}))
    elif command == "judge-safetensors":
        for file in sorted(path.iterdir()):
            print(file.name, "accepted" if accepted(file) else "refused")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
