/* Settings: from file and environment, what overrides what, and that every fault is named and no value shown.
 */
#include "base/config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>
#include <unistd.h>

#include "base/text.h"
#include "capture.h"
#include "unit.h"

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define GOOD \
	"DATABASE_URL=postgresql:///humanops\nPUBLIC_BASE_URL=https://humanops.example\nSECRET_KEY=" KEY "\n" \
	"SMTP_URL=smtps://mail.example\nMAIL_FROM=humanops@humanops.example\n"
#define DEV \
	"HUMANOPS_ENV=development\nDATABASE_URL=host=/run/postgresql dbname=humanops\n" \
	"PUBLIC_BASE_URL=http://localhost:8080/\nSECRET_KEY=" KEY "\n"

static char folder[] = "/tmp/unit-config-XXXXXX", conf[64], value_file[64];

static void
write_file(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	fclose(file);
}

/* As the environment asks for before it is emptied. */
static enum cm_message_output output = CM_OUTPUT_STDOUT;

/* Loads a program's settings with this file and these variables of the environment ("A=b", NULL at the end);
 * *said is standard error. */
static struct config *
load_as(const char *program, const char *text, const char *const *variables, const char **said)
{
	struct config *config;

	clearenv();
	cmocka_set_message_output(output); /* it would ask the environment again */
	setenv("PATH", "/bin", 1);
	setenv("HUMANOPS_CONF", conf, 1);
	write_file(conf, text, strlen(text));
	for (; variables != NULL && *variables != NULL; variables++) {
		char name[64];
		size_t len = strcspn(*variables, "=");

		memcpy(name, *variables, len);
		name[len] = '\0';
		setenv(name, *variables + len + 1, 1);
	}
	capture_begin();
	config = config_load(NULL, program);
	*said = capture_end();
	return config;
}

/* All of them, as the one program that looks at all. */
static struct config *
load(const char *text, const char *const *variables, const char **said)
{
	return load_as("doctor", text, variables, said);
}

static void
defaults_stand_where_nothing_is_said(void **state)
{
	const char *said;
	struct config *config = load(GOOD, NULL, &said);

	(void)state;
	assert_string_equal(said, "");
	assert_non_null(config);
	assert_false(config->is_development || config->webhook_allow_private);
	assert_string_equal(config->database_url, "postgresql:///humanops");
	assert_string_equal(config->public_base_url, "https://humanops.example");
	for (int i = 0; i < SEAL_KEY_SIZE; i++)
		assert_int_equal(config->secret_key[i], i);
	assert_null(config->admin_api_key);
	assert_null(config->operator_jwt_issuer);
	assert_null(config->operator_jwks_url);
	assert_false(config->allow_dev_operator_id);
	assert_string_equal(config->smtp_url, "smtps://mail.example");
	assert_string_equal(config->mail_from, "humanops@humanops.example");
	assert_string_equal(config->state_dir, "/var/lib/humanops");
	assert_string_equal(config->run_dir, "/run/humanops");
	assert_string_equal(config->mail_dir, "/var/lib/humanops/mail");
	assert_true(config->escrow_hold_s == 604800 && config->estimate_approval_s == 86400);
	assert_true(
	    config->manual_review_s == 604800 && config->deadline_grace_s == 86400 && config->sandbox_step_s == 1);
	talloc_free(config);
}

static void
development_needs_no_mail_server(void **state)
{
	const char *said;
	struct config *config = load(DEV "WEBHOOK_ALLOW_PRIVATE=true\nSTATE_DIR=/srv/var/\nSANDBOX_STEP_SECONDS=0\n"
					 "MAIL_FROM=humanops@localhost\nADMIN_API_KEY=abcdefghijklmnopqrstuvwx\n",
	    NULL, &said);

	(void)state;
	assert_string_equal(said, "");
	assert_non_null(config);
	assert_true(config->is_development && config->webhook_allow_private);
	assert_string_equal(config->public_base_url, "http://localhost:8080");
	assert_null(config->smtp_url);
	assert_string_equal(config->mail_from, "humanops@localhost");
	assert_string_equal(config->mail_dir, "/srv/var/mail");
	assert_string_equal(config->upload_dir, "/srv/var/uploads");
	assert_string_equal(config->scratch_dir, "/srv/var/scratch");
	assert_null(config->r2_endpoint);
	assert_true(config->sandbox_step_s == 0);
	assert_string_equal(config->admin_api_key, "abcdefghijklmnopqrstuvwx");
	talloc_free(config);
}

static void
the_environment_stands_over_the_file(void **state)
{
	static const char *const variables[] = { "ESCROW_HOLD_SECONDS=5", "RUN_DIR=", "DATABASE_URL_FILE=/nonexistent",
		"DATABASE_URL=", "HTTP_X=1", "LANG=C", "SMTP_PORT=25", NULL };
	const char *said;
	struct config *config;

	(void)state;
	config = load(GOOD "ESCROW_HOLD_SECONDS=7\nRUN_DIR=/srv/run\n", variables, &said);
	assert_null(config);
	assert_string_equal(said, "humanops: DATABASE_URL and DATABASE_URL_FILE are both in the environment\n"
				  "humanops: DATABASE_URL_FILE cannot be read: No such file or directory\n");
	config = load(GOOD "ESCROW_HOLD_SECONDS=7\nRUN_DIR=/srv/run\n",
	    (const char *const[]){ variables[0], variables[1], NULL }, &said);
	assert_non_null(config);
	assert_true(config->escrow_hold_s == 5);
	assert_string_equal(config->run_dir, "/run/humanops"); /* said to be nothing: the default */
	talloc_free(config);
}

