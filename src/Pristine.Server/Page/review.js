'use strict';
// Texts of the dataset enter the page as text nodes and attribute values only, never as HTML.
const at = id => document.getElementById(id);

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter(child => child != null));
  return node;
}

const whole = number => number.toLocaleString('en-US');
const counted = (number, one, many = `${one}s`) => `${whole(number)} ${number === 1 ? one : many}`;

function shown(value) {
  if (value == null) return '–';
  if (typeof value !== 'number') return String(value);
  if (Number.isInteger(value)) return Math.abs(value) < 10000 ? String(value) : whole(value);
  return Math.abs(value) >= 10000 ? whole(Math.round(value)) : String(Number(value.toPrecision(4)));
}

async function request(path, body, signal) {
  let response;
  try {
    response = await fetch(path, body === undefined ? {} : {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), signal,
    });
  } catch (error) {
    throw error.name === 'AbortError' ? error : new Error("The server does not answer. Does 'pristine serve' still run?");
  }
  if (!response.ok) throw new Error((await response.json()).error);
  return response;
}

const ask = async (path, body) => (await request(path, body)).json();

// What is looked at stands in the address, so that a reload and a bookmark show it again.
const state = Object.assign({ rules: [], show: 'all', order: '', descending: false, index: null, what: 'kept', format: '' }, stored());
let table, items = [], next = null, chosen = -1, asked = 0;

function stored() {
  try {
    return JSON.parse(decodeURIComponent(location.hash.slice(1)) || '{}');
  } catch {
    return {};
  }
}

function store() {
  history.replaceState(null, '', `#${encodeURIComponent(JSON.stringify(state))}`);
}

// Decisions that can be undone, also after a reload of this tab.
const undoable = () => JSON.parse(sessionStorage.getItem('pristine-undo') ?? '[]');
const setUndoable = list => sessionStorage.setItem('pristine-undo', JSON.stringify(list.slice(-500)));

function fault(error) {
  at('fault').hidden = !error;
  at('fault').textContent = error ? error.message : '';
}

const say = text => { at('said').textContent = text; };

// Rules

const selection = () => ({ keep: state.rules.map(rule => rule.trim()).filter(rule => rule.length > 0) });

