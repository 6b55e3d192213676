#ifndef CORE_SCAN_H
#define CORE_SCAN_H

#include <stdbool.h>

/* The search for deposits that nobody names: transfers from bound wallets, block by block (spec 6). */

struct error;
struct look;

/*
 * Searches the blocks since the last search, as far as there is time.  *is_behind: there are more.  Nothing is lost
 * by an error.
 */
int scan_blocks(const struct look *look, bool *is_behind, struct error *err);

#endif
