"""What a picture file holds, as Pillow reads it.

usage: picture_report.py FILE
Prints JSON: format, size [width, height], colours (how many different ones), dark_rows (how many rows of the
picture hold a dark pixel).
"""

import json
import sys

import numpy as np
from PIL import Image

with Image.open(sys.argv[1]) as picture:
    kind = picture.format
    pixels = np.asarray(picture.convert("RGB"))
height, width, _ = pixels.shape
print(
    json.dumps(
        {
            "format": kind,
            "size": [width, height],
            "colours": len(np.unique(pixels.reshape(-1, 3), axis=0)),
            "dark_rows": int((pixels.max(axis=2) < 64).any(axis=1).sum()),
        }
    )
)
