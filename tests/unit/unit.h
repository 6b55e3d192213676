#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

/* cmocka with what it wants to stand before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"

#endif
