/*
 * Settings: the table of all of them, and reading them from a file and the environment.  Says everything that
 * is wrong at once and never shows a value, since many are secrets.  Whether a database or mail server
 * answers is left to those who call it.
 */
#include "base/config.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

#include "base/setting.h"
#include "base/text.h"

#define DEFAULT_PATH "/etc/humanops/humanops.conf"
#define USDC_ON_BASE "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913" /* Circle's own token, chain 8453 */

enum { FILE_SIZE_MAX = 64 * 1024, NAME_MAX_LENGTH = 64, YEAR_SECONDS = 31536000 };
static const char usual_scope[] = "openid profile email offline_access";

static const char *const programs[] = { "agents", "tasks", "operator", "webhooks", "admin", "mcp", "worker", "sweeper",
	"doctor" };

/* In the order in which they are read: what a later one may be, or whether it is needed, depends on earlier ones. */
static const struct setting settings[] = {
#define AT(member) offsetof(struct config, member)
	{ "HUMANOPS_ENV", setting_environment, 0, "production", OPTIONAL, 0, 0 },
	{ "DATABASE_URL", setting_database, 0, NULL, REQUIRED, 0, 0 },
	{ "PUBLIC_BASE_URL", setting_base_url, 0, NULL, REQUIRED, 0, 0 },
	{ "LINK_KEY", setting_secret, AT(link_key), NULL, OPTIONAL, 0, 0, "tasks operator admin mcp" },
	{ "MAIL_KEY", setting_secret, AT(mail_key), NULL, OPTIONAL, 0, 0, "agents mcp worker" },
	{ "PUSH_KEY", setting_secret, AT(push_key), NULL, OPTIONAL, 0, 0, "operator worker" },
	{ "SECRET_KEY", setting_secret, AT(secret_key), NULL, REQUIRED, 0, 0, "tasks mcp worker" },
	{ "ADMIN_API_KEY", setting_shared_secret, AT(admin_api_key), NULL, OPTIONAL, 0, 0, "admin" },
	{ "ALLOW_DEV_OPERATOR_ID_HEADER", setting_development_switch, AT(allow_dev_operator_id), "false", OPTIONAL, 0,
	    0 },
	{ "OPERATOR_JWT_ISSUER", setting_issuer_url, AT(operator_jwt_issuer), NULL, OPTIONAL, 0, 0 },
	{ "OPERATOR_JWKS_URL", setting_issuer_url, AT(operator_jwks_url), NULL, OPTIONAL, 0, 0 },
	{ "OPERATOR_JWT_AZP", setting_issuer_words, AT(operator_jwt_azp), NULL, OPTIONAL, 0, 0 },
	{ "OPERATOR_JWT_AUDIENCE", setting_issuer_words, AT(operator_jwt_audience), NULL, OPTIONAL, 0, 1 },
	{ "OPERATOR_OIDC_CLIENT_ID", setting_issuer_words, AT(operator_oidc_client_id), NULL, OPTIONAL, 0, 1 },
	{ "OPERATOR_OIDC_SCOPE", setting_issuer_words, AT(operator_oidc_scope), NULL, OPTIONAL, 0, 0 },
	{ "MAP_TILE_URL", setting_tile_url, 0, NULL, OPTIONAL, 0, 0 },
	{ "MAP_TILE_ATTRIBUTION", setting_tile_attribution, 0, NULL, OPTIONAL, 0, 0 },
	{ "SMTP_URL", setting_smtp, AT(smtp_url), NULL, IN_PRODUCTION, 0, 0, "worker" },
	{ "MAIL_FROM", setting_sender, 0, NULL, WITH_SMTP, 0, 0 },
	{ "STATE_DIR", setting_folder, AT(state_dir), "/var/lib/humanops", OPTIONAL, 0, 0 },
	{ "RUN_DIR", setting_folder, AT(run_dir), "/run/humanops", OPTIONAL, 0, 0 },
	{ "UPLOAD_DIR", setting_folder, AT(upload_dir), NULL, OPTIONAL, 0, 0 },
	{ "R2_ENDPOINT", setting_r2_endpoint, 0, NULL, OPTIONAL, 0, 0 },
	{ "R2_BUCKET", setting_r2_name, AT(r2_bucket), NULL, WITH_R2, 0, 0 },
	{ "R2_REGION", setting_r2_name, AT(r2_region), NULL, OPTIONAL, 0, 0 },
	{ "R2_ACCESS_KEY_ID", setting_r2_key, AT(r2_access_key_id), NULL, WITH_R2, 0, 0, "operator worker" },
	{ "R2_SECRET_ACCESS_KEY", setting_r2_key, AT(r2_secret_access_key), NULL, WITH_R2, 0, 0, "operator worker" },
	{ "ESCROW_HOLD_SECONDS", setting_number, AT(escrow_hold_s), "604800", OPTIONAL, 1, YEAR_SECONDS },
	{ "ESTIMATE_APPROVAL_SECONDS", setting_number, AT(estimate_approval_s), "86400", OPTIONAL, 1, YEAR_SECONDS },
	{ "MANUAL_REVIEW_SECONDS", setting_number, AT(manual_review_s), "604800", OPTIONAL, 1, YEAR_SECONDS },
	{ "DEADLINE_GRACE_SECONDS", setting_number, AT(deadline_grace_s), "86400", OPTIONAL, 1, YEAR_SECONDS },
	{ "SANDBOX_STEP_SECONDS", setting_number, AT(sandbox_step_s), "1", OPTIONAL, 0, 3600 },
	{ "GUARDIAN_PROVIDER", setting_guardian_provider, 0, "rules", OPTIONAL, 0, 0 },
	{ "GUARDIAN_URL", setting_service_url, AT(guardian_url), NULL, OPTIONAL, 0, 0 },
	{ "GUARDIAN_MODEL", setting_word, AT(guardian_model), NULL, WITH_MODEL, 0, 0 },
	{ "GUARDIAN_API_KEY", setting_word, AT(guardian_api_key), NULL, WITH_ANTHROPIC, 0, 0, "tasks mcp worker" },
	{ "DLOCAL_URL", setting_service_url, AT(dlocal_url), NULL, OPTIONAL, 0, 0 },
	{ "DLOCAL_LOGIN", setting_dlocal, AT(dlocal_login), NULL, WITH_DLOCAL, 0, 0, "agents worker" },
	{ "DLOCAL_TRANS_KEY", setting_dlocal, AT(dlocal_trans_key), NULL, WITH_DLOCAL, 0, 0, "agents worker" },
	{ "DLOCAL_SECRET", setting_dlocal, AT(dlocal_secret), NULL, WITH_DLOCAL, 0, 0, "agents webhooks worker" },
	{ "KYC_WEBHOOK_SECRET", setting_shared_secret, AT(kyc_webhook_secret), NULL, OPTIONAL, 0, 0, "webhooks" },
	{ "BASE_RPC_URL", setting_rpc_urls, 0, NULL, OPTIONAL, 0, 0 },
	{ "BASE_CHAIN_ID", setting_number, AT(base_chain_id), "8453", OPTIONAL, 1, INT64_C(9007199254740991) },
	{ "USDC_CONTRACT", setting_chain_address, AT(usdc_contract), USDC_ON_BASE, OPTIONAL, 0, 0 },
	{ "DEPOSIT_ADDRESS", setting_chain_address, AT(deposit_address), NULL, WITH_RPC, 0, 0 },
	{ "CONFIRMATIONS_REQUIRED", setting_number, AT(confirmations), "12", OPTIONAL, 1, 1000 },
	{ "PAYOUT_PRIVATE_KEY_FILE", setting_chain_path, AT(payout_key_file), NULL, OPTIONAL, 0, 0, "worker" },
	{ "ETH_USD_ORACLE", setting_chain_address, AT(eth_usd_oracle), NULL, OPTIONAL, 0, 0 },
	{ "ETH_USD_PRICE", setting_price, AT(eth_usd_price), NULL, WITH_RPC_ALONE, 0, 0 },
	{ "TRUSTED_PROXIES", setting_networks, 0, NULL, OPTIONAL, 0, 0 },
	{ "WEBHOOK_ALLOW_PRIVATE", setting_development_switch, AT(webhook_allow_private), "false", OPTIONAL, 0, 0 },
	{ "DATABASE_BUCKET_GUARD", setting_development_switch, AT(database_guard), "false", OPTIONAL, 0, 0 },
#undef AT
};

