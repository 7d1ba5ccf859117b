// Pictures that are drawn for the width that there is, again when it changes, and for paper when they are printed.

const PAPER_WIDTH = 660; // CSS pixels between the margins of an upright A4 page
const pictures = new Set();
const pen = document.createElement('canvas').getContext('2d');
let family = '';

class Picture {
  constructor(draw) {
    this.draw = draw;
    this.width = 0;
    this.box = make('div', { class: 'picture' });
    this.observer = new ResizeObserver(() => this.redraw(Math.floor(this.box.clientWidth)));
    this.observer.observe(this.box);
    pictures.add(this);
  }

  redraw(width) {
    if (!width || width === this.width) return;
    this.width = width;
    this.box.replaceChildren(this.draw(width));
  }
}

function picture(draw) {
  return new Picture(draw).box;
}

function forgetPictures() {
  for (const one of pictures) one.observer.disconnect();
  pictures.clear();
}

window.addEventListener('beforeprint', () => {
  for (const details of document.querySelectorAll('details.aside')) details.open = true;
  for (const one of pictures) one.redraw(PAPER_WIDTH);
});
window.addEventListener('afterprint', () => {
  for (const one of pictures) one.redraw(Math.floor(one.box.clientWidth));
});

function textWidth(text, size) {
  family ||= getComputedStyle(document.body).fontFamily;
  pen.font = `${size}px ${family}`;
  return pen.measureText(text).width;
}

// A text that is no wider than a width: its end is left out if need be.
function shortened(text, width, size) {
  if (textWidth(text, size) <= width) return text;
  const characters = [...text];
  while (characters.length > 1 && textWidth(`${characters.join('')}…`, size) > width) characters.pop();
  return `${characters.join('')}…`;
}

const isWordCharacter = (character) => /[\p{Script=Latin}\p{Nd}]/u.test(character);

const isClosing = (character) => /[\p{Pe}\p{Pf}，。、；：？！…·,.;:?!]/u.test(character);
const isOpening = (character) => /[\p{Ps}\p{Pi}]/u.test(character);

// Say whether a row may end before the glyph at a place: not in a word, in one of the spans, or at the wrong side of a mark.
function mayBreak(characters, place, spans) {
  const [before, behind] = [characters[place - 1], characters[place]];
  if (isClosing(behind) || isOpening(before) || (isWordCharacter(before) && isWordCharacter(behind))) return false;
  return !spans.some(([start, end]) => start < place && place < end);
}

// Break a text into rows of a width: their glyphs' places [start, end), and the x of each glyph and of the end.
function breakRows(text, width, size, spans) {
  const shown = glyphs(text).map((glyph) => (glyph === '\n' || glyph === '\t' ? ' ' : glyph));
  const characters = [...text];
  const widths = shown.map((glyph) => textWidth(glyph, size));
  const rows = [];
  let start = 0;
  let x = 0;
  const close = (end) => {
    const xs = [0];
    for (let i = start; i < end; i += 1) xs.push(xs[xs.length - 1] + widths[i]);
    rows.push({ start, end, xs });
    start = end;
  };
  for (let i = 0; i < shown.length; i += 1) {
    if (x + widths[i] > width && i > start) {
      let cut = i;
      while (cut > start && !mayBreak(characters, cut, spans)) cut -= 1;
      close(cut > start ? cut : i);
      x = widths.slice(start, i).reduce((sum, one) => sum + one, 0);
    }
    x += widths[i];
    if (characters[i] === '\n') {
      close(i + 1);
      x = 0;
    }
  }
  if (start < shown.length || !rows.length) close(shown.length);
  return { shown, rows };
}

// Give each piece {left, right} the lowest level at which it overlaps no other; the first come lowest.
function stack(pieces, gap) {
  const levels = [];
  for (const one of pieces) {
    one.level = levels.findIndex((level) => level.every((other) => one.right + gap <= other.left || other.right + gap <= one.left));
    if (one.level < 0) one.level = levels.push([]) - 1;
    levels[one.level].push(one);
  }
  return levels.length;
}
