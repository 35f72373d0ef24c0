// What the threshold does to each source, folder, format and size.

function drawBreakdown() {
  if (data.groupings.length === 0) {
    section('breakdown').hidden = true;
    return;
  }
  let chosen = 0;
  const body = element('tbody'), head = element('th', { scope: 'col' });
  const labelOf = (grouping, i) => {
    const { groups, others } = data.groupings[grouping];
    if (others > 0 && i === groups.length - 1) return [`${counted(others, 'other')}`, true];
    return groups[i].label === '' ? ['none or unknown', true] : [groups[i].label, false];
  };
  let rows = [];
  const update = () => {
    for (const { group, bar, kept, dropped } of rows) {
      const found = verdict(group, state.metric, state.threshold);
      bar.style.width = `${100 * found.kept / Math.max(1, found.items)}%`;
      kept.textContent = percent(found.kept, found.items);
      dropped.textContent = whole(found.dropped);
    }
  };
  const show = () => {
    head.textContent = data.groupings[chosen].name;
    rows = data.groupings[chosen].groups.map((group, i) => {
      const [label, isOurs] = labelOf(chosen, i);
      const bar = element('div', { class: 'kept' }), kept = element('td', { class: 'number' }), dropped = element('td', { class: 'number' });
      return { group, bar, kept, dropped, line: element('tr', {},
        element('th', { scope: 'row', class: isOurs ? 'ours' : '' }, label),
        element('td', { class: 'number' }, whole(group.items)),
        element('td', { class: 'wide' }, element('div', { class: 'bar' }, bar)), kept, dropped) };
    });
    body.replaceChildren(...rows.map(entry => entry.line));
    update();
  };
  state.listeners.push(update);
  show();
  into('breakdown',
    title('breakdown', 'Who would lose what', 'The same threshold by group: a group that loses far more than the others may be judged unfairly.'),
    choice('Groups', data.groupings.map((grouping, i) => [i, grouping.name]), 0, value => { chosen = value; show(); }),
    element('div', { class: 'card scroll' }, element('table', {},
      element('thead', {}, element('tr', {}, head, ...['items', 'kept', '', 'dropped'].map((text, i) =>
        i === 1 ? element('th', { scope: 'col', colspan: 2 }, text) : i === 2 ? null : element('th', { scope: 'col', class: 'number' }, text)))),
      body)));
}
