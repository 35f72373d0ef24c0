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
    parser.add_argument('--rated', help='folder for links to all images that train, whatever people say of them')
    options = parser.parse_args()
    training, validation = data.split(data.read_ratings(options.ratings, options.images))

    def link(names, folder):
        os.makedirs(folder, exist_ok=True)
        for name in names:
            target = os.path.join(folder, name)
            if not os.path.exists(target):
                os.link(os.path.join(options.images, name), target)

    if options.rated:
        link([name for name, _ in training], options.rated)
    for part, rows, count in (('train', training, options.count), ('validation', validation, options.validation_count)):
        folder = os.path.join(options.out, part)
        intact = [name for name, mos in rows if mos >= data.INTACT][:count]
        link(intact, folder)
        print(f'{part}: {len(rows)} rated images, {len(intact)} intact -> {folder}')


if __name__ == '__main__':
    main()