static void
an_issuer_of_tokens_brings_its_settings(void **state)
{
	static const struct {
		const char *settings, *jwks_url; /* NULL: refused */
	} rows[] = {
		{ DEV "OPERATOR_JWT_ISSUER=https://id.example\n", "https://id.example/.well-known/jwks.json" },
		{ DEV "OPERATOR_JWT_ISSUER=https://id.example/a/\n", "https://id.example/a/.well-known/jwks.json" },
		{ DEV "OPERATOR_JWT_ISSUER=https://id.example\nOPERATOR_JWKS_URL=https://keys.example/k?p=1\n",
		    "https://keys.example/k?p=1" },
		{ DEV "OPERATOR_JWT_ISSUER=http://127.0.0.1:9000\n", "http://127.0.0.1:9000/.well-known/jwks.json" },
		{ DEV "OPERATOR_JWT_ISSUER=http://[::1]\n", "http://[::1]/.well-known/jwks.json" },
		{ DEV "OPERATOR_JWT_ISSUER=http://localhost/a\n", "http://localhost/a/.well-known/jwks.json" },
		{ DEV "OPERATOR_JWT_ISSUER=http://localhost.example\n", NULL },
		{ DEV "OPERATOR_JWT_ISSUER=http://127.0.0.10\n", NULL },
		{ DEV "OPERATOR_JWT_ISSUER=https://id.example\nOPERATOR_JWKS_URL=http://keys.example/\n", NULL },
	};
	static const char all[] = DEV "OPERATOR_JWT_ISSUER=https://id.example/\nOPERATOR_JWT_AZP=https://a b\n"
				      "OPERATOR_JWT_AUDIENCE=api\nALLOW_DEV_OPERATOR_ID_HEADER=true\n";
	struct config *config;
	const char *said;

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		config = load(rows[i].settings, NULL, &said);
		if ((config == NULL) != (rows[i].jwks_url == NULL))
			fail_msg("row %zu: %s", i, said);
		if (config != NULL)
			assert_string_equal(config->operator_jwks_url, rows[i].jwks_url);
		talloc_free(config);
	}
	config = load(all, NULL, &said);
	assert_non_null(config);
	assert_string_equal(config->operator_jwt_issuer, "https://id.example/");
	assert_string_equal(config->operator_jwt_azp, "https://a b");
	assert_string_equal(config->operator_jwt_audience, "api");
	assert_true(config->allow_dev_operator_id);
	talloc_free(config);
}

static void
what_the_web_app_is_told_has_defaults_and_limits(void **state)
{
#define ISSUED DEV "OPERATOR_JWT_ISSUER=https://id.example\n"
#define TILED DEV "MAP_TILE_URL=http://127.0.0.1:9000/{z}/{x}/{y}\n"
	struct config *config;
	char text[1024];
	const char *said;

	(void)state;
	config = load(ISSUED, NULL, &said);
	assert_non_null(config);
	assert_true(config->operator_oidc_client_id == NULL && config->operator_oidc_scope == NULL);
	assert_true(config->map_tile_url == NULL && config->map_tile_attribution == NULL);
	talloc_free(config);
	config = load(ISSUED "OPERATOR_OIDC_CLIENT_ID=app\n", NULL, &said);
	assert_non_null(config);
	assert_string_equal(config->operator_oidc_client_id, "app");
	assert_string_equal(config->operator_oidc_scope, "openid profile email offline_access");
	talloc_free(config);
	config = load(ISSUED "OPERATOR_OIDC_CLIENT_ID=app\nOPERATOR_OIDC_SCOPE=openid work\n", NULL, &said);
	assert_non_null(config);
	assert_string_equal(config->operator_oidc_scope, "openid work");
	talloc_free(config);
	config = load(TILED "MAP_TILE_ATTRIBUTION=© Somebody <b>\n", NULL, &said);
	assert_non_null(config);
	assert_string_equal(config->map_tile_url, "http://127.0.0.1:9000/{z}/{x}/{y}");
	assert_string_equal(config->map_tile_attribution, "© Somebody <b>");
	talloc_free(config);
	for (int length = 200; length <= 201; length++) {
		snprintf(text, sizeof(text), TILED "MAP_TILE_ATTRIBUTION=%0*d\n", length, 0);
		config = load(text, NULL, &said);
		assert_true((config != NULL) == (length == 200));
		talloc_free(config);
	}
	assert_null(load(DEV "MAP_TILE_URL=http://tile.example/{z}/{x}/{y}\n", NULL, &said));
	assert_string_equal(said, "humanops: MAP_TILE_URL must be a URL without user and fragment\n");
}

static void
a_value_may_stand_in_a_file_of_its_own(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *want; /* NULL: refused */
	} rows[] = {
		{ "abcdefghijklmnopqrstuvwx\n", 25, "abcdefghijklmnopqrstuvwx" },
		{ "abcdefghijklmnopqrstuvwx", 24, "abcdefghijklmnopqrstuvwx" },
		{ "abcdefghijklmnopqrstuvwx\n\n", 26, NULL },
		{ "abcdefghijklmnopqrstuvwx\0y", 26, NULL },
		{ "short\n", 6, NULL },
	};
	char setting[128];

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		const char *said;
		struct config *config;

		write_file(value_file, rows[i].text, rows[i].len);
		snprintf(setting, sizeof(setting), "ADMIN_API_KEY_FILE=%s", value_file);
		config = load(GOOD, (const char *const[]){ setting, NULL }, &said);
		if ((config == NULL) != (rows[i].want == NULL) || strstr(said, "abcdef") != NULL)
			fail_msg("row %zu: %s", i, said);
		if (config != NULL)
			assert_string_equal(config->admin_api_key, rows[i].want);
		talloc_free(config);
	}
	unlink(value_file);
}

static void
lines_are_comments_blanks_and_settings(void **state)
{
	const char *said;
	struct config *config = load("# a comment\n\n   \t\r\n  # another\n" GOOD "DEADLINE_GRACE_SECONDS=12 \t\r\n"
				     "  MANUAL_REVIEW_SECONDS=13\nADMIN_API_KEY=a=b#c=abcdefghijklmnopqrst",
	    NULL, &said);

	(void)state;
	assert_string_equal(said, "");
	assert_non_null(config);
	assert_true(config->deadline_grace_s == 12 && config->manual_review_s == 13);
	assert_string_equal(config->admin_api_key, "a=b#c=abcdefghijklmnopqrst");
	talloc_free(config);
}

