// Exact counts: how many items pass a threshold at each of its positions.

// -n stands for n zeros.
function expand(runs) {
  const counts = [];
  for (const run of runs) {
    if (run < 0) for (let i = 0; i < -run; i++) counts.push(0);
    else counts.push(run);
  }
  return counts;
}

const expanded = new WeakMap();

// For a metric of a group: slots, as they were counted, and the sums that thresholds keep.
function countsOf(group, metric) {
  const counts = group.counts[metric];
  if (!expanded.has(counts)) {
    const atMost = expand(counts.atMost), atLeast = expand(counts.atLeast);
    const keptAtMost = [], keptAtLeast = [];
    for (let i = 0, sum = 0; i + 1 < atMost.length; i++) keptAtMost[i] = sum += atMost[i];
    for (let i = atLeast.length - 1, sum = 0; i > 0; i--) keptAtLeast[i - 1] = sum += atLeast[i];
    expanded.set(counts, { scored: counts.scored, atMost, atLeast, keptAtMost, keptAtLeast });
  }
  return expanded.get(counts);
}

// What becomes of the items of a group. Items without an image are kept, as `pristine select` keeps them.
function verdict(group, metric, threshold) {
  const counts = countsOf(group, metric);
  const passing = (threshold.isAtMost ? counts.keptAtMost : counts.keptAtLeast)[threshold.position];
  const kept = passing + group.withoutImage;
  return {
    items: group.items, kept, dropped: group.items - kept, withoutImage: group.withoutImage,
    failing: counts.scored - passing, unscored: group.items - group.withoutImage - counts.scored,
  };
}

// The scale of a metric: positions at equal distances.
const scaleOf = metric => {
  const positions = data.metrics[metric].positions, last = positions.length - 1;
  const below = value => {
    let low = 0, high = last;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (positions[middle] <= value) low = middle; else high = middle - 1;
    }
    return low;
  };
  return {
    positions, last,
    share(value) {
      if (value <= positions[0]) return 0;
      if (value >= positions[last]) return 1;
      const i = below(value);
      return (i + (value - positions[i]) / (positions[i + 1] - positions[i])) / last;
    },
    nearest(value) {
      const i = below(value);
      return i < last && positions[i + 1] - value < value - positions[i] ? i + 1 : i;
    },
    // Round numbers along the axis, at least a share of its length apart.
    ticks(apart) {
      const ticks = [];
      const add = value => {
        const at = this.share(value);
        if (value >= positions[0] && value <= positions[last] && ticks.every(tick => Math.abs(tick.at - at) >= apart)) ticks.push({ value, at });
      };
      if (data.metrics[metric].isLogarithmic) {
        const first = Math.floor(Math.log10(positions[0])), end = Math.ceil(Math.log10(positions[last]));
        for (const digit of [1, 3, 2, 5])
          for (let exponent = first; exponent <= end; exponent++) add(Number(`${digit}e${exponent}`));
      } else {
        const rough = (positions[last] - positions[0]) * apart * 1.3, exponent = Math.floor(Math.log10(rough));
        const digit = [1, 2, 5, 10].find(candidate => candidate * 10 ** exponent >= rough);
        const first = Math.ceil(positions[0] / (digit * 10 ** exponent));
        for (let i = first; Number(`${i * digit}e${exponent}`) <= positions[last]; i++) add(Number(`${i * digit}e${exponent}`));
      }
      return ticks.sort((left, right) => left.at - right.at);
    },
  };
};

const tickText = value => Math.abs(value) >= 1e6 ? `${shown(value / 1e6)} M` : Math.abs(value) >= 10000 ? `${shown(value / 1000)} k` : shown(value);

// Metrics that at least one image has.
const metrics = data.metrics.map((metric, i) => i).filter(i => data.metrics[i].count > 0);
const scales = data.metrics.map((metric, i) => metric.count > 0 ? scaleOf(i) : null);

// The position at which the share of items that are dropped, of those that have a value, is nearest to the wanted one.
function positionDropping(metric, isAtMost, share) {
  const counts = countsOf(data.all, metric), kept = isAtMost ? counts.keptAtMost : counts.keptAtLeast, wanted = (1 - share) * counts.scored;
  let position = 0;
  for (let i = 1; i < kept.length; i++)
    if (Math.abs(kept[i] - wanted) < Math.abs(kept[position] - wanted)) position = i;
  return position;
}

const droppedShare = (metric, { isAtMost, position }) => {
  const counts = countsOf(data.all, metric);
  return counts.scored === 0 ? 0 : 1 - (isAtMost ? counts.keptAtMost : counts.keptAtLeast)[position] / counts.scored;
};

// At first the threshold of the issue that is about the metric; else one that keeps about nine of ten items that have a value.
function firstThreshold(metric) {
  const issue = data.issues.find(candidate => candidate.metric === data.metrics[metric].name && candidate.obstacle == null);
  if (issue !== undefined) return { isAtMost: issue.isAtMost, position: scales[metric].nearest(issue.threshold) };
  const isAtMost = data.metrics[metric].direction === 'lower';
  return { isAtMost, position: positionDropping(metric, isAtMost, 0.1) };
}

// What the user looks at. Every part of the page that depends on it redraws itself when it changes.
const state = {
  metric: metrics[0],
  thresholds: data.metrics.map((metric, i) => metric.count > 0 ? firstThreshold(i) : null),
  axis: 'value',
  rules: [],
  get threshold() { return this.thresholds[this.metric]; },
  listeners: [],
  change(changes) {
    const isOther = 'metric' in changes && changes.metric !== this.metric;
    if ('metric' in changes) this.metric = changes.metric;
    if ('axis' in changes) this.axis = changes.axis;
    if ('rules' in changes) this.rules = changes.rules;
    Object.assign(this.threshold, changes.threshold ?? {});
    for (const listener of this.listeners) listener(isOther);
  },
};

const nameOf = metric => data.metrics[metric].name;

// Images that a cascade did not score by a metric, because a cheaper one had decided.
const skippedBy = metric => data.skipped.find(reason => reason.metric === metric)?.all ?? 0;
const isSkipped = (picture, metric) => picture.skipped != null && `; ${picture.skipped}`.includes(`; ${nameOf(metric)}: `);

const goodEnd = metric => ({ lower: 'lower is better', higher: 'higher is better', none: 'no good end' })[data.metrics[metric].direction];
const valueOf = (metric, threshold) => scales[metric].positions[threshold.position];
