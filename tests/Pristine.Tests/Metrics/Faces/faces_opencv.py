"""Reference values of the face detector: writes faces_opencv.json beside itself.

The networks run in OpenCV's own runtime (Debian 12: python3-opencv 4.6.0+dfsg-12, python3-pil 9.4.0), their boxes are decoded as the
package's Postprocess1Kernel.hlsl does, and tiles, joining and second looks are written again from FaceDetector's description.

    python3 tests/Pristine.Tests/Metrics/Faces/faces_opencv.py

astronaut.jpg: Eileen Collins, NASA, public domain; scikit-image's data.astronaut(), its upper 512 x 384 pixels, saved by Pillow with quality 90.
"""
import json
import math
import os

import cv2
import numpy
from PIL import Image, ImageOps

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..", "..", "..")
OUTPUTS = ["Identity:0", "Identity_1:0", "Identity_2:0", "Identity_3:0"]


class Network:
    def __init__(self, name, side):
        self.net, self.side = cv2.dnn.readNetFromONNX(os.path.join(ROOT, "models", name)), side
        self.anchors = [((x + 0.5) / n * side, (y + 0.5) / n * side)
                        for n, k in ((16, 2), (8, 6)) for y in range(n) for x in range(n) for _ in range(k)]

    def __call__(self, pixels, least):
        """pixels: side x side x 3, -1 to 1. Gives (score, left, top, width, height)."""
        self.net.setInput(pixels.astype(numpy.float32)[None])
        s0, s1, b0, b1 = self.net.forward(OUTPUTS)
        boxes = numpy.concatenate([b0.reshape(-1, 16), b1.reshape(-1, 16)])
        found = []
        for i, x in enumerate(numpy.concatenate([s0.ravel(), s1.ravel()])):
            score = 1 / (1 + math.exp(-max(-80, min(80, float(x)))))
            if score >= least:
                dx, dy, w, h = (float(v) for v in boxes[i, :4])
                found.append((score, self.anchors[i][0] + dx - w / 2, self.anchors[i][1] + dy - h / 2, w, h))
        return found


BACK, FRONT = Network("blazeface-back.onnx", 256), Network("blazeface-front.onnx", 128)


def tile(image, width, height, left, top, side):
    small = image.resize((width, height), Image.BILINEAR)
    canvas = Image.new("RGB", (side, side))
    canvas.paste(small, (-left, -top))
    return numpy.asarray(canvas) / 127.5 - 1


def starts(length, side):
    if length <= side:
        return [int((length - side) / 2)]
    count = math.ceil((length - side) / (side - side // 4)) + 1
    return [i * (length - side) // (count - 1) for i in range(count)]


def overlap(a, b):
    w = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    h = min(a[2] + a[4], b[2] + b[4]) - max(a[2], b[2])
    return w * h if w > 0 and h > 0 else 0


def union(a, b):
    return overlap(a, b) / (a[3] * a[4] + b[3] * b[4] - overlap(a, b))


def faces(image):
    found, longer, before = [], max(image.size), 0
    for scale in (256, 448, 832):
        if before and longer <= before:
            break
        factor = (scale if not before else min(longer, scale)) / longer
        before = scale
        w, h = (max(1, round(side * factor)) for side in image.size)
        for top in starts(h, 256):
            for left in starts(w, 256):
                for s, x, y, bw, bh in BACK(tile(image, w, h, left, top, 256), 0.5):
                    cut = left > 0 and x < 2 or top > 0 and y < 2 or left + 256 < w and x + bw > 254 or top + 256 < h and y + bh > 254
                    if not cut and bw >= 6 and bh >= 6:
                        fx, fy = image.width / w, image.height / h
                        found.append((s, (x + left) * fx, (y + top) * fy, bw * fx, bh * fy))
    found.sort(key=lambda box: -box[0])
    result = []
    while found:
        best = found[0]
        same = [box for box in found if box is best or union(box, best) >= 0.3]
        found = [box for box in found if box not in same
                 and overlap(box, best) < 0.6 * min(box[3] * box[4], best[3] * best[4])]
        weight = sum(box[0] for box in same)
        face = (best[0], *(sum(box[0] * box[i] for box in same) / weight for i in range(1, 5)))
        scores = [face[0]]
        for widths in (2.5, 3.5):
            size = max(face[3], face[4])
            scale = 128 / (size * widths)
            w, h = (max(1, round(side * scale)) for side in image.size)
            x, y = (face[1] + face[3] / 2) * w / image.width, (face[2] + face[4] / 2) * h / image.height
            seen = FRONT(tile(image, w, h, round(x - 64), round(y - 64), 128), 0.1)
            middle = (1, (128 - size * scale) / 2, (128 - size * scale) / 2, size * scale, size * scale)
            scores.append(max((box[0] for box in seen if union(box, middle) >= 0.3), default=0))
        if sum(scores) / 3 >= 0.74:
            result.append((sum(scores) / 3, *face[1:]))
    return result


def pattern(side):
    """Values that any program can make: a slanted wave in each channel."""
    y, x, c = numpy.mgrid[0:side, 0:side, 0:3]
    return ((x * 3 + y * 5 + c * 40 + x * y // 16) % 256) / 127.5 - 1


images = {"astronaut": Image.open(os.path.join(HERE, "astronaut.jpg")), **{
    name: ImageOps.exif_transpose(Image.open(os.path.join(ROOT, "samples", "photos", name + ".jpg"))) for name in ("spaniels", "cups")}}
# The face is as small as the third scale is for.
wide = Image.new("RGB", (1600, 900), (90, 120, 90))
wide.paste(images["astronaut"].resize((200, 200), Image.BILINEAR), (1100, 500))
images["small"] = wide
reference = {"opencv": cv2.__version__,
             "patterns": {str(n.side): sorted(n(pattern(n.side), 0.001), reverse=True)[:5] for n in (BACK, FRONT)},
             "faces": {name: faces(image.convert("RGB")) for name, image in images.items()}}
with open(os.path.join(HERE, "faces_opencv.json"), "w", encoding="utf-8") as file:
    json.dump(reference, file, indent=1)
    file.write("\n")
