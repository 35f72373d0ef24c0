// Several rules at once: what they keep together.

function slots(text) {
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  return new Uint16Array(bytes.buffer);
}

const joint = { none: 65535, atMost: [], atLeast: [], withoutImage: null };

function passes(rule, item) {
  const side = rule.threshold.isAtMost ? 'atMost' : 'atLeast';
  const place = (joint[side][rule.metric] ??= slots(data.joint[side][rule.metric]))[item];
  return place !== joint.none && (rule.threshold.isAtMost ? place <= rule.threshold.position : place > rule.threshold.position);
}

// How many items pass all rules; of a large table estimated from items spread evenly over it.
function keptTogether(rules) {
  joint.withoutImage ??= Uint8Array.from(atob(data.joint.withoutImage), letter => letter.charCodeAt(0));
  let kept = 0;
  for (let item = 0; item < data.joint.items; item++)
    if (joint.withoutImage[item] === 1 || rules.every(rule => passes(rule, item))) kept++;
  return data.joint.isWhole ? kept : Math.round(kept / Math.max(1, data.joint.items) * data.all.items);
}

function together() {
  const list = element('div', { class: 'rules' }), count = element('p', { id: 'together-count' });
  const command = copyable(() => ['pristine select', shellWord(data.table), ...state.rules.map(rule => `--keep ${shellWord(ruleOf(rule.metric, rule.threshold))}`)].join(' '));
  command.code.id = 'together-command';
  const box = element('div', { class: 'together', hidden: true }, element('h4', {}, 'Rules together'), list, count, command.node);
  const add = element('button', { type: 'button', id: 'add-rule', class: 'plain', onclick: () => {
    const kept = state.rules.filter(rule => rule.metric !== state.metric || rule.threshold.isAtMost !== state.threshold.isAtMost);
    state.change({ rules: [...kept, { metric: state.metric, threshold: { ...state.threshold } }] });
  } }, 'Add this rule to others');
  const update = () => {
    box.hidden = state.rules.length === 0;
    if (box.hidden) return;
    list.replaceChildren(...state.rules.map(rule => element('span', { class: 'rule' }, element('code', {}, ruleOf(rule.metric, rule.threshold)),
      element('button', { type: 'button', 'aria-label': `Remove ${ruleOf(rule.metric, rule.threshold)}`, onclick: () => state.change({ rules: state.rules.filter(other => other !== rule) }) }, '✕'))));
    const kept = keptTogether(state.rules), about = data.joint.isWhole ? '' : 'about ';
    count.textContent = `${about}${whole(kept)} of ${counted(data.all.items, 'item')} kept (${percent(kept, data.all.items)}), ${about}${whole(data.all.items - kept)} dropped.`;
    command.update();
  };
  let drawn = null;
  state.listeners.push(() => { if (drawn !== state.rules) update(); drawn = state.rules; });
  update();
  return [add, box];
}
