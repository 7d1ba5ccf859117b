// The page: which records are shown, searching, and the keys.

const byId = (id) => document.getElementById(id);
const text = byId('lines').textContent;
const lines = text ? text.split('\n') : [];
const drawings = new Array(lines.length);
const searchTexts = new Array(lines.length);
let found = lines.map((_, index) => index);
let pageNumber = 0;

function drawingAt(index) {
  drawings[index] ??= JSON.parse(lines[index]);
  return drawings[index];
}

function strings(value) {
  if (typeof value === 'string') return [value];
  return value && typeof value === 'object' ? Object.values(value).flatMap(strings) : [];
}

function searchText(index) {
  searchTexts[index] ??= strings(drawingAt(index).blocks).join('\n').toLowerCase();
  return searchTexts[index];
}

const pageSize = () => Number(byId('size').value);
const pageCount = () => Math.max(1, Math.ceil(found.length / pageSize()));
const articles = () => [...document.querySelectorAll('article')];

function render() {
  hideCard();
  forgetPictures();
  pageNumber = Math.max(0, Math.min(pageNumber, pageCount() - 1));
  const start = pageNumber * pageSize();
  const shown = found.slice(start, start + pageSize());
  byId('records').replaceChildren(...shown.map((index) => drawRecord(drawingAt(index))));
  const range = shown.length > 1 ? `${start + 1}–${start + shown.length}` : start + 1;
  byId('place').textContent = shown.length ? `${range} of ${found.length}` : 'No record is like that.';
  for (const button of document.querySelectorAll('[data-step]')) {
    const next = pageNumber + Number(button.dataset.step);
    button.disabled = next < 0 || next >= pageCount();
  }
  for (const nav of document.querySelectorAll('.pager')) nav.classList.toggle('alone', pageCount() === 1);
}

function filter() {
  const words = byId('search').value.trim().toLowerCase();
  const [task, verdict] = [byId('task').value, byId('verdict').value];
  found = lines.flatMap((_, index) => {
    if (task && !drawingAt(index).tasks.includes(task)) return [];
    if (verdict && drawingAt(index).verdict !== verdict) return [];
    return words && !searchText(index).includes(words) ? [] : [index];
  });
  pageNumber = 0;
  render();
}

function turn(step) {
  pageNumber += step;
  render();
  window.scrollTo(0, 0);
}

function focusRecord(article) {
  article?.focus({ preventScroll: true });
  article?.scrollIntoView({ block: 'start' });
}

// Go to the next record (1) or the one before (-1), over the ends of pages.
function move(step) {
  const all = articles();
  const current = all.indexOf(document.activeElement?.closest('article'));
  const next = current < 0 ? (step > 0 ? 0 : all.length - 1) : current + step;
  if (next >= 0 && next < all.length) return focusRecord(all[next]);
  const turned = pageNumber + step;
  if (turned < 0 || turned >= pageCount()) return undefined;
  turn(step);
  return focusRecord(step > 0 ? articles()[0] : articles().at(-1));
}

function onKey(event) {
  const isTyping = event.target.matches('input, select');
  if (event.key === 'Escape') {
    hideCard();
    if (isTyping) event.target.blur();
  }
  if (isTyping || event.ctrlKey || event.altKey || event.metaKey) return;
  const isScrolling = event.target.closest('.scroll');
  if (event.key === '/') byId('search').focus();
  else if (event.key === 'ArrowRight' && !isScrolling) move(1);
  else if (event.key === 'ArrowLeft' && !isScrolling) move(-1);
  else return;
  event.preventDefault();
}

function option(value, title, count) {
  return make('option', { value }, `${title} (${count})`);
}

function prepare() {
  const tasks = Object.entries(header.tasks);
  const verdicts = Object.entries(header.verdicts);
  byId('task').append(...tasks.map(([task, { title, count }]) => option(task, title, count)));
  byId('verdict').append(...verdicts.map(([verdict, count]) => option(verdict, verdict, count)));
  byId('task-label').hidden = tasks.length < 2;
  byId('verdict-label').hidden = verdicts.length < 2;
  byId('tools').hidden = lines.length < 2;
  const counts = [...tasks.map(([, { title, count }]) => `${title}: ${count}`), ...verdicts.map(([verdict, count]) => `${verdict}: ${count}`)];
  byId('counts').textContent = counts.join(' · ') || 'There are no records.';
  const roles = Object.entries(header.roles);
  byId('legend').append(...roles.map(([role, { sign, meaning }]) => make('li', {}, make('mark', { class: role }, `${sign} ${role}`.trim()), ` ${meaning}`)));
  let waiting = 0;
  byId('search').addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 150); // milliseconds after the last key
  });
  for (const id of ['task', 'verdict']) byId(id).addEventListener('change', filter);
  byId('size').addEventListener('change', render);
  byId('tools').addEventListener('submit', (event) => event.preventDefault());
  for (const button of document.querySelectorAll('[data-step]')) button.addEventListener('click', () => turn(Number(button.dataset.step)));
  document.addEventListener('keydown', onKey);
}

prepare();
render();
