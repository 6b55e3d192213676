-- Payouts: reserved within what is there and may leave, signed and stored, ended once, one way or the other.
begin;
\ir shared/fixtures.sql
select no_plan();
select fixture_agent(7, 'agent', 'STANDARD', 500000000);
select fixture_operator(9, 'operator');
select fixture_work(7, 'done', 'COMPLETED', p_reward => 200000000);
select earning_settle(9, t0() + interval '8 days', 10);
-- ask: a payout of dollars under that name; its status, or why not.
create function fixture.ask(p_name text, p_dollars numeric, p_party text default 'operator', p_fee bigint default 30000,
    p_is_test boolean default false, p_at timestamptz default t0(), p_to text default 'payee') returns text
language plpgsql as $$
declare
    v_bucket int := ('x' || substr(replace(id(p_party)::text, '-', ''), 14, 3))::bit(12)::int >> 2;
    v_kind text := (select kind from party_email(v_bucket, id(p_party)));
    p payouts;
begin
    select * into strict p from payout_request(v_bucket, id(p_party), v_kind, public.id_new(v_bucket, p_at), (p_dollars * 1000000)::bigint, p_fee,
        address_of(p_to), 8453, p_is_test, p_at);
    perform name_id(p_name, p.id);
    return p.status;
end $$;
create function fixture.asked(p_name text, p_dollars numeric, p_party text default 'operator') returns text
language sql as $$ select refusal_of(format('select ask(%L, %s, %L)', p_name, p_dollars, p_party)) $$;
-- purse: what the party has (of its kind), what is in flight, custody and gas, in dollars.
create function fixture.purse(p_party text default 'operator') returns text
language sql as $$
    select string_agg(usd(a.balance)::text, ' ' order by array_position(array['deposit', 'available', 'in_flight', 'usdc_custody', 'gas'], kind))
    from accounts a where party_id = id(p_party) and kind in ('deposit', 'available', 'in_flight', 'usdc_custody', 'gas')
$$;
create function fixture.told(p_party text default 'agent') returns text
language sql as $$
    select string_agg(concat_ws(' ', type, actor, from_status, to_status), ', ' order by at, id) from events
    where agent_id = id(p_party) and type like 'withdrawal.%'
$$;

-- Requests of operators.
select is(ask('first', 50), 'reserved', 'a payout is reserved');
select is(purse(), '150 50 0 0', 'its money is in flight');
select results_eq($$select party_id, party_kind, amount, gas_fee, to_address, chain_id, nonce, tx_hash, created_at from payouts where id = id('first')$$,
    $$values (id('operator'), 'operator', 50000000::bigint, 30000::bigint, address_of('payee'), 8453::bigint, null::bigint, null::text, t0())$$, 'with all that was asked');
select results_eq($$select bucket, kind, run_at, is_dead from jobs where ref = id('first')$$, $$values (9, 'payout', t0(), false)$$, 'and one job');
select is(asked('too much', 150.000001), 'payout_balance {"available_usd": 150}', 'a millionth more than there is');
select is(ask('the rest', 150), 'reserved', 'all that there is');
select is(purse(), '0 200 0 0', 'nothing is left');
select is(asked('more', 0.000001), 'payout_balance {"available_usd": 0}', 'nothing more then');
select fixture_operator(9, 'unverified', 'PENDING'), fixture_operator(9, 'refused', 'REJECTED'), fixture_operator(9, 'suspended');
select operator_suspend(9, id('suspended'), true, t0());
select is(asked('x', 10, 'unverified'), 'kyc_required {"kyc_status": "PENDING"}', 'whose identity nobody has checked');
select is(asked('x', 10, 'refused'), 'kyc_required {"kyc_status": "REJECTED"}', 'or was refused');
select is(asked('x', 10, 'suspended'), 'operator_suspended', 'or who is suspended');
select throws_ok($$select payout_request(9, gen_random_uuid(), 'operator', gen_random_uuid(), 1, 0, address_of('to'), 1, false, t0())$$, 'P0002', null, 'nobody');
select throws_ok($$select payout_request(8, id('operator'), 'operator', gen_random_uuid(), 1, 0, address_of('to'), 1, false, t0())$$, 'P0002', null, 'in another bucket');
select payout_fail(9, id('the rest'), 'test', t0());
create temporary table bad (why text, amount bigint, fee bigint, address text) on commit drop;
insert into bad values ('nothing', 0, 0, address_of('to')), ('less than nothing', -1, 0, address_of('to')), ('a fee below zero', 10, -1, address_of('to')),
    ('a fee of all of it', 10, 10, address_of('to')), ('a fee of more', 10, 11, address_of('to')), ('an address in capitals', 10, 1, upper(address_of('to'))),
    ('half an address', 10, 1, '0x12');
