/*
 * Parts of a task as the staff console and the agents' console show it.  All of it comes from strangers; all of it is
 * text.
 */
import { h } from './dom.mjs';
import { actorName, estimateText, eventText, evidenceLines, isWebAddress, takenAt } from './facts.mjs';
import { bytes, relative, shorten, time, words } from './format.mjs';
import { facts } from './table.mjs';
import { badge, copyButton } from './widgets.mjs';

export const when = (at, now = Date.now()) =>
  h('time', { datetime: at, title: time(at, { seconds: true }) }, relative(at, now));
export const stamp = (at) => h('time', { datetime: at }, time(at));
/* An id, hash or address: its ends to be read, the whole of it to be copied. */
export const copyable = (text) =>
  h(
    'span',
    { class: 'copyable' },
    h('code', { title: text }, shorten(text, 12, 6)),
    copyButton(text, { name: `Copy ${text}` }),
  );
export const card = (title, ...body) => h('section', { class: 'card' }, h('header', {}, h('h2', {}, title)), body);

/* An address that a stranger gave: named in full, opened apart from this page. */
export const outside = (text) =>
  isWebAddress(text)
    ? h('a', { href: text, target: '_blank', rel: 'noopener noreferrer nofollow' }, text)
    : h('span', {}, text);

const place = (location) =>
  !location || (location.address === null && location.lat === null)
    ? null
    : h(
        'span',
        {},
        location.address ?? '',
        typeof location.lat === 'number' &&
          h('span', { class: 'soft' }, ` (${location.lat.toFixed(4)}, ${location.lng.toFixed(4)})`),
      );

/* more: further rows [name, value] after these. */
export const taskFacts = (task, more = []) =>
  facts([
    ['Task', copyable(task.task_id)],
    ['Type', `${words(task.task_type)}, ${words(task.task_domain).toLowerCase()}`],
    ['Proof', words(task.proof_type)],
    ['Place', place(task.location)],
    ['Deadline', stamp(task.deadline)],
    ['Posted', stamp(task.created_at)],
    [
      'Operator',
      task.operator &&
        h(
          'span',
          {},
          task.operator.name,
          task.operator.rating !== null && h('span', { class: 'soft' }, ` ★ ${task.operator.rating}`),
        ),
    ],
    [
      'Estimate',
      task.estimate &&
        h(
          'span',
          {},
          estimateText(task.estimate),
          task.estimate.estimate_note && h('span', { class: 'soft' }, ` – ${task.estimate.estimate_note}`),
        ),
    ],
    ['Stops for safety', task.safety_stops > 0 ? String(task.safety_stops) : null],
    ...more,
  ]);

export const textBlock = (title, text) => text && h('div', {}, h('h3', {}, title), h('p', { class: 'lines' }, text));

function proofFile(file, i) {
  const isPicture = file.media_type === undefined || /^image\//.test(file.media_type),
    taken = takenAt(file.evidence);
  return h(
    'li',
    {},
    h(
      'a',
      { href: file.url, target: '_blank', rel: 'noopener noreferrer' },
      isPicture
        ? h('img', { src: file.url, alt: `Proof ${i + 1}, opens in full`, loading: 'lazy' })
        : `Proof ${i + 1}: ${file.media_type}, ${bytes(file.size ?? 0)}`,
    ),
    h(
      'ul',
      { class: 'evidence' },
      taken && h('li', {}, `${taken[0]} ${time(taken[1])}`),
      file.evidence &&
        evidenceLines(file.evidence).map((line) => h('li', { class: line.kind && `${line.kind}-text` }, line.text)),
      file.sha256 &&
        h('li', { class: 'soft' }, 'SHA-256 ', h('code', { title: file.sha256 }, shorten(file.sha256, 10, 6))),
    ),
  );
}

export function proofView(proof) {
  if (!proof) return h('p', { class: 'soft' }, 'Nothing has been submitted yet.');
  const files = proof.files ?? (proof.photos ?? []).map((url) => ({ url }));
  return h(
    'div',
    { class: 'stack' },
    files.length > 0 && h('ul', { class: 'proof-files' }, files.map(proofFile)),
    textBlock('Notes', proof.notes),
    textBlock('Confirmation', proof.confirmation_text),
    proof.reference_url && h('div', {}, h('h3', {}, 'Reference'), h('p', {}, outside(proof.reference_url))),
    h('p', { class: 'soft small' }, 'Submitted ', stamp(proof.submittedAt)),
  );
}

export function guardianView(result) {
  if (!result) return h('p', { class: 'soft' }, 'The Guardian has not judged yet.');
  return h(
    'div',
    { class: 'stack' },
    h('div', { class: 'row' }, badge(result.decision), h('span', {}, `confidence ${result.confidence} of 100`)),
    result.reasoning && h('p', { class: 'lines' }, result.reasoning),
    result.requirements?.length > 0 &&
      h(
        'ul',
        { class: 'requirements' },
        result.requirements.map((r) =>
          h(
            'li',
            {},
            h(
              'span',
              { class: r.met ? 'good-text' : 'bad-text', role: 'img', 'aria-label': r.met ? 'met' : 'not met' },
              r.met ? '✓' : '✗',
            ),
            h('div', {}, h('div', {}, r.requirement), r.note && h('div', { class: 'soft small' }, r.note)),
          ),
        ),
      ),
  );
}

export const requirementsView = (requirements) =>
  h(
    'ul',
    {},
    (requirements ?? []).map((r) => h('li', {}, r)),
  );

export const timeline = (events) =>
  h(
    'ol',
    { class: 'timeline' },
    (events ?? []).map((event, i, all) =>
      h(
        'li',
        { class: i === all.length - 1 && 'now' },
        h(
          'div',
          {},
          h('strong', {}, eventText(event)),
          event.actor && h('span', { class: 'soft' }, ` · ${actorName(event.actor)}`),
        ),
        h('div', { class: 'soft small' }, stamp(event.at)),
      ),
    ),
  );

/* own: whose messages stand on the right. */
export const messageList = (messages, own) =>
  messages.length === 0
    ? h('p', { class: 'soft' }, 'No messages.')
    : h(
        'ul',
        { class: 'messages', tabindex: '0', 'aria-label': 'Messages' },
        messages.map((m) =>
          h(
            'li',
            { class: ['bubble', m.sender === own && 'own'] },
            h('small', {}, `${actorName(m.sender)} · `, stamp(m.created_at)),
            h('span', { class: 'lines' }, m.message),
          ),
        ),
      );
