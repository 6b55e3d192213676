-- USDC deposits: credited once, while their block is the chain's own; taken back when it is not, whatever was done with the money.
begin;
\ir shared/fixtures.sql
select no_plan();
select fixture_agent(7, 'agent', 'VERIFIED');
select fixture_agent(7, 'other', 'VERIFIED');
select wallet_challenge(7, id('agent'), name_id('nonce', gen_random_uuid()), t0());
select wallet_bind(7, id('agent'), id('nonce'), address_of('wallet'), t0());

-- see: a transfer of that name (its transaction is hash_of(name) unless named) in block `block`; shows status and amount in dollars.
create function fixture.see(p_name text, p_block text default 'block', p_amount bigint default 100000000, p_log bigint default 0,
    p_wallet text default 'wallet', p_agent text default 'agent', p_tx text default null, p_at timestamptz default t0()) returns text
language plpgsql as $$
declare d usdc_deposits;
begin
    select * into strict d from usdc_seen(7, id(p_agent), public.id_new(7, p_at), 8453, hash_of(coalesce(p_tx, p_name)), p_log,
        address_of(p_wallet), p_amount, 100, hash_of(p_block), p_at);
    perform name_id(p_name, d.id);
    return d.status || ' ' || usd(d.amount);
exception when sqlstate 'UX001' then
    return sqlerrm;
end $$;
create function fixture.confirm(p_name text, p_block text default 'block', p_at timestamptz default t0()) returns text
language sql as $$ select status from usdc_confirm(7, (usdc(p_name)).agent_id, id(p_name), hash_of(p_block), p_at) $$;
create function fixture.vanish(p_name text, p_block text default 'block', p_at timestamptz default t0()) returns text
language sql as $$ select status from usdc_reverse(7, (usdc(p_name)).agent_id, id(p_name), hash_of(p_block), p_at) $$;
create function fixture.make_final(p_name text, p_block text default 'block') returns boolean
language plpgsql as $$
begin
    perform usdc_final(7, (usdc(p_name)).agent_id, id(p_name), hash_of(p_block));
    return (usdc(p_name)).is_final;
end $$;
-- purse: deposit, escrow, debt and custody, in dollars.
create function fixture.purse(p_agent text default 'agent') returns text
language sql as $$
    select string_agg(usd(balance(7, p_agent, kind))::text, ' ' order by place)
    from unnest(array['deposit', 'escrow', 'receivable', 'usdc_custody']) with ordinality k(kind, place)
$$;
create function fixture.told(p_agent text default 'agent') returns text
language sql as $$
    select string_agg(type || case when actor = 'system' then '' else ' by ' || actor end, ', ' order by at, id) from events
    where bucket = 7 and agent_id = id(p_agent) and type like 'deposit.%'
$$;

