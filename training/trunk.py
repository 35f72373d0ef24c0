"""What the trunks of both networks have in common: a stem, and stages of blocks whose outputs are looked at."""
import torch.nn as nn
import torch.nn.functional as F


class Trunk(nn.Module):
    """A 7x7 convolution of stride 2, a 3x3 maximum of stride 2, and stages. Returns the output of each stage.

    A block is made of its input channels, its output channels and its stride; the first one of a stage after the first halves both sides.
    """

    def __init__(self, block, channels, blocks, pixel_mean):
        super().__init__()
        self.channels, self.pixel_mean = channels, pixel_mean
        self.stem = nn.Conv2d(3, 64, 7, 2, 3)
        inputs, stages = 64, []
        for stage, (outputs, count) in enumerate(zip(channels, blocks)):
            first = block(inputs, outputs, 2 if stage > 0 else 1)
            stages.append(nn.Sequential(first, *[block(outputs, outputs, 1) for _ in range(1, count)]))
            inputs = outputs
        self.stages = nn.ModuleList(stages)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.stem(x)), 3, 2, 1)
        outputs = []
        for stage in self.stages:
            x = stage(x)
            outputs.append(x)
        return outputs
