// The possible words of a text below its characters: first those of the best cut, then the others, each with its weight.

const CELL = { width: 42, text: 26, height: 40, gap: 3 }; // CSS pixels

// The places where rows may end: no word goes over them.
function openPlaces(count, edges) {
  const isOpen = new Array(count + 1).fill(true);
  for (const edge of edges) isOpen.fill(false, edge.start + 1, edge.end);
  return isOpen.flatMap((open, place) => (open ? [place] : []));
}

function latticeRows(count, edges, most) {
  const rows = [];
  let start = 0;
  for (const place of [...openPlaces(count, edges).filter((one) => one > 0), count]) {
    const last = rows[rows.length - 1];
    if (last && place - start <= most) last.end = place;
    else if (!last || place > last.end) {
      start = last ? last.end : 0;
      rows.push({ start, end: place });
    }
  }
  return rows;
}

function shownWeight(edge) {
  return edge.weight === null ? 'kept' : edge.weight.toFixed(2).replace('-', '−');
}

function drawEdge(edge, x, y) {
  const width = (edge.end - edge.start) * CELL.width - CELL.gap;
  const word = visible(edge.word);
  return svg(
    'g',
    { class: `edge ${edge.is_chosen ? 'chosen' : ''} ${edge.source.replace(/\W/g, '')}` },
    svg('title', {}, `${word}: ${shownWeight(edge)} (${visible(edge.source)}${edge.is_chosen ? ', in the best cut' : ''})`),
    svg('rect', { x, y, width, height: CELL.height - CELL.gap, rx: 5 }),
    svg('text', { x: x + width / 2, y: y + 16 }, shortened(word, width, 15)),
    svg('text', { x: x + width / 2, y: y + 31, class: 'weight' }, shownWeight(edge)),
  );
}

function latticeRow(row, shown, edges) {
  const here = edges.filter((edge) => edge.start >= row.start && edge.end <= row.end && edge.end > edge.start);
  const boxes = here.map((edge) => ({ edge, left: edge.start, right: edge.end }));
  boxes.sort((one, other) => other.edge.is_chosen - one.edge.is_chosen || one.right - one.left - (other.right - other.left) || one.left - other.left);
  const chosen = boxes.filter((box) => box.edge.is_chosen);
  const first = stack(chosen, 0);
  const others = boxes.filter((box) => !box.edge.is_chosen);
  const levels = first + stack(others, 0);
  for (const box of others) box.level += first;
  const width = (row.end - row.start) * CELL.width;
  const height = CELL.text + levels * CELL.height;
  const glyphsShown = shown.slice(row.start, row.end).map((glyph, i) => svg('text', { x: (i + 0.5) * CELL.width, y: 18, class: 'character' }, glyph));
  const drawn = boxes.map((box) => drawEdge(box.edge, (box.left - row.start) * CELL.width, CELL.text + box.level * CELL.height));
  return svg('svg', { viewBox: `0 0 ${width} ${height}`, width, height, class: 'lattice', 'aria-hidden': 'true' }, ...glyphsShown, ...drawn);
}

function drawLattice(block) {
  const shown = glyphs(block.text);
  const total = block.edges.filter((edge) => edge.is_chosen).reduce((sum, edge) => sum + (edge.weight ?? 0), 0);
  const rows = block.edges.map((edge) => [edge.start, edge.end, edge.word, shownWeight(edge), edge.source, edge.is_chosen ? '✓' : '']);
  const columns = ['start', 'end', 'word', 'weight', 'source', 'in the best cut'];
  const table = drawTable({ heading: 'Lattice', columns, rows, roles: [], scores: [] });
  const draw = (width) =>
    make('div', { class: 'scroll' }, ...latticeRows(shown.length, block.edges, Math.floor(width / CELL.width)).map((row) => latticeRow(row, shown, block.edges)));
  return make(
    'section',
    {},
    ...heading('Lattice'),
    make('p', { class: 'note' }, `Filled: the best cut, whose weights add up to ${total.toFixed(2).replace('-', '−')}. Below: what else was possible. Weights in nats.`),
    picture(draw),
    make('details', {}, make('summary', {}, 'Lattice as a table'), table),
  );
}
