#!/usr/bin/python3
"""Trains a small convolutional network: an example of a command for 'pristine experiment --trainer'.

    pristine experiment ... --trainer '/usr/bin/python3 samples/trainers/finetune_cnn.py --steps 600'

Needs PyTorch 1.13 or later and Pillow (Debian: python3-torch, python3-pil). The last argument is the task that Pristine writes; the format
of it and of the result is described in docs/trainers.md. Copy this file and put your own model where Net is.

Every task gets the same number of steps with batches of the same size: a subset of half the images is seen twice as often, so that a
difference in accuracy comes from the images and not from more training. The same task and seed give the same result on the same machine.
"""
import argparse
import json
import os

# cuBLAS is reproducible only with this, set before CUDA starts.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import numpy
import torch
from PIL import Image, ImageOps
from torch import nn
from torch.nn import functional

SHIFT = 4  # pixels that augmentation moves an image by, at most


class Net(nn.Sequential):
    """Four convolutions, each with a pooling, then the average over the image and a linear classifier."""

    def __init__(self, classes):
        layers = []
        for inputs, outputs in [(3, 32), (32, 64), (64, 128), (128, 256)]:
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, classes))


def load(examples, classes, size):
    """All images of a part as one tensor of bytes [n, 3, size, size], and their labels."""
    images = torch.empty(len(examples), 3, size, size, dtype=torch.uint8)
    for i, example in enumerate(examples):
        with Image.open(example["path"]) as image:
            image.draft("RGB", (2 * size, 2 * size))  # JPEG: decode no more than is needed
            image = ImageOps.exif_transpose(image).convert("RGB").resize((size, size), Image.BICUBIC)
            images[i] = torch.from_numpy(numpy.array(image)).permute(2, 0, 1)
    return images, torch.tensor([classes.index(example["label"]) for example in examples], dtype=torch.long)


def normalise(images):
    return images.float() / 64 - 2


def augment(images, generator):
    """Each image mirrored or not, and moved by a few pixels; grey comes in at the edges."""
    n, _, size, _ = images.shape
    mirrored = torch.rand(n, generator=generator) < 0.5
    shifts = torch.randint(2 * SHIFT + 1, (n, 2), generator=generator).tolist()
    images = torch.where(mirrored.to(images.device, non_blocking=True)[:, None, None, None], images.flip(3), images)
    padded = functional.pad(images, [SHIFT] * 4)
    return torch.stack([image[:, y:y + size, x:x + size] for image, (y, x) in zip(padded, shifts)])


def batches(n, size, generator):
    """Endless full batches; every image is drawn once before any is drawn again."""
    order = torch.empty(0, dtype=torch.long)
    while True:
        while len(order) < size:
            order = torch.cat([order, torch.randperm(n, generator=generator)])
        yield order[:size]
        order = order[size:]


@torch.no_grad()
def predict(model, images, device):
    model.eval()
    return torch.cat([model(normalise(part.to(device))).argmax(1).cpu() for part in images.split(256)])


def train(task, parts, options):
    """The result of a task, whose parts are given as load() returns them: train, validation and test."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    torch.manual_seed(task["seed"])  # the weights to begin with
    generator = torch.Generator().manual_seed(task["seed"])  # order and augmentation

    classes = task["classes"]
    (images, labels), (validation, validation_labels), (test, test_labels) = parts
    model = Net(len(classes))
    if options.init:
        model.load_state_dict(torch.load(options.init, map_location="cpu", weights_only=True))
    model.to(options.device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, options.rate, total_steps=options.steps)
    source = batches(len(images), options.batch, generator)
    # No step waits for the GPU: the images are there from the beginning, and the loss stays there.
    images, labels = images.to(options.device), labels.to(options.device)
    recent = None
    model.train()
    for step in range(1, options.steps + 1):
        batch = next(source).to(options.device, non_blocking=True)
        inputs = augment(normalise(images[batch]), generator)
        loss = functional.cross_entropy(model(inputs), labels[batch])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        now = loss.detach().double()
        recent = now if step == 1 else 0.95 * recent + 0.05 * now
        if step % 50 == 0 or step == options.steps:
            print(f"step {step}/{options.steps}: loss {recent.item():.4f}", flush=True)

    predicted = predict(model, test, options.device)
    result = {
        "accuracy": (predicted == test_labels).double().mean().item(),
        "predictions": [classes[i] for i in predicted.tolist()],
        "train_loss": recent.item(),
        "steps": options.steps,
    }
    if len(validation) > 0:
        result["validation_accuracy"] = (predict(model, validation, options.device) == validation_labels).double().mean().item()
    return result


def parse(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=600, help="gradient steps, the same for every task (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=64, help="images per step (default: %(default)s)")
    parser.add_argument("--size", type=int, default=64, help="side that images are resized to (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate (default: %(default)s)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu or cuda (default: %(default)s)")
    parser.add_argument("--threads", type=int, help="threads on the CPU (default: one per core)")
    parser.add_argument("--init", metavar="FILE", help="weights to start from, as torch.save(model.state_dict(), FILE) writes them")
    parser.add_argument("task", help="the task, which Pristine puts here")
    return parser.parse_args(arguments)


def main():
    options = parse()
    if options.threads:
        torch.set_num_threads(options.threads)
    with open(options.task, encoding="utf-8") as file:
        task = json.load(file)
    parts = [load(task[part], task["classes"], options.size) for part in ("train", "validation", "test")]
    result = train(task, parts, options)
    with open(task["output"], "w", encoding="utf-8") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main()
