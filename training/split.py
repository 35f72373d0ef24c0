"""Links the intact photographs of BIQ2021's training split into OUT/train and OUT/validation, for `pristine degrade`."""
import argparse
import os

import data


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--images', required=True, help='folder of BIQ2021 images')
    parser.add_argument('--ratings', required=True, help='its "Train (Images and MOS).csv"')
    parser.add_argument('--out', required=True)
    options = parser.parse_args()
    training, validation = data.split(data.read_ratings(options.ratings, options.images))
    for part, rows in (('train', training), ('validation', validation)):
        folder = os.path.join(options.out, part)
        os.makedirs(folder, exist_ok=True)
        intact = [name for name, mos in rows if mos >= data.INTACT]
        for name in intact:
            target = os.path.join(folder, name)
            if not os.path.exists(target):
                os.link(os.path.join(options.images, name), target)
        print(f'{part}: {len(rows)} rated images, {len(intact)} intact -> {folder}')


if __name__ == '__main__':
    main()