select throws_ok(format('select payout_request(9, %L, %L, gen_random_uuid(), %s, %s, %L, 8453, false, %L)', id('operator'), 'operator', amount, fee, address, t0()),
    '23514', null, 'no payout: ' || why) from bad;
select is(purse(), '150 50 0 0', 'what is refused takes nothing');

-- Of agents: USDC that is final, and no more than is left of it.
select is(asked('card', 0.000001, 'agent'), 'payout_balance {"available_usd": 280, "withdrawable_usd": 0}', 'card money never leaves as USDC');
select fixture_usdc(7, 'young', p_amount => 60000000, p_is_final => false);
select is(asked('young', 0.000001, 'agent'), 'payout_balance {"available_usd": 340, "withdrawable_usd": 0}', 'nor does USDC that may vanish yet');
select fixture_usdc(7, 'old', p_amount => 40000000);
select is(asked('old', 40.000001, 'agent'), 'payout_balance {"available_usd": 380, "withdrawable_usd": 40}', 'only what is final');
select is(ask('part', 15, 'agent'), 'reserved', 'a part of it');
select is(purse('agent'), '365 15 -100 0', 'in flight');
select is(asked('rest', 25.000001, 'agent'), 'payout_balance {"available_usd": 365, "withdrawable_usd": 25}', 'what is in flight counts');
select payout_fail(7, id('part'), 'did not work', t0() + interval '1 minute');
select is(purse('agent'), '380 0 -100 0', 'what failed comes back');
select is(ask('whole', 40, 'agent', p_at => t0() + interval '2 minutes'), 'reserved', 'and can be asked for again');
select is(asked('none', 0.000001, 'agent'), 'payout_balance {"available_usd": 340, "withdrawable_usd": 0}', 'what was withdrawn counts');
select usdc_final(7, id('agent'), id('young'), hash_of('block of young'));
select fixture_task(7, 'big', p_reward => 300000000);
select is(asked('spent', 11, 'agent'), 'payout_balance {"available_usd": 10, "withdrawable_usd": 10}', 'nor more than is left of the deposit');
select is(told(), 'withdrawal.pending agent PENDING_ONCHAIN, withdrawal.failed system PENDING_ONCHAIN FAILED, withdrawal.pending agent PENDING_ONCHAIN',
    'the agent is told of each');
select results_eq($$select actor_id, data from events where type = 'withdrawal.failed'$$, $$values (null::uuid, jsonb_build_object('payout', id('part'), 'amount_usd', 15,
    'gas_fee_usd', 0.03, 'tx_hash', null))$$, 'with the payout and its amount');
