/*
 * What a payout's transactions offer for gas: replacements that nodes take, and no offer beyond the bounds whatever a
 * node says.
 */
#include "core/signer.h"

#include "base/text.h"
#include "unit.h"

#define GWEI UINT64_C(1000000000)

static void
a_first_offer_leaves_room_for_the_base_fee_to_double(void **state)
{
	static const struct {
		uint64_t base_fee, tip, want_max, want_tip;
	} rows[] = {
		{ 10000000, 1000000, 21000000, 1000000 },
		{ 0, 0, SIGNER_MIN_TIP, SIGNER_MIN_TIP }, /* a tip of nothing may wait for ever */
		{ 7, SIGNER_MIN_TIP - 1, 14 + SIGNER_MIN_TIP, SIGNER_MIN_TIP },
		{ GWEI, 10 * GWEI, 12 * GWEI, 10 * GWEI },
		{ GWEI, 10 * GWEI + 1, 12 * GWEI, SIGNER_MAX_TIP },
		{ 495 * GWEI, 10 * GWEI, SIGNER_MAX_FEE, SIGNER_MAX_TIP },
		{ 495 * GWEI + 1, 10 * GWEI, SIGNER_MAX_FEE, SIGNER_MAX_TIP },
		{ UINT64_MAX, UINT64_MAX, SIGNER_MAX_FEE, SIGNER_MAX_TIP },
		{ UINT64_MAX / 2 + 1, 0, SIGNER_MAX_FEE, SIGNER_MIN_TIP },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct signer_fees fees = signer_first_fees(rows[i].base_fee, rows[i].tip);

		assert_int_equal(fees.max_fee, rows[i].want_max);
		assert_int_equal(fees.tip, rows[i].want_tip);
	}
}

static void
a_replacement_offers_an_eighth_more_and_the_fees_of_the_day(void **state)
{
	static const struct {
		struct signer_fees before;
		uint64_t base_fee, tip, want_max, want_tip;
	} rows[] = {
		{ { 8000000, 1600000 }, 1000000, 1000000, 9000001, 1800001 },
		{ { 8000000, 1600000 }, 100000000, 1000000, 201000000, 1800001 },
		{ { 8000000, 1600000 }, 1000000, 3000000, 9000001, 3000000 },
		{ { SIGNER_MIN_TIP, SIGNER_MIN_TIP }, 0, 0, SIGNER_MIN_TIP * 9 / 8 + 1, SIGNER_MIN_TIP * 9 / 8 + 1 },
		{ { 0, 0 }, 0, 0, SIGNER_MIN_TIP, SIGNER_MIN_TIP },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct signer_fees fees = { 0, 0 };

		assert_true(signer_next_fees(rows[i].before, rows[i].base_fee, rows[i].tip, &fees));
		assert_int_equal(fees.max_fee, rows[i].want_max);
		assert_int_equal(fees.tip, rows[i].want_tip);
	}
}

/* Nodes take a replacement that offers a tenth more on both; the tip is never more than the whole. */
static void
replacements_go_on_to_the_bounds_and_no_further(void **state)
{
	struct signer_fees before = signer_first_fees(10000000, 1000000), fees;
	int count = 0;

	(void)state;
	while (signer_next_fees(before, 10000000, 1000000, &fees)) {
		assert_true(fees.max_fee * 10 >= before.max_fee * 11 && fees.tip * 10 >= before.tip * 11);
		assert_true(fees.max_fee <= SIGNER_MAX_FEE && fees.tip <= SIGNER_MAX_TIP);
		assert_true(fees.tip <= fees.max_fee);
		before = fees;
		count++;
	}
	assert_in_range(count, 40, 200);
	fees = (struct signer_fees){ 1, 1 };
	assert_false(signer_next_fees((struct signer_fees){ SIGNER_MAX_FEE, 1 }, 0, 0, &fees));
	assert_false(signer_next_fees((struct signer_fees){ GWEI, SIGNER_MAX_TIP }, 0, 0, &fees));
	assert_false(signer_next_fees((struct signer_fees){ UINT64_MAX, UINT64_MAX }, UINT64_MAX, UINT64_MAX, &fees));
	assert_int_equal(fees.max_fee, 1); /* untouched */
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(a_first_offer_leaves_room_for_the_base_fee_to_double),
		cmocka_unit_test(a_replacement_offers_an_eighth_more_and_the_fees_of_the_day),
		cmocka_unit_test(replacements_go_on_to_the_bounds_and_no_further),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
