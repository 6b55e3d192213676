-- Deposits by card or bank transfer (sql/functions/fiat.sql): credited once, our own amount alone, whatever is said in which
-- order; and the identity vendor's calls (operator_kyc_call).
begin;
\ir shared/fixtures.sql
select no_plan();
select fixture_agent(7, 'agent', 'VERIFIED');
select fixture_agent(7, 'other', 'VERIFIED');

-- A payment under a name; key: its idempotency key.
create function fixture.begin_payment(p_name text, p_amount bigint default 100000000, p_key text default null,
    p_at timestamptz default t0(), p_agent text default 'agent') returns fiat_deposits
language sql as $$
    select d from fiat_begin(7, id(p_agent), name_id(p_name, public.id_new(7, p_at)), p_amount, 'card', p_key, 20, p_at) d
$$;
create function fixture.payment(p_name text) returns fiat_deposits
language sql as $$ select d from fiat_deposits d where bucket = 7 and d.id = id(p_name) $$;
create function fixture.end_payment(p_name text, p_status text, p_amount bigint default 100000000, p_at timestamptz default t0())
returns text
language sql as $$
    select d.status from fiat_settle(7, (payment(p_name)).agent_id, (payment(p_name)).order_ms, p_status, p_amount, 'provider', p_at) d
$$;

-- Before the provider is called.
select is((begin_payment('first')).status, 'pending', 'a payment begins pending');
select is((payment('first')).order_ms, (extract(epoch from t0()) * 1000)::bigint, 'its order is the millisecond');
select is((begin_payment('second')).order_ms, (payment('first')).order_ms + 1, 'the next one of the same millisecond has the next');
select is((begin_payment('third', p_at => t0() - interval '1 hour')).order_ms, (payment('first')).order_ms + 2,
    'and a clock that was set back gives no order twice');
select is((begin_payment('of other', p_agent => 'other')).order_ms, (payment('first')).order_ms, 'each agent has orders of its own');
select throws_ok($$select begin_payment('nothing', 0)$$, '23514', null, 'there is no payment of nothing');
select is(balance(7, 'agent', 'deposit'), 0::bigint, 'nothing is credited yet');

-- Idempotency keys.
select lives_ok($$select begin_payment('keyed', p_key => 'k')$$, 'a key begins one payment');
select is(refusal_of($$select begin_payment('again', p_key => 'k')$$), 'idempotency_in_progress', 'and no other while its call runs');
select is(refusal_of($$select begin_payment('again', p_key => 'k', p_at => t0() + interval '19.999 seconds')$$),
    'idempotency_in_progress', 'to the end of its time');
select lives_ok($$select begin_payment('later', p_key => 'k', p_at => t0() + interval '20 seconds')$$, 'a call that died holds it no longer');
select lives_ok($$select begin_payment('elsewhere', p_key => 'k', p_agent => 'other')$$, 'another agent''s key is another key');
select is((select redirect_url from fiat_called(7, id('agent'), id('later'), 'D-1', 'https://pay.example/1')), 'https://pay.example/1',
    'the answer is kept');
select is((select provider_id from fiat_called(7, id('agent'), id('later'), 'D-2', null)), 'D-1', 'the first one');
select is_empty($$select fiat_called(7, id('other'), id('later'), 'D-3', null)$$, 'nobody else''s');
select lives_ok($$select begin_payment('after', p_key => 'k', p_at => t0() + interval '21 seconds')$$, 'a call that is over holds the key no longer');

-- Settled.
select is(end_payment('first', 'completed'), 'completed', 'a paid one is completed');
select is(balance(7, 'agent', 'deposit'), 100000000::bigint, 'and credited');
select is(balance(7, 'agent', 'fiat_custody'), -100000000::bigint, 'against what we hold');
select is((payment('first')).transaction_id, (select id from ledger_transactions where bucket = 7 and kind = 'deposit_fiat' and ref = id('first')),
    'by the ledger transaction that it names');
