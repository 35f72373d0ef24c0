"""What the network is trained on: BIQ2021's training split, and copies of its photographs that `pristine degrade` made worse."""
import csv
import hashlib
import json
import os

import numpy as np
from PIL import Image

VALIDATION = 0.1
# The side of the square whose area an image is shrunk to before anything is cut out of it.
FRAME = 512
# A photograph that people rated below this may be damaged already, so it says nothing about what intact means.
INTACT = 0.5
GROUPS = {
    'gaussian_blur': 'blur', 'lens_blur': 'blur', 'motion_blur': 'blur',
    'white_noise': 'noise', 'impulse_noise': 'noise', 'multiplicative_noise': 'noise',
    'jpeg': 'compression', 'quantise': 'compression',
    'darken': 'dark', 'brighten': 'bright', 'contrast': 'contrast', 'saturation': 'colour',
    'pixelate': 'lowres', 'downscale': 'lowres',
}
KINDS = ('blur', 'noise', 'compression', 'dark', 'bright', 'contrast', 'colour', 'lowres')


def read_ratings(path, folder):
    """(file name, MOS) of a label file of BIQ2021; a name that differs from the file's in case is mended."""
    files = {name.lower(): name for name in os.listdir(folder)}
    with open(path, newline='') as file:
        rows = list(csv.reader(file))[1:]
    return [(files[row[0].lower()], float(row[1])) for row in rows]


def split(ratings):
    """(training, validation): the tenth of the images whose names have the smallest SHA-256 validates, whatever the order of the file."""
    ordered = sorted(ratings, key=lambda row: hashlib.sha256(row[0].encode()).hexdigest())
    count = round(VALIDATION * len(ordered))
    return ordered[count:], ordered[:count]


def read_opinions(path, training):
    """{file name: opinion} of a CSV file of teacher.py or `pristine export`: column `id` and the last one, for all training images and no others."""
    with open(path, newline='') as file:
        rows = list(csv.reader(file))
    try:
        place = rows[0].index('id')
        opinions = {row[place]: float(row[-1]) for row in rows[1:]}
    except (IndexError, ValueError) as error:
        raise ValueError(f'{path}: expected a CSV file with a column id, and opinions in the last one: {error}') from error
    names = {name for name, _ in training}
    if opinions.keys() != names:
        wrong = opinions.keys() ^ names
        raise ValueError(f'{path}: expected the {len(names)} training images; {len(wrong)} are missing or not among them, such as {min(wrong)}')
    return opinions


def copies_and_originals(entry):
    """The two folders of COPIES=ORIGINALS, the second one '' where it is not named; there may be a = in their names too."""
    parts = entry.split('=')
    for count in range(len(parts), 0, -1):
        if os.path.isdir('='.join(parts[:count])):
            return '='.join(parts[:count]), '='.join(parts[count:])
    return entry, ''


def read_log(folder):
    """{file name: (file, kind, level)} of a folder that `pristine degrade` wrote."""
    copies = {}
    with open(os.path.join(folder, 'degraded.jsonl')) as file:
        for line in file:
            entry = json.loads(line)
            if entry['outcome'] == 'degraded':
                copies[os.path.basename(entry['output'])] = (os.path.join(folder, entry['output']), entry['kind'], entry['level'])
    return copies


def parse_views(text):
    """'whole:320,crop:224' as [('whole', 320), ('crop', 224)]."""
    views = []
    for part in text.split(','):
        kind, side = part.split(':')
        if kind not in ('whole', 'crop') or int(side) < 32:
            raise ValueError(f"expected views such as whole:320,crop:224; found '{part}'")
        views.append((kind, int(side)))
    return views


def shrunk(image, side, resample=Image.BICUBIC):
    """The image shrunk to the area of side x side, its shape kept, as Pristine does; a smaller one stays as it is."""
    scale = min(1, (side * side / (image.width * image.height)) ** 0.5)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image if size == image.size else image.resize(size, resample)


def load_views(path, views, chance=None):
    """The views of an image as arrays of RGB bytes. With a random generator it may be flipped, and a crop lies anywhere; without, in the middle."""
    image = Image.open(path).convert('RGB')
    if chance is not None and chance.random() < 0.5:
        image = image.transpose(Image.FLIP_LEFT_RIGHT)
    arrays = []
    for kind, side in views:
        if kind == 'whole':
            view = shrunk(image, side)
        else:
            frame = shrunk(image, FRAME)
            width, height = min(side, frame.width), min(side, frame.height)
            free = frame.width - width, frame.height - height
            left, top = (int(f * (0.5 if chance is None else chance.random())) for f in free)
            view = frame.crop((left, top, left + width, top + height))
        arrays.append(np.asarray(view))
    return arrays
