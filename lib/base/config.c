/*
 * Settings: the table of all of them, and reading them from a file and the environment.  Says everything that
 * is wrong at once and never shows a value, since many are secrets.  Whether a database or mail server
 * answers is left to those who call it.
 */
#include "base/config.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

#include "base/text.h"

#define DEFAULT_PATH "/etc/humanops/humanops.conf"
#define DEVELOPMENT_SENDER "humanops@localhost"
#define USDC_ON_BASE "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913" /* Circle's own token, chain 8453 */

enum { FILE_SIZE_MAX = 64 * 1024, NAME_MAX_LENGTH = 64, ADMIN_KEY_MIN = 24, YEAR_SECONDS = 31536000 };

struct setting;

/* Puts a value into the configuration; NULL, or what the setting must be. */
typedef const char *setting_reader(struct config *config, const struct setting *setting, const char *value);

static setting_reader read_environment, read_database, read_base_url, read_secret, read_admin_key, read_smtp,
    read_sender, read_issuer_url, read_issuer_words, read_folder, read_seconds, read_development_switch,
    read_r2_endpoint, read_r2_name, read_r2_key, read_guardian_provider, read_service_url, read_word, read_dlocal,
    read_signing_secret, read_rpc_urls, read_chain_address, read_chain_path, read_price;

