// Two metrics: do they say the same, and where do they not?

// What a correlation means in words. Where both have a good end, agreeing means that they find the same images good.
function strength(spearman, x, y) {
  const ends = [data.metrics[x].direction, data.metrics[y].direction], areRated = !ends.includes('none');
  const size = Math.abs(spearman), agree = spearman > 0 === (ends[0] === ends[1]);
  const degree = ['hardly', 'somewhat', 'largely', 'almost always'][size < 0.3 ? 0 : size < 0.6 ? 1 : size < 0.85 ? 2 : 3];
  if (size < 0.1) return 'They have almost nothing to do with each other.';
  if (areRated) return agree ? `They ${degree} agree on what is good.` : `They ${degree} contradict each other: what one finds good, the other finds poor.`;
  const often = size < 0.3 ? 'a little more often' : size < 0.6 ? 'often' : 'mostly';
  return `Where one is large, the other is ${often} ${spearman > 0 ? 'large too' : 'small'}.`;
}

function scatter(pair, x, y) {
  const size = 420, left = 56, foot = 44, top = 8, cells = data.cells, step = size / cells;
  const counts = expand(pair.counts), isSwapped = pair.first !== x;
  const most = Math.log1p(Math.max(...counts)), shapes = [];
  for (let row = 0; row < cells; row++)
    for (let column = 0; column < cells; column++) {
      const count = isSwapped ? counts[column * cells + row] : counts[row * cells + column];
      if (count > 0)
        shapes.push(shape('rect', { x: left + column * step, y: top + size - (row + 1) * step, width: step - 0.5, height: step - 0.5, 'fill-opacity': (0.12 + 0.88 * Math.log1p(count) / most).toFixed(3) },
          shape('title', {}, counted(count, 'image'))));
    }
  const across = scales[x].ticks(0.16).map(tick => shape('g', { class: 'tick', transform: `translate(${left + tick.at * size} ${top + size})` },
    shape('line', { y2: 5 }), shape('text', { y: 18, 'text-anchor': 'middle' }, tickText(tick.value))));
  const up = scales[y].ticks(0.12).map(tick => shape('g', { class: 'tick', transform: `translate(${left} ${top + size - tick.at * size})` },
    shape('line', { x2: -5 }), shape('text', { x: -8, y: 4, 'text-anchor': 'end' }, tickText(tick.value))));
  const thresholds = [shape('line', { class: 'threshold' }), shape('line', { class: 'threshold' })];
  const place = () => {
    const atX = left + state.thresholds[x].position / scales[x].last * size, atY = top + size - state.thresholds[y].position / scales[y].last * size;
    for (const [name, value] of [['x1', atX], ['x2', atX], ['y1', top], ['y2', top + size]]) thresholds[0].setAttribute(name, value);
    for (const [name, value] of [['y1', atY], ['y2', atY], ['x1', left], ['x2', left + size]]) thresholds[1].setAttribute(name, value);
  };
  place();
  const drawing = shape('svg', { class: 'scatter', viewBox: `0 0 ${left + size + 12} ${top + size + foot}`, role: 'img', 'aria-label': `${nameOf(y)} against ${nameOf(x)}: ${counted(pair.images, 'image')}` },
    shape('g', { class: 'cells' }, shapes),
    shape('path', { class: 'axis', d: `M${left} ${top}V${top + size}H${left + size}` }), across, up, thresholds,
    shape('text', { class: 'axis-name', x: left + size, y: top + size + 38, 'text-anchor': 'end' }, `${nameOf(x)} →`),
    shape('text', { class: 'axis-name', transform: `translate(14 ${top}) rotate(-90)`, 'text-anchor': 'end' }, `${nameOf(y)} →`));
  return { drawing, place };
}

function drawPairs() {
  if (data.pairs.length === 0) {
    section('pairs').hidden = true;
    return;
  }
  let [x, y] = [data.pairs[0].first, data.pairs[0].second], place = () => {};
  const content = element('div', { class: 'card' }), options = metrics.map(metric => [metric, nameOf(metric)]);
  const preferred = (winner, loser, places) => row('', [element('strong', {}, nameOf(winner)), ' is content, ', element('strong', {}, nameOf(loser)), ' is not'], tiles(places, [winner, loser]));
  const show = () => {
    const pair = data.pairs.find(candidate => (candidate.first === x && candidate.second === y) || (candidate.first === y && candidate.second === x));
    const drawn = scatter(pair, x, y);
    place = drawn.place;
    const isRated = pair.firstPrefers.length + pair.secondPrefers.length > 0;
    const other = (chosen, apart, choose) => select('Metric', options.filter(([metric]) => metric !== apart), chosen, value => { choose(Number(value)); show(); });
    content.replaceChildren(
      element('div', { class: 'pair' },
        drawn.drawing,
        element('div', { class: 'about' },
          element('p', { class: 'sentence' }, other(y, x, value => { y = value; }), ' against ', other(x, y, value => { x = value; })),
          element('p', { class: 'spearman' }, element('strong', {}, pair.spearman == null ? '–' : pair.spearman.toFixed(3).replace('-', '−')), ' Spearman’s rank correlation'),
          element('p', {}, pair.spearman == null ? 'It is not defined: one of them has the same value everywhere.' : strength(pair.spearman, x, y)),
          element('p', { class: 'hint' }, `${data.isSampled ? `From ${counted(data.sampleSize, 'image')} spread evenly over the table, of which ${whole(pair.images)} have both. ` : `${counted(pair.images, 'image')} with both metrics. `}`
            + 'The stronger the colour of a cell, the more images lie in it. Dashed lines are the thresholds chosen above.'))),
      isRated ? element('div', {},
        element('h3', {}, 'Where they disagree most'),
        preferred(pair.first, pair.second, pair.firstPrefers), preferred(pair.second, pair.first, pair.secondPrefers)) : '');
  };
  state.listeners.push(() => place());
  show();
  into('pairs', title('pairs', 'Do the metrics agree?', 'Metrics that agree are one opinion; where they disagree, look before you drop.'), content);
}
