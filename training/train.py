"""Trains Pristine's network: opinion score, damage and kind of damage of a photograph. See README.md for the commands.

A run goes on where it was stopped: everything that chance decides is drawn from (seed, epoch, place), and the folder of the run holds the
last checkpoint.
"""
import argparse
import copy
import json
import math
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from scipy.stats import pearsonr, rankdata, spearmanr

import data
import resnet18
import resnet50

# The share by which a level's copy is at least worse, on the scale of the opinions, and how sure it is that it can be told from the original.
MARGIN = {1: 0.0, 2: 0.02, 3: 0.05, 4: 0.1, 5: 0.15}
CERTAINTY = {1: 0.5, 2: 0.8, 3: 0.95, 4: 1.0, 5: 1.0}
SMALLEST_VARIANCE = 1e-5


class Network(nn.Module):
    """A ResNet seen through mean and deviation of every channel of every stage and view, and one linear layer on them."""

    def __init__(self, trunk, views):
        super().__init__()
        self.trunk = trunk
        count = 2 * len(views) * sum(trunk.channels)
        self.head = nn.Linear(count, 2 + len(data.KINDS))
        self.register_buffer('mean', torch.zeros(count))
        self.register_buffer('deviation', torch.ones(count))
        self.register_buffer('pixel', torch.tensor(trunk.pixel_mean).view(1, 3, 1, 1))

    def statistics(self, views):
        """A view: the images of each shape together, as tensors of bytes, [images, height, width, RGB], each with its places in the batch."""
        values = []
        for view in views:
            groups = torch.cat([self.statistics_of(pixels) for _, pixels in view])
            places = torch.cat([places for places, _ in view])
            values.append(groups[torch.argsort(places).to(groups.device)])
        return torch.cat(values, 1)

    def statistics_of(self, pixels):
        """Mean and deviation of every channel of every stage, for images of one shape."""
        values = []
        x = pixels[..., [2, 1, 0]].permute(0, 3, 1, 2).float() - self.pixel
        for stage in self.trunk(x.contiguous(memory_format=torch.channels_last)):
            stage = stage.float()
            mean = stage.mean((2, 3))
            variance = (stage * stage).mean((2, 3)) - mean * mean
            values += [mean, torch.sqrt(variance.clamp_min(0) + SMALLEST_VARIANCE)]
        return torch.cat(values, 1)

    def forward(self, views):
        with torch.autocast(self.pixel.device.type, dtype=torch.bfloat16, enabled=self.reduced):
            values = self.statistics(views)
        return self.head((values.float() - self.mean) / self.deviation)

    reduced = True


class Images:
    """Loads batches on threads of their own, one batch ahead."""

    def __init__(self, views, threads, device):
        self.views, self.device, self.pool = views, device, ThreadPoolExecutor(threads)

    def submit(self, paths, chances, views=None):
        return [self.pool.submit(data.load_views, path, views or self.views, chance) for path, chance in zip(paths, chances)]

    def collect(self, futures):
        arrays = [future.result() for future in futures]
        return [self.groups(view) for view in zip(*arrays)]

    def groups(self, view):
        """The images of a view by shape: nearly all of BIQ2021 have one, a few another."""
        shapes = {}
        for place, array in enumerate(view):
            shapes.setdefault(array.shape, []).append(place)
        return [(torch.tensor(places), torch.from_numpy(np.stack([view[place] for place in places])).to(self.device)) for places in shapes.values()]

    def batches(self, paths, size):
        """Batches without chance, for measuring."""
        groups = [paths[i:i + size] for i in range(0, len(paths), size)]
        ahead = self.submit(groups[0], [None] * size)
        for following in groups[1:] + [None]:
            futures = ahead
            ahead = self.submit(following, [None] * size) if following else None
            yield self.collect(futures)


def save(state, path):
    """Writes a file that has its name only when it is whole, so that a run that is killed leaves no part of one."""
    partial = os.path.splitext(path)[0] + '.tmp'
    torch.save(state, partial)
    os.replace(partial, path)


def chance(*numbers):
    return np.random.default_rng(np.random.SeedSequence(numbers))


def auc(bad, good):
    ranks = rankdata(np.concatenate([bad, good]))
    return (ranks[:len(bad)].sum() - len(bad) * (len(bad) + 1) / 2) / (len(bad) * len(good))


def ridge(features, targets, penalty):
    """Weights and bias of one linear model per column of the targets, for standardised features."""
    mean = targets.mean(0)
    gram = features @ features.T
    gram[np.diag_indices_from(gram)] += penalty
    weights = features.T @ np.linalg.solve(gram, targets - mean)
    return weights, mean


def imagenet(options, views):
    """The network that the options name, its trunk with the weights of its package, and the SHA-256 of these."""
    trunk, package = (resnet50 if options.network == 'resnet50' else resnet18).load_imagenet(options.stages)
    network = Network(trunk, views).to(options.device, memory_format=torch.channels_last)
    network.reduced = not options.float32
    return network, package


