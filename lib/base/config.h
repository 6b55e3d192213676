#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include "base/crypto.h"
#include "base/network.h"

/* Settings (spec 2): a table of defaults, a file of KEY=VALUE lines over it, the environment over both. */

struct error;

struct config {
	const char *program;   /* whose settings these are: tasks, worker, ... */
	bool is_development;   /* HUMANOPS_ENV=development */
	char *database_url;    /* with the program's name where its user has %p */
	char *public_base_url; /* no slash at its end */
	/* Each NULL for programs that do not use it.  link_key signs links to proof, mail_key seals tokens on their way into
	 * a mail, push_key signs what is pushed to phones, and secret_key the rest: callback secrets and receipts. */
	const uint8_t *secret_key, *link_key, *mail_key, *push_key;
	char *admin_api_key;	     /* NULL: no staff calls */
	char *operator_jwt_issuer;   /* NULL: no operator signs in by token.  As its tokens write it */
	char *operator_jwks_url;     /* with an issuer always there */
	char *operator_jwt_azp;	     /* whom tokens may be made for, between single blanks; NULL: anyone */
	char *operator_jwt_audience; /* NULL: not looked at */
	bool allow_dev_operator_id;  /* development: X-Operator-Id is believed */
	char *smtp_url, *mail_from;  /* smtp_url NULL (development only): .eml files in mail_dir */
	char *state_dir, *run_dir;   /* what is kept; sockets and shared memory.  Absolute paths */
	char *mail_dir;		     /* state_dir/mail */
	char *scratch_dir;	     /* state_dir/scratch, for base/scratch.h */
	char *upload_dir;	     /* proof files, where there is no bucket */
	char *r2_endpoint;	     /* an origin; NULL: proof files are in upload_dir, and no other r2_… counts */
	char *r2_bucket, *r2_region, *r2_access_key_id, *r2_secret_access_key;
	int64_t escrow_hold_s, estimate_approval_s, manual_review_s, deadline_grace_s, sandbox_step_s;
	bool webhook_allow_private;
	char *guardian_provider; /* rules, anthropic, openai */
	char *guardian_url;	 /* no slash at its end; NULL: the provider's own */
	char *guardian_model;	 /* NULL only where the provider is rules */
	char *guardian_api_key;	 /* NULL: none; anthropic has one */
	char *dlocal_url;	 /* no slash at its end; NULL: no fiat, and no other dlocal_… counts */
	char *dlocal_login, *dlocal_trans_key, *dlocal_secret;
	char *base_rpc_urls[2]; /* of the chain; NULL: none.  Secrets: a provider's key may be in the path */
	int64_t base_chain_id, confirmations;
	char *usdc_contract, *deposit_address; /* "0x" and 40 hex digits; deposit_address NULL only without RPC */
	char *payout_key_file;		       /* for worker alone; NULL: it pays nobody */
	char *eth_usd_oracle;		       /* a price feed contract; NULL: eth_usd_price counts */
	int64_t eth_usd_price;		       /* usd_micros for one ether; 0: none set */
	char *kyc_webhook_secret;	       /* NULL: no verdict of a vendor is believed */
	struct network trusted_proxies[32];    /* whose X-Forwarded-For is believed (http/client.h) */
	size_t trusted_proxy_count;
	bool database_guard; /* development: each transaction names its bucket to row-level security
				  (base/db.h) */

	/* What the web app needs to know (api/api_settings.c). */
	char *operator_oidc_client_id; /* as whom it signs in; NULL: it cannot */
	char *operator_oidc_scope;     /* what it then asks for; with a client always there */
	char *map_tile_url;	       /* with {z}, {x} and {y}; NULL: its map has no tiles */
	char *map_tile_attribution;    /* NULL: none */
};

/*
 * The settings of a program (agents, tasks, operator, webhooks, admin, mcp, worker, sweeper; doctor looks at all of them).
 * Those that the table tells to other programs alone are checked where their value is at hand and then forgotten; their
 * files are not even opened, and may be closed to this program.
 * Reads HUMANOPS_CONF (default /etc/humanops/humanops.conf; a missing default file is no error), then the
 * environment: there only names of the table count, but any other name beginning with HUMANOPS_ is a fault.
 * KEY= with nothing behind it takes the default.  KEY_FILE=path reads a value from a file (one trailing
 * newline is cut). Returns NULL after printing to standard error every unknown, malformed or missing setting
 * by name, never a value. Owner: the caller's talloc context; secrets are wiped when it is freed.
 */
struct config *config_load(const void *ctx, const char *program);

#endif