enum need {
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

/* In the order in which they are read: what a later one may be, or whether it is needed, depends on earlier
 * ones. */
static const struct setting {
	const char *name;
	setting_reader *read;
	size_t offset;	      /* of the member, where the reader serves several */
	const char *fallback; /* NULL: none */
	enum need need;	      /* when there is no fallback */
	int64_t min, max;
} settings[] = {
#define AT(member) offsetof(struct config, member)
	{ "HUMANOPS_ENV", read_environment, 0, "production", OPTIONAL, 0, 0 },
	{ "DATABASE_URL", read_database, 0, NULL, REQUIRED, 0, 0 },
	{ "PUBLIC_BASE_URL", read_base_url, 0, NULL, REQUIRED, 0, 0 },
	{ "SECRET_KEY", read_secret, 0, NULL, REQUIRED, 0, 0 },
	{ "ADMIN_API_KEY", read_admin_key, 0, NULL, OPTIONAL, 0, 0 },
	{ "ALLOW_DEV_OPERATOR_ID_HEADER", read_development_switch, AT(allow_dev_operator_id), "false", OPTIONAL, 0, 0 },
	{ "OPERATOR_JWT_ISSUER", read_issuer_url, AT(operator_jwt_issuer), NULL, OPTIONAL, 0, 0 },
	{ "OPERATOR_JWKS_URL", read_issuer_url, AT(operator_jwks_url), NULL, OPTIONAL, 0, 0 },
	{ "OPERATOR_JWT_AZP", read_issuer_words, AT(operator_jwt_azp), NULL, OPTIONAL, 0, 0 },
	{ "OPERATOR_JWT_AUDIENCE", read_issuer_words, AT(operator_jwt_audience), NULL, OPTIONAL, 0, 1 },
	{ "SMTP_URL", read_smtp, 0, NULL, IN_PRODUCTION, 0, 0 },
	{ "MAIL_FROM", read_sender, 0, NULL, WITH_SMTP, 0, 0 },
	{ "STATE_DIR", read_folder, AT(state_dir), "/var/lib/humanops", OPTIONAL, 0, 0 },
	{ "RUN_DIR", read_folder, AT(run_dir), "/run/humanops", OPTIONAL, 0, 0 },
	{ "UPLOAD_DIR", read_folder, AT(upload_dir), NULL, OPTIONAL, 0, 0 },
	{ "R2_ENDPOINT", read_r2_endpoint, 0, NULL, OPTIONAL, 0, 0 },
	{ "R2_BUCKET", read_r2_name, AT(r2_bucket), NULL, WITH_R2, 0, 0 },
	{ "R2_REGION", read_r2_name, AT(r2_region), NULL, OPTIONAL, 0, 0 },
	{ "R2_ACCESS_KEY_ID", read_r2_key, AT(r2_access_key_id), NULL, WITH_R2, 0, 0 },
	{ "R2_SECRET_ACCESS_KEY", read_r2_key, AT(r2_secret_access_key), NULL, WITH_R2, 0, 0 },
	{ "ESCROW_HOLD_SECONDS", read_seconds, AT(escrow_hold_s), "604800", OPTIONAL, 1, YEAR_SECONDS },
	{ "ESTIMATE_APPROVAL_SECONDS", read_seconds, AT(estimate_approval_s), "86400", OPTIONAL, 1, YEAR_SECONDS },
	{ "MANUAL_REVIEW_SECONDS", read_seconds, AT(manual_review_s), "604800", OPTIONAL, 1, YEAR_SECONDS },
	{ "DEADLINE_GRACE_SECONDS", read_seconds, AT(deadline_grace_s), "86400", OPTIONAL, 1, YEAR_SECONDS },
	{ "SANDBOX_STEP_SECONDS", read_seconds, AT(sandbox_step_s), "1", OPTIONAL, 0, 3600 },
	{ "GUARDIAN_PROVIDER", read_guardian_provider, 0, "rules", OPTIONAL, 0, 0 },
	{ "GUARDIAN_URL", read_service_url, AT(guardian_url), NULL, OPTIONAL, 0, 0 },
	{ "GUARDIAN_MODEL", read_word, AT(guardian_model), NULL, WITH_MODEL, 0, 0 },
	{ "GUARDIAN_API_KEY", read_word, AT(guardian_api_key), NULL, WITH_ANTHROPIC, 0, 0 },
	{ "DLOCAL_URL", read_service_url, AT(dlocal_url), NULL, OPTIONAL, 0, 0 },
	{ "DLOCAL_LOGIN", read_dlocal, AT(dlocal_login), NULL, WITH_DLOCAL, 0, 0 },
	{ "DLOCAL_TRANS_KEY", read_dlocal, AT(dlocal_trans_key), NULL, WITH_DLOCAL, 0, 0 },
	{ "DLOCAL_SECRET", read_dlocal, AT(dlocal_secret), NULL, WITH_DLOCAL, 0, 0 },
	{ "KYC_WEBHOOK_SECRET", read_signing_secret, AT(kyc_webhook_secret), NULL, OPTIONAL, 0, 0 },
	{ "BASE_RPC_URL", read_rpc_urls, 0, NULL, OPTIONAL, 0, 0 },
	{ "BASE_CHAIN_ID", read_seconds, AT(base_chain_id), "8453", OPTIONAL, 1, INT64_C(9007199254740991) },
	{ "USDC_CONTRACT", read_chain_address, AT(usdc_contract), USDC_ON_BASE, OPTIONAL, 0, 0 },
	{ "DEPOSIT_ADDRESS", read_chain_address, AT(deposit_address), NULL, WITH_RPC, 0, 0 },
	{ "CONFIRMATIONS_REQUIRED", read_seconds, AT(confirmations), "12", OPTIONAL, 1, 1000 },
	{ "PAYOUT_PRIVATE_KEY_FILE", read_chain_path, AT(payout_key_file), NULL, OPTIONAL, 0, 0 },
	{ "ETH_USD_ORACLE", read_chain_address, AT(eth_usd_oracle), NULL, OPTIONAL, 0, 0 },
	{ "ETH_USD_PRICE", read_price, AT(eth_usd_price), NULL, WITH_RPC_ALONE, 0, 0 },
	{ "WEBHOOK_ALLOW_PRIVATE", read_development_switch, AT(webhook_allow_private), "false", OPTIONAL, 0, 0 },
	{ "DATABASE_BUCKET_GUARD", read_development_switch, AT(database_guard), "false", OPTIONAL, 0, 0 },
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

/* Texts here may be secrets. */
static int
wipe_text(char *text)
{
	crypto_wipe(text, talloc_get_size(text));
	return 0;
}

static char *
secret_copy(const void *ctx, const char *text, size_t len)
{
	char *copy = talloc_strndup(ctx, text, len);

	assert(copy != NULL);
	talloc_set_destructor(copy, wipe_text);
	return copy;
}

static int
wipe_config(struct config *config)
{
	crypto_wipe(config->secret_key, sizeof(config->secret_key));
	return 0;
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
		text = secret_copy(ctx, buffer, len);
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
	source->given[index].value = secret_copy(ctx, value, len);
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

/* The value that counts, NULL if there is none; *is_bad if it was named but cannot be had. */
static const char *
value_of(size_t index, const struct source *file, const struct source *env, const void *ctx, bool *is_bad, int *faults)
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

static const char *
read_environment(struct config *config, const struct setting *setting, const char *value)
{
	(void)setting;
	config->is_development = strcmp(value, "development") == 0;
	return config->is_development || strcmp(value, "production") == 0 ? NULL : "must be production or development";
}

static const char *
read_database(struct config *config, const struct setting *setting, const char *value)
{
	PQconninfoOption *options = PQconninfoParse(value, NULL);

	(void)setting;
	if (options == NULL)
		return "must be a connection string of libpq";
	PQconninfoFree(options);
	config->database_url = secret_copy(config, value, strlen(value));
	return NULL;
}

/* Behind the scheme: a host name, an IPv4 or a bracketed IPv6 address, perhaps a port, nothing else. */
static bool
is_authority(const char *text)
{
	size_t host = *text == '[' ? strcspn(text, "]") + 1 : strcspn(text, ":");
	const char *allowed = *text == '[' ? "[]:.0123456789abcdefABCDEF"
					   : "-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	int64_t port;

	if (host == 0 || host > strlen(text) || strspn(text, allowed) < host || (*text == '[' && host < 4))
		return false;
	text += host;
	return *text == '\0' ||
	       (*text == ':' && isdigit((unsigned char)text[1]) && strspn(text + 1, "0123456789") == strlen(text + 1) &&
		   text_decimal(text + 1, 0, &port) == 0 && port >= 1 && port <= 65535);
}

static const char *
read_base_url(struct config *config, const struct setting *setting, const char *value)
{
	bool is_https = strncmp(value, "https://", 8) == 0, is_http = strncmp(value, "http://", 7) == 0;
	size_t scheme = is_https ? 8 : 7, len = strlen(value);
	char *url;

	(void)setting;
	if (config->is_development ? !is_http && !is_https : !is_https)
		return config->is_development ? "must begin with http:// or https://" : "must begin with https://";
	len -= len > scheme && value[len - 1] == '/';
	url = secret_copy(config, value, len);
	if (!is_authority(url + scheme))
		return "must be an origin: scheme, host and perhaps a port";
	config->public_base_url = url;
	return NULL;
}

static const char *
read_secret(struct config *config, const struct setting *setting, const char *value)
{
	size_t len = 0;
	uint8_t *key = text_unbase64(NULL, value, &len);
	bool is_right = key != NULL && len == sizeof(config->secret_key);

	(void)setting;
	if (is_right)
		memcpy(config->secret_key, key, len);
	if (key != NULL)
		crypto_wipe(key, len);
	talloc_free(key);
	return is_right ? NULL : "must be 32 bytes in base64";
}

static bool
is_plain_word(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text <= ' ' || *text > '~')
			return false;
	}
	return true;
}

static const char *
read_admin_key(struct config *config, const struct setting *setting, const char *value)
{
	(void)setting;
	if (strlen(value) < ADMIN_KEY_MIN || !is_plain_word(value))
		return "must be at least 24 characters of ASCII without blanks";
	config->admin_api_key = secret_copy(config, value, strlen(value));
	return NULL;
}

static const char *
read_smtp(struct config *config, const struct setting *setting, const char *value)
{
	const char *rest = strncmp(value, "smtps://", 8) == 0  ? value + 8
			   : strncmp(value, "smtp://", 7) == 0 ? value + 7
							       : "";

	(void)setting;
	if (*rest == '\0' || *rest == '/' || !is_plain_word(value))
		return "must begin with smtp:// or smtps:// and name a host";
	config->smtp_url = secret_copy(config, value, strlen(value));
	return NULL;
}

static const char *
read_sender(struct config *config, const struct setting *setting, const char *value)
{
	(void)setting;
	if (!text_is_email(value) && !(config->is_development && strcmp(value, DEVELOPMENT_SENDER) == 0))
		return "must be an e-mail address";
	config->mail_from = secret_copy(config, value, strlen(value));
	return NULL;
}

/* True for what belongs to the issuer of operators' tokens but stands without one. */
static bool
lacks_issuer(const struct config *config, const struct setting *setting)
{
	return config->operator_jwt_issuer == NULL && setting->offset != offsetof(struct config, operator_jwt_issuer);
}

static bool
is_this_machine(const char *authority)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };

	for (size_t i = 0; i < nitems(names); i++) {
		size_t len = strlen(names[i]);

		if (strncmp(authority, names[i], len) == 0 && (authority[len] == ':' || authority[len] == '\0'))
			return true;
	}
	return false;
}

