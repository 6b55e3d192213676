/* mcp.fcgi: agents' models, by the Model Context Protocol. */
#include "api/api.h"
#include "base/text.h"
#include "http/route.h"

static const struct route routes[] = {
	{ "POST", "/mcp", api_mcp, PUBLIC, NULL, WHOLE },
};

static const struct api_callers callers = { .agent = api_who_agent, .person = api_who_person, .once = api_once };

int
main(int argc, char **argv)
{
	return api_main(argc, argv, "mcp", routes, nitems(routes), &callers);
}
