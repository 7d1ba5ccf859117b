// Tables, and names with their values.

function scoreCell(value) {
  if (value === null) return ['–'];
  const bar = make('span', { class: 'bar', 'aria-hidden': 'true' }, make('span'));
  bar.firstChild.style.width = `${Math.max(0, Math.min(1, value)) * 100}%`;
  return [value.toFixed(3), bar];
}

function tableRow(block, row, index) {
  const role = block.roles[index];
  const cells = row.map((value, column) => {
    const isScore = block.scores.includes(column);
    const attributes = { role: 'cell', 'data-column': block.columns[column], class: typeof value === 'string' ? null : 'number' };
    return make('td', attributes, ...(isScore ? scoreCell(value) : [shownCell(value)]));
  });
  if (role) {
    const sign = `${header.roles[role].sign} ${role}`;
    cells.unshift(make('td', { role: 'cell', class: `sign ${role}`, 'data-column': '' }, sign));
  }
  return make('tr', { role: 'row', class: role ?? null }, ...cells);
}

function drawTable(block) {
  const columns = block.roles.length ? ['', ...block.columns] : block.columns;
  const titles = columns.map((name) => make('th', { scope: 'col', role: 'columnheader' }, quoted(name)));
  return make(
    'table',
    { role: 'table' },
    make('caption', {}, block.heading),
    make('thead', { role: 'rowgroup' }, make('tr', { role: 'row' }, ...titles)),
    make('tbody', { role: 'rowgroup' }, ...block.rows.map((row, index) => tableRow(block, row, index))),
  );
}

function drawFacts(block) {
  const rows = block.rows.flatMap(([name, value]) => {
    const shown = block.is_code ? make('code', {}, shownCell(value)) : shownCell(value);
    return [make('dt', {}, quoted(name)), make('dd', {}, shown)];
  });
  return make('section', { class: 'facts' }, ...heading(block.heading), make('dl', {}, ...rows));
}

function drawWords(block) {
  const words = block.words.map((word, index) => make('li', { class: block.roles[index] ?? null }, quoted(word)));
  return make('section', {}, ...heading(block.heading), make('ol', { class: 'words', lang: 'zh' }, ...words));
}