select is((select actor_id from events where type = 'withdrawal.pending' limit 1), id('agent'), 'a request is the agent''s');
select payouts_freeze(7, id('agent'), true, 'x', t0());
select is(asked('frozen', 5, 'agent'), 'payouts_frozen', 'one whose withdrawals are frozen gets nothing');
select payouts_freeze(7, id('agent'), false, null, t0());
select agent_suspend(7, id('agent'), true, t0());
select is(asked('suspended', 5, 'agent'), 'agent_suspended', 'nor one who is suspended');
select agent_suspend(7, id('agent'), false, t0());
select fixture_agent(7, 'debtor', 'VERIFIED');
select fixture_usdc(7, 'kept', 'debtor', 20000000), fixture_usdc(7, 'gone', 'debtor', 30000000, false);
select fixture_task(7, 'debt', p_agent => 'debtor', p_reward => 40000000);
select usdc_reverse(7, id('debtor'), id('gone'), hash_of('block of gone'), t0());
select payouts_freeze(7, id('debtor'), false, null, t0());
select task_cancel(7, id('debtor'), id('debt'), t0());
select is(purse('debtor') || ' ' || usd(balance(7, 'debtor', 'receivable')), '44 0 -20 0 -24', 'of one who owes');
select is(asked('owed', 20.000001, 'debtor'), 'payout_balance {"available_usd": 20, "withdrawable_usd": 20}', 'the debt stays');
select is(ask('beyond', 20, 'debtor'), 'reserved', 'what is beyond it may go');

-- Test mode: paid at once.
select is(ask('made up', 10, p_fee => 10000, p_is_test => true), 'completed', 'without a chain a payout is completed at once');
select is(purse(), '140 50 9.99 0.01', 'the net amount has left custody, the fee is set aside for gas');
select is_empty($$select * from jobs where ref = id('made up')$$, 'and has no job');
select is((payout('made up')).settled_at, t0(), 'it is settled');

-- Signed.  sign: a transaction of that name for a payout; the payout's status and hash's name, or why not.
create function fixture.sign(p_name text, p_tx text, p_nonce bigint default 5, p_kind text default 'transfer', p_sender text default 'payer',
    p_at timestamptz default t0()) returns text
language plpgsql as $$
declare
    p payouts;
    v_bucket int := (payout(p_name)).bucket;
begin
    select * into strict p from payout_sign(v_bucket, id(p_name), p_kind, address_of(p_sender), p_nonce, hash_of(p_tx), p_tx::bytea, 2000000000, 1000000, 65000, p_at);
    return p.status || case when p.tx_hash = hash_of(p_tx) then '' else ' (other hash)' end;
exception when sqlstate 'UX001' then
    return sqlerrm;
end $$;
select payout_problem(9, id('first'), 'no key', t0());
select is((payout('first')).problem || ' ' || (payout('first')).status, 'no key reserved', 'a payout that does not get on says why');
select is(sign('first', 'a', p_kind => 'cancel'), 'payout_state_conflict', 'nothing is cancelled that staff has not ended');
select is(sign('first', 'a'), 'signed', 'a transfer is signed');
select results_eq($$select nonce, sender, signed_at, problem from payouts where id = id('first')$$, $$values (5::bigint, address_of('payer'), t0(), null::text)$$,
    'at its nonce, and the problem is forgotten');
select is(sign('first', 'a', p_at => t0() + interval '1 hour'), 'signed', 'the same bytes again');
select is((select count(*) from payout_tries(9, id('first'))), 1::bigint, 'are the same');
select is(sign('first', 'b', p_nonce => 6), 'payout_state_conflict', 'another nonce would be another payment');
select is(sign('first', 'b', p_sender => 'another'), 'payout_state_conflict', 'and so would another sender');
select is(sign('first', 'b', p_at => t0() + interval '1 minute'), 'signed', 'one that replaces it has the same');
select results_eq($$select attempt, kind, nonce, hash, raw, max_fee::bigint, tip::bigint, gas_limit, created_at from payout_tries(9, id('first'))$$, $$values
    (1, 'transfer', 5::bigint, hash_of('a'), 'a'::bytea, 2000000000::bigint, 1000000::bigint, 65000::bigint, t0()),
    (2, 'transfer', 5, hash_of('b'), 'b', 2000000000, 1000000, 65000, t0() + interval '1 minute')$$, 'both are kept, byte for byte');
