/* webhooks.fcgi: calls from payment and identity services. */
#include "api/api.h"
#include "base/text.h"
#include "http/route.h"

static const struct route routes[] = {
	{ "POST", "/webhooks/dlocal", api_webhooks_dlocal, PUBLIC, NULL, ATOMIC },
	{ "POST", "/webhooks/kyc", api_webhooks_kyc, PUBLIC, NULL, ATOMIC },
};

static const struct api_callers callers; /* they sign what they send */

int
main(int argc, char **argv)
{
	return api_main(argc, argv, "webhooks", routes, nitems(routes), &callers);
}