/* One setting more or over: what is said about it, "" if it is taken. */
static void
each_setting_says_what_it_must_be(void **state)
{
#define URL_ORIGIN "PUBLIC_BASE_URL must be an origin: scheme, host and perhaps a port"
#define HOLD "ESCROW_HOLD_SECONDS must be a whole number from 1 to 31536000"
#define ADMIN "ADMIN_API_KEY must be at least 24 characters of ASCII without blanks"
#define SMTP "SMTP_URL must begin with smtp:// or smtps:// and name a host"
#define ISSUER "OPERATOR_JWT_ISSUER"
#define GUARDIAN_URL "GUARDIAN_URL must begin with https://, or with http:// and a host of the own network"
#define TILES "MAP_TILE_URL must be a URL without user and fragment"
#define SECRET "SECRET_KEY must be 32 bytes in base64"
	static const struct {
		const char *variable, *want;
	} rows[] = {
		{ "HUMANOPS_ENV=production", "" },
		{ "HUMANOPS_ENV=Production", "HUMANOPS_ENV must be production or development" },
		{ "HUMANOPS_ENV=development", "" },
		{ "DATABASE_URL=nonsense", "DATABASE_URL must be a connection string of libpq" },
		{ "DATABASE_URL=", "DATABASE_URL is required" },
		{ "DATABASE_URL=foo=bar", "DATABASE_URL must be a connection string of libpq" },
		{ "PUBLIC_BASE_URL=http://humanops.example", "PUBLIC_BASE_URL must begin with https://" },
		{ "PUBLIC_BASE_URL=https://a.example:8443", "" },
		{ "PUBLIC_BASE_URL=https://[::1]:8443/", "" },
		{ "PUBLIC_BASE_URL=https://", URL_ORIGIN },
		{ "PUBLIC_BASE_URL=https:///", URL_ORIGIN },
		{ "PUBLIC_BASE_URL=https://a/b", URL_ORIGIN },
		{ "PUBLIC_BASE_URL=https://a//", URL_ORIGIN },
		{ "PUBLIC_BASE_URL=https://u@a", URL_ORIGIN },
		{ "PUBLIC_BASE_URL=https://a?x", URL_ORIGIN },
		{ "PUBLIC_BASE_URL=https://a:", URL_ORIGIN },
		{ "PUBLIC_BASE_URL=https://a:0", URL_ORIGIN },
		{ "PUBLIC_BASE_URL=https://a:65536", URL_ORIGIN },
		{ "PUBLIC_BASE_URL=https://a:1e3", URL_ORIGIN },
		{ "PUBLIC_BASE_URL=https://:443", URL_ORIGIN },
		{ "PUBLIC_BASE_URL=https://[::1", URL_ORIGIN },
		{ "PUBLIC_BASE_URL=https://[]", URL_ORIGIN },
		{ "PUBLIC_BASE_URL=https://a b", URL_ORIGIN },
		{ "PUBLIC_BASE_URL=ftp://a", "PUBLIC_BASE_URL must begin with https://" },
		{ "SECRET_KEY=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", SECRET },
		{ "SECRET_KEY=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIQ==", SECRET },
		{ "SECRET_KEY=hunter2", SECRET },
		{ "SECRET_KEY=", "SECRET_KEY is required" },
		{ "ADMIN_API_KEY=abcdefghijklmnopqrstuvw", ADMIN },
		{ "ADMIN_API_KEY=abcdefghijklm nopqrstuvwxyz", ADMIN },
		{ "SMTP_URL=", "SMTP_URL is required" },
		{ "SMTP_URL=http://mail", SMTP },
		{ "SMTP_URL=smtp://", SMTP },
		{ "SMTP_URL=smtps:///x", SMTP },
		{ "SMTP_URL=smtp://user:word@mail.example:587", "" },
		{ "MAIL_FROM=", "MAIL_FROM is required" },
		{ "MAIL_FROM=nobody", "MAIL_FROM must be an e-mail address" },
		{ "MAIL_FROM=humanops@localhost", "MAIL_FROM must be an e-mail address" },
		{ "STATE_DIR=var", "STATE_DIR must be a path that begins with a slash" },
		{ "RUN_DIR=/", "" },
		{ "ESCROW_HOLD_SECONDS=1", "" },
		{ "ESCROW_HOLD_SECONDS=31536000", "" },
		{ "ESCROW_HOLD_SECONDS=31536001", HOLD },
		{ "ESCROW_HOLD_SECONDS=0", HOLD },
		{ "ESCROW_HOLD_SECONDS=-1", HOLD },
		{ "ESCROW_HOLD_SECONDS=1e3", HOLD },
		{ "ESCROW_HOLD_SECONDS= 1", HOLD },
		{ "ESCROW_HOLD_SECONDS=99999999999999999999", HOLD },
		{ "SANDBOX_STEP_SECONDS=0", "" },
		{ "SANDBOX_STEP_SECONDS=3601", "SANDBOX_STEP_SECONDS must be a whole number from 0 to 3600" },
		{ "GUARDIAN_PROVIDER=rules", "" },
		{ "GUARDIAN_PROVIDER=Rules", "GUARDIAN_PROVIDER must be rules, anthropic or openai" },
		{ "GUARDIAN_PROVIDER=openai", "GUARDIAN_MODEL is required" },
		{ "GUARDIAN_MODEL=a-model", "" },
		{ "GUARDIAN_MODEL=a model", "GUARDIAN_MODEL must be ASCII without blanks" },
		{ "GUARDIAN_API_KEY=a key", "GUARDIAN_API_KEY must be ASCII without blanks" },
		{ "GUARDIAN_URL=https://api.example/v1/", "" },
		{ "GUARDIAN_URL=http://localhost:11434/v1", "" },
		{ "GUARDIAN_URL=http://127.0.0.1:8080", "" },
		{ "GUARDIAN_URL=http://[::1]:8080", "" },
		{ "GUARDIAN_URL=http://192.168.1.2/v1", "" },
		{ "GUARDIAN_URL=http://api.example/v1", GUARDIAN_URL },
		{ "GUARDIAN_URL=http://10.example/v1", GUARDIAN_URL },
		{ "GUARDIAN_URL=http://[2001:db8::1]/v1", GUARDIAN_URL },
		{ "GUARDIAN_URL=ftp://localhost", GUARDIAN_URL },
		{ "GUARDIAN_URL=https://", "GUARDIAN_URL must be a URL without user, query and fragment" },
		{ "GUARDIAN_URL=https://u@api.example", "GUARDIAN_URL must be a URL without user, query and fragment" },
		{ "GUARDIAN_URL=https://api.example/v1?key=x",
		    "GUARDIAN_URL must be a URL without user, query and fragment" },
		{ "DLOCAL_URL=http://api.dlocal.example",
		    "DLOCAL_URL must begin with https://, or with http:// and a host of the own network" },
		{ "DLOCAL_LOGIN=login", "DLOCAL_LOGIN is of no use without DLOCAL_URL" },
		{ "DLOCAL_TRANS_KEY=key", "DLOCAL_TRANS_KEY is of no use without DLOCAL_URL" },
		{ "DLOCAL_SECRET=hunter2", "DLOCAL_SECRET is of no use without DLOCAL_URL" },
		{ "KYC_WEBHOOK_SECRET=abcdefghijklmnopqrstuvwx", "" },
		{ "KYC_WEBHOOK_SECRET=hunter2",
		    "KYC_WEBHOOK_SECRET must be at least 24 characters of ASCII without blanks" },
		{ "WEBHOOK_ALLOW_PRIVATE=false", "" },
		{ "WEBHOOK_ALLOW_PRIVATE=1", "WEBHOOK_ALLOW_PRIVATE must be true or false" },
		{ "WEBHOOK_ALLOW_PRIVATE=true", "WEBHOOK_ALLOW_PRIVATE is for development only" },
		{ "ALLOW_DEV_OPERATOR_ID_HEADER=true", "ALLOW_DEV_OPERATOR_ID_HEADER is for development only" },
		{ "ALLOW_DEV_OPERATOR_ID_HEADER=false", "" },
		{ "OPERATOR_JWT_ISSUER=https://id.example", "" },
		{ "OPERATOR_JWT_ISSUER=https://id.example:8443/realms/a/", "" },
		{ "OPERATOR_JWT_ISSUER=http://id.example", ISSUER " must begin with https://" },
		{ "OPERATOR_JWT_ISSUER=http://127.0.0.1:9000", ISSUER " must begin with https://" },
		{ "OPERATOR_JWT_ISSUER=id.example", ISSUER " must begin with https://" },
		{ "OPERATOR_JWT_ISSUER=https:///a", ISSUER " must be a URL without a fragment" },
		{ "OPERATOR_JWT_ISSUER=https://u:p@id.example", ISSUER " must be a URL without a fragment" },
		{ "OPERATOR_JWT_ISSUER=https://id.example/#a", ISSUER " must be a URL without a fragment" },
		{ "OPERATOR_JWT_ISSUER=https://id.example/a b", ISSUER " must be a URL without a fragment" },
		{ "OPERATOR_JWKS_URL=https://id.example/keys", "OPERATOR_JWKS_URL needs " ISSUER },
		{ "OPERATOR_JWT_AZP=https://app.example", "OPERATOR_JWT_AZP needs " ISSUER },
		{ "OPERATOR_JWT_AUDIENCE=api", "OPERATOR_JWT_AUDIENCE needs " ISSUER },
		{ "OPERATOR_JWT_AUDIENCE=a b", "OPERATOR_JWT_AUDIENCE must be one word of ASCII" },
		{ "OPERATOR_JWT_AZP=a  b", "OPERATOR_JWT_AZP must be words of ASCII with single blanks between them" },
		{ "OPERATOR_OIDC_CLIENT_ID=app", "OPERATOR_OIDC_CLIENT_ID needs " ISSUER },
		{ "OPERATOR_OIDC_CLIENT_ID=a b", "OPERATOR_OIDC_CLIENT_ID must be one word of ASCII" },
		{ "OPERATOR_OIDC_SCOPE=openid", "OPERATOR_OIDC_SCOPE needs " ISSUER },
		{ "MAP_TILE_URL=https://tile.example/{z}/{x}/{y}.png", "" },
		{ "MAP_TILE_URL=https://tile.example:8443/{z}/{x}/{y}?key=a&b=1", "" },
		{ "MAP_TILE_URL=http://tile.example/{z}/{x}/{y}.png", "MAP_TILE_URL must begin with https://" },
		{ "MAP_TILE_URL=https://{s}.tile.example/{z}/{x}/{y}.png", TILES },
		{ "MAP_TILE_URL=https:///{z}/{x}/{y}", TILES },
		{ "MAP_TILE_URL=https://u@tile.example/{z}/{x}/{y}", TILES },
		{ "MAP_TILE_URL=https://tile.example/{z}/{x}/{y} b", TILES },
		{ "MAP_TILE_URL=https://tile.example/{z}/{x}/{y};b", TILES },
		{ "MAP_TILE_URL=https://tile.example/{z}/{x}/y.png", "MAP_TILE_URL must hold {z}, {x} and {y}" },
		{ "MAP_TILE_ATTRIBUTION=Somebody", "MAP_TILE_ATTRIBUTION is of no use without MAP_TILE_URL" },
		{ "UPLOAD_DIR=/srv/uploads", "" },
		{ "R2_BUCKET=proof", "R2_BUCKET is of no use without R2_ENDPOINT" },
		{ "R2_SECRET_ACCESS_KEY=hunter2", "R2_SECRET_ACCESS_KEY is of no use without R2_ENDPOINT" },
		{ "HUMANOPS_FOO=1", "the environment: there is no setting HUMANOPS_FOO" },
		{ "HUMANOPS_CONFIG=1", "the environment: there is no setting HUMANOPS_CONFIG" },
		{ "ESCROW_HOLD_SECOND=1", "" },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		char want[256];
		const char *said;
		struct config *config = load(GOOD, (const char *const[]){ rows[i].variable, NULL }, &said);

		snprintf(want, sizeof(want), *rows[i].want != '\0' ? "humanops: %s\n" : "%s", rows[i].want);
		if (strcmp(said, want) != 0 || (config != NULL) != (*want == '\0'))
			fail_msg("%s: %s", rows[i].variable, said);
		talloc_free(config);
	}
}