select is((payout('first')).signed_at, t0(), 'signed is since the first');
select payout_sent(9, id('first'), 2, t0() + interval '2 minutes'), payout_sent(9, id('first'), 2, t0() + interval '3 minutes');
select is((select array_agg(sent_at order by attempt) from payout_tries(9, id('first'))), array[null, t0() + interval '2 minutes'], 'what was sent has the time of the first');
select is(refusal_of($$select payout_sign(9, gen_random_uuid(), 'transfer', address_of('payer'), 1, hash_of('z'), 'z', 1, 1, 1, t0())$$), 'payout_not_found', 'nothing is signed for nobody');
select throws_ok($$select payout_sign(9, id('first'), 'transfer', address_of('payer'), 5, hash_of('z'), '', 1, 1, 1, t0())$$, '23514', null, 'nor nothing');
select is(ask('other', 10), 'reserved', 'another payout');
select throws_ok($$select sign('other', 'a', 6)$$, '23505', null, 'has no other''s transaction');

-- Frozen between request and signature.
select payouts_freeze(7, id('agent'), true, 'x', t0());
select is(sign('whole', 'w', 9), 'payouts_frozen', 'nothing is signed for the first time while it is frozen');
select payouts_freeze(7, id('agent'), false, null, t0());
select is(sign('whole', 'w', 9), 'signed', 'but afterwards');
select payouts_freeze(7, id('agent'), true, 'x', t0());
select is(sign('whole', 'w2', 9), 'signed', 'what is signed goes on');
select payouts_freeze(7, id('agent'), false, null, t0());
select operator_suspend(9, id('operator'), true, t0());
select is(sign('other', 'o', 6), 'signed', 'a freeze is an agent''s alone');
select operator_suspend(9, id('operator'), false, t0());

-- Completed.
create function fixture.ends(p_name text, p_tx text default null, p_at timestamptz default t0() + interval '1 hour') returns text
language plpgsql as $$
declare
    v_bucket int := (payout(p_name)).bucket;
begin
    if p_tx is null then
        return (select status from payout_fail(v_bucket, id(p_name), 'no longer', p_at));
    end if;
    return (select status from payout_complete(v_bucket, id(p_name), hash_of(p_tx), 1234, p_at));
exception when sqlstate 'UX001' then
    return sqlerrm;
end $$;
select is(ends('first', 'z'), 'payout_state_conflict', 'a transaction that nobody signed completes nothing');
select is(ends('first', 'o'), 'payout_state_conflict', 'nor does another payout''s');
select is(ends('first', 'a'), 'completed', 'any of its own does');
select is(purse(), '130 10 59.96 0.04', 'the net amount has left custody, the fee is set aside');
select results_eq($$select tx_hash, block_number, settled_at from payouts where id = id('first')$$, $$values (hash_of('a'), 1234::bigint, t0() + interval '1 hour')$$, 'by the transaction that was mined');
select is(ends('first', 'a', t0() + interval '2 hours'), 'completed', 'completed again');
select is(purse() || ' ' || (payout('first')).settled_at, '130 10 59.96 0.04 ' || t0() + interval '1 hour', 'it is once');
select is(ends('first', 'b'), 'payout_state_conflict', 'never by two of them');
select is(ends('first'), 'payout_state_conflict', 'and it cannot fail any more');
select is(sign('first', 'c'), 'payout_state_conflict', 'nor be signed');
select is(ends('whole', 'w2'), 'completed', 'an agent''s');
select is(purse('agent'), '10 0 -60.03 0.03', 'leaves its custody');
select is(told(), 'withdrawal.pending agent PENDING_ONCHAIN, withdrawal.failed system PENDING_ONCHAIN FAILED, withdrawal.pending agent PENDING_ONCHAIN, withdrawal.completed system PENDING_ONCHAIN COMPLETED',
    'and the agent is told');
select task_cancel(7, id('agent'), id('big'), t0());
select is(asked('again', 60.000001, 'agent'), 'payout_balance {"available_usd": 340, "withdrawable_usd": 60}', 'what has left counts for good');