-- Seen.
select is(see('first'), 'pending 100', 'a transfer that is seen is pending');
select is(purse(), '0 0 0 0', 'and credits nothing');
select name_id('first of all', id('first'));
select is(see('first'), 'pending 100', 'seen again it is the same');
select is(id('first'), id('first of all'), 'under the same id');
select is(see('first', p_log => 1, p_amount => 5000000), 'pending 5', 'another log of the transaction is another deposit');
select is((select array_agg(log_index) from usdc_of_transaction(7, id('agent'), 8453, hash_of('first'))), '{0,1}', 'both are the transaction''s');
select is_empty($$select * from usdc_of_transaction(7, id('agent'), 1, hash_of('first'))$$, 'not another chain''s');
select is_empty($$select * from usdc_of_transaction(7, id('other'), 8453, hash_of('first'))$$, 'nor another agent''s');
select is(see('stranger''s', p_wallet => 'elsewhere'), 'wallet_required', 'what comes from another wallet is nobody''s deposit');
select is(see('of none', p_agent => 'other'), 'wallet_required', 'nor is anything of an agent without one');
select wallet_challenge(7, id('other'), name_id('nonce', gen_random_uuid()), t0());
select wallet_bind(7, id('other'), id('nonce'), address_of('other wallet'), t0());
select is(see('first', p_wallet => 'other wallet', p_agent => 'other'), 'deposit_taken', 'a transfer is one agent''s');
select is(see('theirs', p_wallet => 'other wallet', p_agent => 'other'), 'pending 100', 'each has its own');
create temporary table bad (why text, tx text, log bigint, wallet text, amount bigint, block bigint, hash text) on commit drop;
insert into bad values ('a hash in capitals', upper(hash_of('x')), 0, address_of('wallet'), 1, 1, hash_of('b')), ('a short hash', '0xab', 0, address_of('wallet'), 1, 1, hash_of('b')),
    ('no 0x', substr(hash_of('x'), 3), 0, address_of('wallet'), 1, 1, hash_of('b')), ('a log before the first', hash_of('x'), -1, address_of('wallet'), 1, 1, hash_of('b')),
    ('nothing', hash_of('x'), 0, address_of('wallet'), 0, 1, hash_of('b')), ('less than nothing', hash_of('x'), 0, address_of('wallet'), -1, 1, hash_of('b')),
    ('a block before the first', hash_of('x'), 0, address_of('wallet'), 1, -1, hash_of('b')), ('a block without its hash', hash_of('x'), 0, address_of('wallet'), 1, 1, null),
    ('half a hash', hash_of('x'), 0, address_of('wallet'), 1, 1, '0x12');
select throws_ok(format('select usdc_seen(7, %L, gen_random_uuid(), 8453, %L, %s, %L, %s, %s, %L, %L)', id('agent'), tx, log, wallet, amount, block, hash, t0()),
    '23514', null, 'no deposit: ' || why) from bad;

-- Confirmed.
select see('first');
select is(confirm('first', 'another'), 'pending', 'counted from a block where it does not lie, it is not confirmed');
select is(purse(), '0 0 0 0', 'and not credited');
select is(confirm('first'), 'confirmed', 'counted from its own it is');
select is(purse(), '100 0 0 -100', 'and credited, against custody');
select is((usdc('first')).transaction_id, (select id from ledger_transactions where bucket = 7 and kind = 'deposit_usdc' and ref = (usdc('first')).credit_ref),
    'by the ledger transaction that it names');
select is((select tier from agents where bucket = 7 and id = id('agent')), 'STANDARD', 'which lifts the tier');
select is(confirm('first', p_at => t0() + interval '1 hour'), 'confirmed', 'confirmed again it stays so');
select is((usdc('first')).confirmed_at, t0(), 'since the first time');
select is(purse(), '100 0 0 -100', 'and is credited once');
select is(see('first', p_at => t0() + interval '1 hour'), 'confirmed 100', 'seen again it stays confirmed');
select results_eq($$select type, actor, from_status, to_status, data from events where bucket = 7 and agent_id = id('agent') and type = 'deposit.confirmed'$$,
    $$values ('deposit.confirmed', 'system', 'pending', 'confirmed', jsonb_build_object('deposit', id('first'),
        'transaction', (usdc('first')).transaction_id, 'amount_usd', 100, 'tx_hash', hash_of('first')))$$, 'the agent is told, once');
select is(told(), 'deposit.pending, deposit.pending, deposit.confirmed', 'of each state in its order');
select throws_ok($$update usdc_deposits set credit_ref = null, transaction_id = null where id = id('first')$$, '23514', null, 'a confirmed one names its credit');
select throws_ok($$select usdc_confirm(7, id('other'), id('first'), hash_of('block'), t0())$$, 'P0002', null, 'nobody confirms another''s');