static void
a_bucket_needs_all_of_its_settings_and_a_safe_way(void **state)
{
#define R2 "R2_BUCKET=proof\nR2_ACCESS_KEY_ID=AKID\nR2_SECRET_ACCESS_KEY=hunter2\n"
#define R2_ORIGIN "R2_ENDPOINT must be an origin: scheme, host and perhaps a port"
#define R2_SCHEME "R2_ENDPOINT must begin with https://, or http:// and this host"
	static const struct {
		const char *text, *want; /* two faults are divided by '|' */
	} rows[] = {
		{ GOOD R2 "R2_ENDPOINT=https://account.r2.example/\n", "" },
		{ GOOD R2 "R2_ENDPOINT=http://127.0.0.1:9000\n", "" },
		{ GOOD R2 "R2_ENDPOINT=http://localhost\n", "" },
		{ GOOD R2 "R2_ENDPOINT=http://[::1]:9000\n", "" },
		{ DEV R2 "R2_ENDPOINT=http://store:9000\n", "" },
		{ GOOD R2 "R2_ENDPOINT=http://store:9000\n", R2_SCHEME },
		{ GOOD R2 "R2_ENDPOINT=http://localhost.example\n", R2_SCHEME },
		{ GOOD R2 "R2_ENDPOINT=http://127.0.0.1.example\n", R2_SCHEME },
		{ GOOD R2 "R2_ENDPOINT=http://localhost:x@a\n", R2_ORIGIN },
		{ GOOD R2 "R2_ENDPOINT=https://a/bucket\n", R2_ORIGIN },
		{ GOOD R2 "R2_ENDPOINT=https://u@a\n", R2_ORIGIN },
		{ GOOD R2 "R2_ENDPOINT=a.example\n", R2_SCHEME },
		{ GOOD R2 "R2_ENDPOINT=https://a\nUPLOAD_DIR=/srv/uploads\n",
		    "R2_ENDPOINT cannot stand beside UPLOAD_DIR: proof files are kept in one place" },
		{ GOOD "R2_ENDPOINT=https://a\nR2_BUCKET=proof\n",
		    "R2_ACCESS_KEY_ID is required|R2_SECRET_ACCESS_KEY is required" },
		{ GOOD R2 "R2_ENDPOINT=https://a\nR2_REGION=EU\n",
		    "R2_REGION must have 2 to 63 lower-case letters, digits, dots and hyphens" },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		const char *said, *second = strchr(rows[i].want, '|');
		int first = (int)strcspn(rows[i].want, "|");
		struct config *config = load(rows[i].text, NULL, &said);
		char want[256] = "";

		if (second != NULL)
			snprintf(want, sizeof(want), "humanops: %.*s\nhumanops: %s\n", first, rows[i].want, second + 1);
		else if (first > 0)
			snprintf(want, sizeof(want), "humanops: %s\n", rows[i].want);
		if (strcmp(said, want) != 0 || (config != NULL) != (*want == '\0'))
			fail_msg("row %zu: %s", i, said);
		if (config != NULL)
			assert_string_equal(config->r2_region, "auto");
		talloc_free(config);
	}
}

