/* sbom.mjs FILE CHECKOUT: what 60-dist asks of the list of parts.  Ends with 1 and every fault. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import addMoreFormats from 'ajv-formats-draft2019';

const [file, root] = process.argv.slice(2);
const bom = JSON.parse(readFileSync(file, 'utf8'));

/* CycloneDX's schema of that version, as its own library brings it. */
const folder = new URL('node_modules/@cyclonedx/cyclonedx-library/res/schema/', import.meta.url);
const schema = (name) => JSON.parse(readFileSync(new URL(`${name}.SNAPSHOT.schema.json`, folder), 'utf8'));
const others = ['spdx', 'jsf-0.82'].map((name) => [`http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`, schema(name)]);
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true, schemas: Object.fromEntries(others) });
addFormats(ajv);
addMoreFormats(ajv);
const check = ajv.compile(schema(`bom-${bom.specVersion}`));
const valid = (value) => check(value) || assert.fail(JSON.stringify(check.errors.slice(0, 5), null, 2));

valid(bom);
assert.throws(() => valid({ ...bom, components: [{ name: 'x' }] }), 'the schema refuses a component without a type');
assert.throws(() => valid({ ...bom, serialNumber: 'x' }), 'and a serial number that is none');

const everything = bom.components.flatMap((component) => [component, ...(component.components ?? [])]);
const refs = new Set([bom.metadata.component['bom-ref'], ...everything.map((component) => component['bom-ref'])]);
assert.equal(refs.size, everything.length + 1, 'each part has a name of its own');
for (const { ref, dependsOn } of bom.dependencies) for (const name of [ref, ...dependsOn]) assert.ok(refs.has(name), `${name} is a part`);

/* No library that a program names is missing, by another way than the list was made: the file's package from dpkg's own lists. */
const owns = new Map();
for (const name of readdirSync('/var/lib/dpkg/info').filter((entry) => entry.endsWith('.list')))
  for (const line of readFileSync(path.join('/var/lib/dpkg/info', name), 'utf8').split('\n'))
    if (/\/lib[^/]*\.so[.\d]*$/.test(line)) owns.set(path.basename(line), name.replace(/(?::\w+)?\.list$/, ''));
const names = new Set(bom.components.map((component) => component.name));
const direct = new Set(bom.dependencies[0].dependsOn);
let count = 0;
for (const program of readdirSync(path.join(root, 'build/fcgi')).filter((name) => !/\.[od]$/.test(name)))
  for (const [, needed] of execFileSync('readelf', ['-d', path.join(root, 'build/fcgi', program)], { encoding: 'utf8' }).matchAll(/\(NEEDED\).*\[(.+)\]/g)) {
    const owner = owns.get(needed);
    assert.ok(owner && names.has(owner), `${program} needs ${needed} of ${owner}`);
    assert.ok([...direct].some((ref) => ref.startsWith(`pkg:deb/debian/${owner}@`)), `${owner} is a direct need`);
    count++;
  }
assert.ok(count > 50);

for (const component of everything.filter((part) => part.type === 'file'))
  assert.equal(component.hashes[0].content, createHash('sha256').update(readFileSync(path.join(root, component.name))).digest('hex'), component.name);
for (const name of ['leaflet', 'redoc', 'humanops', 'postgresql-15', '@modelcontextprotocol/server']) assert.ok(names.has(name), name);
console.log(`${everything.length} parts; the schema of CycloneDX ${bom.specVersion} is kept`);
