// Images that are duplicates of each other: of each group which one stays, and why.

function drawDuplicates() {
  const found = data.duplicates;
  const exactHint = found.hasHash ? '' : ' Only files with the same bytes are found: the table has no perceptual hashes, which --metrics phash adds.';
  if (found.groupCount === 0) {
    into('duplicates', title('duplicates', 'Duplicates', `None: there are no ${found.description}.${exactHint}`));
    return;
  }
  const rated = metrics.filter(metric => data.metrics[metric].direction !== 'none');
  // Sharpness would prefer noise.
  let best = metrics.find(metric => nameOf(metric) === 'brisque') ?? -1;
  const byLargest = metrics.filter(metric => ['pixels', 'bytes', 'min_side'].includes(nameOf(metric)) && !rated.includes(metric));
  const command = copyable(() =>
    `pristine select ${shellWord(data.table)} --dedup ${found.dedup}${best < 0 ? '' : ` --keep-best ${shellWord(nameOf(best))}`}`);
  // As the selection does it: the best value, a missing one is worst; of equals the first.
  const staying = group => {
    if (best < 0) return 0;
    const sign = data.metrics[best].direction === 'lower' ? 1 : -1;
    const value = place => data.pictures[place].values[best] ?? sign * Infinity;
    return group.places.reduce((chosen, place, i) => sign * value(place) < sign * value(group.places[chosen]) ? i : chosen, 0);
  };
  const reason = (group, stays) => best < 0 ? 'the first in the dataset'
    : `${nameOf(best)} ${shown(data.pictures[group.places[stays]].values[best])}, the ${data.metrics[best].direction === 'lower' ? 'lowest' : 'highest'}${group.copies > group.places.length ? ` of the ${group.places.length} shown` : ''}`;
  const apart = (group, i) => group.distances[i] == null ? null
    : i === 0 ? 'first' : `${group.distances[i]} ${group.distances[i] === 1 ? 'bit' : 'bits'} apart`;
  const list = element('div', { class: 'groups' });
  const draw = () => list.replaceChildren(...found.groups.map(group => {
    const stays = staying(group);
    const images = group.places.map((place, i) => {
      const node = tile(place, best < 0 ? [] : [best]);
      const mark = i === stays ? 'stays' : 'dropped';
      node.classList.add(mark);
      node.append(element('span', { class: 'mark' }, mark), apart(group, i) == null ? '' : element('span', { class: 'name' }, apart(group, i)));
      return node;
    });
    return element('div', { class: 'group' },
      element('h3', {}, counted(group.copies, 'image'), element('span', { class: 'end' },
        group.copies > group.places.length ? `the first ${group.places.length} are shown` : '')),
      element('p', { class: 'hint' }, `Stays: ${fileName(data.pictures[group.places[stays]].image)}, because it is ${best < 0 ? '' : 'the best: '}${reason(group, stays)}.`),
      element('div', { class: 'tiles' }, images));
  }));
  const options = [[-1, 'the first'], ...rated.concat(byLargest).map(metric => [metric, `the best by ${nameOf(metric)}`])];
  const pick = element('p', { class: 'pick' }, 'Of each group keep ',
    select('Which of several duplicates stays', options, best, value => { best = Number(value); draw(); command.update(); }));
  draw();
  into('duplicates',
    title('duplicates', 'Duplicates', `${counted(found.surplus, 'image')} more than needed, in ${counted(found.groupCount, 'group')} of ${found.description}.${exactHint}`),
    element('div', { class: 'card' }, pick, list,
      found.groupCount > found.groups.length ? element('p', { class: 'hint' }, found.groups.length === 0 ? 'No group is shown.' : `The ${found.groups.length} largest groups are shown. `,
        element('code', {}, `pristine duplicates ${shellWord(data.table)} --by ${found.dedup}`), ' lists them all.') : null,
      element('p', { class: 'next' }, 'Keep one of each group:'), command.node));
}