select is(end_payment('first', 'completed'), 'completed', 'told again, it stays so');
select is(end_payment('first', 'failed', null), 'completed', 'also when told that it failed');
select is(balance(7, 'agent', 'deposit'), 100000000::bigint, 'and is credited once');
select is((select count(*) from events where bucket = 7 and agent_id = id('agent') and type like 'deposit.%'), 1::bigint, 'one event tells of it');
select results_eq($$select type, actor, from_status, to_status, task_id, data from events where bucket = 7 and agent_id = id('agent')$$,
    $$values ('deposit.completed', 'provider', 'pending', 'completed', null::uuid,
        jsonb_build_object('payment', id('first'), 'amount_usd', 100))$$, 'with the payment and its amount');

create temporary table wrong (why text, amount bigint) on commit drop;
insert into wrong values ('a millionth less', 99999999), ('a millionth more', 100000001), ('nothing', 0), ('not in dollars', -1),
    ('all there is', 9223372036854775807);
select matches(refusal_of(format('select end_payment(''second'', ''completed'', %s)', amount)), '^amount_mismatch .*"expected_usd": 100',
    'refused: ' || why) from wrong;
select is((payment('second')).status, 'pending', 'a wrong amount leaves it pending');
select is(end_payment('second', 'failed', 1), 'failed', 'what failed has no amount that matters');
select is((payment('second')).transaction_id, null, 'and no booking');
select is(end_payment('second', 'failed', null, t0() + interval '1 hour'), 'failed', 'told again, it stays so');
select is((payment('second')).settled_at, t0(), 'since the first time');
select is(end_payment('second', 'completed'), 'completed', 'money that comes after all is credited');
select is(balance(7, 'agent', 'deposit'), 200000000::bigint, 'once');
select is(end_payment('third', 'completed', null), 'completed', 'in test mode nobody names an amount');
select is((select tier from agents where bucket = 7 and id = id('agent')), 'VERIFIED', 'only USDC lifts the tier');
select is(refusal_of($$select fiat_settle(7, id('agent'), 1, 'completed', 1, 'provider', t0())$$), 'payment_not_found', 'an order that nobody made');
select is(refusal_of($$select fiat_settle(8, id('agent'), (payment('first')).order_ms, 'completed', 100000000, 'provider', t0())$$),
    'payment_not_found', 'nor in another bucket');
select is(refusal_of($$select fiat_find(7, id('other'), id('first'))$$), 'payment_not_found', 'nobody sees another''s');
select is(refusal_of($$select fiat_find_order(7, id('agent'), 1)$$), 'payment_not_found', 'no order, no payment');
select is((select id from fiat_find_order(7, id('agent'), (payment('first')).order_ms)), id('first'), 'an order is found');
select throws_ok($$update fiat_deposits set transaction_id = null where bucket = 7 and id = id('first')$$, '23514', null,
    'a completed one names its booking');
select is((select count(*) from ledger_audit_everywhere(t0() + interval '1 day')), 0::bigint, 'the audit finds nothing wrong');
select is((select count(*) from event_list(7, id('agent'), '0', '00000000-0000-0000-0000-000000000000', 100)), 0::bigint,
    'events of a transaction under way are not listed yet');

-- The identity vendor.
select lives_ok($$select operator_register(9, name_id('operator', id_new(9, t0())), null, 'Robin', 'robin@example.com', null, null, null, null, null,
    '[]', 'PENDING', t0())$$, 'an operator');
create function fixture.told(p_status text, p_body text) returns bigint
language sql as $$ select count(*) from operator_kyc_call(9, id('operator'), p_status, 'note', sha256(p_body::bytea), t0()) $$;
select is(told('REJECTED', 'a'), 1::bigint, 'a verdict is news');
select is(told('REJECTED', 'a'), 0::bigint, 'the same call is none');
select is(told('REJECTED', 'b'), 0::bigint, 'nor is the same verdict');
select is(told('VERIFIED', 'c'), 1::bigint, 'another is');
select is(told('REJECTED', 'a'), 0::bigint, 'an old call sent again is none');
select is((select kyc_status from operators where bucket = 9 and id = id('operator')), 'VERIFIED', 'and changes nothing');
select is(refusal_of($$select operator_kyc_call(9, id('agent'), 'VERIFIED', null, '\x00', t0())$$), 'operator_not_found', 'nobody');
select * from finish();
rollback;