static void
fiat_needs_all_of_its_settings(void **state)
{
	const char *said;
	struct config *config = load(GOOD, NULL, &said);

	(void)state;
	assert_true(config->dlocal_url == NULL && config->kyc_webhook_secret == NULL);
	talloc_free(config);
	assert_null(load(GOOD "DLOCAL_URL=https://api.dlocal.example\n", NULL, &said));
	assert_string_equal(said, "humanops: DLOCAL_LOGIN is required\nhumanops: DLOCAL_TRANS_KEY is required\n"
				  "humanops: DLOCAL_SECRET is required\n");
	config = load(GOOD "DLOCAL_URL=https://api.dlocal.example/\nDLOCAL_LOGIN=l\nDLOCAL_TRANS_KEY=k\n"
			   "DLOCAL_SECRET=hunter2\n",
	    NULL, &said);
	assert_non_null(config);
	assert_string_equal(config->dlocal_url, "https://api.dlocal.example");
	assert_string_equal(config->dlocal_secret, "hunter2");
	talloc_free(config);
}

static void
a_model_needs_a_name_and_anthropic_a_key(void **state)
{
	const char *said;
	struct config *config = load(GOOD, NULL, &said);

	(void)state;
	assert_string_equal(config->guardian_provider, "rules");
	assert_true(config->guardian_url == NULL && config->guardian_model == NULL);
	talloc_free(config);
	assert_null(load(GOOD "GUARDIAN_PROVIDER=anthropic\n", NULL, &said));
	assert_string_equal(said, "humanops: GUARDIAN_MODEL is required\nhumanops: GUARDIAN_API_KEY is required\n");
	config =
	    load(GOOD "GUARDIAN_PROVIDER=openai\nGUARDIAN_MODEL=m\nGUARDIAN_URL=http://llm:8080/v1/\n", NULL, &said);
	assert_non_null(config);
	assert_string_equal(config->guardian_url, "http://llm:8080/v1");
	assert_string_equal(config->guardian_model, "m");
	assert_null(config->guardian_api_key);
	talloc_free(config);
}

