// What the table is, what could not be scored, and where the numbers come from.

const statusMeaning = {
  ok: data.skipped.length > 0 ? 'scored by every metric that was not skipped' : 'scored by every metric',
  too_small: 'scored, but too small for at least one metric',
  unreadable: 'the file or record is damaged, cut off, no picture, or may not be read',
  truncated: 'the file ends before its picture does; not scored',
  partial: 'the file ends before its picture does; what is there was scored',
  unsupported: 'a picture of a kind that is not decoded, such as HEIC or 12-bit JPEG',
  missing: 'there is no file at the path or address',
  network: 'the network or the server failed; scoring into the same table tries again',
  too_large: 'more pixels than the limit; not decoded',
  timeout: 'decoding took longer than allowed',
  no_image: 'items without an image; a selection keeps them unless it is told otherwise',
};

function drawOverview() {
  const number = (value, label) => element('div', { class: 'fact' }, element('strong', {}, whole(value)), element('span', {}, label));
  const withStatus = (...names) => data.statuses.filter(entry => names.includes(entry.status)).reduce((sum, entry) => sum + entry.count, 0);
  const without = withStatus('no_image'), scored = withStatus('ok', 'too_small', 'partial'), images = data.images - without;
  document.title = `${data.dataset} – Pristine report`;
  into('overview',
    element('p', { class: 'brand' }, 'Pristine report'),
    element('h1', {}, data.dataset),
    element('div', { class: 'facts' },
      number(data.all.items, data.all.items === 1 ? 'item' : 'items'),
      images > 0 && (data.severalImages || without > 0) ? number(images, 'images') : null,
      images > 0 || without === 0 ? [number(scored, 'scored'), number(images - scored, 'not scored')] : null),
    element('p', { class: 'hint' }, images > 0 || without === 0 ? 'Every image was scored once by metrics that need no reference image.' : 'No item has an image: every text was measured once.', ' This page shows what a threshold on a metric would keep and drop, before anything is touched.'),
    data.incomplete ? element('p', { class: 'warning' }, `The table is not complete: ${data.incomplete}.`) : '',
    data.unknownMetrics ? element('p', { class: 'warning' }, `About this table: ${data.unknownMetrics}.`) : '');
}

function drawFailures() {
  const reasonLine = (reason, text) => element('tr', { class: 'reason' }, element('td'), element('td', { class: 'number' }, whole(reason.count)),
    element('td', {}, text, element('span', { class: 'example' }, `${reason.count === 1 ? '' : 'first: '}${reason.example}`)));
  const line = (name, count, text) => element('tr', {}, element('th', { scope: 'row' }, element('code', {}, name)), element('td', { class: 'number' }, whole(count)), element('td', {}, text));
  const lines = data.statuses.map(({ status, count }) => {
    const reasons = data.reasons.filter(reason => reason.status === status);
    return [line(status, count, statusMeaning[status] ?? ''), reasons.map(reason => reasonLine(reason, reason.error || 'no reason given'))];
  });
  const skipped = data.metrics.map((metric, i) => data.skipped.filter(reason => reason.metric === i)).filter(reasons => reasons.length > 0)
    .map(reasons => [
      line('skipped', reasons[0].all, `no ${nameOf(reasons[0].metric)}: a cheaper metric had decided`),
      reasons.map(reason => reasonLine(reason, reason.rule)),
    ]);
  const failed = data.statuses.some(entry => entry.status !== 'ok' && entry.status !== 'no_image');
  into('failures',
    title('failures', skipped.length > 0 ? 'What could not be scored, or was skipped' : 'What could not be scored',
      failed || skipped.length > 0 ? 'Images by status, with the most frequent reasons. An image without a score is dropped by every rule about it.' : 'Every image was scored.'),
    element('div', { class: 'card scroll' }, element('table', { class: 'reasons' },
      element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, 'status'), element('th', { scope: 'col', class: 'number' }, 'images'), element('th', { scope: 'col' }, 'what it means'))),
      element('tbody', {}, lines, skipped))));
}

function drawProvenance() {
  const line = (name, value) => [element('dt', {}, name), element('dd', {}, value)];
  into('provenance',
    title('provenance', 'Where the numbers come from'),
    element('div', { class: 'card' },
      element('dl', { class: 'wide' },
        line('Score table', data.table), line('Dataset', data.datasetPath), line('Images', data.imageRoot),
        line('Report by', data.program), data.decoders.map(decoder => line('Decoder', decoder))),
      data.provenance.length > 0 ? element('div', { class: 'scroll' }, element('table', {},
        element('thead', {}, element('tr', {}, ...['metric', 'version', 'by', 'model (SHA-256)', 'defined by'].map(text => element('th', { scope: 'col' }, text)))),
        element('tbody', {}, data.provenance.map(column => element('tr', {},
          element('th', { scope: 'row' }, column.metric), element('td', {}, column.version), element('td', {}, column.program),
          element('td', {}, column.model ? element('code', { title: column.model }, column.model.slice(0, 12)) : 'none'),
          element('td', { class: 'citation' }, column.citation)))))) : ''));
}
