/*
 * EXIF by libexif: position, time and make of a picture.  libexif bounds what it reads; that a value is of
 * the type and length that its tag asks for is looked at here.  What the claims are worth is the Guardian's
 * business.
 */
#include "net/camera.h"

#include <ctype.h>
#include <libexif/exif-data.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/now.h"
#include "base/text.h"

enum { TAG_OFFSET_TIME_ORIGINAL = 0x9011 }; /* EXIF 2.31; libexif 0.6.24 has no name for it */

/* The entry if it is of this type and has so many values; NULL otherwise. */
static const ExifEntry *
entry_of(ExifData *exif, ExifIfd ifd, int tag, ExifFormat format, unsigned long count)
{
	const ExifEntry *entry = exif_content_get_entry(exif->ifd[ifd], (ExifTag)tag);

	if (entry == NULL || entry->data == NULL || entry->format != format || entry->components < count ||
	    entry->size < count * exif_format_get_size(format))
		return NULL;
	return entry;
}

/* A text, cut to what fits, "" if there is none. */
static void
text_of(ExifData *exif, ExifIfd ifd, int tag, char *out, size_t size)
{
	const ExifEntry *entry = entry_of(exif, ifd, tag, EXIF_FORMAT_ASCII, 1);
	size_t len = entry == NULL ? 0 : strnlen((const char *)entry->data, entry->size);

	len = len < size ? len : size - 1;
	if (len > 0)
		memcpy(out, entry->data, len);
	out[len] = '\0';
}

/* Degrees of three rationals (degrees, minutes, seconds); NAN if they are none, or beyond `most`. */
static double
degrees_of(ExifData *exif, int tag, double most)
{
	static const double parts[] = { 1, 60, 3600 };
	const ExifEntry *entry = entry_of(exif, EXIF_IFD_GPS, tag, EXIF_FORMAT_RATIONAL, nitems(parts));
	double sum = 0;

	if (entry == NULL)
		return NAN;
	for (size_t i = 0; i < nitems(parts); i++) {
		ExifRational part = exif_get_rational(entry->data + 8 * i, exif_data_get_byte_order(exif));

		if (part.denominator == 0) /* how many cameras write "unknown" */
			return NAN;
		sum += (double)part.numerator / (double)part.denominator / parts[i];
	}
	return sum <= most ? sum : NAN;
}

/* 1 or -1 for the two letters of a reference, 0 for anything else. */
static int
sign_of(ExifData *exif, int tag, char positive, char negative)
{
	char text[2];

	text_of(exif, EXIF_IFD_GPS, tag, text, sizeof(text));
	return text[0] == positive ? 1 : text[0] == negative ? -1 : 0;
}

static void
read_position(ExifData *exif, struct image_taken *taken)
{
	double lat = degrees_of(exif, EXIF_TAG_GPS_LATITUDE, 90);
	double lng = degrees_of(exif, EXIF_TAG_GPS_LONGITUDE, 180);
	int north = sign_of(exif, EXIF_TAG_GPS_LATITUDE_REF, 'N', 'S');
	int east = sign_of(exif, EXIF_TAG_GPS_LONGITUDE_REF, 'E', 'W');

	/* Exactly 0, 0 lies in the sea and is what a receiver without a fix says. */
	if (isnan(lat) || isnan(lng) || north == 0 || east == 0 || (lat == 0 && lng == 0))
		return;
	taken->has_position = true;
	taken->lat = north * lat;
	taken->lng = east * lng;
}

/* "2026:02:05 12:00:00", of the zone "+05:30" if that is said. */
static void
read_time(ExifData *exif, struct image_taken *taken)
{
	char local[20] = "", zone[7] = "", text[TIME_TEXT_SIZE];

	text_of(exif, EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_ORIGINAL, local, sizeof(local));
	text_of(exif, EXIF_IFD_EXIF, TAG_OFFSET_TIME_ORIGINAL, zone, sizeof(zone));
	if (strlen(local) != 19 || local[4] != ':' || local[7] != ':' || local[10] != ' ')
		return;
	local[4] = local[7] = '-';
	local[10] = 'T';
	snprintf(text, sizeof(text), "%s%s", local, zone);
	if (zone[0] != '\0' && zone[0] != 'Z' && time_parse(text, &taken->at_ms) == 0)
		return;
	snprintf(text, sizeof(text), "%sZ", local);
	taken->has_no_zone = time_parse(text, &taken->at_ms) == 0;
}

/* Make and model in letters that are safe wherever they are shown, or read by a model. */
static void
read_camera(ExifData *exif, struct image_taken *taken)
{
	char make[IMAGE_CAMERA_MAX + 1], model[IMAGE_CAMERA_MAX + 1];
	size_t len;

	text_of(exif, EXIF_IFD_0, EXIF_TAG_MAKE, make, sizeof(make));
	text_of(exif, EXIF_IFD_0, EXIF_TAG_MODEL, model, sizeof(model));
	make[strcspn(make, " ")] = '\0'; /* "NIKON CORPORATION", "NIKON D750" */
	if (strncmp(model, make, strlen(make)) == 0)
		make[0] = '\0';
	snprintf(taken->camera, sizeof(taken->camera), "%.40s%s%.59s", make, *make != '\0' && *model != '\0' ? " " : "",
	    model);
	for (char *p = taken->camera; *p != '\0'; p++) {
		if (!isascii(*p) || (!isalnum((unsigned char)*p) && strchr(" .,-_+()/", *p) == NULL))
			*p = '_';
	}
	len = strlen(taken->camera);
	while (len > 0 && taken->camera[len - 1] == ' ')
		taken->camera[--len] = '\0';
}

int
camera_read(const uint8_t *data, size_t len, struct image_taken *taken)
{
	ExifData *exif = len <= UINT32_MAX ? exif_data_new_from_data(data, (unsigned)len) : NULL;
	const ExifEntry *entry;
	int orientation = 1;

	if (exif == NULL)
		return orientation;
	read_position(exif, taken);
	read_time(exif, taken);
	read_camera(exif, taken);
	entry = entry_of(exif, EXIF_IFD_0, EXIF_TAG_ORIENTATION, EXIF_FORMAT_SHORT, 1);
	if (entry != NULL)
		orientation = exif_get_short(entry->data, exif_data_get_byte_order(exif));
	exif_data_unref(exif);
	return orientation >= 1 && orientation <= 8 ? orientation : 1;
}