/* What one source (the file, or the environment) says. */
struct source {
	const char *name; /* for faults */
	struct {
		char *value;
		bool is_given, is_file;
	} given[nitems(settings)];
};

static void fault(int *faults, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
fault(int *faults, const char *fmt, ...)
{
	va_list ap;

	(*faults)++;
	fputs("humanops: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* A whole small file without NUL; NULL with errno set. */
static char *
file_text(const void *ctx, const char *path)
{
	char *text = NULL, buffer[FILE_SIZE_MAX + 1];
	FILE *file = fopen(path, "re");
	size_t len;

	if (file == NULL)
		return NULL;
	setvbuf(file, NULL, _IONBF, 0); /* no copy of secrets in stdio's memory */
	errno = 0;
	len = fread(buffer, 1, sizeof(buffer), file);
	if (len > FILE_SIZE_MAX)
		errno = EFBIG;
	else if (memchr(buffer, '\0', len) != NULL)
		errno = EILSEQ;
	else if (!ferror(file))
		text = setting_copy(ctx, buffer, len);
	fclose(file);
	crypto_wipe(buffer, sizeof(buffer));
	return text;
}

/* The setting that a name means, itself or with _FILE behind it; -1 if there is none. */
static int
setting_find(const char *name, size_t len, bool *is_file)
{
	static const char suffix[] = "_FILE";

	for (size_t i = 0; i < nitems(settings); i++) {
		size_t own = strlen(settings[i].name);

		if (len < own || memcmp(name, settings[i].name, own) != 0)
			continue;
		*is_file = len == own + sizeof(suffix) - 1 && memcmp(name + own, suffix, sizeof(suffix) - 1) == 0;
		if (len == own || *is_file)
			return (int)i;
	}
	return -1;
}

/* Notes what a source says about a setting.  Nothing behind the sign counts as not given, but as said. */
static void
source_note(struct source *source, const void *ctx, int index, bool is_file, const char *value, size_t len, int *faults)
{
	const char *name = settings[index].name;

	if (source->given[index].is_given) {
		if (source->given[index].is_file != is_file)
			fault(faults, "%s and %s_FILE are both in %s", name, name, source->name);
		else
			fault(faults, "%s%s is twice in %s", name, is_file ? "_FILE" : "", source->name);
		return;
	}
	source->given[index].is_given = true;
	source->given[index].is_file = is_file;
	source->given[index].value = setting_copy(ctx, value, len);
}

/* A line's name may be shown only if it looks like one: what stands there may be a secret that lost its
 * place. */
static size_t
name_length(const char *line)
{
	size_t len = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return len <= NAME_MAX_LENGTH && line[len] == '=' ? len : 0;
}

static void
read_line(struct source *source, const void *ctx, const char *line, int number, int *faults)
{
	size_t name, len;
	bool is_file;
	int index;

	line += strspn(line, " \t\r");
	name = name_length(line);
	len = strlen(line);
	while (len > 0 && strchr(" \t\r", line[len - 1]) != NULL)
		len--;
	if (len == 0 || *line == '#')
		return;
	if (name == 0)
		fault(faults, "%s, line %d: this is not KEY=VALUE", source->name, number);
	else if ((index = setting_find(line, name, &is_file)) < 0)
		fault(faults, "%s, line %d: there is no setting %.*s", source->name, number, (int)name, line);
	else
		source_note(source, ctx, index, is_file, line + name + 1, len > name ? len - name - 1 : 0, faults);
}

static void
read_conf(struct source *source, const void *ctx, int *faults)
{
	const char *path = getenv("HUMANOPS_CONF");
	bool is_default = path == NULL || *path == '\0';
	char *text, *line;
	int number = 0;

	source->name = is_default ? DEFAULT_PATH : path;
	text = file_text(ctx, source->name);
	if (text == NULL) {
		if (!is_default || errno != ENOENT)
			fault(faults, "%s cannot be read: %s", source->name, strerror(errno));
		return;
	}
	while ((line = strsep(&text, "\n")) != NULL)
		read_line(source, ctx, line, ++number, faults);
}

static void
read_environ(struct source *source, const void *ctx, int *faults)
{
	static const char ours[] = "HUMANOPS_";

	source->name = "the environment";
	for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
		size_t len = strcspn(*entry, "=");
		bool is_file;
		int index = setting_find(*entry, len, &is_file);

		if (index >= 0 && (*entry)[len] == '=')
			source_note(source, ctx, index, is_file, *entry + len + 1, strlen(*entry + len + 1), faults);
		else if (strncmp(*entry, ours, strlen(ours)) == 0 && strncmp(*entry, "HUMANOPS_CONF=", 14) != 0)
			fault(faults, "the environment: there is no setting %.*s",
			    (int)(len < NAME_MAX_LENGTH ? len : NAME_MAX_LENGTH), *entry);
	}
}

/* Whether the table tells this program a setting. */
static bool
is_told(const struct config *config, const struct setting *setting)
{
	size_t len = strlen(config->program);
	const char *word = setting->programs;

	if (word == NULL || strcmp(config->program, "doctor") == 0)
		return true;
	for (; *word != '\0'; word += strspn(word, " ")) {
		size_t own = strcspn(word, " ");

		if (own == len && strncmp(word, config->program, len) == 0)
			return true;
		word += own;
	}
	return false;
}

static void *
member_of(const struct config *config, const struct setting *setting)
{
	void *member;

	memcpy(&member, (const char *)config + setting->offset, sizeof(member));
	return member;
}

/* Whether the program reads a setting: also SECRET_KEY in place of a lesser key of its own that is not set. */
static bool
is_read(const struct config *config, const struct setting *setting)
{
	if (is_told(config, setting))
		return true;
	if (setting->offset != offsetof(struct config, secret_key))
		return false;
	for (const struct setting *key = settings; key != setting; key++) {
		if (key->read == setting_secret && is_told(config, key) && member_of(config, key) == NULL)
			return true;
	}
	return false;
}

/* The value that counts, NULL if there is none; *is_bad if it was named but cannot be had. */
static const char *
value_of(const struct config *config, size_t index, const struct source *file, const struct source *env,
    const void *ctx, bool *is_bad, int *faults)
{
	const struct source *source = env->given[index].is_given ? env : file;
	const char *value = source->given[index].value;
	char *text;
	size_t len;

	*is_bad = false;
	if (value == NULL || *value == '\0')
		return settings[index].fallback;
	if (!source->given[index].is_file)
		return value;
	if (!is_read(config, &settings[index]))
		return NULL;
	text = file_text(ctx, value);
	if (text == NULL) {
		fault(faults, "%s_FILE cannot be read: %s", settings[index].name, strerror(errno));
		*is_bad = true;
		return NULL;
	}
	len = strlen(text);
	if (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	return len > 0 ? text : settings[index].fallback;
}

static bool
is_needed(const struct config *config, enum setting_need need)
{
	const char *provider = config->guardian_provider; /* NULL: it was not one of them */
	bool has_model = provider != NULL && strcmp(provider, "rules") != 0;

	return need == REQUIRED || (need == IN_PRODUCTION && !config->is_development) ||
	       (need == WITH_SMTP && config->smtp_url != NULL) || (need == WITH_MODEL && has_model) ||
	       (need == WITH_ANTHROPIC && has_model && strcmp(provider, "anthropic") == 0) ||
	       (need == WITH_R2 && config->r2_endpoint != NULL) ||
	       (need == WITH_DLOCAL && config->dlocal_url != NULL) ||
	       (need == WITH_RPC && config->base_rpc_urls[0] != NULL) ||
	       (need == WITH_RPC_ALONE && config->base_rpc_urls[0] != NULL && config->eth_usd_oracle == NULL);
}

/* Where Clerk and many others keep them; an issuer's name may end in a slash. */
static char *
jwks_url_of(const void *ctx, const char *issuer)
{
	size_t len = strlen(issuer);
	char *url;

	len -= issuer[len - 1] == '/';
	url = talloc_asprintf(ctx, "%.*s/.well-known/jwks.json", (int)len, issuer);
	assert(url != NULL);
	return url;
}

/* What follows from the settings. */
static void
settle(struct config *config)
{
	if (config->mail_from == NULL)
		config->mail_from = talloc_strdup(config, DEVELOPMENT_SENDER);
	if (config->operator_jwt_issuer != NULL && config->operator_jwks_url == NULL)
		config->operator_jwks_url = jwks_url_of(config, config->operator_jwt_issuer);
	if (config->operator_oidc_client_id != NULL && config->operator_oidc_scope == NULL)
		config->operator_oidc_scope = talloc_strdup(config, usual_scope);
	config->mail_dir = talloc_asprintf(config, "%s/mail", config->state_dir);
	assert(config->mail_from != NULL && config->mail_dir != NULL);
	config->scratch_dir = talloc_asprintf(config, "%s/scratch", config->state_dir);
	if (config->upload_dir == NULL)
		config->upload_dir = talloc_asprintf(config, "%s/uploads", config->state_dir);
	if (config->r2_region == NULL)
		config->r2_region = talloc_strdup(config, "auto"); /* R2's only one */
	assert(config->scratch_dir != NULL && config->upload_dir != NULL && config->r2_region != NULL);
}

/* Lesser keys that are not set are the secret key, and what the program has no use for goes. */
static void
settle_secrets(struct config *config)
{
	bool is_shared = false;

	for (const struct setting *key = settings; key < settings + nitems(settings); key++) {
		if (key->read != setting_secret || !is_told(config, key) || member_of(config, key) != NULL)
			continue;
		memcpy((char *)config + key->offset, &config->secret_key, sizeof(config->secret_key));
		is_shared = true;
	}
	for (const struct setting *one = settings; one < settings + nitems(settings); one++) {
		static void *const none;

		if (is_told(config, one))
			continue;
		if (one->read != setting_secret || member_of(config, one) != config->secret_key || !is_shared)
			talloc_free(member_of(config, one));
		memcpy((char *)config + one->offset, &none, sizeof(none));
	}
}

/* The program's own name of the list, which lasts. */
static const char *
program_of(const char *name)
{
	for (size_t i = 0; i < nitems(programs); i++) {
		if (strcmp(programs[i], name) == 0)
			return programs[i];
	}
	assert(!"a program without settings");
	return NULL;
}

struct config *
config_load(const void *ctx, const char *program)
{
	struct config *config = talloc_zero(ctx, struct config);
	void *scratch = talloc_new(NULL);
	struct source file = { 0 }, env = { 0 };
	int faults = 0;

	assert(config != NULL && scratch != NULL);
	config->program = program_of(program);
	read_conf(&file, scratch, &faults);
	read_environ(&env, scratch, &faults);
	for (size_t i = 0; i < nitems(settings); i++) {
		bool is_bad;
		const char *value = value_of(config, i, &file, &env, scratch, &is_bad, &faults);
		const char *wanted = value != NULL ? settings[i].read(config, &settings[i], value) : NULL;

		if (value == NULL && !is_bad && is_read(config, &settings[i]) && is_needed(config, settings[i].need))
			fault(&faults, "%s is required", settings[i].name);
		else if (wanted != NULL)
			fault(&faults, "%s %s", settings[i].name, wanted);
	}
	talloc_free(scratch);
	if (faults > 0) {
		talloc_free(config);
		return NULL;
	}
	settle_secrets(config);
	settle(config);
	return config;
}