#define CHAIN \
	"BASE_RPC_URL=https://base.example/v2/hunter2 http://127.0.0.1:8545\n" \
	"DEPOSIT_ADDRESS=0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\nETH_USD_PRICE=3000.50\n"

static void
a_chain_brings_its_settings(void **state)
{
	const char *said;
	struct config *config = load(GOOD, NULL, &said);

	(void)state;
	assert_true(config->base_rpc_urls[0] == NULL && config->deposit_address == NULL);
	assert_true(config->base_chain_id == 8453 && config->confirmations == 12);
	assert_string_equal(config->usdc_contract, "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913");
	talloc_free(config);
	config = load(GOOD CHAIN "PAYOUT_PRIVATE_KEY_FILE=/nonexistent/key\nCONFIRMATIONS_REQUIRED=3\n", NULL, &said);
	assert_string_equal(said, ""); /* the key's file is not even opened */
	assert_string_equal(config->base_rpc_urls[0], "https://base.example/v2/hunter2");
	assert_string_equal(config->base_rpc_urls[1], "http://127.0.0.1:8545");
	assert_string_equal(config->deposit_address, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
	assert_string_equal(config->payout_key_file, "/nonexistent/key");
	assert_true(config->eth_usd_price == 3000500000 && config->eth_usd_oracle == NULL);
	assert_true(config->confirmations == 3);
	talloc_free(config);
}

static void
a_chain_needs_all_of_its_settings(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "BASE_RPC_URL=https://a.example\nETH_USD_PRICE=1\n", "DEPOSIT_ADDRESS is required" },
		{ "BASE_RPC_URL=https://a.example\nDEPOSIT_ADDRESS=0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n",
		    "ETH_USD_PRICE is required" },
		{ "PAYOUT_PRIVATE_KEY_FILE=/k\n", "PAYOUT_PRIVATE_KEY_FILE is of no use without BASE_RPC_URL" },
		{ "PAYOUT_PRIVATE_KEY=hunter2\n", "there is no setting PAYOUT_PRIVATE_KEY" },
		{ CHAIN "PAYOUT_PRIVATE_KEY_FILE=key\n", "PAYOUT_PRIVATE_KEY_FILE must be a path" },
		{ "BASE_RPC_URL=http://base.example/hunter2\n", "BASE_RPC_URL must begin with https://" },
		{ "BASE_RPC_URL=https://a.example  https://b.example\n", "BASE_RPC_URL must be one or two URLs" },
		{ "BASE_RPC_URL=https://a.example https://b.example https://c.example\n",
		    "BASE_RPC_URL must be one or two URLs" },
		{ "BASE_RPC_URL=https://a.example https://a.example/\n", "BASE_RPC_URL names the same server twice" },
		{ "USDC_CONTRACT=0x1234\n", "USDC_CONTRACT must be an address" },
		{ "DEPOSIT_ADDRESS=0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg\n",
		    "DEPOSIT_ADDRESS must be an address" },
		{ "ETH_USD_ORACLE=5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed00\n", "ETH_USD_ORACLE must be an address" },
		{ "CONFIRMATIONS_REQUIRED=0\n", "CONFIRMATIONS_REQUIRED must be a whole number from 1 to 1000" },
		{ "BASE_CHAIN_ID=-1\n", "BASE_CHAIN_ID must be a whole number" },
		{ "ETH_USD_PRICE=0.5\n", "ETH_USD_PRICE must be a price" },
		{ "ETH_USD_PRICE=3e3\n", "ETH_USD_PRICE must be a price" },
	};
	const char *said;

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		char text[1024];

		snprintf(text, sizeof(text), GOOD "%s", rows[i].text);
		assert_null(load(text, NULL, &said));
		if (strstr(said, rows[i].want) == NULL)
			fail_msg("%s: %s", rows[i].text, said);
		assert_null(strstr(said, "hunter2"));
	}
}

#define KEYS "LINK_KEY=AQ" REST "MAIL_KEY=Ag" REST "PUSH_KEY=Aw" REST
#define REST "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define SECRETS \
	KEYS "ADMIN_API_KEY=abcdefghijklmnopqrstuvwx\nR2_ENDPOINT=https://r2.example\nR2_BUCKET=proof\n" \
	     "R2_ACCESS_KEY_ID=id\nR2_SECRET_ACCESS_KEY=secret\nGUARDIAN_API_KEY=guardian\n" \
	     "DLOCAL_URL=https://api.dlocal.example\nDLOCAL_LOGIN=l\nDLOCAL_TRANS_KEY=k\nDLOCAL_SECRET=s\n" \
	     "KYC_WEBHOOK_SECRET=abcdefghijklmnopqrstuvwx\n" CHAIN "PAYOUT_PRIVATE_KEY_FILE=/k\n"

/* The secrets that it holds, one letter for each. */
static void
letters_of(const struct config *config, char *letters)
{
	const struct {
		char letter;
		const void *member;
	} rows[] = { { 's', config->secret_key }, { 'l', config->link_key }, { 'm', config->mail_key },
		{ 'p', config->push_key }, { 'a', config->admin_api_key }, { 'S', config->smtp_url },
		{ 'r', config->r2_access_key_id }, { 'R', config->r2_secret_access_key },
		{ 'g', config->guardian_api_key }, { 'd', config->dlocal_login }, { 't', config->dlocal_trans_key },
		{ 'D', config->dlocal_secret }, { 'k', config->kyc_webhook_secret }, { 'P', config->payout_key_file } };

	for (size_t i = 0; i < nitems(rows); i++) {
		if (rows[i].member != NULL)
			*letters++ = rows[i].letter;
	}
	*letters = '\0';
}

