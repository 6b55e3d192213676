/*
 * Which transfer is a deposit, and which receipt counts: to the micro-dollar at both limits, and for sums that only a
 * liar would tell.
 */
#include "core/deposit.h"

#include "base/text.h"
#include "chain/chain.h"
#include "core/onchain.h"
#include "unit.h"

static const struct eth_address ours = { { 0x11, [19] = 0x22 } }, other = { { 0x11, [19] = 0x23 } };

static void
a_deposit_is_a_transfer_to_us_within_the_limits(void **state)
{
	static const struct {
		uint64_t amount;
		bool is_huge, is_others, want;
	} rows[] = {
		{ 0, false, false, false },
		{ 1, false, false, false },
		{ USD(5) - 1, false, false, false },
		{ USD(5), false, false, true },
		{ USD(5) + 1, false, false, true },
		{ USD(5), false, true, false },
		{ USD(10000), false, false, true },
		{ USD(10000) + 1, false, false, false },
		{ INT64_MAX, false, false, false },
		{ UINT64_MAX, false, false, false },
		{ USD(5), true, false, false },
		{ 0, true, false, false },
	};
	struct onchain onchain = { .deposit = ours };

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct chain_transfer transfer = {
			.to = rows[i].is_others ? other : ours, .amount = rows[i].amount, .is_huge = rows[i].is_huge
		};

		assert_int_equal(deposit_fits(&onchain, &transfer), rows[i].want);
	}
}

static void
a_receipt_counts_that_succeeded_in_a_block_of_the_chain(void **state)
{
	static const struct {
		enum chain_found found;
		int64_t confirmations;
		bool want;
	} rows[] = {
		{ CHAIN_MINED, 1, true },
		{ CHAIN_MINED, 1000, true },
		{ CHAIN_MINED, 0, false },
		{ CHAIN_FAILED, 12, false },
		{ CHAIN_ABSENT, 0, false },
		{ CHAIN_ABSENT, 12, false },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct chain_receipt receipt = { .found = rows[i].found, .confirmations = rows[i].confirmations };

		assert_int_equal(deposit_counts(&receipt), rows[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_deposit_is_a_transfer_to_us_within_the_limits),
		cmocka_unit_test(a_receipt_counts_that_succeeded_in_a_block_of_the_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