/* The issuer, or where its keys are.  Both are believed: TLS, or, in development, this machine itself. */
static const char *
read_issuer_url(struct config *config, const struct setting *setting, const char *value)
{
	bool is_https = strncmp(value, "https://", 8) == 0;
	bool is_http = config->is_development && strncmp(value, "http://", 7) == 0, is_right;
	const char *host;
	char *authority;

	if (lacks_issuer(config, setting))
		return "needs OPERATOR_JWT_ISSUER";
	if (!is_https && !is_http)
		return "must begin with https://";
	host = value + (is_https ? 8 : 7);
	authority = secret_copy(NULL, host, strcspn(host, "/"));
	is_right = is_authority(authority) && (is_https || is_this_machine(authority)) && is_plain_word(value) &&
		   strchr(value, '#') == NULL;
	talloc_free(authority);
	if (!is_right)
		return is_https ? "must be a URL without a fragment"
				: "must begin with https:// unless it is on this machine";
	*(char **)((char *)config + setting->offset) = secret_copy(config, value, strlen(value));
	return NULL;
}

/* One word, or (max 0) several between single blanks. */
static const char *
read_issuer_words(struct config *config, const struct setting *setting, const char *value)
{
	bool is_right = *value != ' ' && value[strlen(value) - 1] != ' ' && strstr(value, "  ") == NULL;

	for (const char *at = value; *at != '\0'; at++)
		is_right = is_right && *at <= '~' && (*at > ' ' || (*at == ' ' && setting->max == 0));
	if (!is_right)
		return setting->max == 0 ? "must be words of ASCII with single blanks between them"
					 : "must be one word of ASCII";
	if (lacks_issuer(config, setting))
		return "needs OPERATOR_JWT_ISSUER";
	*(char **)((char *)config + setting->offset) = secret_copy(config, value, strlen(value));
	return NULL;
}