static void
a_program_is_told_its_own_secrets_alone(void **state)
{
	static const struct {
		const char *program, *letters;
	} rows[] = {
		{ "agents", "mdtD" },
		{ "tasks", "slg" },
		{ "operator", "lprR" },
		{ "webhooks", "Dk" },
		{ "admin", "la" },
		{ "mcp", "slmg" },
		{ "worker", "smpSrRgdtDP" },
		{ "sweeper", "" },
		{ "doctor", "slmpaSrRgdtDkP" },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		const char *said;
		struct config *config = load_as(rows[i].program, GOOD SECRETS, NULL, &said);
		char letters[32];

		assert_string_equal(said, "");
		assert_non_null(config);
		letters_of(config, letters);
		if (strcmp(letters, rows[i].letters) != 0)
			fail_msg("%s has %s", rows[i].program, letters);
		assert_string_equal(config->program, rows[i].program);
		if (config->link_key != NULL)
			assert_int_equal(config->link_key[0], 1);
		talloc_free(config);
	}
}

/* In development, so that nothing else is required. */
#define BARE "HUMANOPS_ENV=development\nDATABASE_URL=dbname=humanops\nPUBLIC_BASE_URL=http://localhost:8080/\n"

static void
a_lesser_key_that_is_not_set_is_the_secret_key(void **state)
{
	static const struct {
		const char *program, *text, *letters; /* letters NULL: refused for want of the secret key */
	} rows[] = {
		{ "agents", BARE "SECRET_KEY=" KEY "\n", "m" },
		{ "operator", BARE "SECRET_KEY=" KEY "\n", "lp" },
		{ "operator", BARE "SECRET_KEY=" KEY "\nPUSH_KEY=AQ" REST, "lp" },
		{ "worker", BARE "SECRET_KEY=" KEY "\n", "smp" },
		{ "mcp", BARE "SECRET_KEY=" KEY "\n", "slm" },
		{ "webhooks", BARE "SECRET_KEY=" KEY "\n", "" },
		{ "webhooks", BARE, "" },
		{ "sweeper", BARE, "" },
		{ "operator", BARE KEYS, "lp" },
		{ "operator", BARE "LINK_KEY=AQ" REST, NULL },
		{ "operator", BARE "PUSH_KEY=AQ" REST, NULL },
		{ "agents", BARE, NULL },
		{ "tasks", BARE KEYS, NULL },
		{ "worker", BARE KEYS, NULL },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		char letters[32] = "";
		const char *said;
		struct config *config = load_as(rows[i].program, rows[i].text, NULL, &said);

		if ((config == NULL) != (rows[i].letters == NULL))
			fail_msg("row %zu: %s", i, said);
		assert_string_equal(said, config == NULL ? "humanops: SECRET_KEY is required\n" : "");
		if (config == NULL)
			continue;
		letters_of(config, letters);
		if (strcmp(letters, rows[i].letters) != 0)
			fail_msg("row %zu: %s", i, letters);
		if (config->link_key != NULL && strstr(rows[i].text, "LINK_KEY") == NULL)
			assert_int_equal(config->link_key[31], 31);
		talloc_free(config);
	}
}

static void
what_others_are_told_is_checked_but_not_opened(void **state)
{
	static const struct {
		const char *program, *text, *said;
	} rows[] = {
		{ "tasks", DEV "ADMIN_API_KEY_FILE=/nonexistent\n", "" },
		{ "admin", DEV "ADMIN_API_KEY_FILE=/nonexistent\n",
		    "humanops: ADMIN_API_KEY_FILE cannot be read: No such file or directory\n" },
		{ "tasks", DEV "ADMIN_API_KEY=short\n",
		    "humanops: ADMIN_API_KEY must be at least 24 characters of ASCII without blanks\n" },
		{ "sweeper", DEV "LINK_KEY=short\n", "humanops: LINK_KEY must be 32 bytes in base64\n" },
		{ "sweeper", BARE "SECRET_KEY_FILE=/nonexistent\n", "" },
		{ "operator", BARE KEYS "SECRET_KEY_FILE=/nonexistent\n", "" },
		{ "operator", BARE "LINK_KEY_FILE=/nonexistent\nPUSH_KEY=Aw" REST "SECRET_KEY=" KEY "\n",
		    "humanops: LINK_KEY_FILE cannot be read: No such file or directory\n" },
		{ "sweeper", DEV "NO_SUCH_KEY=x\n", "humanops: CONF, line 5: there is no setting NO_SUCH_KEY\n" },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		const char *said;
		struct config *config = load_as(rows[i].program, rows[i].text, NULL, &said);
		const char *want =
		    strstr(rows[i].said, "CONF, ") != NULL ? strstr(rows[i].said, ", line") : rows[i].said;

		if (strstr(said, want) == NULL || (config == NULL) != (*want != '\0') ||
		    (*want == '\0' && *said != '\0'))
			fail_msg("row %zu: %s", i, said);
		talloc_free(config);
	}
}

static void
the_databases_user_may_hold_the_programs_name(void **state)
{
	static const struct {
		const char *program, *url, *want; /* want NULL: refused */
	} rows[] = {
		{ "tasks", "dbname=humanops", "dbname=humanops" },
		{ "tasks", "user=humanops_app dbname=humanops", "user=humanops_app dbname=humanops" },
		{ "tasks", "host=/run user=humanops_%p dbname=h", "user='humanops_tasks' dbname='h' host='/run' " },
		{ "sweeper", "user=%p", "user='sweeper' " },
		{ "worker", "user=a_%p_%p password='a%p\\' \\\\'", "user='a_worker_worker' password='a%p\\' \\\\' " },
		{ "worker", "user=x password=a%p", "user=x password=a%p" },
		{ "admin", "postgresql://humanops_%25p@db.example:5433/humanops?sslmode=require",
		    "user='humanops_admin' dbname='humanops' host='db.example' port='5433' sslmode='require' " },
		{ "admin", "postgresql://humanops_%p@db.example/humanops", NULL },
		{ "admin", "user=humanops_%p nosuch=1", NULL },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		char text[512];
		const char *said;
		struct config *config;

		snprintf(text, sizeof(text),
		    "HUMANOPS_ENV=development\nPUBLIC_BASE_URL=http://localhost:8080/\n"
		    "SECRET_KEY=" KEY "\nDATABASE_URL=%s\n",
		    rows[i].url);
		config = load_as(rows[i].program, text, NULL, &said);
		if ((config == NULL) != (rows[i].want == NULL))
			fail_msg("row %zu: %s", i, said);
		if (config != NULL)
			assert_string_equal(config->database_url, rows[i].want);
		else
			assert_string_equal(said, "humanops: DATABASE_URL must be a connection string of libpq\n");
		talloc_free(config);
	}
}