-- Failed.
select is(ends('other'), 'failed', 'a payout fails');
select is(purse(), '140 0 59.96 0.04', 'and its money is there again, the fee too');
select is((payout('other')).problem, 'no longer', 'with the reason');
select is(ends('other') || ' ' || purse(), 'failed 140 0 59.96 0.04', 'twice is once');
select is(ends('other', 'o'), 'payout_state_conflict', 'and it is not completed any more');

-- Stuck, and what staff does.
create function fixture.does(p_what text, p_name text, p_at timestamptz default t0() + interval '1 day') returns text
language plpgsql as $$
declare
    v_bucket int := (payout(p_name)).bucket;
    v_status text;
begin
    execute format('select status from %I($1, $2, $3)', p_what) into v_status using v_bucket, id(p_name), p_at;
    return v_status;
exception when sqlstate 'UX001' then
    return sqlerrm;
end $$;
select ask('slow', 10, p_at => t0() + interval '3 minutes'), sign('slow', 's', 7);
select is((select status from payout_stuck(9, id('slow'), 'nonce used elsewhere', t0())), 'stuck', 'a payout is stuck');
select is((payout('slow')).problem, 'nonce used elsewhere', 'and says why');
update jobs set is_dead = true, run_at = t0() + interval '1 year', attempts = 3, max_attempts = 3, last_error = 'x' where ref = id('slow');
select is(does('payout_retry', 'slow'), 'signed', 'staff lets it go on');
select results_eq($$select problem, retried_at from payouts where id = id('slow')$$, $$values (null::text, t0() + interval '1 day')$$, 'as of now');
select results_eq($$select is_dead, run_at, attempts, last_error from jobs where ref = id('slow')$$, $$values (false, t0() + interval '1 day', 3, null::text)$$, 'its job is due, with its tickets going on');
select ok((select max_attempts > attempts from jobs where ref = id('slow')), 'and runs');
select is((select status from payout_stuck(9, id('slow'), 'still so', t0())), 'stuck', 'stuck again');
select is((payout('slow')).retried_at, null, 'it waits for staff again');
select is(does('payout_renonce', 'slow'), 'reserved', 'one whose nonce is used up');
select results_eq($$select nonce, sender, tx_hash, problem from payouts where id = id('slow')$$, $$values (null::bigint, null::text, null::text, null::text)$$, 'is to be signed anew');
select is(sign('slow', 's2', 11), 'signed', 'at another nonce');
select is((select array_agg(nonce order by attempt) from payout_tries(9, id('slow'))), '{7,11}', 'the old one is kept');
delete from jobs where ref = id('slow');
select is(does('payout_retry', 'slow'), 'signed', 'a payout that lost its job');
select is((select count(*) from jobs where ref = id('slow') and bucket = 9 and kind = 'payout'), 1::bigint, 'gets it back');
select is(does('payout_cancel', 'slow'), 'signed', 'what is signed cannot be ended at once');
select is((payout('slow')).is_cancelled, true, 'but is to be');
select is(sign('slow', 's3', 11), 'payout_state_conflict', 'no transfer is signed for it then');
select is(sign('slow', 's4', 11, 'cancel'), 'signed (other hash)', 'but a cancel at its nonce, which is no payment');
select is(ends('slow', 's4'), 'payout_state_conflict', 'and completes nothing');
select is(does('payout_cancel', 'slow'), 'signed', 'ended twice');
select is(ends('slow', 's2'), 'completed', 'the transfer may have been faster');
select is(does('payout_cancel', 'slow'), 'payout_state_conflict', 'then it is not ended');
select ask('ended', 10, p_at => t0() + interval '4 minutes');
select is(does('payout_cancel', 'ended') || ' ' || purse(), 'failed 130 0 69.93 0.07' , 'what nobody has signed ends at once');
select is(does('payout_cancel', 'ended') || ' ' || purse(), 'failed 130 0 69.93 0.07' , 'twice is once');
select is((payout('ended')).problem, 'ended by staff', 'with the reason');
select ask('lost', 10, p_at => t0() + interval '5 minutes'), sign('lost', 'l', 12), does('payout_cancel', 'lost');
select is(does('payout_renonce', 'lost') || ' ' || purse(), 'failed 130 0 69.93 0.07', 'one that was ended, whose nonce is used up, has failed');
select ask('held', 10, p_at => t0() + interval '6 minutes');
select payout_stuck(9, id('held'), 'x', t0());
select is((payout('held')).status, 'stuck', 'a payout may be stuck before it is signed');
select is(does('payout_retry', 'held'), 'reserved', 'and go on');
select payout_stuck(9, id('held'), 'x', t0());
select is(does('payout_cancel', 'held'), 'failed', 'or end');
create temporary table over (what text) on commit drop;
insert into over values ('payout_retry'), ('payout_renonce'), ('payout_stuck');
select is(does(what, 'first'), 'payout_state_conflict', what || ': not of a completed one') from over where what <> 'payout_stuck';
select is(does(what, 'ended'), 'payout_state_conflict', what || ': nor of one that failed') from over where what <> 'payout_stuck';
select is(refusal_of($$select payout_stuck(9, id('first'), 'x', t0())$$), 'payout_state_conflict {"state": "completed"}', 'what is over is not stuck');
select payout_problem(9, id('first'), 'x', t0());
select is((payout('first')).problem, null, 'and has no problem');
select is(refusal_of(format('select %I(9, gen_random_uuid(), %L)', what, t0())), 'payout_not_found', what || ': of nobody''s')
from unnest(array['payout_retry', 'payout_renonce', 'payout_cancel']) what;
select is(refusal_of($$select payout_complete(9, gen_random_uuid(), hash_of('a'), 1, t0())$$), 'payout_not_found', 'nor completed');
select is(refusal_of($$select payout_fail(9, gen_random_uuid(), 'x', t0())$$), 'payout_not_found', 'nor failed');
select ask('agent''s', 10, 'agent', p_at => t0() + interval '7 minutes');
select payout_stuck(7, id('agent''s'), 'x', t0() + interval '8 minutes');
select payout_stuck(7, id('agent''s'), 'y', t0() + interval '9 minutes');
select does('payout_cancel', 'agent''s', t0() + interval '2 days');
select is((select string_agg(concat_ws(' ', type, actor, from_status, to_status), ', ' order by at) from events where data ->> 'payout' = id('agent''s')::text),
    'withdrawal.pending agent PENDING_ONCHAIN, withdrawal.stuck system PENDING_ONCHAIN PENDING_ONCHAIN, withdrawal.failed staff PENDING_ONCHAIN FAILED', 'the agent is told of each turn once');

