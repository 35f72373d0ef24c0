"""ResNet-18 with its batch normalisations folded into the convolutions, and the weights of a NuGet package to start from.

The weights are those of Microsoft.ML.DnnImageFeaturizer.ResNet18 0.23.1 (MIT): a CNTK network of 17 convolutions with 3x3 masks or larger,
whose fourth stage has three blocks. Its input is BGR, 0 to 255, less the means that NormalisedPlanes and this file call MEAN; strided
convolutions pad above and to the left only, for even sides. Here they pad on all sides, which is the same for even sides and gives odd ones
the half that is rounded up, as the shortcuts beside them do.
"""
import hashlib
import os

import numpy as np
import onnx
import torch
import torch.nn as nn
import torch.nn.functional as F
from onnx import numpy_helper

import trunk

PACKAGE = 'microsoft.ml.dnnimagefeaturizer.resnet18/0.23.1/tools/DnnImageModels/ResNet18Onnx/ResNet18.onnx'
CHANNELS = (64, 128, 256, 512)
BLOCKS = (2, 2, 2, 3)
# Blue, green, red.
MEAN = (103.06, 115.9, 123.15)


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut, which is a convolution where the channels change."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride) if inputs != outputs else None

    def forward(self, x):
        inner = F.relu(self.first(x))
        return F.relu(self.second(inner) + (self.shortcut(x) if self.shortcut else x))


class ResNet18(trunk.Trunk):
    """The stem and as many stages as asked for."""

    def __init__(self, stages=4):
        super().__init__(Block, CHANNELS[:stages], BLOCKS, MEAN)


def package_file():
    root = os.environ.get('NUGET_PACKAGES', os.path.expanduser('~/.nuget/packages'))
    return os.path.join(root, PACKAGE)


def load_imagenet(stages=4, path=None):
    """A network with the package's weights; each normalisation becomes part of the convolution before it."""
    content = open(path or package_file(), 'rb').read()
    model = onnx.load_from_string(content)
    stored = {i.name: i for i in model.graph.initializer}
    normalisation = {n.input[0]: n for n in model.graph.node if n.op_type == 'BatchNormalization'}
    convolutions = iter([n for n in model.graph.node if n.op_type == 'Conv'])
    network = ResNet18(stages)

    def weights(name):
        return numpy_helper.to_array(stored[name]).astype(np.float64)

    def put(target):
        node = next(convolutions)
        norm = normalisation[node.output[0]]
        scale, shift, mean, variance = (weights(name) for name in norm.input[1:5])
        epsilon = next((a.f for a in norm.attribute if a.name == 'epsilon'), 1e-5)
        factor = scale / np.sqrt(variance + epsilon)
        folded = weights(node.input[1]) * factor[:, None, None, None]
        if tuple(target.weight.shape) != folded.shape:
            raise ValueError(f'expected a convolution of shape {tuple(target.weight.shape)}; found {folded.shape}: {node.name}')
        target.weight.data.copy_(torch.tensor(folded))
        target.bias.data.copy_(torch.tensor(shift - mean * factor))

    put(network.stem)
    for stage in network.stages:
        for block in stage:
            # The package lists the shortcut of a block first.
            if block.shortcut:
                put(block.shortcut)
            put(block.first)
            put(block.second)
    return network, hashlib.sha256(content).hexdigest()
