// The structure of a sentence as boxes in boxes; on each stands its template, what it leaves open as ▢.

function part(node) {
  if (!node.children.length) return make('span', { class: 'word' }, ...told(node.label));
  const label = node.label ? [make('span', { class: 'template' }, quoted(node.label))] : [];
  return make('div', { class: 'node', role: 'group', 'aria-label': visible(node.label) || 'part' }, ...label, make('div', { class: 'parts' }, ...node.children.map(part)));
}

function drawStructure(block) {
  return make('section', {}, ...heading('Structure'), make('div', { class: 'structure scroll', lang: 'zh' }, part(block.root)));
}
