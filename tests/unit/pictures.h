#ifndef UNIT_PICTURES_H
#define UNIT_PICTURES_H

/* Pictures made by the libraries' own encoders, and EXIF put together by hand, so that no file lies in the
 * tree. */
#include <assert.h>
#include <libheif/heif.h>
#include <math.h>
#include <png.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <webp/encode.h>

#include <jpeglib.h>

#include "net/image.h"

struct picture {
	uint8_t *data;
	size_t len;
};

/* What a picture shows: a bright spot on a slope, red at the left edge, blue at the bottom; `kind` moves the
 * spot. */
static inline void
picture_pixel(int x, int y, int width, int height, int kind, uint8_t rgb[3])
{
	double dx = (double)x / width - 0.3 - 0.1 * kind, dy = (double)y / height - 0.3;
	double light = 40 + 60.0 * x / width + 150 * exp(-20 * (dx * dx + dy * dy)) + 20 * sin(9.0 * y / height + kind);

	for (int c = 0; c < 3; c++)
		rgb[c] = (uint8_t)fmin(fmax(light, 0), 255);
	if (x < width / 8)
		rgb[0] = 255;
	if (y >= height - height / 8)
		rgb[2] = 255;
}

static inline uint8_t *
picture_rgb(int width, int height, int kind)
{
	uint8_t *rgb = malloc((size_t)width * (size_t)height * 3);

	assert(rgb != NULL);
	for (int y = 0; y < height; y++) {
		for (int x = 0; x < width; x++)
			picture_pixel(x, y, width, height, kind, rgb + 3 * ((size_t)y * (size_t)width + (size_t)x));
	}
	return rgb;
}

/* exif: a block with its head ("Exif", two NULs), or NULL. */
static inline struct picture
picture_jpeg(int width, int height, int kind, const struct picture *exif)
{
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr faults;
	uint8_t *rgb = picture_rgb(width, height, kind), *data = NULL;
	unsigned long len = 0;

	jpeg.err = jpeg_std_error(&faults);
	jpeg_create_compress(&jpeg);
	jpeg_mem_dest(&jpeg, &data, &len);
	jpeg.image_width = (JDIMENSION)width;
	jpeg.image_height = (JDIMENSION)height;
	jpeg.input_components = 3;
	jpeg.in_color_space = JCS_RGB;
	jpeg_set_defaults(&jpeg);
	jpeg_start_compress(&jpeg, TRUE);
	if (exif != NULL)
		jpeg_write_marker(&jpeg, JPEG_APP0 + 1, exif->data, (unsigned)exif->len);
	while (jpeg.next_scanline < jpeg.image_height) {
		uint8_t *row = rgb + (size_t)jpeg.next_scanline * (size_t)width * 3;

		jpeg_write_scanlines(&jpeg, &row, 1);
	}
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	free(rgb);
	return (struct picture){ data, len };
}

static inline struct picture
picture_png(int width, int height, int kind)
{
	png_image png = { .version = PNG_IMAGE_VERSION,
		.width = (png_uint_32)width,
		.height = (png_uint_32)height,
		.format = PNG_FORMAT_RGB };
	uint8_t *rgb = picture_rgb(width, height, kind);
	png_alloc_size_t len = 0;
	uint8_t *data = NULL;
	int rc = png_image_write_to_memory(&png, NULL, &len, 0, rgb, 0, NULL);

	assert(rc != 0);
	data = malloc(len);
	rc = png_image_write_to_memory(&png, data, &len, 0, rgb, 0, NULL);
	assert(rc != 0 && data != NULL);
	free(rgb);
	return (struct picture){ data, len };
}

static inline struct picture
picture_webp(int width, int height, int kind)
{
	uint8_t *rgb = picture_rgb(width, height, kind), *data = NULL;
	size_t len = WebPEncodeRGB(rgb, width, height, 3 * width, 90, &data);

	assert(len > 0);
	free(rgb);
	return (struct picture){ data, len };
}

static inline struct heif_error
picture_take(struct heif_context *context, const void *data, size_t len, void *arg)
{
	struct picture *picture = arg;

	(void)context;
	picture->data = malloc(len);
	assert(picture->data != NULL);
	memcpy(picture->data, data, len);
	picture->len = len;
	return (struct heif_error){ heif_error_Ok, heif_suberror_Unspecified, "" };
}

