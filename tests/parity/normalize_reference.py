"""Frames cut out, mirrored and normalised by torchvision, for comparison. Argument: the file to write.

Writes frames (uint8 [N, 3, H, W]), crops (int64 [N, 5]: x, y, width, height, mirrored or not) and expected (float32).
"""

import sys

import torch
from safetensors.torch import save_file
from torchvision.transforms import functional

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
SIZE = 48


def main() -> None:
    random = torch.Generator().manual_seed(5)
    frames = torch.randint(0, 256, (6, 3, 57, 83), dtype=torch.uint8, generator=random)
    crops, expected = [], []
    for i, frame in enumerate(frames):
        x, y, mirrored = 7 * i, 9 - i, i % 2
        part = functional.crop(frame, y, x, SIZE, SIZE)
        part = functional.hflip(part) if mirrored else part
        expected.append(functional.normalize(part.double() / 255, MEAN, STD).float())
        crops.append((x, y, SIZE, SIZE, mirrored))
    save_file({"frames": frames, "crops": torch.tensor(crops), "expected": torch.stack(expected)}, sys.argv[1])


if __name__ == "__main__":
    main()
