#ifndef HTTP_HEALTH_H
#define HTTP_HEALTH_H

#include <stddef.h>
#include "http/route.h"

/*
 * What every program answers beside its own table: /healthz (the process) and /readyz (its database too),
 * each also with the program's name behind it, so that one web server can ask each of its programs.
 */
extern const struct route health_routes[];
extern const size_t health_route_count;

#endif
