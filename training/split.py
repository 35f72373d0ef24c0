"""Links the intact photographs of BIQ2021's training split into OUT/train and OUT/validation, for `pristine degrade`."""
import argparse
import os

import data


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--images', required=True, help='folder of BIQ2021 images')
    parser.add_argument('--ratings', required=True, help='its "Train (Images and MOS).csv"')
    parser.add_argument('--out', required=True)
    parser.add_argument('--count', type=int, help='no more than this many of the intact ones that train; those whose names have the smallest SHA-256')
    parser.add_argument('--validation-count', type=int, help='the same of those that validate')
    options = parser.parse_args()
    training, validation = data.split(data.read_ratings(options.ratings, options.images))
    for part, rows, count in (('train', training, options.count), ('validation', validation, options.validation_count)):
        folder = os.path.join(options.out, part)
        os.makedirs(folder, exist_ok=True)
        intact = [name for name, mos in rows if mos >= data.INTACT][:count]
        for name in intact:
            target = os.path.join(folder, name)
            if not os.path.exists(target):
                os.link(os.path.join(options.images, name), target)
        print(f'{part}: {len(rows)} rated images, {len(intact)} intact -> {folder}')


if __name__ == '__main__':
    main()
