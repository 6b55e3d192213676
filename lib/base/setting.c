/*
 * What the values of settings may be.  Whether a server that is named answers is left to those who call it.
 */
#include "base/setting.h"

#include <assert.h>
#include <ctype.h>
#include <libpq-fe.h>
#include <string.h>
#include <talloc.h>

#include "base/text.h"

enum { SHARED_SECRET_MIN = 24, ATTRIBUTION_MAX = 200 };

/* Texts here may be secrets. */
static int
wipe_text(char *text)
{
	crypto_wipe(text, talloc_get_size(text));
	return 0;
}

static char *
copy_bytes(const void *ctx, const void *bytes, size_t len)
{
	char *copy = talloc_size(ctx, len + 1);

	assert(copy != NULL);
	memcpy(copy, bytes, len);
	copy[len] = '\0';
	talloc_set_destructor(copy, wipe_text);
	return copy;
}

char *
setting_copy(const void *ctx, const char *text, size_t len)
{
	return copy_bytes(ctx, text, strnlen(text, len));
}

const char *
setting_environment(struct config *config, const struct setting *setting, const char *value)
{
	(void)setting;
	config->is_development = strcmp(value, "development") == 0;
	return config->is_development || strcmp(value, "production") == 0 ? NULL : "must be production or development";
}

/* Whether the user is a role for each program. */
static bool
names_program(const PQconninfoOption *options)
{
	for (; options->keyword != NULL; options++) {
		if (strcmp(options->keyword, "user") == 0)
			return options->val != NULL && strstr(options->val, "%p") != NULL;
	}
	return false;
}

/* A text in quotes, as a connection string has it, with the program's name for each %p if there is one. */
static char *
append_value(char *text, const char *value, const char *program)
{
	text = talloc_strdup_append(text, "'");
	for (; *value != '\0'; value++) {
		if (program != NULL && strncmp(value, "%p", 2) == 0) {
			text = talloc_strdup_append(text, program);
			value++;
		} else {
			text =
			    talloc_asprintf_append(text, "%s%c", *value == '\'' || *value == '\\' ? "\\" : "", *value);
		}
	}
	return talloc_strdup_append(text, "' ");
}

/* The connection string of these options, the user's %p being the program.  Wiped when freed. */
static char *
conninfo_of(const void *ctx, const PQconninfoOption *options, const char *program)
{
	char *text = talloc_strdup(NULL, ""), *copy;

	for (; options->keyword != NULL; options++) {
		if (options->val == NULL)
			continue;
		text = talloc_asprintf_append(text, "%s=", options->keyword);
		text = append_value(text, options->val, strcmp(options->keyword, "user") == 0 ? program : NULL);
	}
	copy = setting_copy(ctx, text, strlen(text));
	crypto_wipe(text, strlen(text));
	talloc_free(text);
	return copy;
}

