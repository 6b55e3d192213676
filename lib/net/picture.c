/*
 * Decodes JPEG, PNG, WebP and HEIC, each by its own library, and encodes JPEG: upright, not too large,
 * nothing of the file's metadata.  A file that ends too early or has damaged data is refused even where a
 * library would fill the gap. That all this cannot harm the service is up to the process it runs in
 * (fcgi/imager.c).
 *
 * Not libvips: with it an installation needs 408 Debian packages instead of 194, the child starts in 22 ms
 * instead of 7, and loaders of dozens of other formats come along.
 */
#include "net/picture.h"

#include <assert.h>
#include <libheif/heif.h>
#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>

#include <jpeglib.h>

#include <jerror.h>

#include "base/text.h"
#include "net/camera.h"

enum { QUALITY = 85, HASH_SIDE = 8, HEIC_SIDE_MAX = 16384, HEIC_EXIF_MAX = 256 * 1024 };

struct raster {
	int width, height;
	uint8_t *rgb; /* malloc'ed */
};

/* Decodes into *raster; the file's own orientation, 1 to 8 (EXIF), if it is still to be applied; -1 on
 * failure. */
typedef int decoder(const uint8_t *data, size_t len, struct raster *raster, struct image_taken *taken);

static decoder decode_jpeg, decode_png, decode_webp, decode_heic;

static decoder *const decoders[] = {
	[IMAGE_JPEG] = decode_jpeg,
	[IMAGE_PNG] = decode_png,
	[IMAGE_WEBP] = decode_webp,
	[IMAGE_HEIC] = decode_heic,
	[IMAGE_PDF] = NULL,
};

static int
raster_new(struct raster *raster, int64_t width, int64_t height)
{
	if (width < 1 || height < 1 || width > PICTURE_PIXELS_MAX || height > PICTURE_PIXELS_MAX / width)
		return -1;
	raster->rgb = malloc((size_t)(width * height) * 3);
	raster->width = (int)width;
	raster->height = (int)height;
	return raster->rgb != NULL ? 0 : -1;
}

static uint8_t *
raster_at(const struct raster *raster, int x, int y)
{
	return raster->rgb + ((size_t)y * (size_t)raster->width + (size_t)x) * 3;
}

/* --- JPEG --- */

struct jpeg_fault {
	struct jpeg_error_mgr manager; /* first: libjpeg's pointer to it is one to all */
	jmp_buf back;
};

static void
jpeg_give_up(j_common_ptr jpeg)
{
	longjmp(((struct jpeg_fault *)jpeg->err)->back, 1);
}

/* Warnings at level -1: lost data is a failure; the rest (stray bytes, old cameras' habits) is none. */
static void
jpeg_judge(j_common_ptr jpeg, int level)
{
	int code = jpeg->err->msg_code;

	if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE))
		jpeg_give_up(jpeg);
}

static struct jpeg_error_mgr *
jpeg_faults(struct jpeg_fault *fault)
{
	jpeg_std_error(&fault->manager);
	fault->manager.error_exit = jpeg_give_up;
	fault->manager.emit_message = jpeg_judge;
	return &fault->manager;
}

/* The smallest size, in eighths, that is not smaller than what we keep: most of a huge picture is never made.
 */
static void
jpeg_set_scale(struct jpeg_decompress_struct *jpeg)
{
	unsigned side = jpeg->image_width > jpeg->image_height ? jpeg->image_width : jpeg->image_height;

	jpeg->scale_denom = 8;
	jpeg->scale_num = 8;
	while (jpeg->scale_num > 1 && side * (jpeg->scale_num - 1) / 8 >= IMAGE_SIDE_MAX)
		jpeg->scale_num--;
}

/* Four inks to RGB, as Adobe writes them: inverted. */
static void
jpeg_mix_inks(const uint8_t *inks, uint8_t *rgb, int width)
{
	for (int x = 0; x < width; x++, inks += 4, rgb += 3) {
		for (int i = 0; i < 3; i++)
			rgb[i] = (uint8_t)(inks[i] * inks[3] / 255);
	}
}