-- Moved to another block.
select is(see('first', 'later block'), 'confirmed 100', 'credited, then mined in another block: it stays credited');
select is((usdc('first')).block_hash, hash_of('later block'), 'and is watched there');
select is(make_final('first'), false, 'the block it lay in makes nothing final');
select is(vanish('first'), 'confirmed', 'nor reverses it: it lies there no more');
select is(purse(), '100 0 0 -100', 'nothing was booked by that');
select is(make_final('first', 'later block'), true, 'its own block does');
select is(vanish('first', 'later block'), 'confirmed', 'what is final is not reversed');
select is(see('first', 'third block'), 'confirmed 100', 'nor moved');
select is((usdc('first')).block_hash, hash_of('later block'), 'whatever an endpoint says');
select is(see('pending'), 'pending 100', 'a pending one');
select is(see('pending', 'later block'), 'pending 100', 'that is moved');
select is(confirm('pending'), 'pending', 'is not confirmed where it was');
select is(make_final('pending', 'later block'), false, 'nor final before it is confirmed');
select is(confirm('pending', 'later block'), 'confirmed', 'but where it is');

-- Vanished.
select is(vanish('first', 'no block'), 'confirmed', 'a block that it never lay in');
select is(see('never credited'), 'pending 100', 'pending');
select is(vanish('never credited', 'another'), 'pending', 'it is left alone for another''s block');
select is(vanish('never credited'), 'reversed', 'and reversed for its own');
select is(purse(), '200 0 0 -200', 'nothing had been credited, so nothing is taken');
select is((select payouts_frozen_at from wallet_show(7, id('agent'))), null, 'and nobody is frozen');
select is(confirm('never credited'), 'reversed', 'a reversed one is not confirmed');
select is(see('vanishing'), 'pending 100', 'another');
select is(confirm('vanishing'), 'confirmed', 'is credited');
select name_id('its credit', (usdc('vanishing')).credit_ref);
select is(purse(), '300 0 0 -300', 'three in all');
select is(vanish('vanishing', p_at => t0() + interval '1 minute'), 'reversed', 'and vanishes');
select is(purse(), '200 0 0 -200', 'what was credited is taken back');
select results_eq($$select payouts_frozen_at, payouts_frozen_reason from wallet_show(7, id('agent'))$$,
    $$values (t0() + interval '1 minute', 'a credited deposit vanished from the chain')$$, 'withdrawals are frozen');
select results_eq($$select bucket, target, data from staff_acts where act = 'deposit.reversed'$$, $$values (7, id_text('agent_', id('agent')),
    jsonb_build_object('tx_hash', hash_of('vanishing'), 'amount_usd', 100, 'owed_usd', 0))$$, 'staff is told');
select is(vanish('vanishing', p_at => t0() + interval '2 minutes'), 'reversed', 'told twice');
select is(purse() || ' ' || (select count(*) from staff_acts), '200 0 0 -200 1', 'it is once');
select is((usdc('vanishing')).reversed_at, t0() + interval '1 minute', 'at the first time');
select is((select count(*) from ledger_transactions where kind in ('deposit_usdc', 'deposit_usdc_reversed') and ref = id('its credit')), 2::bigint,
    'credit and reversal bear one reference');

-- And back again.
select is(see('vanishing', p_at => t0() + interval '3 minutes'), 'pending 100', 'a reversed one that is mined again is pending again, in the same block too');
select is(confirm('vanishing', p_at => t0() + interval '4 minutes'), 'confirmed', 'and confirmed');
select is(purse(), '300 0 0 -300', 'and credited');
select isnt((usdc('vanishing')).credit_ref, id('its credit'), 'by a credit of its own');
select isnt((select payouts_frozen_at from wallet_show(7, id('agent'))), null, 'staff has to look all the same');
select is((select string_agg(type, ', ' order by at, id) from events where data ->> 'deposit' = id('vanishing')::text),
    'deposit.pending, deposit.confirmed, deposit.reversed, deposit.pending, deposit.confirmed', 'every turn is told');
select is(vanish('vanishing') || ' ' || see('vanishing') || ' ' || confirm('vanishing') || ' ' || vanish('vanishing'),
    'reversed pending 100 confirmed reversed', 'all in one instant');
select is((select string_agg(type, ', ' order by at, id) from events where data ->> 'deposit' = id('vanishing')::text and at = t0()),
    'deposit.reversed, deposit.reversed, deposit.pending, deposit.pending, deposit.confirmed, deposit.confirmed',
    'the events of one instant stand in the order of what can follow');
