"""Crops and resizes pictures with Pillow and torchvision, for comparison.

Arguments: FOLDER, then a case an argument, the i-th for the picture FOLDER/i.rgb (rows of RGB triples):
  test:WxH:RESIZE:SIZE          short side to RESIZE (bicubic), centre crop SIZE
  train:WxH:X:Y:CW:CH:FLIP:SIZE cut out, resize to SIZE (bilinear), mirror if FLIP is 1
Writes FOLDER/i.out, planes [3, SIZE, SIZE].
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from torchvision.transforms import CenterCrop, InterpolationMode, Resize


def transform(picture: Image.Image, kind: str, numbers: list[int]) -> Image.Image:
    if kind == "test":
        resize, size = numbers
        return CenterCrop(size)(Resize(resize, interpolation=InterpolationMode.BICUBIC)(picture))
    x, y, width, height, flip, size = numbers
    picture = picture.crop((x, y, x + width, y + height)).resize((size, size), Image.Resampling.BILINEAR)
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else picture


def main() -> None:
    folder = Path(sys.argv[1])
    for i, case in enumerate(sys.argv[2:]):
        kind, size, *numbers = case.split(":")
        width, height = map(int, size.split("x"))
        picture = Image.frombytes("RGB", (width, height), (folder / f"{i}.rgb").read_bytes())
        result = np.asarray(transform(picture, kind, list(map(int, numbers))))
        (folder / f"{i}.out").write_bytes(np.ascontiguousarray(result.transpose(2, 0, 1)).tobytes())


if __name__ == "__main__":
    main()