static int
jpeg_read_rows(struct jpeg_decompress_struct *jpeg, struct raster *raster)
{
	bool is_inks = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
	uint8_t *line = NULL;

	jpeg->out_color_space = is_inks ? JCS_CMYK : JCS_RGB;
	jpeg_set_scale(jpeg);
	jpeg_calc_output_dimensions(jpeg);
	if (raster_new(raster, jpeg->output_width, jpeg->output_height))
		return -1;
	jpeg_start_decompress(jpeg);
	if (is_inks)
		line = jpeg->mem->alloc_large((j_common_ptr)jpeg, JPOOL_IMAGE, (size_t)jpeg->output_width * 4);
	while (jpeg->output_scanline < jpeg->output_height) {
		uint8_t *row = raster_at(raster, 0, (int)jpeg->output_scanline), *into = is_inks ? line : row;

		jpeg_read_scanlines(jpeg, &into, 1);
		if (is_inks)
			jpeg_mix_inks(line, row, raster->width);
	}
	jpeg_finish_decompress(jpeg);
	return 0;
}

static int
decode_jpeg(const uint8_t *data, size_t len, struct raster *raster, struct image_taken *taken)
{
	struct jpeg_decompress_struct jpeg;
	struct jpeg_fault fault;
	int rc;

	jpeg.err = jpeg_faults(&fault);
	if (setjmp(fault.back)) { // NOLINT(cert-err52-cpp): libjpeg knows no other way out
		jpeg_destroy_decompress(&jpeg);
		return -1;
	}
	jpeg_create_decompress(&jpeg);
	jpeg_mem_src(&jpeg, data, len);
	jpeg_read_header(&jpeg, TRUE);
	rc = jpeg_read_rows(&jpeg, raster);
	jpeg_destroy_decompress(&jpeg);
	return rc == 0 ? camera_read(data, len, taken) : -1;
}

static int
encode_jpeg(const struct raster *raster, FILE *file)
{
	struct jpeg_compress_struct jpeg;
	struct jpeg_fault fault;

	jpeg.err = jpeg_faults(&fault);
	if (setjmp(fault.back)) { // NOLINT(cert-err52-cpp)
		jpeg_destroy_compress(&jpeg);
		return -1;
	}
	jpeg_create_compress(&jpeg);
	jpeg_stdio_dest(&jpeg, file);
	jpeg.image_width = (JDIMENSION)raster->width;
	jpeg.image_height = (JDIMENSION)raster->height;
	jpeg.input_components = 3;
	jpeg.in_color_space = JCS_RGB;
	jpeg_set_defaults(&jpeg);
	jpeg_set_quality(&jpeg, QUALITY, TRUE);
	jpeg_start_compress(&jpeg, TRUE);
	while (jpeg.next_scanline < jpeg.image_height) {
		uint8_t *row = raster_at(raster, 0, (int)jpeg.next_scanline);

		jpeg_write_scanlines(&jpeg, &row, 1);
	}
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	return fflush(file) == 0 ? 0 : -1;
}

/* --- PNG, WebP, HEIC --- */

static const png_color white = { 255, 255, 255 };

static int
decode_png(const uint8_t *data, size_t len, struct raster *raster, struct image_taken *taken)
{
	png_image png = { .version = PNG_IMAGE_VERSION };
	int rc = -1;

	(void)taken;
	if (png_image_begin_read_from_memory(&png, data, len)) {
		png.format = PNG_FORMAT_RGB;
		if (raster_new(raster, png.width, png.height) == 0 &&
		    png_image_finish_read(&png, &white, raster->rgb, 0, NULL))
			rc = 1;
	}
	png_image_free(&png);
	return rc;
}

/* Pixels with opacity, on white. */
static void
webp_flatten(const WebPRGBABuffer *from, struct raster *raster)
{
	for (int y = 0; y < raster->height; y++) {
		const uint8_t *rgba = from->rgba + (ptrdiff_t)from->stride * y;
		uint8_t *rgb = raster_at(raster, 0, y);

		for (int x = 0; x < raster->width; x++, rgba += 4, rgb += 3) {
			for (int i = 0; i < 3; i++)
				rgb[i] = (uint8_t)((rgba[i] * rgba[3] + 255 * (255 - rgba[3])) / 255);
		}
	}
}

/* The size to keep: what is given, or its longer side cut to IMAGE_SIDE_MAX and the other in proportion. */
static void
fit(int *width, int *height)
{
	double longer = *width > *height ? *width : *height, ratio = IMAGE_SIDE_MAX / longer;

	if (ratio >= 1)
		return;
	*width = (int)fmax(1, round(*width * ratio));
	*height = (int)fmax(1, round(*height * ratio));
}

