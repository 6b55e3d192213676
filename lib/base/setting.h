#ifndef BASE_SETTING_H
#define BASE_SETTING_H

#include <stddef.h>
#include <stdint.h>
#include "base/config.h"

#define DEVELOPMENT_SENDER "humanops@localhost"

/* One setting of base/config.c's table, and the readers of values: what each may be, and where it goes. */

struct setting;

/* Puts a value into the configuration; NULL, or words that tell what the setting must be ("must be …"). */
typedef const char *setting_reader(struct config *config, const struct setting *setting, const char *value);

/* When there must be a value though there is no fallback. */
enum setting_need {
	OPTIONAL,
	REQUIRED,
	IN_PRODUCTION,
	WITH_SMTP,
	WITH_MODEL,
	WITH_ANTHROPIC,
	WITH_R2,
	WITH_DLOCAL,
	WITH_RPC,
	WITH_RPC_ALONE /* with an RPC server, but no oracle */
};

struct setting {
	const char *name;
	setting_reader *read;
	size_t offset;	      /* of the member, where the reader serves several */
	const char *fallback; /* NULL: none */
	enum setting_need need;
	int64_t min, max;     /* of setting_number */
	const char *programs; /* who is told it, between blanks; NULL: all */
};

setting_reader setting_environment, setting_database, setting_base_url, setting_secret, setting_smtp, setting_sender,
    setting_issuer_url, setting_issuer_words, setting_tile_url, setting_tile_attribution, setting_folder,
    setting_number, setting_development_switch, setting_r2_endpoint, setting_r2_name, setting_r2_key,
    setting_guardian_provider, setting_service_url, setting_word, setting_dlocal, setting_rpc_urls,
    setting_chain_address, setting_chain_path, setting_price, setting_shared_secret, setting_networks;

/* A copy of so many bytes that is wiped when it is freed, since settings may be secrets. */
char *setting_copy(const void *ctx, const char *text, size_t len);

#endif
