"""What PyTorch computes for images with a checkpoint of train.py, in 32-bit floats, as JSON: the reference of tests/Pristine.Tests/Metrics/ResNet.

python3 reference.py epoch6.pt IMAGE... > pristine_torch.json
"""
import hashlib
import json
import os
import sys

import numpy as np
import torch

import data
import resnet18
import resnet50
import train


def main():
    checkpoint, paths = sys.argv[1], sys.argv[2:]
    state = torch.load(checkpoint, map_location='cpu')
    # The large network has blocks of three convolutions, and answers one question.
    large = 'trunk.stages.0.0.reduce.weight' in state
    views = data.parse_views('whole:384' if large else 'whole:288,crop:192')
    network = train.Network(resnet50.ResNet50(4) if large else resnet18.ResNet18(3), views)
    network.load_state_dict(state)
    network.reduced = False
    images = []
    with torch.no_grad():
        for path in paths:
            arrays = data.load_views(path, views)
            batch = [[(torch.tensor([0]), torch.from_numpy(np.ascontiguousarray(array)).unsqueeze(0))] for array in arrays]
            outputs = network(batch)[0]
            values = [float(outputs[0])] + ([] if large else [float(v) for v in torch.sigmoid(outputs[1:])])
            images.append({
                'image': os.path.basename(path),
                'views': [{'width': a.shape[1], 'height': a.shape[0], 'sha256': hashlib.sha256(a.tobytes()).hexdigest()} for a in arrays],
                'outputs': [round(v, 6) for v in values]})
    with open(checkpoint, 'rb') as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    print(json.dumps({'command': 'training/reference.py', 'torch': torch.__version__, 'checkpoint_sha256': digest,
                      'outputs': ['quality'] if large else ['quality', 'damage', *data.KINDS], 'images': images}, indent=1))


if __name__ == '__main__':
    main()
