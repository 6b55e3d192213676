/* Handler of operator.fcgi for what the web app must know before anybody has signed in.  Nothing here is secret. */
#include <json-c/json.h>
#include "api/api.h"
#include "base/config.h"
#include "base/text.h"
#include "core/category.h"
#include "core/claim.h"
#include "core/message.h"
#include "core/payout.h"
#include "core/proof.h"
#include "http/reply.h"
#include "http/upload.h"
#include "net/image.h"
#include "net/push.h"

/* The names of a list that ends in NULL. */
static struct json_object *
names_of(const char *const *names)
{
	struct json_object *list = json_object_new_array();

	for (; *names != NULL; names++)
		json_object_array_add(list, json_object_new_string(*names));
	return list;
}

/* How the app signs in at the issuer; NULL: not at all. */
static struct json_object *
sign_in(const struct config *config)
{
	struct json_object *object;

	if (config->operator_oidc_client_id == NULL)
		return NULL;
	object = json_object_new_object();
	reply_text(object, "issuer", config->operator_jwt_issuer);
	reply_text(object, "client_id", config->operator_oidc_client_id);
	reply_text(object, "scope", config->operator_oidc_scope);
	reply_text(object, "audience", config->operator_jwt_audience);
	return object;
}

static struct json_object *
map(const struct config *config)
{
	struct json_object *object;

	if (config->map_tile_url == NULL)
		return NULL;
	object = json_object_new_object();
	reply_text(object, "tile_url", config->map_tile_url);
	reply_text(object, "attribution", config->map_tile_attribution);
	return object;
}

/* What is paid out at least, and where to. */
static struct json_object *
payout(const struct config *config)
{
	struct json_object *object = json_object_new_object();

	reply_money(object, "min_usd", PAYOUT_MIN);
	reply_text(object, "chain", "base");
	reply_int(object, "chain_id", config->base_chain_id);
	reply_text(object, "token", "USDC");
	return object;
}

static struct json_object *
upload(void)
{
	struct json_object *object = json_object_new_object(), *types = json_object_new_array();

	for (enum image_type type = IMAGE_JPEG; type <= IMAGE_PDF; type++)
		json_object_array_add(types, json_object_new_string(image_type_mime(type)));
	reply_int(object, "max_bytes", UPLOAD_FILE_MAX);
	reply_int(object, "max_photos", PROOF_PHOTOS_MAX);
	reply_json(object, "media_types", types);
	return object;
}

int
api_operator_settings(struct request *rq)
{
	const struct config *config = rq->config;
	struct json_object *estimate = json_object_new_object();

	reply_json(rq->reply, "estimate", estimate);
	reply_int(estimate, "min_minutes", ESTIMATE_MIN_MINUTES);
	reply_int(estimate, "max_minutes", ESTIMATE_MAX_MINUTES);
	if (request_query(rq, NULL, 0, NULL))
		return -1;
	reply_text(rq->reply, "version", HUMANOPS_VERSION);
	reply_bool(rq->reply, "is_development", config->is_development);
	reply_bool(rq->reply, "dev_sign_in", config->is_development && config->allow_dev_operator_id);
	reply_json(rq->reply, "sign_in", sign_in(config));
	reply_json(rq->reply, "map", map(config));
	reply_text(rq->reply, "push_key", push_public_key(push_signer_new(rq, config->push_key), rq));
	reply_json(rq->reply, "payout", payout(rq->config));
	reply_json(rq->reply, "upload", upload());
	reply_json(rq->reply, "task_types", names_of(category_types));
	reply_int(rq->reply, "message_max_chars", MESSAGE_MAX_CHARS);
	return 200;
}