-- Found and listed.
select is((select id from payout_find(9, id('operator'), id('first'))), id('first'), 'one''s own payout is found');
select is(refusal_of($$select payout_find(9, id('suspended'), id('first'))$$), 'payout_not_found', 'nobody else''s');
select is(refusal_of($$select payout_find(7, id('agent'), id('first'))$$), 'payout_not_found', 'from anywhere');
select is((select id from payout_load(9, id('first'))), id('first'), 'a worker loads any');
select is_empty($$select * from payout_load(8, id('first'))$$, 'in its bucket');
create function fixture.pages(p_limit int) returns uuid[]
language plpgsql as $$
declare
    v_all uuid[] := '{}';
    v_page uuid[];
begin
    loop
        v_page := array(select p.id from payout_list(9, id('operator'), v_all[cardinality(v_all)], p_limit) p);
        v_all := v_all || v_page;
        exit when cardinality(v_page) < p_limit;
    end loop;
    return v_all;
end $$;
select is(pages(n), array(select p.id from payouts p where party_id = id('operator') order by p.id desc), 'pages of ' || n || ' make up the list') from unnest(array[1, 2, 3, 100]) n;
select is((select max(created_at) from payout_list(9, id('operator'), null, 1)), t0() + interval '6 minutes', 'the newest first');
select is(refusal_of($$select payout_list(9, id('operator'), id('whole'), 1)$$), 'cursor_invalid', 'a cursor is one of the own list');
select is(refusal_of($$select payout_list(9, id('suspended'), id('first'), 1)$$), 'cursor_invalid', 'also of one''s own bucket');
select is(refusal_of($$select payout_list(9, id('operator'), gen_random_uuid(), 1)$$), 'cursor_invalid', 'and known');
select ask('open', 10, p_at => t0() + interval '10 minutes'), ask('signed', 10, p_at => t0() + interval '10 minutes'), sign('signed', 'sig', 20);
select ask('stuck', 10, p_at => t0() + interval '11 minutes'), sign('stuck', 'st', 21);
select payout_stuck(9, id('stuck'), 'x', t0());
select results_eq($$select id from payouts_everywhere('["stuck"]', null, 10)$$, $$values (id('stuck'))$$, 'staff sees those that are stuck');
select results_eq($$select id from payouts_everywhere('["reserved", "signed", "stuck"]', id('stuck'), 10) where party_kind = 'operator'$$,
    $$select p.id from payouts p where status in ('reserved', 'signed') and party_kind = 'operator' order by p.id desc$$, 'or all that are open, on from one of them');
