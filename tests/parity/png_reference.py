"""PNG files of every kind, and the pixels that Pillow gives for them.

usage: png_reference.py FOLDER
Writes FOLDER/NAME.png and FOLDER/NAME.rgb (rows of RGB triples), and prints a line `NAME WIDTH HEIGHT` for each.
"""

import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 61, 37
random = np.random.default_rng(4)


def write_16_bits(file: Path, samples: np.ndarray, color_type: int) -> None:
    """samples [HEIGHT, WIDTH * channels]; Pillow itself writes grey only."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, color_type, 0, 0, 0)
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def noise(channels: int, high: int = 256) -> np.ndarray:
    return random.integers(0, high, (HEIGHT, WIDTH, channels)).squeeze()


def main() -> None:
    folder = Path(sys.argv[1])
    color = Image.fromarray(noise(3).astype(np.uint8))
    palette = color.quantize(200)
    pictures = {
        "rgb": color,
        "rgba": Image.fromarray(noise(4).astype(np.uint8)),
        "grey": Image.fromarray(noise(1).astype(np.uint8)),
        "grey_alpha": Image.fromarray(noise(2).astype(np.uint8), "LA"),
        "bits": Image.fromarray((noise(1, 2) * 255).astype(np.uint8)).convert("1"),
        "palette": palette,
        "palette_2_bits": color.quantize(4),
    }
    for name, picture in pictures.items():
        picture.save(folder / f"{name}.png", **({"bits": 2} if name == "palette_2_bits" else {}))
    palette.save(folder / "palette_alpha.png", transparency=bytes(range(200)))
    for name, channels, color_type in (("grey_16", 1, 0), ("rgb_16", 3, 2), ("grey_alpha_16", 2, 4), ("rgba_16", 4, 6)):
        samples = random.integers(0, 1 << 16, (HEIGHT, WIDTH * channels))
        write_16_bits(folder / f"{name}.png", samples, color_type)

    for file in sorted(folder.glob("*.png")):
        picture = Image.open(file)
        if picture.mode == "I;16":  # convert() would cut it off at 255
            picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
        if "transparency" in picture.info:
            picture = picture.convert("RGBA")
        file.with_suffix(".rgb").write_bytes(picture.convert("RGB").tobytes())
        print(file.stem, *picture.size)


if __name__ == "__main__":
    main()
