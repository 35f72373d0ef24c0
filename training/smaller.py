"""Writes BIQ2021's rated images smaller, for a network that is to judge images of several sizes."""
import argparse
import os
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from PIL import Image

import data

# Few sides, so that the images of a step have few shapes, for which the convolutions are prepared once.
SIDES = (224, 256, 320, 384, 448)
FILTERS = (Image.BILINEAR, Image.BICUBIC, Image.LANCZOS)
QUALITIES = (75, 95)


def write(source, target, seed, place):
    """An image at the area of a square of one of the sides, shrunk by one of three filters, as a JPEG of a quality of 75 to 95."""
    draw = np.random.default_rng(np.random.SeedSequence((seed, place)))
    side, resample = SIDES[draw.integers(len(SIDES))], FILTERS[draw.integers(len(FILTERS))]
    quality = int(draw.integers(QUALITIES[0], QUALITIES[1] + 1))
    data.shrunk(Image.open(source).convert('RGB'), side, resample).save(target, 'JPEG', quality=quality)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--images', required=True, help='folder of BIQ2021 images')
    parser.add_argument('--ratings', required=True, help='its "Train (Images and MOS).csv"')
    parser.add_argument('--out', required=True, help='folder to write, of images of the same names')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--threads', type=int, default=1)
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    names = sorted(name for name, _ in data.read_ratings(options.ratings, options.images))
    with ProcessPoolExecutor(options.threads) as pool:
        written = [pool.submit(write, os.path.join(options.images, name), os.path.join(options.out, name), options.seed, place)
                   for place, name in enumerate(names)]
        for job in written:
            job.result()
    print(f'{len(names)} images -> {options.out}')


if __name__ == '__main__':
    main()
