"""Writes cleanvision.json: cleanvision's scores of synthetic images, by its formulas (github.com/cleanlab/cleanvision, January 2026) on Pillow and numpy.

  /usr/bin/python3 cleanvision.py > cleanvision.json      (Debian 12: python3-pil 9.4.0, python3-numpy 1.24.2)
"""
import json

import numpy
import PIL
from PIL import Image, ImageFilter, ImageStat


def synthetic(kind, width, height):
    """Bytes of a 32-bit linear congruential generator, shaped by kind."""
    state, values = 12345, []
    for _ in range(width * height * 3):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        values.append(state >> 24)
    pixels = numpy.array(values, numpy.uint8).reshape(height, width, 3)
    if kind == "dark":
        pixels = pixels // 8
    elif kind == "light":
        pixels = 255 - pixels // 16
    elif kind == "flat":
        pixels[: height // 2] = 200
        pixels[height // 2:] = pixels[height // 2:] // 64 * 64
    elif kind == "grey":
        pixels = numpy.repeat(pixels[:, :, :1], 3, axis=2)
    elif kind == "ramp":
        ramp = numpy.arange(width) * 255 // max(1, width - 1)
        pixels = numpy.stack([numpy.tile(ramp, (height, 1)), numpy.tile(ramp[::-1], (height, 1)), numpy.full((height, width), 77)], axis=2).astype(numpy.uint8)
    return pixels


def scores(pixels):
    grey = bool((pixels[:, :, 0] == pixels[:, :, 1]).all() and (pixels[:, :, 1] == pixels[:, :, 2]).all())
    image = Image.fromarray(pixels[:, :, 0].copy()) if grey else Image.fromarray(pixels)
    if grey:
        brightness = pixels[:, :, 0] / 255.0
    else:
        red, green, blue = (pixels[:, :, i].astype("int") for i in range(3))
        brightness = numpy.sqrt(0.241 * red * red + 0.691 * green * green + 0.068 * blue * blue) / 255
    p5, p99 = numpy.percentile(brightness, [5, 99])
    ratio = max(image.size) / 64
    small = image.resize((max(int(image.width // ratio), 1), max(int(image.height // ratio), 1))) if ratio > 1 else image.copy()
    small = small.convert("L")
    edges = 1 - numpy.exp(-0.01 * numpy.sqrt(ImageStat.Stat(small.filter(ImageFilter.FIND_EDGES)).var[0]))
    plain = 1 - numpy.exp(-0.01 * numpy.std(small.histogram()))
    return {"dark": float(p99), "light": float(1 - p5), "low_information": float(min(1, 0.1 * image.entropy())),
            "blurry": float(min(1, edges + (0 if plain <= 0.18 else plain))), "grayscale": 0 if grey else 1}


cases = []
for kind in ["noise", "dark", "light", "flat", "grey", "ramp"]:
    for width, height in [(64, 64), (65, 64), (200, 150), (150, 200), (31, 17), (300, 4), (3, 3), (2, 5), (1, 1), (130, 129)]:
        cases.append({"kind": kind, "width": width, "height": height, **scores(synthetic(kind, width, height))})
print(json.dumps({"tool": f"Pillow {PIL.__version__}, numpy {numpy.__version__}", "command": "/usr/bin/python3 cleanvision.py > cleanvision.json", "cases": cases}, indent=1))
