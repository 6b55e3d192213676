#ifndef NET_IMAGE_H
#define NET_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Pictures that strangers send.  Type by content alone; whatever decodes runs in a process of its own (the
 * program `imager`, fcgi/imager.c) that has no descriptors but the files, no secrets, and limits on memory,
 * time and output: what crashes or fills it is a refusal and harms nothing.
 */

struct error;

enum image_type { IMAGE_NONE, IMAGE_JPEG, IMAGE_PNG, IMAGE_WEBP, IMAGE_HEIC, IMAGE_PDF };
enum { IMAGE_HEAD = 64, IMAGE_SIDE_MAX = 4096, IMAGE_CAMERA_MAX = 100 };

/* What a camera wrote into the file (EXIF): a claim, not a fact. */
struct image_taken {
	bool has_position;
	double lat, lng;		   /* degrees, WGS 84 */
	int64_t at_ms;			   /* DateTimeOriginal in UTC; 0: not said */
	bool has_no_zone;		   /* at_ms is the camera's local time, of a zone it did not say, read as UTC */
	char camera[IMAGE_CAMERA_MAX + 1]; /* make and model: printable ASCII, "" if not said */
};

/* A picture as it is served: JPEG, upright, at most IMAGE_SIDE_MAX a side, without metadata. */
struct image {
	int width, height;
	uint64_t hash; /* perceptual (64-bit difference hash); image_distance compares */
	struct image_taken taken;
};

/* By the first IMAGE_HEAD bytes (fewer if there are no more).  PDF: stored and served as it is, never
 * decoded. */
enum image_type image_type_of(const void *head, size_t len);
enum image_type image_type_of_file(int fd);
const char *image_type_mime(enum image_type type);   /* "image/jpeg"; "application/octet-stream" for none */
const char *image_type_suffix(enum image_type type); /* "jpg", for names of downloads */

/*
 * Decodes the picture in `original` and writes it anew to `served`; both are files that can be sought, e.g.
 * of base/scratch.h.  imager: path of the program; NULL: `imager` beside the running one. Fails:
 * image_invalid (cannot be decoded, or takes more memory or time than we give), unavailable.
 */
int image_convert(const char *imager, int original, int served, struct image *image, struct error *err);

/* Bits in which two hashes differ, 0 to 64; at most 10: in all likelihood the same picture. */
int image_distance(uint64_t a, uint64_t b);

#endif
