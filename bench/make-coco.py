#!/usr/bin/env python3
"""Makes a COCO file of the size of instances_train2017.json (450 MB: 118,000 images, a million annotations with polygons), whose images
are all the same tiny one. Usage: bench/make-coco.py FOLDER [IMAGES] [ANNOTATIONS]; needs a JPEG at FOLDER/tiny.jpg."""
import json
import random
import sys

folder = sys.argv[1]
images = int(sys.argv[2]) if len(sys.argv) > 2 else 118_000
annotations = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000
random.seed(1)
polygons = []
for _ in range(1000):
    polygons.append(json.dumps([round(random.uniform(0, 640), 2) for _ in range(2 * random.randint(5, 40))]))
with open(f"{folder}/instances.json", "w") as out:
    out.write('{"info": {"year": 2017}, "licenses": [], "images": [')
    for i in range(images):
        out.write(("" if i == 0 else ", ") + f'{{"license": 3, "file_name": "tiny.jpg", "coco_url": "http://images.cocodataset.org/{i:012}.jpg", '
                  f'"height": 480, "width": 640, "date_captured": "2013-11-14 17:02:52", "id": {i * 5 + 9}}}')
    out.write('], "annotations": [')
    for i in range(annotations):
        out.write(("" if i == 0 else ", ") + f'{{"segmentation": [{polygons[i % 1000]}], "area": {random.uniform(1, 9e4):.4f}, "iscrowd": 0, '
                  f'"image_id": {random.randrange(images) * 5 + 9}, "bbox": [1.5, 2.25, 30.0, 41.0], "category_id": {i % 80 + 1}, "id": {i}}}')
    out.write('], "categories": [' + ", ".join(f'{{"id": {i}, "name": "thing {i}"}}' for i in range(1, 81)) + "]}")