const char *
setting_database(struct config *config, const struct setting *setting, const char *value)
{
	PQconninfoOption *options = PQconninfoParse(value, NULL);

	(void)setting;
	if (options == NULL)
		return "must be a connection string of libpq";
	config->database_url = names_program(options) ? conninfo_of(config, options, config->program)
						      : setting_copy(config, value, strlen(value));
	PQconninfoFree(options);
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

const char *
setting_base_url(struct config *config, const struct setting *setting, const char *value)
{
	bool is_https = strncmp(value, "https://", 8) == 0, is_http = strncmp(value, "http://", 7) == 0;
	size_t scheme = is_https ? 8 : 7, len = strlen(value);
	char *url;

	(void)setting;
	if (config->is_development ? !is_http && !is_https : !is_https)
		return config->is_development ? "must begin with http:// or https://" : "must begin with https://";
	len -= len > scheme && value[len - 1] == '/';
	url = setting_copy(config, value, len);
	if (!is_authority(url + scheme))
		return "must be an origin: scheme, host and perhaps a port";
	config->public_base_url = url;
	return NULL;
}

const char *
setting_secret(struct config *config, const struct setting *setting, const char *value)
{
	size_t len = 0;
	uint8_t *key = text_unbase64(NULL, value, &len);
	bool is_right = key != NULL && len == SEAL_KEY_SIZE;

	if (is_right)
		*(char **)((char *)config + setting->offset) = copy_bytes(config, key, len);
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

const char *
setting_smtp(struct config *config, const struct setting *setting, const char *value)
{
	const char *rest = strncmp(value, "smtps://", 8) == 0  ? value + 8
			   : strncmp(value, "smtp://", 7) == 0 ? value + 7
							       : "";

	(void)setting;
	if (*rest == '\0' || *rest == '/' || !is_plain_word(value))
		return "must begin with smtp:// or smtps:// and name a host";
	config->smtp_url = setting_copy(config, value, strlen(value));
	return NULL;
}

const char *
setting_sender(struct config *config, const struct setting *setting, const char *value)
{
	(void)setting;
	if (!text_is_email(value) && !(config->is_development && strcmp(value, DEVELOPMENT_SENDER) == 0))
		return "must be an e-mail address";
	config->mail_from = setting_copy(config, value, strlen(value));
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

/* The scheme is for the caller to have looked at: a host that is believed, by TLS or because it is this machine, and none of these
 * characters behind it. */
static bool
is_believed_url(const char *value, const char *forbidden)
{
	bool is_https = strncmp(value, "https://", 8) == 0, is_right;
	const char *host = value + strlen(is_https ? "https://" : "http://");
	char *authority = setting_copy(NULL, host, strcspn(host, "/"));

	is_right = is_authority(authority) && (is_https || is_this_machine(authority)) && is_plain_word(value) &&
		   strpbrk(value, forbidden) == NULL;
	talloc_free(authority);
	return is_right;
}

/* The issuer, or where its keys are.  Both are believed: TLS, or, in development, this machine itself. */
const char *
setting_issuer_url(struct config *config, const struct setting *setting, const char *value)
{
	bool is_https = strncmp(value, "https://", 8) == 0;
	bool is_http = config->is_development && strncmp(value, "http://", 7) == 0;

	if (lacks_issuer(config, setting))
		return "needs OPERATOR_JWT_ISSUER";
	if (!is_https && !is_http)
		return "must begin with https://";
	if (!is_believed_url(value, "#"))
		return is_https ? "must be a URL without a fragment"
				: "must begin with https:// unless it is on this machine";
	*(char **)((char *)config + setting->offset) = setting_copy(config, value, strlen(value));
	return NULL;
}

/* One word, or (max 0) several between single blanks. */
const char *
setting_issuer_words(struct config *config, const struct setting *setting, const char *value)
{
	bool is_right = *value != ' ' && value[strlen(value) - 1] != ' ' && strstr(value, "  ") == NULL;

	for (const char *at = value; *at != '\0'; at++)
		is_right = is_right && *at <= '~' && (*at > ' ' || (*at == ' ' && setting->max == 0));
	if (!is_right)
		return setting->max == 0 ? "must be words of ASCII with single blanks between them"
					 : "must be one word of ASCII";
	if (lacks_issuer(config, setting))
		return "needs OPERATOR_JWT_ISSUER";
	*(char **)((char *)config + setting->offset) = setting_copy(config, value, strlen(value));
	return NULL;
}

/*
 * Where the web app's map has its tiles: a URL with {z}, {x} and {y} behind the host, which nginx puts into the page's
 * content policy.
 */
const char *
setting_tile_url(struct config *config, const struct setting *setting, const char *value)
{
	bool is_https = strncmp(value, "https://", 8) == 0;
	bool is_http = config->is_development && strncmp(value, "http://", 7) == 0;

	(void)setting;
	if (!is_https && !is_http)
		return "must begin with https://";
	if (!is_believed_url(value, "#;\"'"))
		return "must be a URL without user and fragment";
	if (strstr(value, "{z}") == NULL || strstr(value, "{x}") == NULL || strstr(value, "{y}") == NULL)
		return "must hold {z}, {x} and {y}";
	config->map_tile_url = setting_copy(config, value, strlen(value));
	return NULL;
}

/* What the makers of the tiles want to read below the map. */
const char *
setting_tile_attribution(struct config *config, const struct setting *setting, const char *value)
{
	(void)setting;
	if (config->map_tile_url == NULL)
		return "is of no use without MAP_TILE_URL";
	if (!text_is_utf8(value, strlen(value)) || text_has_control(value, false) ||
	    text_length(value) > ATTRIBUTION_MAX)
		return "must be one line of at most 200 characters";
	config->map_tile_attribution = setting_copy(config, value, strlen(value));
	return NULL;
}

const char *
setting_folder(struct config *config, const struct setting *setting, const char *value)
{
	size_t len = strlen(value);

	if (*value != '/')
		return "must be a path that begins with a slash";
	len -= len > 1 && value[len - 1] == '/';
	*(char **)((char *)config + setting->offset) = setting_copy(config, value, len);
	return NULL;
}

const char *
setting_number(struct config *config, const struct setting *setting, const char *value)
{
	int64_t seconds;

	if (strspn(value, "0123456789") != strlen(value) || text_decimal(value, 0, &seconds) ||
	    seconds < setting->min || seconds > setting->max)
		return talloc_asprintf(config, "must be a whole number from %lld to %lld", (long long)setting->min,
		    (long long)setting->max);
	*(int64_t *)((char *)config + setting->offset) = seconds;
	return NULL;
}

const char *
setting_development_switch(struct config *config, const struct setting *setting, const char *value)
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
const char *
setting_r2_endpoint(struct config *config, const struct setting *setting, const char *value)
{
	bool is_https = strncmp(value, "https://", 8) == 0, is_http = strncmp(value, "http://", 7) == 0;
	bool is_allowed = is_https || (is_http && config->is_development);
	size_t len = strlen(value);
	const char *host;

	(void)setting;
	len -= len > 0 && value[len - 1] == '/';
	config->r2_endpoint = setting_copy(config, value, len);
	host = config->r2_endpoint + (is_https ? 8 : 7);
	is_allowed |= is_http && is_this_machine(host);
	if (config->upload_dir != NULL)
		return "cannot stand beside UPLOAD_DIR: proof files are kept in one place";
	if (!is_allowed)
		return "must begin with https://, or http:// and this host";
	return is_authority(host) ? NULL : "must be an origin: scheme, host and perhaps a port";
}

/* A bucket or region. */
const char *
setting_r2_name(struct config *config, const struct setting *setting, const char *value)
{
	if (config->r2_endpoint == NULL)
		return "is of no use without R2_ENDPOINT";
	if (strlen(value) < 2 || strlen(value) > 63 || *value == '.' ||
	    strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789.-") != strlen(value))
		return "must have 2 to 63 lower-case letters, digits, dots and hyphens";
	*(char **)((char *)config + setting->offset) = setting_copy(config, value, strlen(value));
	return NULL;
}

const char *
setting_r2_key(struct config *config, const struct setting *setting, const char *value)
{
	if (config->r2_endpoint == NULL)
		return "is of no use without R2_ENDPOINT";
	if (!is_plain_word(value))
		return "must be ASCII without blanks";
	*(char **)((char *)config + setting->offset) = setting_copy(config, value, strlen(value));
	return NULL;
}

const char *
setting_guardian_provider(struct config *config, const struct setting *setting, const char *value)
{
	(void)setting;
	if (strcmp(value, "rules") != 0 && strcmp(value, "anthropic") != 0 && strcmp(value, "openai") != 0)
		return "must be rules, anthropic or openai";
	config->guardian_provider = setting_copy(config, value, strlen(value));
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
const char *
setting_service_url(struct config *config, const struct setting *setting, const char *value)
{
	bool is_https = strncmp(value, "https://", 8) == 0, is_http = strncmp(value, "http://", 7) == 0;
	const char *host = value + (is_https ? 8 : 7);
	size_t len = strlen(value);

	if (!is_https && !(is_http && is_near(host)))
		return "must begin with https://, or with http:// and a host of the own network";
	if (*host == '/' || *host == '\0' || !is_plain_word(value) || strpbrk(value, "?#@") != NULL)
		return "must be a URL without user, query and fragment";
	*(char **)((char *)config + setting->offset) = setting_copy(config, value, len - (value[len - 1] == '/'));
	return NULL;
}

const char *
setting_word(struct config *config, const struct setting *setting, const char *value)
{
	if (!is_plain_word(value))
		return "must be ASCII without blanks";
	*(char **)((char *)config + setting->offset) = setting_copy(config, value, strlen(value));
	return NULL;
}

const char *
setting_dlocal(struct config *config, const struct setting *setting, const char *value)
{
	return config->dlocal_url == NULL ? "is of no use without DLOCAL_URL" : setting_word(config, setting, value);
}

/* One or two, with a blank between them.  A provider's key may be part of the path, so they are secrets. */
const char *
setting_rpc_urls(struct config *config, const struct setting *setting, const char *value)
{
	const char *wanted = NULL;
	char *words = setting_copy(NULL, value, strlen(value)), *rest = words, *word;
	struct setting one = *setting;
	size_t count = 0;

	while (wanted == NULL && (word = strsep(&rest, " ")) != NULL) {
		if (count == nitems(config->base_rpc_urls) || *word == '\0')
			wanted = "must be one or two URLs with a blank between them";
		one.offset = offsetof(struct config, base_rpc_urls) + count * sizeof(char *);
		if (wanted == NULL)
			wanted = setting_service_url(config, &one, word);
		count++;
	}
	talloc_free(words);
	if (wanted == NULL && count == 2 && strcmp(config->base_rpc_urls[0], config->base_rpc_urls[1]) == 0)
		wanted = "names the same server twice";
	return wanted;
}

/* Addresses and networks with a blank between two. */
const char *
setting_networks(struct config *config, const struct setting *setting, const char *value)
{
	char *words = setting_copy(NULL, value, strlen(value)), *rest = words, *word;
	const char *wanted = NULL;
	size_t count = 0;

	(void)setting;
	while (wanted == NULL && (word = strsep(&rest, " ")) != NULL) {
		if (count == nitems(config->trusted_proxies) || network_parse(word, &config->trusted_proxies[count]))
			wanted = "must be up to 32 addresses or networks (192.0.2.0/24) with a blank between two";
		count++;
	}
	talloc_free(words);
	config->trusted_proxy_count = wanted == NULL ? count : 0;
	return wanted;
}

/* The checksum of mixed case is core/onchain.c's to look at. */
const char *
setting_chain_address(struct config *config, const struct setting *setting, const char *value)
{
	if (strncmp(value, "0x", 2) != 0 || strlen(value) != 42 || strspn(value + 2, "0123456789abcdefABCDEF") != 40)
		return "must be an address: 0x and 40 hex digits";
	*(char **)((char *)config + setting->offset) = setting_copy(config, value, strlen(value));
	return NULL;
}

/* A file that only worker opens: its content is never read here. */
const char *
setting_chain_path(struct config *config, const struct setting *setting, const char *value)
{
	return config->base_rpc_urls[0] == NULL ? "is of no use without BASE_RPC_URL"
						: setting_folder(config, setting, value);
}

/* Dollars for one ether. */
const char *
setting_price(struct config *config, const struct setting *setting, const char *value)
{
	int64_t micros;

	if (strspn(value, "0123456789.") != strlen(value) || text_decimal(value, 6, &micros) || micros < 1000000 ||
	    micros > INT64_C(1000000000000))
		return "must be a price in dollars from 1 to 1000000";
	*(int64_t *)((char *)config + setting->offset) = micros;
	return NULL;
}

/* Whoever guesses it can speak in the other side's name. */
const char *
setting_shared_secret(struct config *config, const struct setting *setting, const char *value)
{
	if (strlen(value) < SHARED_SECRET_MIN || !is_plain_word(value))
		return "must be at least 24 characters of ASCII without blanks";
	return setting_word(config, setting, value);
}