static const char *
read_folder(struct config *config, const struct setting *setting, const char *value)
{
	size_t len = strlen(value);

	if (*value != '/')
		return "must be a path that begins with a slash";
	len -= len > 1 && value[len - 1] == '/';
	*(char **)((char *)config + setting->offset) = secret_copy(config, value, len);
	return NULL;
}

static const char *
read_seconds(struct config *config, const struct setting *setting, const char *value)
{
	int64_t seconds;

	if (strspn(value, "0123456789") != strlen(value) || text_decimal(value, 0, &seconds) ||
	    seconds < setting->min || seconds > setting->max)
		return talloc_asprintf(config, "must be a whole number from %lld to %lld", (long long)setting->min,
		    (long long)setting->max);
	*(int64_t *)((char *)config + setting->offset) = seconds;
	return NULL;
}

static const char *
read_development_switch(struct config *config, const struct setting *setting, const char *value)
{
	bool is_on = strcmp(value, "true") == 0;

	if (!is_on && strcmp(value, "false") != 0)
		return "must be true or false";
	if (is_on && !config->is_development)
		return "is for development only";
	*(bool *)((char *)config + setting->offset) = is_on;
	return NULL;
}

/* Secrets and proof travel there: in clear text only within this host, or in development. */
static const char *
read_r2_endpoint(struct config *config, const struct setting *setting, const char *value)
{
	static const char *const local[] = { "localhost", "127.0.0.1", "[::1]" };
	bool is_https = strncmp(value, "https://", 8) == 0, is_http = strncmp(value, "http://", 7) == 0;
	bool is_allowed = is_https || (is_http && config->is_development);
	size_t len = strlen(value);
	const char *host;

	(void)setting;
	len -= len > 0 && value[len - 1] == '/';
	config->r2_endpoint = secret_copy(config, value, len);
	host = config->r2_endpoint + (is_https ? 8 : 7);
	for (size_t i = 0; is_http && i < nitems(local); i++) {
		size_t own = strlen(local[i]);

		is_allowed |= strncmp(host, local[i], own) == 0 && (host[own] == ':' || host[own] == '\0');
	}
	if (config->upload_dir != NULL)
		return "cannot stand beside UPLOAD_DIR: proof files are kept in one place";
	if (!is_allowed)
		return "must begin with https://, or http:// and this host";
	return is_authority(host) ? NULL : "must be an origin: scheme, host and perhaps a port";
}

