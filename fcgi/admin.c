/* admin.fcgi: for staff. */
#include "api/api.h"
#include "base/text.h"
#include "http/route.h"

static const struct route routes[] = {
	{ "POST", "/admin/clock", api_admin_clock, STAFF, NULL, 0 },
};

int
main(int argc, char **argv)
{
	return api_main(argc, argv, "admin", routes, nitems(routes));
}
