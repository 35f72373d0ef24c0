// The data, and how elements are made. Texts of the dataset enter the page as text nodes and attribute values only, never as HTML.
const data = JSON.parse(document.getElementById('data').textContent);
const svgNamespace = 'http://www.w3.org/2000/svg';

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter(child => child != null && child !== false));
  return node;
}

const element = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const shape = (tag, attributes = {}, ...children) => fill(document.createElementNS(svgNamespace, tag), attributes, children);
const section = id => document.getElementById(id);
const into = (id, ...children) => fill(section(id), {}, children);

const title = (id, text, hint) => [element('h2', { id: `${id}-title` }, text), hint ? element('p', { class: 'hint' }, hint) : null];

const whole = number => number.toLocaleString('en-US');
const counted = (number, one, many = `${one}s`) => `${whole(number)} ${number === 1 ? one : many}`;

function percent(part, all) {
  if (all === 0) return '–';
  const share = 100 * part / all;
  // 100.0 % only when it is all, 0.0 % only when it is none.
  if (part < all && share > 99.95) return '> 99.9 %';
  if (part > 0 && share < 0.05) return '< 0.1 %';
  return `${share.toFixed(1)} %`;
}

// A value as a person reads it: four digits, whole numbers in full.
function shown(value) {
  if (value == null) return 'no value';
  if (Number.isInteger(value)) return Math.abs(value) < 10000 ? String(value) : whole(value);
  return Math.abs(value) >= 10000 ? whole(Math.round(value)) : String(Number(value.toPrecision(4)));
}

// A row of buttons of which one is chosen; arrow keys move among them, as in every radio group.
function choice(label, options, chosen, choose) {
  const name = `choice-${choice.count = (choice.count ?? 0) + 1}`;
  return element('fieldset', { class: 'choice' }, element('legend', { class: 'unseen' }, label),
    options.map(([value, text]) => element('label', {},
      element('input', { type: 'radio', name, value, checked: value === chosen, onchange: () => choose(value) }), element('span', {}, text))));
}

function select(label, options, chosen, choose) {
  return element('select', { 'aria-label': label, onchange: event => choose(event.target.value) },
    options.map(([value, text]) => element('option', { value, selected: String(value) === String(chosen) }, text)));
}

function copyText(text, node) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Without the clipboard interface: what the user would do by hand.
  getSelection().selectAllChildren(node);
  return document.execCommand('copy') ? Promise.resolve() : Promise.reject(new Error('copy'));
}

// A command line with a button that copies it; `line` gives the text anew whenever update is called.
function copyable(line) {
  const code = element('code', { tabindex: 0 }), said = element('span', { class: 'unseen', role: 'status' });
  const button = element('button', { type: 'button', class: 'copy', onclick: () => {
    const say = text => {
      button.textContent = said.textContent = text;
      setTimeout(() => { button.textContent = 'Copy'; said.textContent = ''; }, 1600);
    };
    copyText(code.textContent, code).then(() => say('Copied'), () => { getSelection().selectAllChildren(code); say('Press Ctrl+C'); });
  } }, 'Copy');
  const update = () => { code.textContent = line(); };
  update();
  return { node: element('div', { class: 'command' }, code, button, said), code, update };
}
