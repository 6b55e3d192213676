/* Time and place in the app's own photos, read back by a reader that knows nothing of the writer.  The server's reader (libexif)
 * is asked in tests/browser/app.test.mjs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sexagesimal, stamp } from '../../web/app/exif.mjs';
import { jpeg } from '../pictures.mjs';

const AT = Date.parse('2026-02-03T04:05:06Z');

/* All entries of a stamped JPEG's IFDs: tag → value. */
function read(bytes) {
  const data = Buffer.from(bytes),
    length = data.readUInt16BE(4),
    body = data.subarray(6, 4 + length);
  assert.deepEqual(
    [data.readUInt16BE(0), data.readUInt16BE(2), body.toString('latin1', 0, 6)],
    [0xffd8, 0xffe1, 'Exif\0\0'],
  );
  const tiff = body.subarray(6),
    tags = new Map();
  assert.deepEqual([tiff.toString('latin1', 0, 2), tiff.readUInt16LE(2)], ['II', 42]);
  const sizes = { 2: 1, 3: 2, 4: 4, 5: 8 };
  const walk = (at, name) => {
    const count = tiff.readUInt16LE(at);
    let last = 0;
    for (let i = 0; i < count; i++) {
      const entry = at + 2 + 12 * i,
        tag = tiff.readUInt16LE(entry),
        type = tiff.readUInt16LE(entry + 2),
        n = tiff.readUInt32LE(entry + 4);
      assert.ok(tag > last, 'tags ascend');
      last = tag;
      const from = n * sizes[type] <= 4 ? entry + 8 : tiff.readUInt32LE(entry + 8);
      assert.ok(from + n * sizes[type] <= tiff.length && from % 2 === 0, 'inside, at a whole word');
      const value =
        type === 2
          ? tiff.toString('latin1', from, from + n - 1)
          : Array.from({ length: n }, (_, k) =>
              type === 3
                ? tiff.readUInt16LE(from + 2 * k)
                : type === 4
                  ? tiff.readUInt32LE(from + 4 * k)
                  : tiff.readUInt32LE(from + 8 * k) / tiff.readUInt32LE(from + 8 * k + 4),
            );
      tags.set(`${name}.${tag.toString(16)}`, value);
      if (tag === 0x8769) walk(value[0], 'exif');
      if (tag === 0x8825) walk(value[0], 'gps');
    }
    assert.equal(tiff.readUInt32LE(at + 2 + 12 * count), 0, 'no further IFD');
  };
  walk(tiff.readUInt32LE(4), 'main');
  return { tags, rest: data.subarray(4 + length) };
}

const degrees = ([d, m, s], ref) => (d + m / 60 + s / 3600) * (/[SW]/.test(ref) ? -1 : 1);

test('place and time are read back as they were, in all four quarters of the earth', () => {
  for (const [lat, lng] of [
    [40.7128, -74.006],
    [-33.8568, 151.2153],
    [0, 0],
    [90, -180],
    [-0.0001, 0.0001],
    [59.9999999, 10.9999999],
  ]) {
    const { tags } = read(stamp(jpeg(), { at: AT, place: { lat, lng, accuracy_m: 12.5 }, offset: 0 }));
    assert.ok(Math.abs(degrees(tags.get('gps.2'), tags.get('gps.1')) - lat) < 1e-7, `${lat}`);
    assert.ok(Math.abs(degrees(tags.get('gps.4'), tags.get('gps.3')) - lng) < 1e-7, `${lng}`);
    assert.deepEqual(
      [tags.get('gps.1f'), tags.get('exif.9003'), tags.get('exif.9011')],
      [[12.5], '2026:02:03 04:05:06', '+00:00'],
    );
  }
});

test('local time has its zone beside it', () => {
  for (const [offset, time, zone] of [
    [330, '2026:02:03 09:35:06', '+05:30'],
    [-300, '2026:02:02 23:05:06', '-05:00'],
    [-210, '2026:02:03 00:35:06', '-03:30'],
  ]) {
    const { tags } = read(stamp(jpeg(), { at: AT, offset }));
    assert.deepEqual([tags.get('exif.9003'), tags.get('exif.9011'), tags.get('main.132')], [time, zone, time]);
  }
});

test('without a place nothing is said of one, and the picture behind is untouched', () => {
  const picture = jpeg(),
    { tags, rest } = read(stamp(picture, { at: AT }));
  assert.ok([...tags.keys()].every((key) => !key.startsWith('gps')) && !tags.has('main.8825'));
  assert.ok(rest.equals(picture.subarray(2)));
});

test('seconds never reach sixty', () => {
  for (const value of [(1 / 3600) * 59.99999999, 0.99999999999, 12 + 59.9999999 / 60]) {
    const [, [m], [s, parts]] = sexagesimal(value);
    assert.ok(m < 60 && s < 60 * parts, `${value}`);
  }
});
