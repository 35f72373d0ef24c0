// What is looked at stands behind the # of the page's address, so that a link leads to it: metric, side, threshold, axis, rules that are joined.

const address = new URLSearchParams(location.hash.slice(1));

// Metrics by name, thresholds by value: a report that is made again may have other positions.
const ruleText = (metric, threshold) => `${nameOf(metric)} ${threshold.isAtMost ? 'max' : 'min'} ${valueOf(metric, threshold)}`;

function readRule(text) {
  const parts = /^(.+) (max|min) (\S+)$/.exec(text ?? '');
  if (parts == null) return null;
  const metric = metrics.find(candidate => nameOf(candidate) === parts[1]), value = Number(parts[3]);
  return metric === undefined || Number.isNaN(value) ? null : { metric, threshold: { isAtMost: parts[2] === 'max', position: scales[metric].nearest(value) } };
}

function readAddress() {
  const shownRule = readRule(address.get('show'));
  if (shownRule != null) {
    state.metric = shownRule.metric;
    Object.assign(state.threshold, shownRule.threshold);
  }
  state.axis = address.get('axis') === 'rank' ? 'rank' : 'value';
  state.rules = address.getAll('rule').map(readRule).filter(rule => rule != null);
}

// When the hand rests: browsers refuse an address that changes too often.
let addressTimer;
function writeAddress() {
  clearTimeout(addressTimer);
  addressTimer = setTimeout(writeAddressNow, 200);
}

function writeAddressNow() {
  const written = new URLSearchParams();
  written.set('show', ruleText(state.metric, state.threshold));
  if (state.axis === 'rank') written.set('axis', 'rank');
  for (const rule of state.rules) written.append('rule', ruleText(rule.metric, rule.threshold));
  history.replaceState(null, '', `#${written}`);
}
