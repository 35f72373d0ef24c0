// One metric: its histogram, a threshold to drag, what it keeps and drops, and the command that does it.

// A word for a POSIX shell; double quotes where they do, because other shells know them too.
function shellWord(text) {
  if (/^[A-Za-z0-9_.\/:@%+=,-]+$/.test(text)) return text;
  if (!/["$`\\!\n]/.test(text)) return `"${text}"`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const columnName = name => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
const ruleOf = (metric, threshold) => `${columnName(nameOf(metric))} ${threshold.isAtMost ? '<=' : '>='} ${valueOf(metric, threshold)}`;
const commandOf = (metric, threshold) => `pristine select ${shellWord(data.table)} --keep ${shellWord(ruleOf(metric, threshold))}`;

// Bars of a histogram: [first position, last position, items]. What lies beyond the axis is in the outermost bars.
function bars(metric, isAtMost, most) {
  const counts = countsOf(data.all, metric), slots = isAtMost ? counts.atMost : counts.atLeast, last = scales[metric].last;
  const width = Math.max(1, Math.ceil(last / most)), list = [];
  for (let start = 0; start < last; start += width) {
    const end = Math.min(start + width, last);
    let items = start === 0 ? slots[0] : 0;
    for (let i = start + 1; i <= end; i++) items += slots[i];
    if (end === last) items += slots[last + 1];
    list.push([start, end, items]);
  }
  return list;
}

function barShapes(metric, isAtMost, width, height, most) {
  const list = bars(metric, isAtMost, most), tallest = Math.max(1, ...list.map(bar => bar[2])), step = width / scales[metric].last;
  return list.filter(bar => bar[2] > 0).map(([start, end, items]) => {
    const tall = Math.max(1, height * items / tallest);
    const gap = most > 40 ? 1 : 0.3;
    return shape('rect', { x: (start * step).toFixed(2), width: Math.max(0.5, (end - start) * step - gap).toFixed(2), y: (height - tall).toFixed(2), height: tall.toFixed(2) });
  });
}

function metricButton(metric) {
  const { direction, isAtMost } = { ...data.metrics[metric], ...state.thresholds[metric] };
  const button = element('button', { type: 'button', class: 'metric', onclick: () => state.change({ metric }) },
    element('span', { class: 'name' }, nameOf(metric)),
    shape('svg', { viewBox: '0 0 96 24', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, barShapes(metric, isAtMost, 96, 24, 32)),
    element('span', { class: 'end' }, direction === 'none' ? data.metrics[metric].unit || 'no good end' : goodEnd(metric)));
  const update = () => button.setAttribute('aria-pressed', String(metric === state.metric));
  state.listeners.push(update);
  update();
  return button;
}

// Where a position lies on the axis: at its value, or at the share of items with a smaller value.
function placeOf(metric, position) {
  if (state.axis === 'value') return position / scales[metric].last;
  const counts = countsOf(data.all, metric), kept = counts.keptAtMost;
  return position === 0 ? 0 : position === scales[metric].last ? 1 : counts.scored === 0 ? 0 : kept[position] / counts.scored;
}

// By rank: the value at each share of the items, as an area below a curve.
function rankShapes(metric, width, height) {
  const { last } = scales[metric], points = [];
  for (let position = 0; position <= last; position++) points.push(`${(placeOf(metric, position) * width).toFixed(2)} ${(height - position / last * height).toFixed(2)}`);
  return [shape('path', { d: `M0 ${height}L${points.join('L')}L${width} ${height}Z` })];
}

const rankTicks = apart => [0, 10, 25, 50, 75, 90, 100].map(share => ({ value: share, at: share / 100 }))
  .filter((tick, i, all) => i === 0 || i === all.length - 1 || apart < 0.1 || tick.value === 50);

function histogram() {
  const height = 200, foot = 26;
  const drawing = shape('svg', { class: 'histogram', 'aria-hidden': 'true' });
  const slider = element('input', { type: 'range', min: 0, step: 1, class: 'slider', oninput: () => state.change({ threshold: { position: fromSlider(Number(slider.value)) } }) });
  // By rank the slider moves over the shares of the items.
  const rankSteps = 400;
  const fromSlider = value => {
    if (state.axis === 'value') return value;
    const { metric } = state, { last } = scales[metric];
    let best = 0;
    for (let position = 1; position <= last; position++)
      if (Math.abs(placeOf(metric, position) - value / rankSteps) < Math.abs(placeOf(metric, best) - value / rankSteps)) best = position;
    return best;
  };
  const frame = element('div', { class: 'plot' }, drawing, slider);
  let width = 0, clip, line, flag;
  const draw = () => {
    if (width === 0) return;
    const { metric, threshold } = state, scale = scales[metric];
    drawing.setAttribute('viewBox', `0 0 ${width} ${height + foot}`);
    clip = shape('rect', { y: 0, height });
    line = shape('line', { class: 'threshold', y1: 0, y2: height + 6 });
    flag = shape('circle', { class: 'handle', cy: height / 2, r: 9 });
    const isRank = state.axis === 'rank';
    const shapes = isRank ? rankShapes(metric, width, height - 8) : barShapes(metric, threshold.isAtMost, width, height - 8, width / 7);
    drawing.replaceChildren(
      shape('clipPath', { id: 'kept-side' }, clip),
      shape('g', { class: 'dropped', transform: 'translate(0 8)' }, shapes),
      shape('g', { 'clip-path': 'url(#kept-side)' }, shape('g', { class: 'kept', transform: 'translate(0 8)' }, shapes.map(bar => bar.cloneNode()))),
      shape('line', { class: 'axis', x1: 0, x2: width, y1: height, y2: height }),
      ...(isRank ? rankTicks(62 / width) : scale.ticks(62 / width)).map(tick => shape('g', { class: 'tick', transform: `translate(${tick.at * width} ${height})` },
        shape('line', { y2: 5 }),
        shape('text', { y: 19, 'text-anchor': tick.at < 0.03 ? 'start' : tick.at > 0.97 ? 'end' : 'middle' }, isRank ? `${tick.value} %` : tickText(tick.value)))),
      line, flag);
    place();
  };
  const place = () => {
    const { metric, threshold } = state, last = scales[metric].last;
    slider.max = state.axis === 'rank' ? rankSteps : last;
    slider.value = state.axis === 'rank' ? Math.round(placeOf(metric, threshold.position) * rankSteps) : threshold.position;
    const { kept, items } = verdict(data.all, metric, threshold);
    slider.setAttribute('aria-label', `Threshold of ${nameOf(metric)}`);
    slider.setAttribute('aria-valuetext', `${threshold.isAtMost ? 'at most' : 'at least'} ${valueOf(metric, threshold)}: keeps ${whole(kept)} of ${whole(items)} items`);
    if (!line) return;
    const x = placeOf(metric, threshold.position) * width;
    clip.setAttribute('x', threshold.isAtMost ? 0 : x);
    clip.setAttribute('width', threshold.isAtMost ? x : width - x);
    for (const end of ['x1', 'x2']) line.setAttribute(end, x);
    flag.setAttribute('cx', x);
  };
  let drawnAtMost = state.threshold.isAtMost, drawnAxis = state.axis;
  state.listeners.push(isOther => {
    if (isOther || drawnAtMost !== state.threshold.isAtMost || drawnAxis !== state.axis) draw(); else place();
    [drawnAtMost, drawnAxis] = [state.threshold.isAtMost, state.axis];
  });
  new ResizeObserver(() => {
    if (frame.clientWidth === width) return;
    width = frame.clientWidth;
    draw();
  }).observe(frame);
  place();
  return frame;
}

function sentence() {
  const side = element('select', { 'aria-label': 'Which side is kept', onchange: () => state.change({ threshold: { isAtMost: side.value === 'most' } }) },
    element('option', { value: 'most' }, 'at most'), element('option', { value: 'least' }, 'at least'));
  const value = element('input', { type: 'text', inputmode: 'decimal', id: 'threshold-value', 'aria-label': 'Threshold', autocomplete: 'off',
    onchange: () => {
      const typed = Number(value.value);
      const position = value.value.trim() === '' || Number.isNaN(typed) ? state.threshold.position : scales[state.metric].nearest(typed);
      state.change({ threshold: { position } });
    } });
  const name = element('strong');
  const update = () => {
    name.textContent = nameOf(state.metric);
    side.value = state.threshold.isAtMost ? 'most' : 'least';
    value.value = valueOf(state.metric, state.threshold);
  };
  state.listeners.push(update);
  update();
  return element('p', { class: 'sentence' }, 'Keep items whose ', name, ' is ', side, ' ', value, ...dropping());
}

// "or drop the worst N %": a number that goes up and down in steps of one.
function dropping() {
  const end = element('span');
  const share = element('input', { type: 'number', min: 0, max: 100, step: 1, id: 'drop-share', 'aria-label': 'Share to drop in percent', autocomplete: 'off',
    onchange: () => {
      const typed = Number(share.value);
      if (share.value !== '' && typed >= 0 && typed <= 100) state.change({ threshold: { position: positionDropping(state.metric, state.threshold.isAtMost, typed / 100) } });
    } });
  const update = () => {
    const { direction } = data.metrics[state.metric], { isAtMost } = state.threshold;
    const isWorst = direction === (isAtMost ? 'lower' : 'higher'), isBest = direction === (isAtMost ? 'higher' : 'lower');
    end.textContent = isWorst ? 'worst' : isBest ? 'best' : isAtMost ? 'largest' : 'smallest';
    if (document.activeElement !== share) share.value = String(Math.round(1000 * droppedShare(state.metric, state.threshold)) / 10);
  };
  state.listeners.push(update);
  update();
  return ['; that drops the ', end, ' ', share, ' %'];
}

function outcome() {
  const part = name => ({ count: element('strong', { id: `${name}-count` }), share: element('span', { class: 'share' }), note: element('span', { class: 'note' }) });
  const kept = part('kept'), dropped = part('dropped'), keptBar = element('div', { class: 'kept' });
  const side = (name, parts) => element('div', { class: name }, element('span', { class: 'label' }, name), parts.count, parts.share, parts.note);
  const update = () => {
    const found = verdict(data.all, state.metric, state.threshold);
    kept.count.textContent = whole(found.kept);
    dropped.count.textContent = whole(found.dropped);
    kept.share.textContent = percent(found.kept, found.items);
    dropped.share.textContent = percent(found.dropped, found.items);
    kept.note.textContent = found.withoutImage > 0 ? `${whole(found.withoutImage)} of them without an image` : '';
    dropped.note.textContent = found.unscored > 0 ? `${whole(found.failing)} by the rule, ${whole(found.unscored)} without a score${skippedBy(state.metric) > 0 ? ', failed or skipped' : ''}` : '';
    keptBar.style.width = `${100 * found.kept / Math.max(1, found.items)}%`;
  };
  state.listeners.push(update);
  update();
  return element('div', { class: 'outcome' },
    element('div', { class: 'bar', 'aria-hidden': 'true' }, keptBar),
    element('div', { class: 'sides' }, side('kept', kept), side('dropped', dropped)));
}

function command() {
  const { node, code, update } = copyable(() => commandOf(state.metric, state.threshold));
  code.id = 'command';
  state.listeners.push(update);
  return node;
}

function description() {
  const heading = element('h3'), text = element('p', { class: 'hint' }), beyond = element('p', { class: 'hint' });
  const update = () => {
    const metric = data.metrics[state.metric], skipped = skippedBy(state.metric), counts = countsOf(data.all, state.metric);
    heading.replaceChildren(metric.name, element('span', { class: 'end' }, `${goodEnd(state.metric)}${metric.unit ? `, ${metric.unit}` : ''}`));
    text.textContent = `${metric.summary} ${counted(metric.count, 'image')}: from ${shown(metric.low)} to ${shown(metric.high)}, half of them below ${data.isSampled ? 'about ' : ''}${shown(metric.median)}.${skipped === 0 ? '' : ` ${counted(skipped, 'image')} skipped: a cheaper metric had decided.`}`.trim();
    const scale = scales[state.metric];
    const left = metric.low < scale.positions[0], right = metric.high > scale.positions[scale.last];
    beyond.textContent = left || right ? `A few values lie beyond the ${left && right ? 'ends' : left ? 'left end' : 'right end'} of the axis; they stand in the outermost bar and are counted.` : '';
    beyond.hidden = beyond.textContent === '';
  };
  state.listeners.push(update);
  update();
  return { head: [heading, text], beyond };
}

function drawThreshold() {
  const { head, beyond } = description();
  into('threshold',
    title('threshold', 'Choose a threshold', 'Pick a metric and drag the line. The counts are exact: they are what the command below keeps and drops.'),
    element('div', { class: 'bench' },
      element('div', { class: 'metrics', role: 'group', 'aria-label': 'Metrics' }, metrics.map(metricButton)),
      element('div', { class: 'card' }, head,
        choice('Axis', [['value', data.metrics.some(metric => metric.isLogarithmic) ? 'By value (logarithmic where skewed)' : 'By value'], ['rank', 'By rank']], state.axis, axis => state.change({ axis })),
        histogram(), beyond, sentence(), outcome(), command(), together(),
        element('p', { class: 'hint' }, `${data.severalImages ? 'An item with several images is as good as its worst one. ' : ''}`
          + 'Add --out FILE to write what is kept; no image is read again.'))));
}