def start_heads(network, images, rated, copies, count, penalty, seed, log):
    """The linear layer starts as ridge regressions on the features of the untrained network."""
    draw = chance(seed, 0xA)
    rated = [rated[i] for i in draw.permutation(len(rated))[:count]]
    chosen = [(name, mos, copies[int(draw.integers(len(copies)))].get(name)) for name, mos in rated] if copies else []
    chosen = [(name, mos, copy) for name, mos, copy in chosen if copy is not None and mos >= data.INTACT]
    paths = [images.root + name for name, _ in rated] + [copy[0] for _, _, copy in chosen]
    rows, begun = [], time.time()
    with torch.no_grad():
        for batch in images.batches(paths, 16):
            with torch.autocast(network.pixel.device.type, dtype=torch.bfloat16, enabled=network.reduced):
                rows.append(network.statistics(batch).float().cpu())
            if len(rows) % 50 == 0:
                log(f'start: features of {16 * len(rows)} of {len(paths)} images, {time.time() - begun:.0f} s')
    features = torch.cat(rows)
    network.mean.copy_(features.mean(0))
    network.deviation.copy_(features.std(0) + 1e-3)
    standard = ((features - network.mean.cpu()) / network.deviation.cpu()).numpy()
    opinions = np.array([[mos] for _, mos in rated])
    quality, bias = ridge(standard[:len(rated)], opinions, penalty)
    network.head.weight.data[0] = torch.tensor(quality[:, 0])
    network.head.bias.data[0] = float(bias[0])
    if not copies:
        network.head.weight.data[1:] = 0
        network.head.bias.data[1:] = 0
        return
    intact = [i for i, (_, mos) in enumerate(rated) if mos >= data.INTACT]
    labels = np.zeros((len(intact) + len(chosen), 1 + len(data.KINDS)))
    for i, (_, _, copied) in enumerate(chosen):
        labels[len(intact) + i, 0] = CERTAINTY[copied[2]]
        labels[len(intact) + i, 1 + data.KINDS.index(data.GROUPS[copied[1]])] = 1
    rows = np.concatenate([standard[intact], standard[len(rated):]])
    damage, bias = ridge(rows, labels, penalty)
    # A ridge regression predicts 0 to 1; six times what it has above one half is about the logarithm of the odds.
    network.head.weight.data[1:] = torch.tensor(6 * damage.T)
    network.head.bias.data[1:] = torch.tensor(6 * (bias - 0.5))


def measure(network, images, validation, copies):
    """Agreement with people on the validation images, and how damage is found among those of them that people like."""
    found = [copy for name, mos in validation if mos >= data.INTACT for folder in copies for copy in [folder.get(name)] if copy]
    paths = [images.root + name for name, _ in validation] + [copy[0] for copy in found]
    outputs = []
    with torch.no_grad():
        for batch in images.batches(paths, 16):
            outputs.append(network(batch).float().cpu().numpy())
    outputs = np.concatenate(outputs)
    opinions = np.array([mos for _, mos in validation])
    quality, damage = outputs[:len(validation), 0], outputs[:, 1]
    agreement = {
        'srcc': float(spearmanr(quality, opinions)[0]), 'plcc': float(pearsonr(quality, opinions)[0]),
        'rmse': float(np.sqrt(np.mean((quality - opinions) ** 2)))}
    if not found:
        return agreement
    intact = damage[:len(validation)][opinions >= data.INTACT]
    bad = damage[len(validation):]
    kinds = np.array([kind for _, kind, _ in found])
    named = np.array([data.KINDS[k] for k in outputs[len(validation):, 2:].argmax(1)])
    return agreement | {
        'auc': float(auc(bad, intact)), 'auc_quality': float(auc(-outputs[len(validation):, 0], -quality[opinions >= data.INTACT])),
        'kinds': {kind: float(auc(bad[kinds == kind], intact)) for kind in data.GROUPS if (kinds == kind).any()},
        'named': float(np.mean([data.GROUPS[kind] == name for kind, name in zip(kinds, named)])),
    }


def pairwise(predicted, target, scale):
    """The logistic loss of every pair that the target orders, weighed by how far it sets them apart."""
    apart = target[:, None] - target[None, :]
    weight = apart.clamp_min(0)
    losses = F.softplus((predicted[None, :] - predicted[:, None]) * scale)
    return (losses * weight).sum() / weight.sum().clamp_min(1e-6)


