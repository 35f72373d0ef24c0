// Pictures: the ends of a metric, and those on either side of the threshold.

function showPicture(picture) {
  const dialog = section('picture');
  const close = () => dialog.close();
  const facts = [['Item', picture.id], ['Format', picture.format], ['Size', picture.size], ['Skipped', picture.skipped]].filter(([, value]) => value != null);
  dialog.replaceChildren(
    element('button', { type: 'button', class: 'close', 'aria-label': 'Close', onclick: close }, '✕'),
    element('h3', { id: 'picture-title' }, picture.image),
    picture.crop == null ? portrait(picture) : element('div', { class: 'views' },
      element('figure', {}, portrait(picture), element('figcaption', {}, 'all of it')),
      element('figure', {}, element('img', { src: `data:image/webp;base64,${picture.crop}`, alt: '', class: 'crop' }), element('figcaption', {}, 'its middle, pixel by pixel'))),
    element('p', { class: 'hint' }, 'A thumbnail hides blur, noise and compression. ',
      addressOf(picture) == null ? null : element('a', { href: addressOf(picture), target: '_blank', rel: 'noopener noreferrer' }, 'Open the file')),
    element('dl', {},
      facts.map(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]),
      metrics.map(metric => [element('dt', {}, nameOf(metric)), element('dd', {}, isSkipped(picture, metric) ? 'skipped' : shown(picture.values[metric]))])));
  dialog.onclick = event => { if (event.target === dialog) close(); };
  dialog.showModal();
}

// Where the file is; of a member of an archive nowhere. Only addresses of these two kinds are ever followed.
function addressOf(picture) {
  if (/^https?:\/\//i.test(picture.image)) return picture.image;
  if (picture.file == null) return null;
  const path = picture.file.replaceAll('\\', '/');
  return `file://${path.startsWith('/') ? '' : '/'}${path.split('/').map(part => /^[A-Za-z]:$/.test(part) ? part : encodeURIComponent(part)).join('/')}`;
}

const fileName = image => image.slice(image.lastIndexOf('/') + 1);

const portrait = picture => picture.webp
  ? element('img', { src: `data:image/webp;base64,${picture.webp}`, alt: '' })
  : element('span', { class: 'absent' }, picture.missing);

function tile(place, shownMetrics) {
  const picture = data.pictures[place];
  const values = shownMetrics.map(metric => shown(picture.values[metric])).join(' / ');
  return element('button', { type: 'button', class: 'tile', title: picture.image, onclick: () => showPicture(picture) },
    element('span', { class: 'frame' }, portrait(picture)),
    values === '' ? null : element('span', { class: 'value' }, values),
    element('span', { class: 'name' }, fileName(picture.image)));
}

const tiles = (places, shownMetrics, empty = 'none') => places.length > 0
  ? element('div', { class: 'tiles' }, places.map(place => tile(place, shownMetrics)))
  : element('p', { class: 'hint' }, empty);

const row = (kind, label, content) => element('div', { class: `row ${kind}` }, element('h4', {}, label), content);

// Pictures by a metric, from its smallest value to its largest.
const byMetric = new Map();
function ordered(metric) {
  if (!byMetric.has(metric))
    byMetric.set(metric, data.pictures.map((picture, place) => place).filter(place => data.pictures[place].values[metric] != null)
      .sort((left, right) => data.pictures[left].values[metric] - data.pictures[right].values[metric] || left - right));
  return byMetric.get(metric);
}

function border(metric, threshold, most) {
  const places = ordered(metric), value = valueOf(metric, threshold);
  const passes = place => threshold.isAtMost ? data.pictures[place].values[metric] <= value : data.pictures[place].values[metric] >= value;
  const kept = places.filter(passes), dropped = places.filter(place => !passes(place));
  return threshold.isAtMost
    ? { kept: kept.slice(-most).reverse(), dropped: dropped.slice(0, most) }
    : { kept: kept.slice(0, most), dropped: dropped.slice(-most).reverse() };
}

function drawGallery() {
  if (data.pictures.length === 0) {
    section('gallery').hidden = true;
    return;
  }
  const place = element('div', { class: 'card' }), pick = element('div');
  let chosen = 'border';
  const show = () => {
    const { metric, threshold } = state, { lowest, highest } = data.metrics[metric];
    if (chosen === 'border') {
      const { kept, dropped } = border(metric, threshold, 8);
      place.replaceChildren(
        row('kept', 'Just kept', tiles(kept, [metric], 'No image of this gallery is kept.')),
        row('dropped', 'Just dropped', tiles(dropped, [metric], 'No image of this gallery is dropped.')));
    } else
      place.replaceChildren(tiles(chosen === 'low' ? lowest : highest, [metric]));
  };
  const label = () => {
    const direction = data.metrics[state.metric].direction;
    const ends = direction === 'none' ? [['low', 'Smallest'], ['high', 'Largest']]
      : direction === 'lower' ? [['high', 'Worst'], ['low', 'Best']] : [['low', 'Worst'], ['high', 'Best']];
    pick.replaceChildren(choice('Which images', [['border', 'At the border'], ...ends], chosen, value => { chosen = value; show(); }));
  };
  state.listeners.push(isOther => {
    if (isOther) label();
    if (isOther || chosen === 'border') show();
  });
  label();
  show();
  into('gallery', title('gallery', 'Look at the images', 'At the border are those images of the report whose value is nearest to the threshold. Click one for all of its values.'), pick, place);
}
