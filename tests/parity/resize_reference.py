"""Pillow's bicubic resize of a picture of random bytes.

usage: resize_reference.py OUT_FOLDER WIDTH HEIGHT NEW_WIDTH NEW_HEIGHT
Writes OUT_FOLDER/input.rgb and output.rgb: rows of RGB triples.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

out = Path(sys.argv[1])
width, height, new_width, new_height = map(int, sys.argv[2:])
pixels = np.random.default_rng(5).integers(0, 256, (height, width, 3), dtype=np.uint8)
(out / "input.rgb").write_bytes(pixels.tobytes())
resized = Image.fromarray(pixels).resize((new_width, new_height), Image.Resampling.BICUBIC)
(out / "output.rgb").write_bytes(np.asarray(resized).tobytes())
