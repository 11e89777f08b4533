// What of the page as it is shown cannot be used by everybody, by WCAG 2.2 AA as far as a program can tell: a list of
// sentences. Names of controls, targets, contrast, ids, headings, landmarks, tables.
const complaints = [];
const say = (element, text) => {
  const words = (element.innerText ?? '').trim().slice(0, 30);
  complaints.push(`${element.tagName.toLowerCase()}.${element.className?.baseVal ?? element.className} "${words}": ${text}`);
};
const isShown = element =>
  element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) && !element.closest('[aria-hidden=true], .unseen, .skip');

// 4.1.2, 2.4.4: every control has a name.
const textOf = element => element?.innerText?.trim() || element?.textContent?.trim() || '';
const nameOf = element => {
  const labelled = element.getAttribute('aria-labelledby');
  if (labelled) return labelled.split(' ').map(id => textOf(document.getElementById(id))).join(' ').trim();
  const own = element.getAttribute('aria-label') || textOf(element);
  return own || [...(element.labels ?? [])].map(textOf).join(' ').trim() || element.title || '';
};
const controls = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [role=button], [tabindex="0"]')];
for (const it of controls.filter(isShown)) {
  if (!nameOf(it)) say(it, 'has no name');
}

// 2.1.1: what scrolls is reached by keys.
const isReached = element => element.tabIndex >= 0 && isShown(element);
for (const it of document.querySelectorAll('main *')) {
  const { overflowX, overflowY } = getComputedStyle(it);
  const isScrolled = (overflow, length, room) => /auto|scroll/.test(overflow) && length > room + 1;
  const scrolls = isScrolled(overflowX, it.scrollWidth, it.clientWidth) || isScrolled(overflowY, it.scrollHeight, it.clientHeight);
  if (scrolls && isShown(it) && !isReached(it) && ![...it.querySelectorAll('*')].some(isReached)) {
    say(it, 'scrolls, and no key gets there');
  }
}

// 2.5.8: targets of 24 by 24, but for links within text and rows.
const targets = controls.filter(it => isShown(it) && it.matches('button, select, input, textarea, summary, .btn'));
for (const it of targets) {
  const target = it.matches('input[type=checkbox], input[type=radio]') ? (it.closest('label') ?? it) : it;
  const { width, height } = target.getBoundingClientRect();
  if (width < 23.5 || height < 23.5) say(it, `is a target of ${width.toFixed(0)} by ${height.toFixed(0)}`);
}

// 1.4.3: contrast of text.
const canvas = document.createElement('canvas');
canvas.width = canvas.height = 1;
const context = canvas.getContext('2d', { willReadFrequently: true });
const known = new Map();
const rgba = color => {
  if (!known.has(color)) {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    known.set(color, [r, g, b, a / 255]);
  }
  return known.get(color);
};
const over = (front, back) => {
  const a = front[3];
  return [0, 1, 2].map(i => front[i] * a + back[i] * (1 - a)).concat(1);
};
const background = element => {
  const layers = [];
  for (let it = element; it; it = it.parentElement) {
    const color = rgba(getComputedStyle(it).backgroundColor);
    if (color[3] > 0) layers.push(color);
    if (color[3] === 1) break;
  }
  const page = rgba(getComputedStyle(document.body).backgroundColor);
  return layers.reduceRight((back, front) => over(front, back), page);
};
const light = color => {
  const part = value => {
    const it = value / 255;
    return it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * part(color[0]) + 0.7152 * part(color[1]) + 0.0722 * part(color[2]);
};
const seen = new Set();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || seen.has(element) || !isShown(element)) continue;
  seen.add(element);
  if (element.closest(':disabled, [aria-disabled=true], .is-off, svg, option')) continue;
  const style = getComputedStyle(element);
  const back = background(element);
  const [a, b] = [light(over(rgba(style.color), back)), light(back)].sort((a, b) => b - a);
  const contrast = (a + 0.05) / (b + 0.05);
  const size = parseFloat(style.fontSize);
  const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  if (contrast < (isLarge ? 3 : 4.5)) say(element, `has a contrast of ${contrast.toFixed(2)}`);
}

// Ids, what refers to them, headings, landmarks, tables, order of focus.
const ids = [...document.querySelectorAll('[id]')].map(it => it.id);
for (const id of new Set(ids.filter((it, at) => ids.indexOf(it) !== at))) complaints.push(`the id ${id} is there twice`);
for (const name of ['aria-labelledby', 'aria-controls', 'aria-describedby', 'popovertarget', 'aria-activedescendant']) {
  for (const it of document.querySelectorAll(`[${name}]`)) {
    for (const id of it.getAttribute(name).split(' ')) {
      if (id && !document.getElementById(id)) say(it, `${name} names nothing: ${id}`);
    }
  }
}
const headings = [...document.querySelectorAll('h1, h2, h3, h4')].filter(it => it.checkVisibility() && !it.closest('dialog, [popover]'));
if (headings.filter(it => it.tagName === 'H1').length !== 1) complaints.push('there is not one h1');
let level = 0;
for (const it of headings) {
  const own = Number(it.tagName[1]);
  if (own > level + 1) say(it, `is a heading of level ${own} after one of level ${level}`);
  level = own;
}
if (document.querySelectorAll('main').length !== 1) complaints.push('there is not one main');
if (!document.documentElement.lang) complaints.push('the page has no language');
for (const it of document.querySelectorAll('[tabindex]')) if (it.tabIndex > 0) say(it, 'has an order of focus of its own');
for (const it of document.querySelectorAll('th:not([scope])')) say(it, 'has no scope');
for (const it of document.querySelectorAll('img:not([alt])')) say(it, 'has no alternative');
for (const it of document.querySelectorAll('svg:not([aria-hidden=true]):not([aria-label])')) say(it, 'is a drawing without a name');
for (const it of document.querySelectorAll('[role=progressbar], [role=slider], [role=spinbutton]')) {
  if (!it.hasAttribute('aria-valuenow')) say(it, 'has no value');
}
// 1.4.10: nothing but tables and the like is wider than the page.
if (document.documentElement.scrollWidth > innerWidth + 1) complaints.push(`the page is ${document.documentElement.scrollWidth} wide in ${innerWidth}`);
return complaints;