/* A bucket or region. */
static const char *
read_r2_name(struct config *config, const struct setting *setting, const char *value)
{
	if (config->r2_endpoint == NULL)
		return "is of no use without R2_ENDPOINT";
	if (strlen(value) < 2 || strlen(value) > 63 || *value == '.' ||
	    strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789.-") != strlen(value))
		return "must have 2 to 63 lower-case letters, digits, dots and hyphens";
	*(char **)((char *)config + setting->offset) = secret_copy(config, value, strlen(value));
	return NULL;
}

static const char *
read_r2_key(struct config *config, const struct setting *setting, const char *value)
{
	if (config->r2_endpoint == NULL)
		return "is of no use without R2_ENDPOINT";
	if (!is_plain_word(value))
		return "must be ASCII without blanks";
	*(char **)((char *)config + setting->offset) = secret_copy(config, value, strlen(value));
	return NULL;
}

static const char *
read_guardian_provider(struct config *config, const struct setting *setting, const char *value)
{
	(void)setting;
	if (strcmp(value, "rules") != 0 && strcmp(value, "anthropic") != 0 && strcmp(value, "openai") != 0)
		return "must be rules, anthropic or openai";
	config->guardian_provider = secret_copy(config, value, strlen(value));
	return NULL;
}

/* A host of the own network, where plain HTTP may do: a name without dots, or a private IPv4 address. */
static bool
is_near(const char *host)
{
	static const char *const prefixes[] = { "127.", "10.", "192.168." };
	size_t len = strcspn(host, ":/");

	if (strncmp(host, "[::1]", 5) == 0)
		return true;
	for (size_t i = 0; i < nitems(prefixes); i++) {
		if (strncmp(host, prefixes[i], strlen(prefixes[i])) == 0 && strspn(host, ".0123456789") == len)
			return true;
	}
	return *host != '[' && memchr(host, '.', len) == NULL;
}

/* Pictures or payments and a key go there, so in the clear only to a server of one's own. */
static const char *
read_service_url(struct config *config, const struct setting *setting, const char *value)
{
	bool is_https = strncmp(value, "https://", 8) == 0, is_http = strncmp(value, "http://", 7) == 0;
	const char *host = value + (is_https ? 8 : 7);
	size_t len = strlen(value);

	if (!is_https && !(is_http && is_near(host)))
		return "must begin with https://, or with http:// and a host of the own network";
	if (*host == '/' || *host == '\0' || !is_plain_word(value) || strpbrk(value, "?#@") != NULL)
		return "must be a URL without user, query and fragment";
	*(char **)((char *)config + setting->offset) = secret_copy(config, value, len - (value[len - 1] == '/'));
	return NULL;
}

static const char *
read_word(struct config *config, const struct setting *setting, const char *value)
{
	if (!is_plain_word(value))
		return "must be ASCII without blanks";
	*(char **)((char *)config + setting->offset) = secret_copy(config, value, strlen(value));
	return NULL;
}

static const char *
read_dlocal(struct config *config, const struct setting *setting, const char *value)
{
	return config->dlocal_url == NULL ? "is of no use without DLOCAL_URL" : read_word(config, setting, value);
}

/* One or two, with a blank between them.  A provider's key may be part of the path, so they are secrets. */
static const char *
read_rpc_urls(struct config *config, const struct setting *setting, const char *value)
{
	const char *wanted = NULL;
	char *words = secret_copy(NULL, value, strlen(value)), *rest = words, *word;
	struct setting one = *setting;
	size_t count = 0;

	while (wanted == NULL && (word = strsep(&rest, " ")) != NULL) {
		if (count == nitems(config->base_rpc_urls) || *word == '\0')
			wanted = "must be one or two URLs with a blank between them";
		one.offset = offsetof(struct config, base_rpc_urls) + count * sizeof(char *);
		if (wanted == NULL)
			wanted = read_service_url(config, &one, word);
		count++;
	}
	talloc_free(words);
	if (wanted == NULL && count == 2 && strcmp(config->base_rpc_urls[0], config->base_rpc_urls[1]) == 0)
		wanted = "names the same server twice";
	return wanted;
}

/* The checksum of mixed case is core/onchain.c's to look at. */
static const char *
read_chain_address(struct config *config, const struct setting *setting, const char *value)
{
	if (strncmp(value, "0x", 2) != 0 || strlen(value) != 42 || strspn(value + 2, "0123456789abcdefABCDEF") != 40)
		return "must be an address: 0x and 40 hex digits";
	*(char **)((char *)config + setting->offset) = secret_copy(config, value, strlen(value));
	return NULL;
}

/* A file that only worker opens: its content is never read here. */
static const char *
read_chain_path(struct config *config, const struct setting *setting, const char *value)
{
	return config->base_rpc_urls[0] == NULL ? "is of no use without BASE_RPC_URL"
						: read_folder(config, setting, value);
}

/* Dollars for one ether. */
static const char *
read_price(struct config *config, const struct setting *setting, const char *value)
{
	int64_t micros;

	if (strspn(value, "0123456789.") != strlen(value) || text_decimal(value, 6, &micros) || micros < 1000000 ||
	    micros > INT64_C(1000000000000))
		return "must be a price in dollars from 1 to 1000000";
	*(int64_t *)((char *)config + setting->offset) = micros;
	return NULL;
}

/* Whoever guesses it can speak in the vendor's name. */
static const char *
read_signing_secret(struct config *config, const struct setting *setting, const char *value)
{
	if (strlen(value) < ADMIN_KEY_MIN || !is_plain_word(value))
		return "must be at least 24 characters of ASCII without blanks";
	return read_word(config, setting, value);
}

static bool
is_needed(const struct config *config, enum need need)
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
	config->mail_dir = talloc_asprintf(config, "%s/mail", config->state_dir);
	assert(config->mail_from != NULL && config->mail_dir != NULL);
	config->scratch_dir = talloc_asprintf(config, "%s/scratch", config->state_dir);
	if (config->upload_dir == NULL)
		config->upload_dir = talloc_asprintf(config, "%s/uploads", config->state_dir);
	if (config->r2_region == NULL)
		config->r2_region = talloc_strdup(config, "auto"); /* R2's only one */
	assert(config->scratch_dir != NULL && config->upload_dir != NULL && config->r2_region != NULL);
}

struct config *
config_load(const void *ctx)
{
	struct config *config = talloc_zero(ctx, struct config);
	void *scratch = talloc_new(NULL);
	struct source file = { 0 }, env = { 0 };
	int faults = 0;

	assert(config != NULL && scratch != NULL);
	talloc_set_destructor(config, wipe_config);
	read_conf(&file, scratch, &faults);
	read_environ(&env, scratch, &faults);
	for (size_t i = 0; i < nitems(settings); i++) {
		bool is_bad;
		const char *value = value_of(i, &file, &env, scratch, &is_bad, &faults);
		const char *wanted = value != NULL ? settings[i].read(config, &settings[i], value) : NULL;

		if (value == NULL && !is_bad && is_needed(config, settings[i].need))
			fault(&faults, "%s is required", settings[i].name);
		else if (wanted != NULL)
			fault(&faults, "%s %s", settings[i].name, wanted);
	}
	talloc_free(scratch);
	if (faults > 0) {
		talloc_free(config);
		return NULL;
	}
	settle(config);
	return config;
}
