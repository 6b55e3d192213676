/*
 * Pictures for uploads, made byte by byte so that no library and no file is needed: a JPEG of blocks in random shades, each call
 * another picture, with the EXIF that a telephone writes; a PNG of the same; a PDF.  What only its own encoder can make (WebP,
 * HEIC) lies in tests/fixtures; it shows what tests/unit/pictures.h draws.
 */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';

const u16 = (...values) => Buffer.from(values.flatMap((v) => [v >> 8, v & 255]));
const u32 = (...values) => Buffer.from(values.flatMap((v) => [v >>> 24, (v >>> 16) & 255, (v >>> 8) & 255, v & 255]));

/* Shades of the blocks, row by row. */
export const shades = (columns = 9, rows = 8) => Array.from({ length: columns * rows }, () => randomInt(256));

/* A segment of a JPEG: marker, length, payload. */
const segment = (marker, payload) => Buffer.concat([Buffer.from([0xff, marker]), u16(payload.length + 2), payload]);

/* One grey component, of which each block has its mean alone: twelve lengths of 4 bits, and "nothing more" as one bit. */
export function jpeg({ blocks = shades(), columns = 9, exif = null, pad = 0 } = {}) {
  const rows = blocks.length / columns;
  const lengths = (n, count) => Buffer.from(Array.from({ length: 16 }, (_, i) => (i + 1 === n ? count : 0)));
  let bits = '', before = 0;
  for (const shade of blocks) {
    const value = shade - 128, difference = value - before, size = difference === 0 ? 0 : Math.floor(Math.log2(Math.abs(difference))) + 1;
    const raw = difference >= 0 ? difference : difference + 2 ** size - 1;
    bits += size.toString(2).padStart(4, '0') + (size > 0 ? raw.toString(2).padStart(size, '0') : '') + '0';
    before = value;
  }
  bits = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
  const scan = Buffer.from(bits.match(/.{8}/g).flatMap((byte) => (byte === '11111111' ? [0xff, 0] : [parseInt(byte, 2)])));
  const fillers = [];
  for (let left = pad; left > 0; left -= 65537)
    fillers.push(segment(0xfe, Buffer.alloc(Math.max(0, Math.min(left, 65537) - 4), 0x20)));
  return Buffer.concat([Buffer.from([0xff, 0xd8]),
    ...(exif ? [segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), exif]))] : []), ...fillers,
    segment(0xdb, Buffer.concat([Buffer.from([0]), Buffer.alloc(64, 8)])),
    segment(0xc0, Buffer.concat([Buffer.from([8]), u16(rows * 8, columns * 8), Buffer.from([1, 1, 0x11, 0])])),
    segment(0xc4, Buffer.concat([Buffer.from([0x00]), lengths(4, 12), Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])])),
    segment(0xc4, Buffer.concat([Buffer.from([0x10]), lengths(1, 1), Buffer.from([0])])),
    segment(0xda, Buffer.from([1, 1, 0x00, 0, 63, 0])), scan, Buffer.from([0xff, 0xd9])]);
}

/* A JPEG of exactly so many bytes. */
export function jpegOfSize(size, options = {}) {
  const blocks = options.blocks ?? shades(), least = jpeg({ ...options, blocks }).length;
  let pad = size - least;
  /* A last filler has at least its own four bytes. */
  for (;;) {
    const made = jpeg({ ...options, blocks, pad });
    if (made.length === size)
      return made;
    pad -= made.length - size;
  }
}

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++)
      crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

export function png({ blocks = shades(), columns = 9, text = null } = {}) {
  const rows = blocks.length / columns, width = columns * 8, height = rows * 8;
  const lines = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      lines[y * (width + 1) + 1 + x] = blocks[(y >> 3) * columns + (x >> 3)];
  const chunk = (name, payload) => {
    const body = Buffer.concat([Buffer.from(name), payload]);
    return Buffer.concat([u32(payload.length), body, u32(crc32(body))]);
  };
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', Buffer.concat([u32(width, height), Buffer.from([8, 0, 0, 0, 0])])),
    ...(text ? [chunk('tEXt', Buffer.from(`Comment\0${text}`))] : []), chunk('IDAT', deflateSync(lines)), chunk('IEND', Buffer.alloc(0))]);
}

export const pdf = (text = 'Proof') => Buffer.from(`%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n` +
  `% ${text} ${randomInt(2 ** 40)}\ntrailer<</Root 1 0 R>>\n%%EOF\n`);
export const webp = () => readFileSync(new URL('fixtures/spot.webp', import.meta.url));
export const heic = () => readFileSync(new URL('fixtures/spot.heic', import.meta.url));

/* TIFF, big-endian, of three directories: camera, time with its zone, place.  at: milliseconds since 1970; zone null: unsaid. */
export function exif({ lat, lng, at, zone = '+00:00', make = 'Testcam', model = 'One' } = {}) {
  const ascii = (tag, value) => ({ tag, type: 2, count: value.length + 1, bytes: Buffer.from(`${value}\0`) });
  const degrees = (tag, value) => {
    const all = Math.round(Math.abs(value) * 3600 * 1000), whole = Math.floor(all / 3600000), minutes = Math.floor((all % 3600000) / 60000);
    return { tag, type: 5, count: 3, bytes: u32(whole, 1, minutes, 1, all % 60000, 1000) };
  };
  const time = at === undefined ? [] : [ascii(0x9003, new Date(at).toISOString().slice(0, 19).replace(/-/g, ':').replace('T', ' ')),
    ...(zone === null ? [] : [ascii(0x9011, zone)])];
  const place = lat === undefined ? [] : [ascii(1, lat < 0 ? 'S' : 'N'), degrees(2, lat), ascii(3, lng < 0 ? 'W' : 'E'), degrees(4, lng)];
  const directory = (entries, start) => {
    const table = [u16(entries.length)], values = [];
    let next = start + 2 + 12 * entries.length + 4;
    for (const { tag, type, count, bytes } of entries) {
      table.push(u16(tag, type), u32(count), bytes.length <= 4 ? Buffer.concat([bytes, Buffer.alloc(4)]).subarray(0, 4) : u32(next));
      if (bytes.length > 4) {
        values.push(bytes);
        next += bytes.length;
      }
    }
    return Buffer.concat([...table, u32(0), ...values]);
  };
  const link = (tag, to) => ({ tag, type: 4, count: 1, bytes: u32(to) });
  const first = (a, b) => [ascii(0x010f, make), ascii(0x0110, model), link(0x8769, a), link(0x8825, b)];
  const size = directory(first(0, 0), 8).length, times = directory(time, 8 + size);
  return Buffer.concat([Buffer.from('MM\0*'), u32(8), directory(first(8 + size, 8 + size + times.length), 8), times,
    directory(place, 8 + size + times.length)]);
}

/* A body of multipart/form-data: the file as `file`, texts beside it; and its content type. */
export function form(bytes, { name = 'photo.jpg', type = 'image/jpeg', fields = {} } = {}) {
  const boundary = 'x-boundary-0123456789';
  const texts = Object.entries(fields).map(([key, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${key}"\r\n\r\n${value}\r\n`).join('');
  const raw = Buffer.concat([Buffer.from(`${texts}--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: ${type}\r\n\r\n`),
    bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return { raw, type: `multipart/form-data; boundary=${boundary}` };
}
