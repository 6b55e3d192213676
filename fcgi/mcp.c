/* mcp.fcgi: agents' models, by the Model Context Protocol. */
#include "api/api.h"
#include "base/text.h"
#include "http/route.h"

static const struct route routes[] = {
	{ "POST", "/mcp", api_mcp, PUBLIC, NULL, WHOLE },
};

int
main(int argc, char **argv)
{
	return api_main(argc, argv, "mcp", routes, nitems(routes));
}