static void
proxies_are_addresses_and_networks(void **state)
{
	static const char *const bad[] = { "10.0.0.1/8", "proxy.example", "10.0.0.1,10.0.0.2", "10.0.0.1  10.0.0.2",
		("1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 "
		 "1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 "
		 "1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1") };
	const char *said;
	struct config *config = load(GOOD, NULL, &said);

	(void)state;
	assert_int_equal(config->trusted_proxy_count, 0);
	talloc_free(config);
	config = load(GOOD "TRUSTED_PROXIES=192.0.2.1 10.0.0.0/8 2001:db8::/32\n", NULL, &said);
	assert_string_equal(said, "");
	assert_int_equal(config->trusted_proxy_count, 3);
	assert_int_equal(config->trusted_proxies[1].bits, 96 + 8);
	talloc_free(config);
	for (size_t i = 0; i < nitems(bad); i++) {
		char text[1024];

		snprintf(text, sizeof(text), GOOD "TRUSTED_PROXIES=%s\n", bad[i]);
		assert_null(load(text, NULL, &said));
		assert_non_null(strstr(said, "TRUSTED_PROXIES must be up to 32 addresses or networks"));
	}
}

static void
all_faults_are_named_at_once_and_no_value_is_shown(void **state)
{
	const char *said;
	char want[1024];

	(void)state;
	snprintf(want, sizeof(want),
	    "humanops: %s, line 1: there is no setting FOO\n"
	    "humanops: %s, line 3: this is not KEY=VALUE\n"
	    "humanops: %s, line 4: this is not KEY=VALUE\n"
	    "humanops: %s, line 5: this is not KEY=VALUE\n"
	    "humanops: RUN_DIR is twice in %s\n"
	    "humanops: SECRET_KEY and SECRET_KEY_FILE are both in %s\n"
	    "humanops: DATABASE_URL is required\n"
	    "humanops: PUBLIC_BASE_URL is required\n"
	    "humanops: SECRET_KEY must be 32 bytes in base64\n"
	    "humanops: SMTP_URL is required\n"
	    "humanops: ESCROW_HOLD_SECONDS must be a whole number from 1 to 31536000\n",
	    conf, conf, conf, conf, conf, conf);
	assert_null(load("FOO=hunter2\n\nhunter2\nRUN_DIR = /hunter2\nc2VjcmV0=\nRUN_DIR=/a\nRUN_DIR=/hunter2\n"
			 "SECRET_KEY=hunter2\nSECRET_KEY_FILE=/hunter2\nESCROW_HOLD_SECONDS=hunter2\n",
	    NULL, &said));
	assert_string_equal(said, want);
	assert_null(strstr(said, "hunter2"));
}

static void
a_file_that_was_named_must_be_there(void **state)
{
	const char *said;

	(void)state;
	assert_null(load(GOOD, (const char *const[]){ "HUMANOPS_CONF=/nonexistent/humanops.conf", NULL }, &said));
	assert_non_null(
	    strstr(said, "humanops: /nonexistent/humanops.conf cannot be read: No such file or directory\n"));
	assert_null(load(GOOD, (const char *const[]){ "HUMANOPS_CONF=/tmp", NULL }, &said));
	assert_non_null(strstr(said, "humanops: /tmp cannot be read: "));
}

static int
make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(conf, sizeof(conf), "%s/humanops.conf", folder);
	snprintf(value_file, sizeof(value_file), "%s/value", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	unlink(conf);
	return rmdir(folder);
}

int
main(void)
{
	const char *wanted = getenv("CMOCKA_MESSAGE_OUTPUT");
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(defaults_stand_where_nothing_is_said),
		cmocka_unit_test(development_needs_no_mail_server),
		cmocka_unit_test(the_environment_stands_over_the_file),
		cmocka_unit_test(an_issuer_of_tokens_brings_its_settings),
		cmocka_unit_test(what_the_web_app_is_told_has_defaults_and_limits),
		cmocka_unit_test(a_value_may_stand_in_a_file_of_its_own),
		cmocka_unit_test(lines_are_comments_blanks_and_settings),
		cmocka_unit_test(each_setting_says_what_it_must_be),
		cmocka_unit_test(a_bucket_needs_all_of_its_settings_and_a_safe_way),
		cmocka_unit_test(fiat_needs_all_of_its_settings),
		cmocka_unit_test(a_model_needs_a_name_and_anthropic_a_key),
		cmocka_unit_test(a_chain_brings_its_settings),
		cmocka_unit_test(a_chain_needs_all_of_its_settings),
		cmocka_unit_test(a_program_is_told_its_own_secrets_alone),
		cmocka_unit_test(a_lesser_key_that_is_not_set_is_the_secret_key),
		cmocka_unit_test(what_others_are_told_is_checked_but_not_opened),
		cmocka_unit_test(the_databases_user_may_hold_the_programs_name),
		cmocka_unit_test(proxies_are_addresses_and_networks),
		cmocka_unit_test(all_faults_are_named_at_once_and_no_value_is_shown),
		cmocka_unit_test(a_file_that_was_named_must_be_there),
	};

	output = wanted != NULL && strcasecmp(wanted, "TAP") == 0 ? CM_OUTPUT_TAP : CM_OUTPUT_STDOUT;
	return cmocka_run_group_tests(cases, make_folder, remove_folder);
}
