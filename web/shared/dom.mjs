/*
 * Elements without HTML: whatever a stranger wrote becomes text, never markup.  Nothing here parses HTML, takes a
 * script as a string or follows an address that could run one.
 */

const SVG = 'http://www.w3.org/2000/svg';
const ADDRESSES = new Set(['href', 'src', 'action', 'formaction', 'poster', 'data', 'xlink:href']);
const SCHEMES = new Set(['http:', 'https:', 'mailto:', 'tel:', 'geo:', 'sms:', 'blob:']);
/* What the user changes lives in a property; the attribute is only its first value. */
const PROPERTIES = new Set(['value', 'checked', 'selected', 'indeterminate', 'muted', 'srcObject']);

/*
 * The address if it leads to a place, null if it would run code (javascript:, data: documents) or cannot be read at
 * all.
 */
export function safeAddress(text, base = globalThis.document?.baseURI ?? 'https://localhost/') {
  let url;
  try {
    url = new URL(String(text), base);
  } catch {
    return null;
  }
  if (url.protocol === 'data:') return /^data:image\/(png|jpeg|webp|gif);/i.test(url.href) ? url.href : null;
  return SCHEMES.has(url.protocol) ? String(text) : null;
}

function add(node, child) {
  if (Array.isArray(child)) child.forEach((c) => add(node, c));
  else if (child instanceof Node) node.append(child);
  else if (child !== null && child !== undefined && child !== false && child !== true)
    node.append(document.createTextNode(String(child)));
}

function setOne(node, name, value) {
  if (name === 'class')
    node.setAttribute('class', (Array.isArray(value) ? value : [value]).flat().filter(Boolean).join(' '));
  else if (name === 'dataset')
    Object.entries(value).forEach(([key, v]) => {
      if (v !== null && v !== undefined) node.dataset[key] = v;
    });
  else if (name === 'style') Object.entries(value).forEach(([key, v]) => node.style.setProperty(key, v));
  else if (PROPERTIES.has(name)) node[name] = value;
  else if (ADDRESSES.has(name)) {
    const address = safeAddress(value);
    if (address !== null) node.setAttribute(name, address);
  } else if (/^on/i.test(name)) {
    if (typeof value !== 'function') throw new TypeError(`${name} takes a function`);
    node.addEventListener(name.slice(2).toLowerCase(), value);
  } else if (/^(srcdoc|innerhtml|outerhtml)$/i.test(name)) {
    throw new TypeError(`${name} is not for strangers' text`);
  } else if (typeof value === 'boolean') {
    /* ARIA's states are words, HTML's are there or not. */
    if (name.startsWith('aria-')) node.setAttribute(name, String(value));
    else node.toggleAttribute(name, value);
  } else {
    node.setAttribute(name, String(value));
  }
}

function build(node, props, children) {
  const late = [];
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined) continue;
    /* A select knows its value only once it has its options. */
    if (PROPERTIES.has(name)) late.push([name, value]);
    else setOne(node, name, value);
  }
  add(node, children);
  late.forEach(([name, value]) => setOne(node, name, value));
  return node;
}

/*
 * h(tag, props, ...children): an element.  props: attributes (true and false set and clear them, null and undefined
 * leave them out), class (text or list, falsy entries skipped), style and dataset as objects, onclick and the like as
 * functions.  Children: nodes, texts, numbers and lists of them; null, undefined and truth values are skipped, so
 * that `isLate && h(…)` reads well.
 */
export function h(tag, props, ...children) {
  return build(document.createElement(tag), props, children);
}

/* The same for a drawing. */
export function s(tag, props, ...children) {
  return build(document.createElementNS(SVG, tag), props, children);
}

/* Puts new children in place of the old ones and gives the node. */
export function replace(node, ...children) {
  node.replaceChildren();
  add(node, children);
  return node;
}