select is(purse(), '200 0 0 -200', 'in the end it is gone');

-- The money was spent already.
select fixture_agent(7, 'spender', 'STANDARD');
select fixture_usdc(7, 'gone', 'spender', 60000000, false);
select fixture_task(7, 'task', 'PENDING', 'spender', p_reward => 40000000);
select is(purse('spender'), '16 44 0 -60', 'most of a deposit is in escrow');
select is(vanish('gone', 'block of gone'), 'reversed', 'and the deposit vanishes');
select is(purse('spender'), '0 44 -44 0', 'what is left is taken, the rest is owed');
select is((select data from staff_acts where target = id_text('agent_', id('spender'))), jsonb_build_object('tx_hash', hash_of('gone'), 'amount_usd', 60, 'owed_usd', 44),
    'staff reads how much');
select deposit_credit(7, id('spender'), 'deposit_fiat', gen_random_uuid(), 4000000, t0());
select is(purse('spender'), '0 44 -40 0', 'the next money pays the debt, by card');
select task_cancel(7, id('spender'), id('task'), t0());
select is(purse('spender'), '44 0 -40 0', 'a refund is the agent''s');
select is(refusal_of($$select fixture_task(7, 'too dear', 'PENDING', 'spender', p_reward => 10000000)$$),
    'insufficient_balance {"owed_usd": 40, "reward_usd": 10, "platform_fee": 1, "required_usd": 11, "deposit_balance": 44}', 'but what is owed is not spent again');
select fixture_usdc(7, 'next', 'spender', 37000000);
select is(purse('spender'), '44 0 -3 -37', 'or in USDC');
select is(refusal_of($$select fixture_task(7, 'dear', 'PENDING', 'spender', p_reward => 37000000)$$), null, 'what is beyond the debt may be spent');
select fixture_usdc(7, 'last', 'spender', 10000000);
select is(purse('spender'), '10.3 40.7 0 -47', 'the last of the debt is paid, and the rest is the agent''s');
select is(balance(7, 'spender', 'fiat_custody'), -4000000::bigint, 'the card''s money lies where it came in');
select throws_ok($$update accounts set balance = 1 where bucket = 7 and party_id = id('spender') and kind = 'receivable'$$, '23514', null, 'nobody owes less than nothing');

-- A debt paid by the same deposit come back.
select fixture_agent(7, 'unlucky', 'VERIFIED');
select fixture_usdc(7, 'back and forth', 'unlucky', 30000000, false);
select fixture_task(7, 'unlucky''s', 'PENDING', 'unlucky', p_reward => 20000000);
select is(vanish('back and forth', 'block of back and forth') || ' ' || purse('unlucky'), 'reversed 0 22 -22 0', 'vanished');
select usdc_seen(7, id('unlucky'), gen_random_uuid(), 8453, hash_of('back and forth'), 0, null, 30000000, 101, hash_of('later'), t0());
select is(confirm('back and forth', 'later') || ' ' || purse('unlucky'), 'confirmed 8 22 0 -30', 'and back: as if nothing had been');

-- Tiers: by what came and stayed, not by what of it was free.
select fixture_agent(7, 'climber', 'VERIFIED');
create function fixture.tier() returns text
language sql as $$ select tier from agents where bucket = 7 and id = id('climber') $$;
select fixture_usdc(7, 'half', 'climber', 25000000, false);
select fixture_task(7, 'climber''s', 'PENDING', 'climber', p_reward => 20000000);
select is(vanish('half', 'block of half') || ' ' || purse('climber'), 'reversed 0 22 -22 0', 'a deposit that vanished');
select fixture_usdc(7, 'other half', 'climber', 49990000);
select is(tier(), 'VERIFIED', 'counts for nothing');
select fixture_usdc(7, 'cent', 'climber', 10000);
select is(tier(), 'STANDARD', 'one that paid a debt counts whole');

