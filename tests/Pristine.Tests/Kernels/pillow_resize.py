"""Writes pillow_resize.json: what Pillow's Image.resize gives for a synthetic image, to compare PillowResize with bit by bit.

  /usr/bin/python3 pillow_resize.py > pillow_resize.json      (Debian 12: python3-pil 9.4.0, python3-numpy 1.24.2)
"""
import hashlib
import json

import numpy
import PIL
from PIL import Image


def synthetic(width, height):
    """Bytes of a 32-bit linear congruential generator, with a saturated patch so that bicubic overshoots."""
    state, values = 12345, []
    for _ in range(width * height * 3):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        values.append(state >> 24)
    pixels = numpy.array(values, numpy.uint8).reshape(height, width, 3)
    pixels[: height // 2, : width // 2] = 0
    pixels[: height // 3, : width // 3] = 255
    return Image.fromarray(pixels)


cases = []
for width, height, new_width, new_height in [
    (64, 48, 32, 24), (65, 49, 32, 24), (64, 48, 64, 24), (64, 48, 21, 48), (33, 47, 16, 23), (2, 2, 1, 1), (3, 5, 1, 2),
    (16, 16, 8, 8), (100, 3, 50, 1), (40, 30, 7, 5), (20, 15, 50, 37), (31, 31, 31, 31), (1, 9, 4, 3), (511, 383, 255, 191),
]:
    image = synthetic(width, height)
    for name, filter in [("Bilinear", Image.Resampling.BILINEAR), ("Bicubic", Image.Resampling.BICUBIC)]:
        resized = image.resize((new_width, new_height), filter).tobytes()
        case = {"filter": name, "width": width, "height": height, "resizedWidth": new_width, "resizedHeight": new_height,
                "sha256": hashlib.sha256(resized).hexdigest()}
        if len(resized) <= 192:
            case["hex"] = resized.hex()
        cases.append(case)
print(json.dumps({"tool": "Pillow " + PIL.__version__, "command": "/usr/bin/python3 pillow_resize.py > pillow_resize.json", "cases": cases}, indent=1))
