/*
 * Amounts, times and distances as people read them.  Pure: language, time zone and the present moment are arguments.
 * Amounts of the API are JSON numbers with at most six decimals; in millionths they are whole numbers that a double
 * holds exactly, up to a billion dollars and beyond, so sums are made there.
 */

const MICROS = 1_000_000;
export const MINUTE = 60_000,
  HOUR = 60 * MINUTE,
  DAY = 24 * HOUR;

export const micros = (usd) => Math.round(usd * MICROS);
export const fromMicros = (m) => m / MICROS;

/* Adds amounts in dollars without a rounding fault: 0.1 and 0.2 are 0.3. */
export const sum = (amounts) => fromMicros(amounts.reduce((total, usd) => total + micros(usd), 0));

/* "$1,234.50"; more than cents is shown where there is more.  sign: with + for gains too. */
export function money(usd, { sign = false } = {}) {
  if (typeof usd !== 'number' || !Number.isFinite(usd)) return '–';
  const whole = micros(usd);
  const text = new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency: 'USD',
    minimumFractionDigits: 2,
    maximumFractionDigits: 6,
  }).format(Math.abs(whole) / MICROS);
  return `${whole < 0 ? '−' : sign && whole > 0 ? '+' : ''}${text}`;
}

/* What someone typed as an amount, whole cents, in dollars; null if it is none.  "$1,250.5" is 1250.5. */
export function parseMoney(text) {
  const bare = String(text)
    .trim()
    .replace(/^\$\s*/, '');
  if (!/^(\d{1,3}(,\d{3})+|\d{1,10})(\.\d{1,2})?$/.test(bare)) return null;
  return Number(bare.replaceAll(',', ''));
}

const dateOf = (at) =>
  at === null || at === undefined || Number.isNaN(new Date(at).getTime()) ? null : new Date(at);

/* "6 Feb 2026, 14:31" in the reader's own way; an en dash for no time. */
export function time(at, { language = 'en-GB', timeZone, seconds = false } = {}) {
  const date = dateOf(at);
  if (date === null) return '–';
  return new Intl.DateTimeFormat(language, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    ...(seconds ? { second: '2-digit' } : {}),
    hourCycle: 'h23',
    timeZone,
  }).format(date);
}

export function day(at, { language = 'en-GB', timeZone } = {}) {
  const date = dateOf(at);
  return date === null
    ? '–'
    : new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', year: 'numeric', timeZone }).format(date);
}

const STEPS = [
  [DAY, 'day'],
  [HOUR, 'hour'],
  [MINUTE, 'minute'],
  [1000, 'second'],
];

/* "in 3 hours", "2 days ago", "now". */
export function relative(at, now = Date.now(), { language = 'en', style = 'long' } = {}) {
  const date = dateOf(at);
  if (date === null) return '–';
  const ms = date.getTime() - now,
    words = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style });
  for (const [length, unit] of STEPS) if (Math.abs(ms) >= length) return words.format(Math.trunc(ms / length), unit);
  return words.format(0, 'second');
}

/* What is left: "3 d 4 h", "4 h 05 min", "5:09"; "0:00" once it is over. */
export function countdown(ms) {
  const left = Math.max(0, Math.floor(ms / 1000)) * 1000;
  const days = Math.floor(left / DAY),
    hours = Math.floor((left % DAY) / HOUR);
  const minutes = Math.floor((left % HOUR) / MINUTE),
    seconds = Math.floor((left % MINUTE) / 1000);
  const two = (n) => String(n).padStart(2, '0');
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${two(minutes)} min`;
  return `${minutes}:${two(seconds)}`;
}

/* "2 h 30 min", "3 d": a length of time in minutes. */
export function duration(minutes) {
  const whole = Math.max(0, Math.round(minutes));
  const parts = [
    [Math.floor(whole / 1440), 'd'],
    [Math.floor((whole % 1440) / 60), 'h'],
    [whole % 60, 'min'],
  ];
  return (
    parts
      .filter(([n]) => n > 0)
      .map(([n, unit]) => `${n} ${unit}`)
      .join(' ') || '0 min'
  );
}

/* "850 m", "3.4 km", "120 km". */
export function distance(km, { language = 'en' } = {}) {
  if (typeof km !== 'number' || !Number.isFinite(km) || km < 0) return '–';
  if (km < 0.995) return `${Math.round(km * 100) * 10} m`;
  const digits = km < 9.95 ? 1 : 0;
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(km)} km`;
}

/* Kilometres between two points on a sphere of the earth's mean radius. */
export function distanceKm(a, b) {
  const rad = (degrees) => (degrees * Math.PI) / 180;
  const x =
    Math.sin(rad(b.lat - a.lat) / 2) ** 2 +
    Math.cos(rad(a.lat)) * Math.cos(rad(b.lat)) * Math.sin(rad(b.lng - a.lng) / 2) ** 2;
  return 2 * 6371.0088 * Math.asin(Math.min(1, Math.sqrt(x)));
}

/* "3.2 MB"; files are counted in thousands, as phones show them. */
export function bytes(n) {
  if (n < 1000) return `${n} B`;
  return n < 999_500 ? `${Math.round(n / 1000)} kB` : `${(n / 1e6).toFixed(1)} MB`;
}

/* The middle of a long id, hash or address left out: "0x1234…cdef". */
export function shorten(text, head = 6, tail = 4) {
  const t = String(text ?? '');
  return t.length <= head + tail + 1 ? t : `${t.slice(0, head)}…${t.slice(-tail)}`;
}

/* ESTIMATE_PENDING as "Estimate pending". */
export function words(name) {
  const text = String(name ?? '')
    .replaceAll('_', ' ')
    .trim()
    .toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
