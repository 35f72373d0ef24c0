"""Writes what a trained network says of every training image, for a smaller one to learn from (train.py --teacher)."""
import argparse
import csv
import os

import torch

import data
from train import Images, imagenet


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('weights', help='epochN.pt of a run')
    parser.add_argument('--images', required=True, help='folder of BIQ2021 images')
    parser.add_argument('--ratings', required=True, help='its "Train (Images and MOS).csv"')
    parser.add_argument('--network', default='resnet50', choices=['resnet18', 'resnet50'])
    parser.add_argument('--stages', type=int, default=4)
    parser.add_argument('--views', default='whole:384')
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--float32', action='store_true')
    parser.add_argument('--out', required=True, help='CSV file to write: id, the name of an image, and opinion')
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    views = data.parse_views(options.views)
    training, _ = data.split(data.read_ratings(options.ratings, options.images))
    network, _ = imagenet(options, views)
    network.load_state_dict(torch.load(options.weights, map_location=options.device))
    images = Images(views, options.threads, options.device)
    names = [name for name, _ in training]
    opinions = []
    with torch.no_grad():
        for batch in images.batches([os.path.join(options.images, name) for name in names], 16):
            opinions += network(batch)[:, 0].tolist()
    with open(options.out, 'w', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(['id', 'opinion'])
        writer.writerows([name, f'{opinion:.6f}'] for name, opinion in zip(names, opinions))


if __name__ == '__main__':
    main()
