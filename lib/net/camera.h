#ifndef NET_CAMERA_H
#define NET_CAMERA_H

#include <stddef.h>
#include <stdint.h>
#include "net/image.h"

/*
 * What a camera wrote into a JPEG file, or into a bare block of EXIF ("Exif", two NULs, TIFF).  Fills *taken
 * and returns the orientation, 1 to 8 (1: as it is).  Whatever is missing or makes no sense is left out.  Not
 * for the serving process: the bytes are a stranger's (see net/image.h).
 */
int camera_read(const uint8_t *data, size_t len, struct image_taken *taken);

#endif
