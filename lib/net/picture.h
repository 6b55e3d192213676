#ifndef NET_PICTURE_H
#define NET_PICTURE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "net/image.h"

/* The work of the program `imager` (see net/image.h), never done in a process that serves. */

enum { PICTURE_PIXELS_MAX = 52 * 1000 * 1000 }; /* cameras have 50 million; of a JPEG, after its coarse scaling */

/* What imager writes to its standard output: whole, or it has failed. */
struct picture_report {
	uint32_t version; /* PICTURE_VERSION: imager and the program that asks are of one build */
	uint32_t is_refused;
	struct image image;
};

enum { PICTURE_VERSION = 0x48310000 + sizeof(struct picture_report) };

/* Decodes the file in memory and writes it anew; 0, or -1 if it cannot be decoded or is too large. */
int picture_convert(const uint8_t *data, size_t len, FILE *served, struct image *image);

#endif
