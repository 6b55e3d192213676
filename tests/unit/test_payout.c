/* Where money may be sent, and what answers call the states of a payout. */
#include "core/payout.h"

#include <string.h>

#include "base/text.h"
#include "core/onchain.h"
#include "unit.h"

#define TOKEN "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"
#define DEPOSIT "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
#define PAYER "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"
#define GOOD "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed" /* of EIP-55, as the two above */

static struct eth_address
address(const char *text)
{
	struct eth_address out;

	assert_int_equal(eth_address_parse(text, &out), 0);
	return out;
}

static void
money_goes_to_addresses_whose_owner_can_use_it(void **state)
{
	static const struct {
		const char *text, *why; /* part of the sentence; NULL: it is good */
	} rows[] = {
		{ GOOD, NULL },
		{ "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", NULL },
		{ "0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED", NULL },
		{ "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "checksum" },
		{ "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", "checksum" },
		{ "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "40" },
		{ "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe", "40" },
		{ "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed0", "40" },
		{ "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg", "40" },
		{ "", "40" },
		{ "0x", "40" },
		{ "jane.eth", "40" },
		{ "0x0000000000000000000000000000000000000000", "lost" },
		{ "0x0000000000000000000000000000000000000001", "lost" },
		{ "0x00000000000000000000000000000000000000ff", "lost" },
		{ "0x420000000000000000000000000000000000000F", "lost" }, /* a contract of the rollup itself */
		{ "0x000000000000000000000000000000000000dead", "lost" },
		{ "0x000000000000000000000000000000000000dEaD", "lost" },
		{ "0xffffffffffffffffffffffffffffffffffffffff", "lost" },
		{ TOKEN, "token" },
		{ "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", "token" },
		{ DEPOSIT, "our own" },
		{ "0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359", "our own" },
		{ PAYER, "our own" },
	};
	struct onchain onchain = { .token = address(TOKEN), .deposit = address(DEPOSIT) };

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct eth_address out;
		const char *why;
		int rc = payout_address(rows[i].text, &onchain, address(PAYER), &out, &why);

		assert_int_equal(rc, rows[i].why == NULL ? 0 : -1);
		if (rows[i].why == NULL)
			assert_null(why);
		else
			assert_non_null(strstr(why, rows[i].why));
	}
}

/* In test mode there is no paying address: the zero that stands for it is no reason to call anything ours. */
static void
without_a_payer_only_the_others_are_ours(void **state)
{
	static const struct eth_address none;
	struct onchain onchain = { .token = address(TOKEN), .deposit = none };
	struct eth_address out;
	const char *why;

	(void)state;
	assert_int_equal(payout_address(PAYER, &onchain, none, &out, &why), 0);
	assert_true(eth_address_equal(out, address(PAYER)));
	assert_int_equal(payout_address("0x0000000000000000000000000000000000000000", &onchain, none, &out, &why), -1);
}

static void
answers_know_three_states(void **state)
{
	static const struct {
		const char *state, *want;
		bool is_over;
	} rows[] = {
		{ "reserved", "PENDING_ONCHAIN", false },
		{ "signed", "PENDING_ONCHAIN", false },
		{ "stuck", "PENDING_ONCHAIN", false },
		{ "completed", "COMPLETED", true },
		{ "failed", "FAILED", true },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct payout payout = { .state = rows[i].state };

		assert_string_equal(payout_status(&payout), rows[i].want);
		assert_int_equal(payout_is_over(&payout), rows[i].is_over);
	}
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(money_goes_to_addresses_whose_owner_can_use_it),
		cmocka_unit_test(without_a_payer_only_the_others_are_ours),
		cmocka_unit_test(answers_know_three_states),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
