/*
 * Time and place written into a photo that this app's own camera took, as a phone's camera app does (Exif 2.32): a canvas knows
 * neither.  Little endian; one IFD for the picture, one for Exif, one for GPS.
 */

const ASCII = 2,
  LONG = 4,
  SHORT = 3,
  RATIONAL = 5;
const SIZES = { [ASCII]: 1, [SHORT]: 2, [LONG]: 4, [RATIONAL]: 8 };
const SECOND_PARTS = 10_000,
  METRE_PARTS = 100;
const MAKE = 'HumanOps',
  MODEL = 'Web camera';

const two = (n) => String(n).padStart(2, '0');

/* Degrees as degrees, minutes and ten-thousandths of seconds. */
export function sexagesimal(degrees) {
  const parts = Math.round(Math.abs(degrees) * 3600 * SECOND_PARTS);
  const seconds = parts % (60 * SECOND_PARTS),
    minutes = Math.floor(parts / (60 * SECOND_PARTS));
  return [
    [Math.floor(minutes / 60), 1],
    [minutes % 60, 1],
    [seconds, SECOND_PARTS],
  ];
}

/* Local time and its zone, as Exif has them; offset: minutes east of Greenwich. */
function clock(at, offset) {
  const d = new Date(at + offset * 60_000),
    by = Math.abs(offset);
  return {
    time: `${d.getUTCFullYear()}:${two(d.getUTCMonth() + 1)}:${two(d.getUTCDate())} ${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`,
    zone: `${offset < 0 ? '-' : '+'}${two(Math.floor(by / 60))}:${two(by % 60)}`,
  };
}

function valueBytes(type, values) {
  if (type === ASCII) return [...`${values}\0`].map((c) => c.charCodeAt(0));
  const bytes = [];
  const put = (n, size) => {
    for (let i = 0; i < size; i++) bytes.push(Math.floor(n / 2 ** (8 * i)) & 255);
  };
  values.forEach((v) => (type === RATIONAL ? v.forEach((n) => put(n, 4)) : put(v, SIZES[type])));
  return bytes;
}

/* An IFD at an offset: entries of [tag, type, values]; what does not fit into four bytes follows behind. */
function ifd(offset, entries) {
  const head = [],
    tail = [],
    start = offset + 2 + 12 * entries.length + 4;
  const put = (n, size) => head.push(...valueBytes(size === 2 ? SHORT : LONG, [n]));
  put(entries.length, 2);
  for (const [tag, type, values] of entries) {
    const bytes = valueBytes(type, values);
    put(tag, 2);
    put(type, 2);
    put(bytes.length / SIZES[type], 4);
    if (bytes.length <= 4) {
      head.push(...bytes, ...new Array(4 - bytes.length).fill(0));
    } else {
      put(start + tail.length, 4);
      tail.push(...bytes, ...(bytes.length % 2 ? [0] : []));
    }
  }
  put(0, 4);
  return [...head, ...tail];
}

function gpsEntries({ lat, lng, accuracy_m: accuracy }) {
  return [
    [1, ASCII, lat < 0 ? 'S' : 'N'],
    [2, RATIONAL, sexagesimal(lat)],
    [3, ASCII, lng < 0 ? 'W' : 'E'],
    [4, RATIONAL, sexagesimal(lng)],
    ...(Number.isFinite(accuracy) ? [[31, RATIONAL, [[Math.round(accuracy * METRE_PARTS), METRE_PARTS]]]] : []),
  ];
}

/* The TIFF part: at in milliseconds since 1970, place { lat, lng, accuracy_m? } or null. */
function tiff({ at, place, offset }) {
  const { time, zone } = clock(at, offset);
  const exifEntries = [
    [0x9003, ASCII, time],
    [0x9011, ASCII, zone],
  ];
  const main = (exifAt, gpsAt) => [
    [0x010f, ASCII, MAKE],
    [0x0110, ASCII, MODEL],
    [0x0112, SHORT, [1]],
    [0x0132, ASCII, time],
    [0x8769, LONG, [exifAt]],
    ...(place ? [[0x8825, LONG, [gpsAt]]] : []),
  ];
  const exifAt = 8 + ifd(8, main(0, 0)).length,
    gpsAt = exifAt + ifd(exifAt, exifEntries).length;
  return [
    0x49,
    0x49,
    42,
    0,
    8,
    0,
    0,
    0,
    ...ifd(8, main(exifAt, gpsAt)),
    ...ifd(exifAt, exifEntries),
    ...(place ? ifd(gpsAt, gpsEntries(place)) : []),
  ];
}

/*
 * The bytes of a JPEG with this written into it; they are new, the given ones stay.  The picture must have no Exif of its own,
 * as one from a canvas.
 */
export function stamp(jpeg, { at, place = null, offset = -new Date(at).getTimezoneOffset() }) {
  const body = [0x45, 0x78, 0x69, 0x66, 0, 0, ...tiff({ at, place, offset })],
    length = body.length + 2;
  const out = new Uint8Array(jpeg.length + length + 2);
  out.set(jpeg.subarray(0, 2));
  out.set([0xff, 0xe1, length >> 8, length & 255, ...body], 2);
  out.set(jpeg.subarray(2), 4 + length);
  return out;
}