static int
decode_webp(const uint8_t *data, size_t len, struct raster *raster, struct image_taken *taken)
{
	WebPDecoderConfig webp;
	int width, height, rc = -1;

	(void)taken;
	if (!WebPInitDecoderConfig(&webp) || WebPGetFeatures(data, len, &webp.input) != VP8_STATUS_OK ||
	    webp.input.has_animation || (int64_t)webp.input.width * webp.input.height > PICTURE_PIXELS_MAX)
		return -1;
	width = webp.input.width;
	height = webp.input.height;
	fit(&width, &height);
	webp.options.use_scaling = width != webp.input.width || height != webp.input.height;
	webp.options.scaled_width = width;
	webp.options.scaled_height = height;
	webp.output.colorspace = MODE_RGBA;
	if (WebPDecode(data, len, &webp) == VP8_STATUS_OK && raster_new(raster, width, height) == 0) {
		webp_flatten(&webp.output.u.RGBA, raster);
		rc = 1;
	}
	WebPFreeDecBuffer(&webp.output);
	return rc;
}

/* The EXIF block of a picture: four bytes say where in the rest TIFF begins (ISO/IEC 23008-12, A.2.1). */
static void
heic_read_camera(const struct heif_image_handle *handle, struct image_taken *taken)
{
	static const uint8_t head[6] = "Exif\0"; /* and a NUL; put right before TIFF, where libexif expects it */
	heif_item_id id;
	size_t size, at;
	uint8_t *block;

	if (heif_image_handle_get_list_of_metadata_block_IDs(handle, "Exif", &id, 1) != 1)
		return;
	size = heif_image_handle_get_metadata_size(handle, id);
	block = size > 4 && size <= HEIC_EXIF_MAX ? malloc(sizeof(head) + size) : NULL;
	if (block == NULL)
		return;
	if (heif_image_handle_get_metadata(handle, id, block + sizeof(head)).code == heif_error_Ok) {
		const uint8_t *b = block + sizeof(head);

		at = ((size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3]) + 4;
		if (at < size) {
			memcpy(block + at, head, sizeof(head));
			camera_read(block + at, sizeof(head) + size - at, taken);
		}
	}
	free(block);
}

static int
heic_copy(const struct heif_image *image, struct raster *raster)
{
	int stride;
	const uint8_t *plane = heif_image_get_plane_readonly(image, heif_channel_interleaved, &stride);

	if (plane == NULL || raster_new(raster, heif_image_get_width(image, heif_channel_interleaved),
				 heif_image_get_height(image, heif_channel_interleaved)))
		return -1;
	for (int y = 0; y < raster->height; y++)
		memcpy(raster_at(raster, 0, y), plane + (ptrdiff_t)stride * y, (size_t)raster->width * 3);
	return 0;
}

/* libheif turns the picture by the file's own properties; the orientation of its EXIF says the same again. */
static int
decode_heic(const uint8_t *data, size_t len, struct raster *raster, struct image_taken *taken)
{
	struct heif_context *context = heif_context_alloc();
	struct heif_image_handle *handle = NULL;
	struct heif_decoding_options *options = heif_decoding_options_alloc();
	struct heif_image *image = NULL;
	int rc = -1;

	heif_context_set_max_decoding_threads(context, 0);
	heif_context_set_maximum_image_size_limit(context, HEIC_SIDE_MAX);
	options->convert_hdr_to_8bit = 1;
	if (heif_context_read_from_memory_without_copy(context, data, len, NULL).code != heif_error_Ok ||
	    heif_context_get_primary_image_handle(context, &handle).code != heif_error_Ok ||
	    (int64_t)heif_image_handle_get_width(handle) * heif_image_handle_get_height(handle) > PICTURE_PIXELS_MAX ||
	    heif_decode_image(handle, &image, heif_colorspace_RGB, heif_chroma_interleaved_RGB, options).code !=
		heif_error_Ok ||
	    heic_copy(image, raster))
		goto out;
	heic_read_camera(handle, taken);
	rc = 1;
out:
	heif_image_release(image);
	heif_decoding_options_free(options);
	heif_image_handle_release(handle);
	heif_context_free(context);
	return rc;
}

/* --- Pixels --- */

/* One row made narrower: each new pixel is the mean of the stretch that it covers, parts of pixels included.
 */
static void
shrink_row(const uint8_t *from, int from_width, float *to, int to_width)
{
	double step = (double)from_width / to_width;

	for (int x = 0; x < to_width; x++) {
		double begin = x * step, end = fmin(begin + step, from_width), sum[3] = { 0 };

		for (int i = (int)begin; i < end; i++) {
			double share = fmin(i + 1, end) - fmax(i, begin);

			for (int c = 0; c < 3; c++)
				sum[c] += share * from[3 * i + c];
		}
		for (int c = 0; c < 3; c++)
			to[3 * x + c] = (float)(sum[c] / step);
	}
}