select is((select count(*) from payouts_everywhere('["completed", "failed"]', null, 2)), 2::bigint, 'no more than asked for');
select set_eq($$select bucket, nonce, sender, amount, gas_fee from payouts_signed_everywhere(8453)$$, $$values (9, 20::bigint, address_of('payer'), 10000000::bigint, 30000::bigint),
    (9, 21, address_of('payer'), 10000000, 30000)$$, 'what may be mined is what has a nonce');
select is_empty($$select * from payouts_signed_everywhere(1)$$, 'on its chain');
select is(findings(), null, 'the ledger is whole');
select is((select sum(amount) from postings), 0::numeric, 'all postings add up to zero');
select is_empty($$select * from ledger_statement(7, id('agent'), null, 100) where kind = 'payout_completed' or (deposit_balance is null and escrow_balance is null)$$,
    'an agent''s statement has what moved the deposit, and not what moved beyond it');
select is((select count(*) from ledger_statement(7, id('agent'), null, 100) where kind like 'payout%'), 5::bigint, 'three withdrawals and two that came back');
select * from finish();
rollback;

-- Two at once, by two connections.  What they see has to be committed, so it is removed again.
begin;
\ir shared/fixtures.sql
create extension if not exists dblink schema tap;
select no_plan();
select dblink_connect(name, format('host=%s dbname=%s user=%s', split_part(current_setting('unix_socket_directories'), ',', 1),
    current_database(), current_user)) from unnest(array['one', 'two']) name;
create function fixture.clean() returns text
language sql as $$
    select dblink_exec('one', $d$do $b$ begin
        delete from payout_transactions where bucket = 1002; delete from payouts where bucket = 1002; delete from usdc_deposits where bucket = 1002;
        delete from postings where bucket = 1002; delete from ledger_transactions where bucket = 1002; delete from staff_acts where bucket = 1002;
        delete from events where bucket = 1002; delete from jobs where bucket = 1002; delete from email_tokens where bucket = 1002;
        delete from api_keys where bucket = 1002; delete from accounts where bucket = 1002; delete from agents where bucket = 1002; end $b$ $d$)
$$;
-- far: runs a function over there and waits for one column of its first row; send: does not wait.
create function fixture.far(p_name text, p_sql text) returns text
language sql as $$ select r from dblink(p_name, format('select r::text from %s f(r)', p_sql)) d(r text) $$;
create function fixture.request(p_id text) returns text
language sql as $$
    select format('select status from payout_request(1002, %L, ''agent'', %L, 60000000, 30000, %L, 8453, false, %L)', id('agent'), name_id(p_id, id_new(1002, t0())),
        address_of('to'), t0())
