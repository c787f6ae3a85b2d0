"""Crops and resizes pictures with Pillow and torchvision, for comparison.

Arguments: FOLDER, then a case an argument, the i-th for the picture FOLDER/i.rgb (rows of RGB triples):
  test:WxH:RESIZE:SIZE:CROPS    short side to RESIZE (bicubic), then 1 centre crop of SIZE, FiveCrop or TenCrop
  train:WxH:X:Y:CW:CH:FLIP:SIZE:FILTER  cut out, resize to SIZE (bilinear or bicubic), mirror if FLIP is 1
Writes FOLDER/i.out, planes [crops, 3, SIZE, SIZE].
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from torchvision.transforms import CenterCrop, FiveCrop, InterpolationMode, Resize, TenCrop


def test(picture: Image.Image, resize: int, size: int, crops: int) -> list[Image.Image]:
    resized = Resize(resize, interpolation=InterpolationMode.BICUBIC)(picture)
    if crops == 1:
        return [CenterCrop(size)(resized)]
    return list({5: FiveCrop, 10: TenCrop}[crops](size)(resized))


def train(picture: Image.Image, x, y, width, height, flip, size, resampling: str) -> list[Image.Image]:
    crop = picture.crop((x, y, x + width, y + height))
    for shape in ((size, height), (size, size)):  # Pillow before 13 always resized the rows first
        crop = crop.resize(shape, Image.Resampling[resampling.upper()])
    return [crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else crop]


def transform(picture: Image.Image, kind: str, values: list[str]) -> list[Image.Image]:
    if kind == "test":
        return test(picture, *map(int, values))
    return train(picture, *map(int, values[:-1]), values[-1])


def main() -> None:
    folder = Path(sys.argv[1])
    for i, case in enumerate(sys.argv[2:]):
        kind, size, *values = case.split(":")
        width, height = map(int, size.split("x"))
        picture = Image.frombytes("RGB", (width, height), (folder / f"{i}.rgb").read_bytes())
        crops = np.stack([np.asarray(crop) for crop in transform(picture, kind, values)])
        (folder / f"{i}.out").write_bytes(np.ascontiguousarray(crops.transpose(0, 3, 1, 2)).tobytes())


if __name__ == "__main__":
    main()
