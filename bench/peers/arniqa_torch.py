"""ARNIQA's official mode in eager PyTorch, one image at a time, as single_image_inference of its repository computes it: five crops of
224 pixels at full and half size, one batch of five per scale, ResNet-50, L2 normalisation, linear head.

  arniqa_torch.py MODELS FOLDER THREADS      needs Debian's python3-torch, python3-pil, libopenblas0-pthread

Prints "file<TAB>score" lines on stdout and the rate on stderr. MODELS holds ARNIQA.pth and regressor_kadid10k.pth.
"""
import os
import sys
import time

models, folder, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.environ["OPENBLAS_NUM_THREADS"] = str(threads)

import numpy
import torch
from PIL import Image
from torch import nn

torch.set_num_threads(threads)


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride, project):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = nn.Sequential(nn.Conv2d(inputs, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width)) if project else None

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


def stage(inputs, width, blocks, stride):
    return nn.Sequential(*[Bottleneck(inputs if i == 0 else 4 * width, width, stride if i == 0 else 1, i == 0) for i in range(blocks)])


encoder = nn.Sequential(
    nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1),
    stage(64, 64, 3, 1), stage(256, 128, 4, 2), stage(512, 256, 6, 2), stage(1024, 512, 3, 2), nn.AdaptiveAvgPool2d(1))
state = torch.load(os.path.join(models, "ARNIQA.pth"), map_location="cpu")
encoder.load_state_dict({key[6:]: value for key, value in state.items() if key.startswith("model.")})
encoder.eval()

# The head's two tensors, without executing the TorchScript around them.
import zipfile

with zipfile.ZipFile(os.path.join(models, "regressor_kadid10k.pth")) as archive:
    name = next(n for n in archive.namelist() if n.endswith("/data/0"))
    weights = torch.from_numpy(numpy.frombuffer(archive.read(name), "<f4").copy())
    bias = float(numpy.frombuffer(archive.read(name[:-1] + "1"), "<f4")[0])

mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
deviation = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


def crops(image):
    (w, h), s = image.size, 224
    corners = [(w // 2 - s // 2, h // 2 - s // 2), (0, 0), (0, h - s), (w - s, 0), (w - s, h - s)]
    tensors = [torch.from_numpy(numpy.array(image.crop((x, y, x + s, y + s)))).permute(2, 0, 1).float() / 255 for x, y in corners]
    return torch.stack([(t - mean) / deviation for t in tensors])


def score(path):
    image = Image.open(path).convert("RGB")
    half = image.resize((image.width // 2, image.height // 2), Image.Resampling.BILINEAR)
    with torch.no_grad():
        features = [nn.functional.normalize(encoder(crops(i)).flatten(1), dim=1) for i in (image, half)]
        return float(((torch.cat(features, 1) @ weights + bias - 1) / 4).mean())


files = sorted(os.path.join(folder, f) for f in os.listdir(folder) if f.endswith(".jpg"))
score(files[0])
start, cpu = time.perf_counter(), time.process_time()
lines = ["%s\t%r" % (os.path.basename(f), score(f)) for f in files]
seconds, used = time.perf_counter() - start, time.process_time() - cpu
print("\n".join(lines))
print("torch %s: %d threads, %d images in %.2f s: %.3f images/s; %.3f CPU s per image"
      % (torch.__version__, threads, len(files), seconds, len(files) / seconds, used / len(files)), file=sys.stderr)
