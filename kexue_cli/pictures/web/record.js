// A record: its blocks below a heading with its line, its tasks and whether it is right.

const PAINTERS = {
  text: drawText, table: drawTable, facts: drawFacts, words: drawWords, arcs: drawArcs, lattice: drawLattice,
  structure: drawStructure, curves: drawCurves,
};

function drawRecord(drawing) {
  const title = make('h2', { id: `line-${drawing.line}` }, `Record ${drawing.line}`);
  const tasks = drawing.tasks.map((task) => make('span', { class: 'task' }, header.tasks[task].title));
  const role = drawing.verdict && header.roles[drawing.verdict];
  const verdict = role ? [make('span', { class: `verdict ${drawing.verdict}` }, `${role.sign} ${drawing.verdict}`)] : [];
  const blocks = drawing.blocks.map((block) => PAINTERS[block.type](block));
  const attributes = { tabindex: '0', 'aria-labelledby': title.id, 'data-tasks': drawing.tasks.join(' ') };
  return make('article', attributes, make('div', { class: 'head' }, title, ...tasks, ...verdict), make('div', { class: 'blocks' }, ...blocks));
}