$$;
create function fixture.sign(p_tx text) returns text
language sql as $$
    select format('select status from payout_sign(1002, %L, ''transfer'', %L, 1, %L, ''x'', 1, 1, 1, %L)', id('first'), address_of('payer'), hash_of(p_tx), t0())
$$;
create function fixture.cancel() returns text
language sql as $$ select format('select status from payout_cancel(1002, %L, %L)', id('first'), t0()) $$;
create function fixture.freeze() returns text
language sql as $$ select format('select ''frozen''::text from payouts_freeze(1002, %L, true, ''x'', %L)', id('agent'), t0()) $$;
create function fixture.ask_far(p_name text, p_sql text) returns text
language sql as $$ select r from dblink(p_name, p_sql) d(r text) $$;
select clean();
select name_id('agent', id_new(1002, t0()));
select far('one', format($$(select name from agent_register(1002, %L, 'name', 'e', null, %L, 'h', 'x', 't', '{}', %L))$$, id('agent'), id_new(1002, t0()), t0()));
select far('one', format($$(select id from usdc_seen(1002, %L, %L, 8453, %L, 0, null, 100000000, null, null, %L))$$, id('agent'),
    name_id('deposit', id_new(1002, t0())), hash_of('d'), t0()));
select far('one', format($$(select id from usdc_confirm(1002, %L, %L, null, %L))$$, id('agent'), id('deposit'), t0()));

select dblink_exec('one', 'begin');
select is(ask_far('one', request('first')), 'reserved', 'one request');
select dblink_send_query('two', request('second'));
select ok(waits_in(1002), 'another at the same time waits');
select dblink_exec('one', 'commit');
select throws_ok($$select answer('two')$$, 'UX001', null, 'and finds too little left');
select is(balance(1002, 'agent', 'deposit') || ' ' || balance(1002, 'agent', 'in_flight'), '40000000 60000000', 'one is booked');
select * from dblink_get_result('two') d(r text);

select dblink_exec('one', 'begin');
select is(ask_far('one', freeze()), 'frozen', 'staff freezes the agent');
select dblink_send_query('two', sign('a'));
select ok(waits_in(1002), 'while the worker signs');
select dblink_exec('one', 'commit');
select throws_ok($$select answer('two')$$, 'UX001', null, 'nothing is signed then');
select * from dblink_get_result('two') d(r text);
select ask_far('one', format($$select ''::text from payouts_freeze(1002, %L, false, null, %L)$$, id('agent'), t0()));

select dblink_exec('one', 'begin');
select is(ask_far('one', sign('a')), 'signed', 'the worker signs');
select dblink_send_query('two', cancel());
select ok(waits_in(1002), 'while staff ends the payout');
select dblink_exec('one', 'commit');
select is(answer('two'), 'signed', 'which is not at once then');
select is((payout('first')).is_cancelled, true, 'but will be');

-- Two bookings in one transaction take their accounts in the order of all bookings.
create function fixture.lock(p_kind text) returns text
language sql as $$
    select format('select kind from accounts where bucket = 1002 and party_id = %L and kind = %L for update nowait', id('agent'), p_kind)
$$;
select dblink_exec('one', 'begin');
select is(ask_far('one', lock('gas')), 'gas', 'a booking has come to one account');
select dblink_send_query('two', format('select status from payout_request(1002, %L, ''agent'', %L, 10000000, 10000, %L, 8453, true, %L)', id('agent'),
    id_new(1002, t0()), address_of('to'), t0()));
select ok(waits_in(1002), 'a payout in test mode waits for it');
select is(ask_far('one', lock('in_flight')), 'in_flight', 'and holds none that the booking comes to later');
select dblink_exec('one', 'commit');
select is(answer('two'), 'completed', 'so that none waits for ever');
select clean();
select dblink_disconnect(name) from unnest(array['one', 'two']) name;
select * from finish();
rollback;
