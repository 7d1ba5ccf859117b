// Relations as arcs over a text, which goes over several rows where it is long.

const ARC = { size: 17, line: 26, step: 23, foot: 15, label: 13, gap: 10 }; // CSS pixels

// The part of a span that is widest in one row: {row, left, right}.
function partOf(span, rows) {
  const parts = rows.map((row, index) => {
    const [start, end] = [Math.max(span[0], row.start), Math.min(span[1], row.end)];
    return end > start ? { row: index, left: row.xs[start - row.start], right: row.xs[end - row.start] } : null;
  });
  return parts.filter(Boolean).sort((one, other) => other.right - other.left - (one.right - one.left))[0];
}

// The two ends of each arc; the ends at one span stand side by side.
function arcEnds(arcs, rows) {
  const spans = new Map();
  const drawn = [];
  for (const arc of arcs) {
    const ends = [arc.subject, arc.object].map((span) => ({ span, ...partOf(span, rows) }));
    if (ends.some((end) => end.row === undefined)) continue;
    ends.forEach((end, i) => {
      end.other = ends[1 - i];
      spans.set(String(end.span), [...(spans.get(String(end.span)) ?? []), end]);
    });
    drawn.push({ arc, from: ends[0], to: ends[1] });
  }
  for (const ends of spans.values()) {
    ends.sort((one, other) => one.other.row - other.other.row || one.other.left - other.other.left);
    ends.forEach((end, i) => {
      end.x = end.left + ((end.right - end.left) * (i + 1)) / (ends.length + 1);
    });
  }
  return drawn;
}

// An arc in pieces, one a row. down: the ends that it has in that row.
function arcPieces({ arc, from, to }, width) {
  const [top, bottom] = from.row < to.row || (from.row === to.row && from.x <= to.x) ? [from, to] : [to, from];
  const pieces = [];
  for (let row = top.row; row <= bottom.row; row += 1) {
    const x1 = row === top.row ? top.x : 0;
    const x2 = row === bottom.row ? bottom.x : width;
    const label = shortened([header.roles[arc.role].sign, visible(arc.label)].filter(Boolean).join(' '), width - 8, ARC.label);
    const half = textWidth(label, ARC.label) / 2 + 4;
    const middle = Math.max(half, Math.min(width - half, (x1 + x2) / 2));
    const down = [row === top.row && top, row === bottom.row && bottom].filter(Boolean);
    pieces.push({ arc, row, x1, x2, label, middle, half, down, head: to, left: Math.min(x1, middle - half), right: Math.max(x2, middle + half) });
  }
  return pieces;
}

// The lines of a piece, and its label, which stands before the lines of all others.
function drawArcPiece(one, textTop) {
  const y = textTop - ARC.foot - one.level * ARC.step;
  const lines = [svg('path', { d: `M${one.x1} ${y}H${one.x2}` })];
  for (const end of one.down) {
    lines.push(svg('path', { d: `M${end.x} ${y}V${textTop - 1}` }));
    if (end === one.head) lines.push(svg('path', { class: 'head', d: `M${end.x - 4} ${textTop - 8}h8l-4 8z` }));
  }
  const label = [
    svg('title', {}, `${visible(one.arc.label)}: ${header.roles[one.arc.role].meaning}`),
    svg('rect', { class: 'under', x: one.middle - one.half, y: y - ARC.label / 2 - 2, width: 2 * one.half, height: ARC.label + 4 }),
    svg('text', { x: one.middle, y: y + ARC.label * 0.36, class: 'label' }, one.label),
  ];
  return [lines, label].map((parts) => svg('g', { class: `arc ${one.arc.role}` }, ...parts));
}

// One row of the text, its spans marked, from y downwards.
function drawTextRow(row, shown, spans, y) {
  const inside = spans.flatMap((span) => span).filter((place) => place > row.start && place < row.end);
  const places = [...new Set([row.start, ...inside, row.end])].sort((one, other) => one - other);
  const text = svg('text', { class: 'line', y: y + ARC.line * 0.72 });
  for (let i = 0; i + 1 < places.length; i += 1) {
    text.append(svg('tspan', { x: row.xs[places[i] - row.start] }, shown.slice(places[i], places[i + 1]).join('')));
  }
  const rects = spans.map(([start, end]) => [Math.max(start, row.start), Math.min(end, row.end)]).filter(([start, end]) => end > start);
  return [
    ...rects.map(([start, end]) => {
      const [x, right] = [row.xs[start - row.start], row.xs[end - row.start]];
      return svg('rect', { class: 'span', x: x + 0.5, y, width: right - x - 1, height: ARC.line, rx: 4 });
    }),
    text,
  ];
}

function arcsPicture(block, width) {
  const spans = [...new Map(block.arcs.flatMap((arc) => [arc.subject, arc.object]).map((span) => [String(span), span])).values()];
  const { shown, rows } = breakRows(block.text, width, ARC.size, spans);
  const pieces = arcEnds(block.arcs, rows).flatMap((ends) => arcPieces(ends, width));
  const [texts, lines, labels] = [[], [], []];
  let y = 0;
  rows.forEach((row, index) => {
    const here = pieces.filter((one) => one.row === index).sort((one, other) => one.right - one.left - (other.right - other.left));
    const levels = stack(here, 6);
    y += levels && ARC.foot + ARC.label / 2 + 2 + (levels - 1) * ARC.step;
    texts.push(...drawTextRow(row, shown, spans, y));
    for (const [line, label] of here.map((one) => drawArcPiece(one, y))) {
      lines.push(line);
      labels.push(label);
    }
    y += ARC.line + ARC.gap;
  });
  return svg('svg', { viewBox: `0 0 ${width} ${y}`, width, height: y, class: 'arcs', 'aria-hidden': 'true' }, ...texts, ...lines, ...labels);
}

function drawArcs(block) {
  const text = make('p', { class: 'for-readers', lang: 'zh' }, ...told(block.text));
  return make('section', {}, text, picture((width) => arcsPicture(block, width)));
}
