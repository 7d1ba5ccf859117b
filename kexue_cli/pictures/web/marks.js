// A text with marks, and the card that tells more of a mark that is pointed at or has the focus.

const cards = new WeakMap();
const card = document.getElementById('card');
let cardOwner = null;
let closing = 0;

function signs(mark) {
  const text = [header.roles[mark.role].sign, mark.label].filter(Boolean).join(' ');
  return text ? [make('sup', { class: `sign ${mark.role}` }, ...told(text))] : [];
}

// One piece of a text that the same marks cover.
function piece(text, marks) {
  if (!marks.length) return told(text);
  const element = make('mark', { class: [...new Set(marks.map((mark) => mark.role))].join(' ') }, ...told(text));
  const telling = marks.filter((mark) => mark.card.length);
  if (telling.length) {
    element.tabIndex = 0;
    element.setAttribute('aria-describedby', 'card');
    cards.set(element, telling);
  }
  return [element];
}

function markedText(text, marks) {
  const characters = [...text];
  const places = [...new Set([0, characters.length, ...marks.flatMap((mark) => [mark.start, mark.end])])];
  places.sort((one, other) => one - other);
  const nodes = marks.filter((mark) => mark.end === 0).flatMap(signs);
  for (let i = 0; i + 1 < places.length; i += 1) {
    const [start, end] = [places[i], places[i + 1]];
    const covering = marks.filter((mark) => mark.start <= start && end <= mark.end);
    nodes.push(...piece(characters.slice(start, end).join(''), covering));
    nodes.push(...marks.filter((mark) => mark.end === end).flatMap(signs));
  }
  return make('p', { class: 'text', lang: 'zh', dir: 'auto' }, ...nodes);
}

function drawText(block) {
  const text = markedText(block.text, block.marks);
  if (block.is_aside) return folded(block.heading, text);
  return make('section', {}, ...heading(block.heading), text);
}

function cardRows(mark) {
  const rows = mark.card.flatMap(([name, value]) => [make('dt', {}, quoted(name)), make('dd', {}, shownCell(value))]);
  const role = header.roles[mark.role];
  const title = `${role.sign} ${role.meaning}`.trim();
  return [make('p', { class: `sign ${mark.role}` }, title), make('dl', {}, ...rows)];
}

function showCard(element) {
  clearTimeout(closing);
  if (cardOwner === element) return;
  cardOwner = element;
  card.replaceChildren(...cards.get(element).flatMap(cardRows));
  card.hidden = false;
  const at = element.getClientRects()[0];
  const room = document.documentElement.clientWidth - card.offsetWidth - 8;
  const below = at.bottom + card.offsetHeight + 8 < window.innerHeight;
  card.style.left = `${Math.max(8, Math.min(at.left, room)) + window.scrollX}px`;
  card.style.top = `${(below || at.top < card.offsetHeight ? at.bottom : at.top - card.offsetHeight) + window.scrollY}px`;
}

function hideCard() {
  clearTimeout(closing);
  card.hidden = true;
  cardOwner = null;
}

function hideCardSoon() {
  clearTimeout(closing);
  closing = setTimeout(hideCard, 200); // milliseconds: time to move into the card
}

function cardElement(event) {
  const element = event.target.closest?.('mark');
  return element && cards.has(element) ? element : null;
}

for (const kind of ['mouseover', 'focusin', 'click']) {
  document.addEventListener(kind, (event) => {
    const element = cardElement(event);
    if (element) showCard(element);
    else if (event.target.closest?.('#card')) clearTimeout(closing);
    else if (cardOwner && !(kind === 'mouseover' && cardOwner === document.activeElement)) hideCardSoon();
  });
}
