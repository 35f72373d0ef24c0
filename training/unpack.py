"""Turns the small network as the repository carries it into weights that train.py --init starts from.

Stem and first stage are those of the package, which training leaves as they are; the other stages are the 8 bits of the ONNX file as floats, and the
linear layer is that of the file of heads. Mean and deviation of what it takes are measured again, on the first rated images of the training split.
"""
import argparse
import json
import os

import numpy as np
import onnx
import torch
from onnx import numpy_helper

import data
import resnet18
import train


# The outputs of train.py in their order, as Pristine names them.
OUTPUTS = ['quality', 'damage', *('color' if kind == 'colour' else kind for kind in data.KINDS)]


def read_heads(path, count):
    """(weights, bias) of the regressor of each output. The file has a line of JSON for each, and behind it the weights as floats."""
    content, place, heads = open(path, 'rb').read(), 0, {}
    while place < len(content):
        line = content[place:].split(b'\n', 1)[0]
        try:
            header = json.loads(line)
        except ValueError as error:
            raise ValueError(f'{path}: expected a line of JSON at byte {place}: {error}') from error
        start = place + len(line) + 1
        place = start + 4 * header['count']
        if place > len(content):
            raise ValueError(f'{path}: expected {place} bytes with the weights of {header["name"]}; found {len(content)}')
        heads[header['name']] = np.frombuffer(content[start:place], '<f4').astype(np.float64), header['bias']
    found = {name: len(weights) for name, (weights, _) in heads.items()}
    if found != dict.fromkeys(OUTPUTS, count):
        raise ValueError(f'{path}: expected heads of {count} weights each for {OUTPUTS}; found {found}')
    return [heads[name] for name in OUTPUTS]


def places(channels, views):
    """Where a statistic of train.py, mean and deviation of a stage beside each other, stands in the heads: all means before all deviations."""
    order, total = [], sum(channels)
    for view in range(views):
        before = 2 * total * view
        for count in channels:
            order += [*range(before, before + count), *range(before + total, before + total + count)]
            before += count
    return np.array(order)


def put_stages(trunk, path, frozen=1):
    """The convolutions of the stages after the frozen ones: whole numbers times the step of their channel."""
    stored = {i.name: numpy_helper.to_array(i) for i in onnx.load(path).graph.initializer}
    for name, value in trunk.named_parameters():
        part, *rest = name.split('.')
        if part != 'stages' or int(rest[0]) < frozen:
            continue
        stage, block, layer, kind = rest
        source = f'stage{int(stage) + 1}.block{block}.{layer}.{kind}'
        if source + '.q' not in stored or source + '.step' not in stored:
            raise ValueError(f'{path}: expected a network in 8 bits with {source}; it is missing')
        numbers, step = stored[source + '.q'].astype(np.float64), stored[source + '.step'].astype(np.float64)
        if tuple(numbers.shape) != tuple(value.shape):
            raise ValueError(f'{path}: expected {source} of shape {tuple(value.shape)}; found {numbers.shape}')
        value.data.copy_(torch.tensor(numbers * step.reshape(-1, *[1] * (numbers.ndim - 1))))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('network', help='pristine-int8.onnx')
    parser.add_argument('heads', help='pristine.heads')
    parser.add_argument('--images', required=True, help='folder of BIQ2021 images')
    parser.add_argument('--ratings', required=True, help='its "Train (Images and MOS).csv"')
    parser.add_argument('--views', default='whole:288,crop:192', help='those of the network')
    parser.add_argument('--count', type=int, default=1000, help='images on which mean and deviation are measured')
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--out', required=True, help='weights to write')
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    views = data.parse_views(options.views)
    trunk, _ = resnet18.load_imagenet(3)
    put_stages(trunk, options.network)
    network = train.Network(trunk, views)
    network.reduced = False
    heads = read_heads(options.heads, len(network.mean))
    images = train.Images(views, options.threads, 'cpu')
    training, _ = data.split(data.read_ratings(options.ratings, options.images))
    paths = [os.path.join(options.images, name) for name, _ in training[:options.count]]
    with torch.no_grad():
        values = torch.cat([network.statistics(batch) for batch in images.batches(paths, 16)])
    network.mean.copy_(values.mean(0))
    network.deviation.copy_(values.std(0) + 1e-3)
    order = places(trunk.channels, len(views))
    mean, deviation = network.mean.double().numpy(), network.deviation.double().numpy()
    for row, (weights, bias) in enumerate(heads):
        network.head.weight.data[row] = torch.tensor(weights[order] * deviation)
        network.head.bias.data[row] = float(bias + (weights[order] * mean).sum())
    train.save(network.state_dict(), options.out)


if __name__ == '__main__':
    main()
