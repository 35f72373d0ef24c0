"""A stand-in of PaddleMIX's ``paddlemix.datacopilot.core``: ``MMDataset`` with the same call shapes."""

import json
from concurrent.futures import ThreadPoolExecutor


class MMDataset:
    """``map`` and ``filter`` call a function for each item from 8 threads or processes, in order."""

    def __init__(self, items):
        self.items = items

    @classmethod
    def from_json(cls, path):
        with open(path, encoding="utf-8") as file:
            return cls(json.load(file))

    def export_json(self, path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.items, file, indent=4, ensure_ascii=False)

    def __len__(self):
        return len(self.items)

    def __iter__(self):
        return iter(self.items)

    def __getitem__(self, index):
        return self.items[index]

    def map(self, func, *, max_workers=8, mode=ThreadPoolExecutor, progress=True, order=True):
        if max_workers == 1:
            return MMDataset([func(item) for item in self.items])
        with mode(max_workers) as executor:
            return MMDataset(list(executor.map(func, self.items)))

    def filter(self, func, *, max_workers=8, mode=ThreadPoolExecutor, progress=True, order=True):
        answers = self.map(func, max_workers=max_workers, mode=mode)
        return MMDataset([item for item, kept in zip(self.items, answers) if kept])