function quoted(word) {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function drawRules(focus = -1) {
  at('rules').replaceChildren(...state.rules.map((rule, i) => element('div', { class: 'rule' },
    element('input', {
      type: 'text', value: rule, 'aria-label': `Rule ${i + 1}`, 'aria-describedby': `alone-${i}`, spellcheck: 'false', autocomplete: 'off', maxlength: 4000,
      oninput: event => { state.rules[i] = event.target.value; later(); },
      onchange: () => now(),
    }),
    element('span', { class: 'alone', id: `alone-${i}` }),
    element('button', { type: 'button', class: 'plain', 'aria-label': `Remove rule ${i + 1}`, onclick: () => removeRule(i) }, 'Remove'))));
  if (focus >= 0) at('rules').children[focus]?.querySelector('input').focus();
}

function removeRule(i) {
  state.rules.splice(i, 1);
  if (state.rules.length === 0) state.rules.push('');
  drawRules(Math.min(i, state.rules.length - 1));
  now();
}

let timer = 0, last = '';
function later() {
  clearTimeout(timer);
  timer = setTimeout(now, 350);
}

function now() {
  clearTimeout(timer);
  store();
  const wanted = JSON.stringify(selection());
  if (wanted === last) return;
  last = wanted;
  refresh();
}

async function refresh() {
  await Promise.all([count(), load(false)]);
}

async function count() {
  const turn = ++asked;
  try {
    const counts = await ask('/select', selection());
    if (turn !== asked) return;
    fault(null);
    const kept = counts.kept_with_overrides;
    at('kept-count').textContent = whole(kept);
    at('dropped-count').textContent = whole(counts.items - kept);
    at('hand-count').textContent = whole(counts.overrides);
    at('bar').style.width = counts.items === 0 ? '0' : `${100 * kept / counts.items}%`;
    let rule = 0;
    state.rules.forEach((text, i) => {
      const found = text.trim().length > 0 ? counts.joint.rules[rule++] : null;
      at(`alone-${i}`).textContent = found ? `drops ${whole(found.drops_alone)}, only it ${whole(found.drops_only)}` : '';
    });
    at('command').textContent = ['pristine select', quoted(table.table), ...selection().keep.map(text => `--keep ${quoted(text)}`),
      counts.overrides > 0 ? `--overrides ${quoted(table.overrides)}` : null].filter(part => part).join(' ');
  } catch (error) {
    if (turn === asked) fault(error);
  }
}

// Items

let loading = 0;
async function load(isMore) {
  const turn = ++loading;
  try {
    const page = await ask('/items', {
      ...selection(), show: state.show, size: 60, order: state.order || null, descending: state.descending, after: isMore ? next : null,
    });
    if (turn !== loading) return;
    items = isMore ? items.concat(page.items) : page.items;
    next = page.next;
    if (!isMore) {
      chosen = items.findIndex(item => item.index === state.index);
      if (chosen < 0 && items.length > 0) chosen = 0;
    }
    drawItems();
  } catch (error) {
    if (turn === loading) fault(error);
  }
}

// Of the others the server has no picture.
const isPicture = image => image?.image && ['ok', 'too_small', 'partial'].includes(image.status);

const word = item => item.kept ? 'kept' : 'dropped';

function tile(item, i) {
  const image = item.images[0];
  const value = state.order && image ? shown(image[state.order]) : '';
  return element('li', {
    role: 'option', id: `item-${item.index}`, class: word(item), 'aria-selected': String(i === chosen), onclick: () => choose(i),
  },
  element('span', { class: 'frame' }, isPicture(image)
    ? element('img', { src: `/thumb?key=${image.key}`, alt: '', loading: 'lazy', onerror: event => event.target.replaceWith(element('span', { class: 'absent' }, image.status)) })
    : element('span', { class: 'absent' }, image?.image ? image.status : 'no image')),
  element('span', { class: 'caption' }, element('b', { class: `mark-${word(item)}` }, word(item), item.override ? element('span', { title: 'by hand' }, ' ✎', element('span', { class: 'unseen' }, ' by hand')) : null), element('span', {}, value)),
  element('span', { class: 'name', title: item.id }, item.id));
}

function drawItems() {
  at('items').replaceChildren(...items.map(tile));
  at('empty').hidden = items.length > 0;
  at('items').hidden = items.length === 0;
  at('more').hidden = next == null;
  drawChosen();
}

function drawChosen() {
  const item = items[chosen];
  state.index = item?.index ?? null;
  store();
  for (const [i, node] of [...at('items').children].entries()) node.setAttribute('aria-selected', String(i === chosen));
  if (item) {
    at('items').setAttribute('aria-activedescendant', `item-${item.index}`);
    at(`item-${item.index}`).scrollIntoView({ block: 'nearest' });
  } else {
    at('items').removeAttribute('aria-activedescendant');
  }
  drawDetail(item);
}

function choose(i) {
  if (i < 0 || i >= items.length) return;
  chosen = i;
  drawChosen();
  say(`${items[i].id}, ${word(items[i])}`);
}

async function step(by) {
  if (chosen + by >= items.length && next != null) await load(true);
  choose(chosen + by);
}

function drawDetail(item) {
  if (!item) {
    at('detail').replaceChildren(element('p', { class: 'hint' }, 'No item.'));
    return;
  }
  const said = item.override;
  const decide = (text, keep, key) => element('button', {
    type: 'button', 'aria-pressed': String(said != null && said.keep === keep), onclick: () => override(item, said?.keep === keep ? null : keep),
  }, text);
  const metrics = table.columns.filter(column => column.metric);
  const names = [...metrics.map(column => column.name), 'width', 'height', 'format', 'bytes', 'status', 'error'];
  at('detail').replaceChildren(
    element('h3', { id: 'detail-title' }, item.id),
    element('p', { class: 'hint', id: 'reason' }, said
      ? `${item.kept ? 'Kept' : 'Dropped'} by hand${said.by ? ` by ${said.by}` : ''}. By the rules: ${item.reason}.` : `${item.kept ? 'Kept' : 'Dropped'}: ${item.reason}.`),
    element('div', { class: 'decide' }, decide('Keep', true), decide('Drop', false),
      element('button', { type: 'button', id: 'undo', disabled: undoable().length === 0, onclick: undo }, 'Undo')),
    ...item.images.map(image => [
      isPicture(image) ? element('div', { class: 'pixels', tabindex: 0, role: 'region', 'aria-label': `Image ${image.image}, pixel by pixel` },
        element('img', { src: `/image?key=${image.key}`, alt: item.id, onerror: event => event.target.replaceWith(element('p', { class: 'unshown' }, `No picture: ${image.status}`)) })) : null,
      element('table', { class: 'scores' }, element('caption', { class: 'unseen' }, `Scores of ${image.image ?? item.id}`),
        element('tbody', {}, names.filter(name => image[name] != null).map(name =>
          element('tr', {}, element('th', { scope: 'row' }, name), element('td', { class: typeof image[name] === 'number' ? 'number' : '' }, shown(image[name])))))),
    ]).flat().filter(node => node != null));
}

// Overrides: shown only when the server has them on its disk.

let deciding = Promise.resolve();
function override(item, keep, isUndo = false) {
  deciding = deciding.then(async () => {
    try {
      const answer = await ask('/overrides', { index: item.index, id: item.id, keep });
      if (!isUndo) setUndoable([...undoable(), { index: item.index, id: item.id, before: answer.before }]);
      const known = items.find(other => other.index === item.index);
      if (known) {
        known.override = answer.override;
        known.kept = answer.override ? answer.override.keep : known.kept_by_rules;
        const place = items.indexOf(known);
        at('items').replaceChild(tile(known, place), at('items').children[place]);
        drawChosen();
      }
      say(`${item.id}: ${keep == null ? 'as the rules say' : keep ? 'kept by hand' : 'dropped by hand'}`);
      await count();
    } catch (error) {
      fault(error);
    }
  });
  return deciding;
}

async function undo() {
  const list = undoable();
  const item = list.pop();
  if (!item) return say('Nothing to undo');
  setUndoable(list);
  await override(item, item.before, true);
  const place = items.findIndex(other => other.index === item.index);
  if (place >= 0) choose(place);
}

function toggle() {
  const item = items[chosen];
  if (item) override(item, item.override ? null : !item.kept);
}

// Export: the server makes the file of the rules as they are and of what it has on its disk of the decisions.

const formatTexts = { '.txt': 'a list of paths', '.jsonl': 'JSON lines', '.csv': 'CSV', '.parquet': 'Parquet', '.tar': 'tar' };
const formatText = (extension, isOwn) => `${isOwn ? "the dataset's own format" : formatTexts[extension]} (${extension})`;
let exports = { kept: [], ledger: [] };

// Sets a list to what the address says, and that to the list where it has no such value.
function choice(id) {
  at(id).value = state[id];
  if (at(id).selectedIndex < 0) at(id).selectedIndex = 0;
  state[id] = at(id).value;
}

function drawFormats() {
  const formats = state.what === 'kept'
    ? exports.kept.map(({ format, extension }) => [format ?? '', formatText(extension, format == null && extension !== '.txt')])
    : exports.ledger.map(format => [format, formatText(`.${format}`)]);
  at('format').replaceChildren(...formats.map(([value, text]) => element('option', { value }, text)));
  choice('format');
}

const size = bytes => bytes < 1e6 ? `${whole(Math.ceil(bytes / 1e3))} KB` : `${(bytes / 1e6).toFixed(1)} MB`;

let exporting = null, exported = null;
async function exportItems() {
  if (exporting) return exporting.abort();
  exporting = new AbortController();
  at('export').textContent = 'Stop';
  at('exported').replaceChildren('The file is being made …');
  try {
    await deciding;
    const response = await request('/export', {
      ...selection(), what: state.what === 'kept' ? 'kept' : 'ledger', format: state.format || null, dropped_only: state.what === 'dropped',
    }, exporting.signal);
    const name = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition'))[1];
    const file = await response.blob();
    if (exported) URL.revokeObjectURL(exported);
    exported = URL.createObjectURL(file);
    const link = element('a', { href: exported, download: name }, name);
    const [count, leftOut] = ['Pristine-Items', 'Pristine-Left-Out'].map(header => Number(response.headers.get(header)));
    at('exported').replaceChildren(link, `, ${counted(count - leftOut, 'item')}, ${size(file.size)}, is where this browser puts downloads.`,
      leftOut > 0 ? ` It lacks ${counted(leftOut, 'kept item')} of which an image cannot be read.` : '');
    link.click();
  } catch (error) {
    at('exported').replaceChildren(error.name === 'AbortError' ? 'Stopped; there is no file.' : `There is no file: ${error.message}`);
  } finally {
    exporting = null;
    at('export').textContent = 'Export';
  }
}

const keys = { j: () => step(1), k: () => step(-1), x: toggle, u: undo, e: () => at('what').focus(), '/': () => at('rules').querySelector('input').focus() };
document.addEventListener('keydown', event => {
  const isTyping = event.target.matches('input[type=text], select, textarea');
  if (event.key === 'Escape' && isTyping) {
    at('items').focus();
    return;
  }
  if (isTyping || event.altKey || event.metaKey) return;
  const isUndo = event.ctrlKey && event.key === 'z';
  if (event.ctrlKey && !isUndo) return;
  const inList = event.target === at('items');
  const act = isUndo ? undo : keys[event.key]
    ?? (inList ? { ArrowRight: () => step(1), ArrowDown: () => step(1), ArrowLeft: () => step(-1), ArrowUp: () => step(-1) }[event.key] : null);
  if (!act) return;
  event.preventDefault();
  act();
});

at('add').addEventListener('click', () => { state.rules.push(''); drawRules(state.rules.length - 1); });
at('more').addEventListener('click', () => load(true));
at('what').addEventListener('change', event => { state.what = event.target.value; drawFormats(); store(); });
at('format').addEventListener('change', event => { state.format = event.target.value; store(); });
at('export').addEventListener('click', exportItems);
for (const [id, key] of [['show', 'value'], ['order', 'value'], ['descending', 'checked']])
  at(id).addEventListener('change', event => { state[id] = event.target[key]; store(); load(false); });

async function start() {
  table = await ask('/table');
  at('title').textContent = table.dataset;
  document.title = `${table.dataset} – Pristine`;
  at('about').textContent = `${counted(table.images, 'row')} in ${table.table}${table.incomplete ? ` (${table.incomplete})` : ''}`;
  const numbers = table.columns.filter(column => column.metric || ['width', 'height', 'bytes'].includes(column.name));
  at('order').append(...numbers.map(column => element('option', { value: column.name }, column.name)));
  if (state.rules.length === 0) state.rules.push('');
  ['show', 'order', 'what'].forEach(choice);
  at('descending').checked = state.descending;
  drawRules();
  last = JSON.stringify(selection());
  await refresh();
  exports = await ask('/export');
  drawFormats();
}
start().catch(fault);
