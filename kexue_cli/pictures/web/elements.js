// Elements and the text in them. Text is set as text, never read as HTML; hidden characters are shown as escapes.

const header = JSON.parse(document.getElementById('header').textContent);
const SVG = 'http://www.w3.org/2000/svg';
const HIDDEN = new RegExp(`[${header.hidden.map((range) => range.map((code) => `\\u{${code.toString(16)}}`).join('-')).join('')}]`, 'u');

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function make(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

// The name of a hidden character as escapes have it: \u202e.
function escaped(character) {
  const code = character.codePointAt(0);
  const digits = code.toString(16);
  return code < 0x10000 ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`;
}

// What is drawn for each code point of a text, so that places in the text stay places in the array.
function glyphs(text) {
  return [...text].map((character) => (HIDDEN.test(character) ? escaped(character) : character));
}

function visible(text) {
  return glyphs(text).join('');
}

// The nodes of a text: strings, and an element for each hidden character.
function told(text) {
  const nodes = [];
  let plain = '';
  for (const character of text) {
    if (!HIDDEN.test(character)) {
      plain += character;
      continue;
    }
    const shown = escaped(character);
    nodes.push(plain, make('span', { class: 'escape', title: header.names[shown] ?? 'control character' }, shown));
    plain = '';
  }
  return [...nodes, plain];
}

// Text of the user's in a line of ours: it cannot change the order of what stands around it.
function quoted(text) {
  return make('bdi', { lang: 'zh' }, ...told(text));
}

function shownNumber(value) {
  if (value === null || value === undefined) return '–';
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return value.toFixed(0);
  return Math.abs(value) < 0.001 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

function shownCell(value) {
  return typeof value === 'string' ? quoted(value) : shownNumber(value);
}

function heading(text) {
  return text ? [make('h3', {}, quoted(text))] : [];
}

// What is folded away; it is opened for printing.
function folded(title, element) {
  return make('details', { class: 'aside' }, make('summary', {}, title), element);
}
