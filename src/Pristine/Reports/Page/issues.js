// What is wrong with the images and the texts of records, issue by issue, with the rule behind each.

function drawIssues() {
  const found = data.issues.filter(issue => issue.count > 0).sort((left, right) => right.count - left.count);
  const absent = data.issues.filter(issue => issue.count === 0 && issue.obstacle == null).map(issue => issue.name);
  const blind = data.issues.filter(issue => issue.obstacle != null);
  const chosen = new Set(found.map(issue => issue.name));
  const command = copyable(() => {
    const names = found.filter(issue => chosen.has(issue.name));
    return names.length === 0 ? `pristine check ${shellWord(data.table)}`
      : `pristine select ${shellWord(data.table)} --drop-issue ${names.map(issue => issue.name).join(',')}${names.filter(issue => issue.set).map(issue => ` --set ${issue.set}`).join('')}`;
  });
  const judge = issue => {
    const metric = data.metrics.findIndex(candidate => candidate.name === issue.metric && candidate.count > 0);
    return metric < 0 ? null : element('button', { type: 'button', class: 'plain', onclick: () => {
      state.change({ metric, threshold: { isAtMost: issue.isAtMost, position: scales[metric].nearest(issue.threshold) } });
      section('threshold').scrollIntoView({ block: 'start' });
    } }, 'Try other thresholds');
  };
  const line = issue => element('div', { class: 'issue' },
    element('h3', {},
      element('label', {},
        element('input', { type: 'checkbox', checked: true, onchange: event => { event.target.checked ? chosen.add(issue.name) : chosen.delete(issue.name); command.update(); } }),
        ` ${issue.name}`),
      element('span', { class: 'end' }, issue.isOfText ? `${counted(issue.count, 'text')}, ${percent(issue.count, data.texts)}`
        : `${counted(issue.count, 'image')}, ${percent(issue.count, data.present)}`)),
    element('p', {}, issue.summary),
    issue.places.length > 0 ? tiles(issue.places, data.metrics.map((metric, i) => i).filter(i => data.metrics[i].name === issue.metric)) : null,
    issue.records.length > 0 ? element('p', { class: 'records' }, issue.records.flatMap((record, i) => [
      i > 0 ? ', ' : null, element('span', {}, record.id), record.value == null ? null : ` (${shown(record.value)})`]),
    issue.count > issue.records.length ? `, and ${whole(issue.count - issue.records.length)} more` : null) : null,
    element('p', { class: 'hint' }, element('code', {}, issue.rule == null ? `--dedup ${issue.dedup}` : issue.rule), ` ${issue.reason} `, judge(issue)));
  const all = data.texts === 0 || data.withoutImage === 0 ? counted(data.present, 'image')
    : data.present === 0 ? counted(data.withoutImage, 'record')
    : `${counted(data.present, 'image')} and ${counted(data.withoutImage, 'record')} without an image`;
  into('issues',
    title('issues', 'What is wrong', `${whole(data.withIssue)} of ${all} have at least one of the issues that are looked for.`),
    element('div', { class: 'card' },
      found.map(line),
      absent.length > 0 ? element('p', { class: 'hint' }, `Looked for and not found: ${absent.join(', ')}.`) : null,
      blind.length > 0 ? element('p', { class: 'hint' }, `Not looked for, because the table lacks their scores: ${blind.map(issue => issue.name).join(', ')}. `,
        element('code', {}, `pristine check ${shellWord(data.dataset)} --scores ${shellWord(data.table)}`), ' adds them.') : null,
      data.issues.filter(issue => issue.others != null).map(issue => element('p', { class: 'hint' },
        `Not judged for ${issue.name}: ${counted(issue.outOfScope, 'image')} ${issue.others}.`)),
      found.length > 0 ? element('p', { class: 'next' }, `Keep the ${data.present === 0 ? 'records' : 'images'} without the issues that are ticked:`) : null,
      found.length > 0 ? command.node : null));
}
