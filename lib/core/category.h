#ifndef CORE_CATEGORY_H
#define CORE_CATEGORY_H

#include <stdbool.h>
#include <stddef.h>
#include "base/money.h"

/* The task types (reference: POST /tasks, digital tasks, tier 2): one table. */

struct category {
	const char *type, *description;
	bool is_digital, is_credential; /* credential: tier 2, needs a public key, delivers ARTIFACT */
	const char *proof_type;		/* the default; the only one for credential types */
	const char *proof_default;	/* a proof requirement to begin with */
	usd_micros maximum;		/* of the reward */
};

extern const struct category categories[];
extern const size_t category_count;
extern const char *const category_types[];   /* the names, NULL at the end */
extern const char *const category_proofs[];  /* PHOTO, SCREENSHOT, CONFIRMATION, ARTIFACT */
extern const char *const category_domains[]; /* PHYSICAL, DIGITAL */

/* NULL if there is no such type. */
const struct category *category_find(const char *type);

const char *category_domain(const struct category *category);

#endif