-- One transaction lies in one block: what was credited for it elsewhere has to go first.
select fixture_agent(7, 'sender', 'VERIFIED');
select fixture_usdc(7, 'sent', 'sender', 70000000, false);
select usdc_seen(7, id('sender'), name_id('sent again', id_new(7, t0())), 8453, hash_of('sent'), 1, null, 70000000, 101, hash_of('elsewhere'), t0());
select is(confirm('sent again', 'elsewhere') || ' ' || purse('sender'), 'pending 70 0 0 -70', 'the same transaction in another block is not credited beside the first');
select is(vanish('sent', 'block of sent') || ' ' || confirm('sent again', 'elsewhere'), 'reversed confirmed', 'once that is reversed, it is');
select is(purse('sender'), '70 0 0 -70', 'once');
select usdc_seen(7, id('sender'), name_id('third', id_new(7, t0())), 8453, hash_of('sent'), 2, null, 5000000, 101, hash_of('elsewhere'), t0());
select is(confirm('third', 'elsewhere') || ' ' || purse('sender'), 'confirmed 75 0 0 -75', 'several of one block are all credited');

-- Should a transfer become another by moving.
select fixture_agent(7, 'changed', 'VERIFIED');
select fixture_usdc(7, 'change', 'changed', 70000000, false);
select usdc_seen(7, id('changed'), gen_random_uuid(), 8453, hash_of('change'), 0, null, 7000000, 101, hash_of('changed block'), t0());
select is((usdc('change')).status || ' ' || purse('changed'), 'pending 0 0 0 0', 'what was credited for the old one is taken back');
select is(confirm('change', 'changed block') || ' ' || purse('changed'), 'confirmed 7 0 0 -7', 'and the new one credited');
select usdc_seen(7, id('changed'), name_id('tiny', id_new(7, t0())), 8453, hash_of('tiny'), 0, null, 5000000, 100, hash_of('b'), t0());
select usdc_seen(7, id('changed'), gen_random_uuid(), 8453, hash_of('tiny'), 0, null, 6000000, 101, hash_of('c'), t0());
select is((usdc('tiny')).amount, 6000000::bigint, 'a pending one takes the new amount with the new block');

-- A replaced wallet counts for nothing new; what was seen of it goes on.
select is(see('before'), 'pending 100', 'seen before');
select wallet_challenge(7, id('agent'), name_id('nonce', gen_random_uuid()), t0());
select wallet_bind(7, id('agent'), id('nonce'), address_of('new wallet'), t0());
select is(see('after'), 'wallet_required', 'the old wallet''s transfers are nobody''s now');
select is(see('after', p_wallet => 'new wallet'), 'pending 100', 'the new one''s are the agent''s');
select is(see('before', 'moved'), 'pending 100', 'a deposit that was seen stays one, also when it is moved');
select is(confirm('before', 'moved'), 'confirmed', 'and is credited');

-- Test mode: neither wallet nor block.
select fixture_agent(7, 'tester', 'SANDBOX');
select usdc_seen(7, id('tester'), name_id('made up', id_new(7, t0())), 8453, hash_of('made up'), 0, null, 5000000, null, null, t0());
select is((select status || ' ' || is_final from usdc_confirm(7, id('tester'), id('made up'), null, t0())), 'confirmed true', 'it is credited and final at once');
select is((select status from usdc_confirm(7, id('tester'), id('made up'), null, t0())) || ' ' || purse('tester'), 'confirmed 5 0 0 -5', 'once');
select is((select status from usdc_reverse(7, id('tester'), id('made up'), null, t0())), 'confirmed', 'and never reversed');