/* exif: as for picture_jpeg. */
static inline struct picture
picture_heic(int width, int height, int kind, const struct picture *exif)
{
	struct heif_writer writer = { .writer_api_version = 1, .write = picture_take };
	struct heif_context *context = heif_context_alloc();
	struct heif_image_handle *handle = NULL;
	struct heif_encoder *encoder = NULL;
	struct heif_image *image = NULL;
	uint8_t *rgb = picture_rgb(width, height, kind), *plane;
	struct picture picture = { 0 };
	unsigned failed;
	int stride;

	failed = heif_image_create(width, height, heif_colorspace_RGB, heif_chroma_interleaved_RGB, &image).code |
		 heif_image_add_plane(image, heif_channel_interleaved, width, height, 8).code |
		 heif_context_get_encoder_for_format(context, heif_compression_HEVC, &encoder).code;
	assert(failed == 0);
	plane = heif_image_get_plane(image, heif_channel_interleaved, &stride);
	for (int y = 0; y < height; y++)
		memcpy(plane + (ptrdiff_t)stride * y, rgb + (size_t)y * (size_t)width * 3, (size_t)width * 3);
	failed = heif_context_encode_image(context, image, encoder, NULL, &handle).code;
	assert(failed == 0);
	if (exif != NULL)
		failed = heif_context_add_exif_metadata(context, handle, exif->data + 6, (int)exif->len - 6).code;
	failed |= heif_context_write(context, &writer, &picture).code;
	assert(failed == 0);
	heif_image_handle_release(handle);
	heif_encoder_release(encoder);
	heif_image_release(image);
	heif_context_free(context);
	free(rgb);
	return picture;
}

/* --- EXIF: big-endian TIFF of three directories, each entry with its value outside --- */

struct exif_tag {
	int ifd; /* 0, 1: EXIF, 2: GPS */
	int tag, type, count;
	const void *bytes; /* big-endian */
	size_t len;
};

static inline void
exif_put(struct picture *exif, uint32_t value, int bytes)
{
	while (bytes-- > 0)
		exif->data[exif->len++] = (uint8_t)(value >> (8 * bytes));
}

/* A directory and its values; returns nothing but a longer block. */
static inline void
exif_directory(struct picture *exif, const struct exif_tag *tags, size_t count, int ifd, const uint32_t links[2])
{
	static const int pointers[] = { 0x8769, 0x8825 };
	int entries = ifd == 0 ? 2 : 0;
	uint32_t at;

	for (size_t i = 0; i < count; i++)
		entries += tags[i].ifd == ifd;
	at = (uint32_t)(exif->len - 6) + 2 + 12 * (uint32_t)entries + 4;
	exif_put(exif, (uint32_t)entries, 2);
	for (size_t i = 0; i < count; i++) {
		if (tags[i].ifd != ifd)
			continue;
		exif_put(exif, (uint32_t)tags[i].tag, 2);
		exif_put(exif, (uint32_t)tags[i].type, 2);
		exif_put(exif, (uint32_t)tags[i].count, 4);
		if (tags[i].len <= 4) {
			memset(exif->data + exif->len, 0, 4);
			memcpy(exif->data + exif->len, tags[i].bytes, tags[i].len);
			exif->len += 4;
		} else {
			exif_put(exif, at, 4);
			at += (uint32_t)tags[i].len;
		}
	}
	for (int i = 0; ifd == 0 && i < 2; i++) {
		exif_put(exif, (uint32_t)pointers[i], 2);
		exif_put(exif, 4, 2);
		exif_put(exif, 1, 4);
		exif_put(exif, links[i], 4);
	}
	exif_put(exif, 0, 4);
	for (size_t i = 0; i < count; i++) {
		if (tags[i].ifd == ifd && tags[i].len > 4) {
			memcpy(exif->data + exif->len, tags[i].bytes, tags[i].len);
			exif->len += tags[i].len;
		}
	}
}

static inline struct picture
picture_exif(const struct exif_tag *tags, size_t count)
{
	struct picture exif = { malloc(4096), 0 };
	uint32_t links[2] = { 0 };

	assert(exif.data != NULL);
	for (int round = 0; round < 2; round++) { /* twice: the first finds out where the directories lie */
		exif.len = 0;
		memcpy(exif.data, "Exif\0\0MM\0*\0\0\0\10", 14);
		exif.len = 14;
		exif_directory(&exif, tags, count, 0, links);
		for (int ifd = 1; ifd < 3; ifd++) {
			links[ifd - 1] = (uint32_t)exif.len - 6;
			exif_directory(&exif, tags, count, ifd, links);
		}
	}
	return exif;
}

#define EXIF_TEXT(ifd, tag, text) \
	{ \
		(ifd), (tag), 2, (int)sizeof(text), (text), sizeof(text) \
	}

#endif
