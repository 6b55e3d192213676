/* What the parts of a look share; see look.h. */
#include "base/db.h"
#include "base/error.h"
#include "base/now.h"
#include "core/look.h"
#include "core/onchain.h"

bool
look_has_time(const struct look *look)
{
	return now_monotonic_ms() < look->end_ms;
}

int
look_go_on(const struct look *look, struct error *err)
{
	struct chain_head head;

	db_rollback(look->db);
	if (err->code == ERR_deposit_taken || err->code == ERR_wallet_required) {
		error_clear(err);
		return 0;
	}
	if (err->code != ERR_chain_unavailable)
		return -1;
	error_clear(err);
	return chain_head(look->onchain->chain, &head, err);
}