-- What is looked at.
update usdc_deposits set checked_at = t0() - interval '1 day' where id = id('after');
update usdc_deposits set checked_at = t0() - interval '1 hour' where id = id('theirs');
select results_eq($$select id from usdc_open_everywhere(8453, 2)$$, $$values (id('after')), (id('theirs'))$$, 'the one looked at longest ago comes first');
select usdc_checked(7, id('after'), t0() + interval '1 hour'), usdc_checked(7, id('theirs'), t0() - interval '2 hours');
select is((usdc('after')).checked_at || ' ' || (usdc('theirs')).checked_at, t0() + interval '1 hour' || ' ' || (t0() - interval '1 hour'), 'looked at, and never back in time');
select set_eq($$select id from usdc_open_everywhere(8453, 1000)$$, $$select id from usdc_deposits where status = 'pending' or (status = 'confirmed' and not is_final)$$,
    'pending ones and confirmed ones that are not final');
select is_empty($$select id from usdc_open_everywhere(1, 1000)$$, 'another chain has none');
select is(findings(), null, 'the ledger is whole');
select is((select sum(amount) from postings), 0::numeric, 'all postings add up to zero');
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
        delete from usdc_deposits where bucket = 1000; delete from postings where bucket = 1000; delete from ledger_transactions where bucket = 1000;
        delete from staff_acts where bucket = 1000; delete from events where bucket = 1000; delete from jobs where bucket = 1000;
        delete from email_tokens where bucket = 1000; delete from api_keys where bucket = 1000; delete from accounts where bucket = 1000;
        delete from agents where bucket = 1000; end $b$ $d$)
$$;
-- far: runs a statement over there, at once or (send) until it is asked for (answer).
create function fixture.far(p_name text, p_sql text) returns text
language sql as $$ select r from dblink(p_name, format('select (%s)::text', p_sql)) d(r text) $$;
create function fixture.send(p_name text, p_sql text) returns int
language sql as $$ select dblink_send_query(p_name, format('select (%s)::text', p_sql)) $$;
select clean();
select name_id('agent', id_new(1000, t0())), name_id('deposit', id_new(1000, t0()));
select far('one', format($$select count(*) from agent_register(1000, %L, 'name', 'e', null, %L, 'h', 'x', 't', '{}', %L)$$, id('agent'), id_new(1000, t0()), t0()));
create function fixture.seen() returns text
language sql as $$ select format('select id from usdc_seen(1000, %L, %L, 8453, %L, 0, null, 100000000, 1, %L, %L)', id('agent'), id_new(1000, t0()), hash_of('tx'), hash_of('b'), t0()) $$;
create function fixture.confirm() returns text
language sql as $$ select format('select status from usdc_confirm(1000, %L, %L, %L, %L)', id('agent'), id('deposit'), hash_of('b'), t0()) $$;
create function fixture.vanish() returns text
language sql as $$ select format('select status from usdc_reverse(1000, %L, %L, %L, %L)', id('agent'), id('deposit'), hash_of('b'), t0()) $$;
create function fixture.purse() returns text
language sql as $$ select balance(1000, 'agent', 'deposit') || ' ' || balance(1000, 'agent', 'usdc_custody') $$;
select dblink_exec('one', 'begin');
select name_id('deposit', far('one', seen())::uuid);
select is(send('two', seen()), 1, 'the same transfer seen by two at once');
select ok(waits_in(1000), 'the second waits');
select dblink_exec('one', 'commit');
select is(answer('two')::uuid, id('deposit'), 'and finds the first one''s deposit');
select dblink_exec('one', 'begin');
select is(far('one', confirm()), 'confirmed', 'one confirms it');
select is(send('two', confirm()), 1, 'another at the same time');
select ok(waits_in(1000), 'waits');
select dblink_exec('one', 'commit');
select is(answer('two'), 'confirmed', 'and finds it confirmed');
select is(purse(), '100000000 -100000000', 'it is credited once');
select dblink_exec('one', 'begin');
select is(far('one', vanish()), 'reversed', 'one reverses it');
select is(send('two', vanish()), 1, 'another at the same time');
select ok(waits_in(1000), 'waits');
select dblink_exec('one', 'commit');
select is(answer('two'), 'reversed', 'and finds it reversed');
select is(purse(), '0 0', 'it is taken back once');
select clean();
select dblink_disconnect(name) from unnest(array['one', 'two']) name;
select * from finish();
rollback;
