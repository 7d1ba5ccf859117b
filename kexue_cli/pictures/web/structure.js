// The structure of a sentence as boxes in boxes; on each stands its template, what it leaves open as ▢. The words of a
// template stand apart from what fills it.

function part(node) {
  if (!node.children.length) return make('span', { class: node.is_fixed ? 'word fixed' : 'word' }, ...told(node.label));
  const label = node.label ? [make('span', { class: 'template' }, quoted(node.label))] : [];
  return make('div', { class: 'node', role: 'group', 'aria-label': visible(node.label) || 'part' }, ...label, make('div', { class: 'parts' }, ...node.children.map(part)));
}

function drawStructure(block) {
  return make('section', {}, ...heading('Structure'), make('div', { class: 'structure scroll', lang: 'zh' }, part(block.root)));
}