def losses(outputs, opinions, intact, parents, levels, kinds):
    """Rated images come first in the batch, then degraded copies of some of them."""
    rated = len(opinions)
    quality, damage = outputs[:, 0], outputs[:, 1]
    centred, wanted = quality[:rated] - quality[:rated].mean(), opinions - opinions.mean()
    correlation = (centred * wanted).sum() / (centred.norm() * wanted.norm() + 1e-8)
    parts = {
        'mse': 10 * F.mse_loss(quality[:rated], opinions), 'plcc': 0.2 * (1 - correlation),
        'rank': 0.2 * pairwise(quality[:rated], opinions, 10.0),
    }
    if len(parents):
        margin = torch.tensor([MARGIN[level] for level in levels], device=outputs.device)
        parts['order'] = F.relu(quality[rated:] - quality[:rated][parents].detach() + margin).mean()
        certainty = torch.tensor([CERTAINTY[level] for level in levels], device=outputs.device)
        logits = torch.cat([damage[:rated][intact], damage[rated:]])
        labels = torch.cat([torch.zeros(int(intact.sum()), device=outputs.device), certainty])
        parts['damage'] = 0.1 * F.binary_cross_entropy_with_logits(logits, labels)
        parts['damage_rank'] = 0.2 * pairwise(logits, labels, 1.0)
        named = torch.zeros(len(logits), len(data.KINDS), device=outputs.device)
        named[torch.arange(len(levels)) + int(intact.sum()), kinds] = 1
        parts['kind'] = 0.1 * F.binary_cross_entropy_with_logits(torch.cat([outputs[:rated][intact], outputs[rated:]])[:, 2:], named)
    return parts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--images', required=True, help='folder of BIQ2021 images')
    parser.add_argument('--ratings', required=True, help='its "Train (Images and MOS).csv"')
    parser.add_argument('--degraded', default=[], nargs='+', metavar='COPIES[=ORIGINALS]',
                        help='folders of pristine degrade, made of training images, and of what, where it is not --images; none: opinions only')
    parser.add_argument('--degraded-validation', default=[], nargs='+', help='the same of validation images')
    parser.add_argument('--out', required=True, help='folder of the run; a run that is there goes on')
    parser.add_argument('--views', default='whole:256,crop:224')
    parser.add_argument('--network', default='resnet18', choices=['resnet18', 'resnet50'])
    parser.add_argument('--stages', type=int, default=3)
    parser.add_argument('--frozen', type=int, default=1, help='stages that stay as they are, and the stem with them; -1 for none')
    parser.add_argument('--epochs', type=int, default=6)
    parser.add_argument('--batch', type=int, default=16, help='rated images per step')
    parser.add_argument('--copies', type=int, default=6, help='degraded copies per step at most')
    parser.add_argument('--rate', type=float, default=1e-4)
    parser.add_argument('--head-rate', type=float, default=2e-5)
    parser.add_argument('--decay', type=float, default=0.998, help='of the moving average of the weights')
    parser.add_argument('--init', help='weights (epochN.pt of another run) to start from, instead of ridge regressions on ImageNet features')
    parser.add_argument('--teacher', help='CSV of opinions (teacher.py or pristine export): half of what is learnt, people are the other half')
    parser.add_argument('--jitter', type=int, default=0, help='a training step takes whole images larger or smaller by up to this many times 32')
    parser.add_argument('--start-images', type=int, default=4000)
    parser.add_argument('--penalty', type=float, default=1000, help='of the ridge regressions that the linear layer starts as')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--float32', action='store_true')
    parser.add_argument('--minutes', type=float, default=5, help='between checkpoints')
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    os.makedirs(options.out, exist_ok=True)
    journal = open(os.path.join(options.out, 'log.txt'), 'a')

    def log(text):
        for target in (journal, None):
            print(time.strftime('%H:%M:%S'), text, flush=True, file=target)

    views = data.parse_views(options.views)
    training, validation = data.split(data.read_ratings(options.ratings, options.images))
    taught = data.read_opinions(options.teacher, training) if options.teacher else dict(training)
    copies, originals = [], []
    for entry in options.degraded:
        folder, source = data.copies_and_originals(entry)
        copies.append(data.read_log(folder))
        originals.append(os.path.join(source or options.images, ''))
    validation_copies = [data.read_log(folder) for folder in options.degraded_validation]
    network, package = imagenet(options, views)
    images = Images(views, options.threads, options.device)
    images.root = os.path.join(options.images, '')

    started = os.path.join(options.out, 'start.pt')
    if os.path.exists(started):
        network.load_state_dict(torch.load(started, map_location=options.device))
    elif options.init:
        network.load_state_dict(torch.load(options.init, map_location=options.device))
        log(f'start: {options.init} {json.dumps(measure(network, images, validation, validation_copies))}')
        save(network.state_dict(), started)
    else:
        start_heads(network, images, training, copies, options.start_images, options.penalty, options.seed, log)
        log(f'start: {json.dumps(measure(network, images, validation, validation_copies))}')
        save(network.state_dict(), started)

    frozen = [] if options.frozen < 0 else [network.trunk.stem, *network.trunk.stages[:options.frozen]]
    for module in frozen:
        module.requires_grad_(False)
    average = copy.deepcopy(network)
    convolutions = [p for p in network.trunk.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW([
        {'params': convolutions, 'lr': options.rate, 'weight_decay': 1e-3},
        {'params': network.head.parameters(), 'lr': options.head_rate, 'weight_decay': 1e-2}])
    steps_per_epoch = len(training) // options.batch
    total = options.epochs * steps_per_epoch
    warm = max(1, total // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1, (step + 1) / warm) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1, step / total)))))
    step, last = 0, os.path.join(options.out, 'last.pt')
    if os.path.exists(last):
        state = torch.load(last, map_location=options.device)
        network.load_state_dict(state['network'])
        average.load_state_dict(state['average'])
        optimiser.load_state_dict(state['optimiser'])
        schedule.load_state_dict(state['schedule'])
        step = state['step']
        log(f'goes on at step {step} of {total}')

    def checkpoint():
        save({
            'network': network.state_dict(), 'average': average.state_dict(), 'optimiser': optimiser.state_dict(),
            'schedule': schedule.state_dict(), 'step': step, 'options': vars(options), 'package_sha256': package}, last)

    def prepare(step):
        """The files of a step, drawn from the seed and the step alone."""
        epoch, place = divmod(step, steps_per_epoch)
        order = chance(options.seed, 1, epoch).permutation(len(training))
        rows = [training[i] for i in order[place * options.batch:(place + 1) * options.batch]]
        draw = chance(options.seed, 2, step)
        parents, found, roots = [], [], [images.root] * len(rows)
        for i in draw.permutation(len(rows)) if copies else []:
            drawn = int(draw.integers(len(copies)))
            # A rated image is seen as the copies of the folder were made of it, whether or not one is seen with it.
            roots[i] = originals[drawn]
            copied = copies[drawn].get(rows[i][0])
            if copied and len(parents) < options.copies:
                parents.append(int(i))
                found.append(copied)
        paths = [root + name for root, (name, _) in zip(roots, rows)] + [copied[0] for copied in found]
        # One size for all images of a step, so that they are one batch, and one of few, for which the convolutions are prepared once.
        larger = 32 * int(chance(options.seed, 4, step).integers(-options.jitter, options.jitter + 1))
        stepped = [(kind, side + larger if kind == 'whole' else side) for kind, side in views]
        futures = images.submit(paths, [chance(options.seed, 3, step, i) for i in range(len(paths))], stepped)
        return rows, parents, found, futures

    ahead, sums, counted = prepare(step), {}, 0
    saved, begun, cpu = time.time(), time.time(), time.process_time()
    while step < total:
        rows, parents, found, futures = ahead
        batch = images.collect(futures)
        if step + 1 < total:
            ahead = prepare(step + 1)
        opinions = torch.tensor([(mos + taught[name]) / 2 for name, mos in rows], device=options.device)
        intact = torch.tensor([mos >= data.INTACT for _, mos in rows], device=options.device)
        parts = losses(
            network(batch), opinions, intact, torch.tensor(parents, dtype=torch.long, device=options.device),
            [level for _, _, level in found], torch.tensor([data.KINDS.index(data.GROUPS[kind]) for _, kind, _ in found], dtype=torch.long))
        optimiser.zero_grad(set_to_none=True)
        sum(parts.values()).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        step += 1
        with torch.no_grad():
            # The average begins young, so that it is not made of the first weights for long.
            share = min(options.decay, (1 + step) / (10 + step))
            for mean, weight in zip(average.parameters(), network.parameters()):
                mean.lerp_(weight, 1 - share)
        for name, value in parts.items():
            sums[name] = sums.get(name, 0) + float(value)
        counted += len(rows) + len(found)
        if step % 50 == 0:
            log(f'step {step}/{total} ' + ' '.join(f'{k} {v / 50:.4f}' for k, v in sums.items())
                + f' | {(time.time() - begun) / counted * 1e3:.0f} ms and {(time.process_time() - cpu) / counted * 1e3:.0f} CPU ms an image')
            sums, counted, begun, cpu = {}, 0, time.time(), time.process_time()
        if step % steps_per_epoch == 0:
            # The checkpoint comes last: a run that is stopped before it makes the weights and figures of the epoch again.
            epoch = step // steps_per_epoch
            save(average.state_dict(), os.path.join(options.out, f'epoch{epoch}.pt'))
            log(f'epoch {epoch}: {json.dumps(measure(average, images, validation, validation_copies))}')
            checkpoint()
            saved, begun, cpu = time.time(), time.time(), time.process_time()
        elif time.time() - saved > 60 * options.minutes:
            checkpoint()
            saved = time.time()


if __name__ == '__main__':
    main()