/* The same from row to row; two of the new rows may share an old one, which is made narrower once. */
static void
shrink_rows(const struct raster *from, struct raster *to, float *row, float *sum)
{
	double step = (double)from->height / to->height;
	size_t count = (size_t)to->width * 3;
	int made = -1;

	for (int y = 0; y < to->height; y++) {
		double begin = y * step, end = fmin(begin + step, from->height);
		uint8_t *out = raster_at(to, 0, y);

		memset(sum, 0, count * sizeof(*sum));
		for (int i = (int)begin; i < end; i++) {
			float share = (float)((fmin(i + 1, end) - fmax(i, begin)) / step);

			if (made != i)
				shrink_row(raster_at(from, 0, i), from->width, row, to->width);
			made = i;
			for (size_t k = 0; k < count; k++)
				sum[k] += share * row[k];
		}
		for (size_t k = 0; k < count; k++)
			out[k] = (uint8_t)fminf(sum[k] + 0.5F, 255);
	}
}

static int
raster_shrink(const struct raster *from, struct raster *to, int width, int height)
{
	float *lines;

	if (raster_new(to, width, height))
		return -1;
	lines = malloc((size_t)width * 3 * 2 * sizeof(*lines));
	if (lines == NULL)
		return -1;
	shrink_rows(from, to, lines, lines + (size_t)width * 3);
	free(lines);
	return 0;
}

/* Not larger than we keep; the large one goes before the next is made. */
static int
raster_fit(struct raster *from, struct raster *to)
{
	int width = from->width, height = from->height;

	fit(&width, &height);
	if (width == from->width && height == from->height)
		*to = *from;
	else if (raster_shrink(from, to, width, height))
		return -1;
	else
		free(from->rgb);
	from->rgb = NULL;
	return 0;
}

/* Where a pixel of the upright picture comes from (EXIF 2.32, tag 0x0112); from 5 on sides are exchanged. */
static int
raster_turn(const struct raster *from, struct raster *to, int orientation)
{
	bool is_lying = orientation >= 5;
	bool is_mirrored = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
	bool is_inverted = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;

	if (raster_new(to, is_lying ? from->height : from->width, is_lying ? from->width : from->height))
		return -1;
	for (int y = 0; y < to->height; y++) {
		for (int x = 0; x < to->width; x++) {
			int u = is_lying ? y : x, v = is_lying ? x : y;

			u = is_mirrored ? from->width - 1 - u : u;
			v = is_inverted ? from->height - 1 - v : v;
			memcpy(raster_at(to, x, y), raster_at(from, u, v), 3);
		}
	}
	return 0;
}

/*
 * Difference hash: of the picture shrunk to nine by eight, a bit for each pixel that is brighter than its
 * right neighbour.  Scaling, recompression and brightness hardly change it; a picture of one colour has 0.
 */
static int
raster_hash(const struct raster *raster, uint64_t *hash)
{
	struct raster tiny = { 0 };
	int grey[HASH_SIDE + 1];

	if (raster_shrink(raster, &tiny, HASH_SIDE + 1, HASH_SIDE)) {
		free(tiny.rgb);
		return -1;
	}
	*hash = 0;
	for (int y = 0; y < HASH_SIDE; y++) {
		for (int x = 0; x <= HASH_SIDE; x++) {
			const uint8_t *rgb = raster_at(&tiny, x, y);

			grey[x] = 299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2];
		}
		for (int x = 0; x < HASH_SIDE; x++)
			*hash = *hash << 1 | (uint64_t)(grey[x] > grey[x + 1]);
	}
	free(tiny.rgb);
	return 0;
}

int
picture_convert(const uint8_t *data, size_t len, FILE *served, struct image *image)
{
	struct raster whole = { 0 }, small = { 0 }, upright = { 0 };
	enum image_type type = image_type_of(data, len);
	int orientation, rc = -1;

	*image = (struct image){ 0 };
	if (type == IMAGE_NONE || decoders[type] == NULL ||
	    (orientation = decoders[type](data, len, &whole, &image->taken)) < 0)
		goto out;
	if (raster_fit(&whole, &small) || raster_turn(&small, &upright, orientation) ||
	    raster_hash(&upright, &image->hash) || encode_jpeg(&upright, served))
		goto out;
	image->width = upright.width;
	image->height = upright.height;
	rc = 0;
out:
	free(upright.rgb);
	free(small.rgb);
	free(whole.rgb);
	return rc;
}
