// Which texts a program can name: those whose address its machine code or its tables hold.  That a text lies somewhere in the file
// is not enough, since the compiler keeps one pool of texts for all functions of a source.  For x86-64 ELF files.
import { readFileSync } from 'node:fs';

const X86_64 = 62, RELA = 4, EXECUTABLE = 4, RELATIVE = 8n;

function sectionsOf(image) {
	const count = image.readUInt16LE(60), size = image.readUInt16LE(58), start = Number(image.readBigUInt64LE(40));
	return Array.from({ length: count }, (_, i) => {
		const at = start + i * size;
		return {
			type: image.readUInt32LE(at + 4), flags: Number(image.readBigUInt64LE(at + 8)), address: Number(image.readBigUInt64LE(at + 16)),
			offset: Number(image.readBigUInt64LE(at + 24)), size: Number(image.readBigUInt64LE(at + 32)),
		};
	});
}

// Every place where the text stands, its end being the text's end: linkers let a text share the end of a longer one.
function addressesOf(image, sections, text) {
	const bytes = Buffer.from(`${text}\0`), found = [];
	for (let at = image.indexOf(bytes); at >= 0; at = image.indexOf(bytes, at + 1)) {
		const section = sections.find((s) => s.address !== 0 && at >= s.offset && at < s.offset + s.size);
		if (section !== undefined)
			found.push(section.address + at - section.offset);
	}
	return found;
}

// Whether the four bytes there are the distance, from their own end, in `lea register, [rip + distance]`: the one way in which code that
// may lie anywhere takes an address.  Any four bytes would do by chance too often.
function isAddressLoad(image, at) {
	return (image[at - 3] & 0xfb) === 0x48 && image[at - 2] === 0x8d && (image[at - 1] & 0xc7) === 0x05;
}

// named(file, texts): the set of those texts that the program's code or constant tables point to.
export function named(file, texts) {
	const image = readFileSync(file);
	if (image.readUInt32BE(0) !== 0x7f454c46 || image.readUInt16LE(18) !== X86_64)
		throw new Error(`${file} is no program for x86-64`);
	const sections = sectionsOf(image), owner = new Map(), found = new Set();
	for (const text of texts)
		addressesOf(image, sections, text).forEach((address) => owner.set(address, text));
	const note = (address) => owner.has(address) && found.add(owner.get(address));
	for (const s of sections.filter((one) => one.flags & EXECUTABLE))
		for (let at = s.offset + 3; at + 4 <= s.offset + s.size; at++)
			if (isAddressLoad(image, at))
				note(s.address + (at - s.offset) + 4 + image.readInt32LE(at));
	for (const s of sections.filter((one) => one.type === RELA))
		for (let at = s.offset; at + 24 <= s.offset + s.size; at += 24)
			if (image.readBigUInt64LE(at + 8) === RELATIVE)
				note(Number(image.readBigInt64LE(at + 16)));
	return found;
}
