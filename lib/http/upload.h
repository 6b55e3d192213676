#ifndef HTTP_UPLOAD_H
#define HTTP_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>
#include "base/crypto.h"
#include "base/id.h"

/*
 * An uploaded file (spec 3, POST /operator/upload), read from the client in steps: as multipart/form-data
 * (RFC 7578), one part `file` and text parts, or as the whole body, the texts then in the query.  The file
 * goes to a scratch file and is hashed on its way; memory does not grow with it.  The route must be STREAMED.
 */

struct request;

enum { UPLOAD_FILE_MAX = 15 * 1024 * 1024, UPLOAD_NAME_MAX = 100 };

struct upload {
	int fd; /* the bytes, at their beginning; closed with the request */
	int64_t size;
	uint8_t sha256[SHA256_SIZE];
	char *name;	/* as the client calls the file: one line of UTF-8 without folders, at most
			   UPLOAD_NAME_MAX     bytes, for people to read only; NULL: it did not say */
	struct id task; /* nil: none */
	bool has_position, has_accuracy;
	double lat, lng, accuracy_m;
	int64_t captured_ms; /* 0: not said */
};

/*
 * Reads the body.  folder: where the scratch file may be (config.scratch_dir).  Owner: the request.
 * NULL with the request's error: body_too_large; file_type_unsupported (the body's type is none of those);
 * body_invalid (details.reason); validation_failed with every faulty field, `file` among them.  What the
 * bytes really are is net/image.h's.
 */
struct upload *upload_read(struct request *rq, const char *folder);

#endif
