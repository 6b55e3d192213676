/* webhooks.fcgi: calls from payment and identity services; so far only the health that every program answers. */
#include "api/api.h"

int
main(int argc, char **argv)
{
	return api_main(argc, argv, "webhooks", NULL, 0);
}
