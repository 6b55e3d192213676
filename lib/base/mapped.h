#ifndef BASE_MAPPED_H
#define BASE_MAPPED_H

#include <stddef.h>
#include <stdint.h>

/*
 * A file that the programs of a host map to share memory: rate windows, counters.  It begins with this head and is zero
 * behind it.  Nothing is ever locked; what lies in it must bear that a program is killed at any point.
 */

enum { MAPPED_MARK = 16, MAPPED_KEY = 32 };

struct mapped_head {
	char mark[MAPPED_MARK];
	uint8_t key[MAPPED_KEY]; /* random, made with the file: for hashes that nobody can aim */
	uint8_t rest[16];	 /* what follows begins on a cache line */
};

struct error;

/*
 * Maps the file of `size` bytes, the head among them; made when missing, or when it is of another size or mark: another layout
 * needs another mark, of at most 15 characters.  Its mode is that of base/share.h.  NULL on failure, with the error.
 */
void *mapped_open(const char *path, const char *mark, size_t size, struct error *err);
void mapped_close(void *mapped, size_t size); /* takes NULL */

#endif
