-- What is known of a chain: one row and one job for it, however many workers begin; nonces of an account that pays.
begin;
\ir shared/fixtures.sql
select no_plan();
select name_id('watch', gen_random_uuid());
create function fixture.state() returns chain_states
language sql as $$ select s from chain_state(5, 8453) s $$;
create function fixture.watch() returns jobs
language sql as $$ select j from jobs j where bucket = 5 and kind = 'chain' and ref = id('watch') $$;
create function fixture.begins(p_address text default null, p_now timestamptz default t0()) returns text
language plpgsql as $$
begin
    perform chain_begin(5, 8453, id('watch'), p_address, p_now);
    return (select count(*) from jobs where bucket = 5 and kind = 'chain')::text;
end $$;

select is_empty($$select * from chain_state(5, 8453)$$, 'before a worker has run nothing is known');
select is(begins(), '1', 'the first worker makes the job');
select is((state()).payout_address, null, 'one without a key names no address');
select is(begins(address_of('payer')), '1', 'the next finds it');
select is((state()).payout_address, address_of('payer'), 'and names its key''s address');
select is(begins(), '1', 'a third');
select is((state()).payout_address, address_of('payer'), 'without a key leaves that as it is');
select throws_ok($$select begins('0xAB')$$, '23514', null, 'no address');
select job_take(5, '{"chain": 60}', t0());
select is(begins(p_now => t0() + interval '1 second') || ' ' || (watch()).run_at, '1 ' || t0() + interval '1 minute', 'a job that runs just now is left alone');
select job_retry(5, (watch()).id, 1, null, 'gave up');
select is((watch()).is_dead, true, 'a job that was given up');
select is(begins(p_now => t0() + interval '1 day'), '1', 'is revived by the next worker');
select is((watch()).is_dead || ' ' || (watch()).attempts, 'false 1', 'with its tickets going on');
select is((select attempts from job_take(5, '{"chain": 60}', t0() + interval '1 day')), 2, 'and taken up');
delete from jobs where bucket = 5;
select is(begins(), '1', 'one that is gone is made anew');
select is_empty($$select * from chain_state(5, 1)$$, 'another chain is another row');
select is_empty($$select * from chain_state(6, 8453)$$, 'in its own bucket');

-- Scanned.
select is(chain_scanned(5, 8453, 900, 1000, 1000, t0()), true, 'the first scan begins anywhere');
select is((state()).scanned_block || ' ' || (state()).head, '1000 1000', 'and is remembered');
select is(chain_scanned(5, 8453, 900, 1000, 1001, t0()), false, 'a second of the same blocks');
select is(chain_scanned(5, 8453, 1002, 1010, 1010, t0()), false, 'or that leaves some out, is not');
select is((state()).scanned_block || ' ' || (state()).head, '1000 1000', 'and changes nothing');
select is(chain_scanned(5, 8453, 1001, 1010, 1011, t0()), true, 'the next is');
select is(chain_scanned(5, 1, 1, 1, 1, t0()), false, 'of a chain that nobody began nothing is kept');

-- Quote and reserves.
select chain_quote(5, 8453, '{"fee_usd": 0.03}', t0() + interval '1 second');
select is((state()).quote::text || ' ' || (state()).quoted_at, '{"fee_usd": 0.03} ' || t0() + interval '1 second', 'a quote is kept with its time');
select is(chain_reserves(5, 8453, '{"difference_usd": 0}', false, null, t0()), false, 'reserves that are there freeze nothing');
select is((state()).is_frozen, false, 'nothing at all');
select is(chain_reserves(5, 8453, '{"difference_usd": -1}', true, 'a dollar is missing', t0()), true, 'reserves that are not freeze');
select is((state()).is_frozen || ' ' || (state()).frozen_reason, 'true a dollar is missing', 'with the reason');
select is(chain_reserves(5, 8453, '{"difference_usd": -2}', true, 'two are missing', t0()), false, 'once');
select is(chain_reserves(5, 8453, '{"difference_usd": 0}', false, null, t0()), false, 'that they are back');
select is((state()).is_frozen || ' ' || (state()).frozen_reason || ' ' || (state()).reserves::text, 'true a dollar is missing {"difference_usd": 0}', 'ends no freeze');
select chain_frozen(5, 8453, false, 'looked at', t0());
select is((state()).is_frozen || ' ' || coalesce((state()).frozen_reason, 'none'), 'false none', 'staff does');
select chain_frozen(5, 8453, true, 'by hand', t0());
select is((state()).frozen_reason, 'by hand', 'and may freeze');

-- Nonces.
create function fixture.take_nonce(p_chain_nonce bigint, p_address text default 'payer', p_chain bigint default 8453) returns bigint
language sql as $$ select nonce_take(5, p_chain, address_of(p_address), p_chain_nonce, t0()) $$;
select is(take_nonce(7), 7::bigint, 'the first nonce is the chain''s');
select is(take_nonce(7), 8::bigint, 'the next is its own, while the chain has not moved');
select is(take_nonce(0), 9::bigint, 'or lags');
select is(take_nonce(20), 20::bigint, 'what the chain has used is not used again');
select is(take_nonce(21), 21::bigint, 'and so on');
select is(take_nonce(0, 'another'), 0::bigint, 'another account has its own');
select is(take_nonce(3, p_chain => 1), 3::bigint, 'and so has another chain');
select throws_ok($$select nonce_take(5, 8453, '0x', 0, t0())$$, '23514', null, 'no account');

-- What we should hold.
select fixture_agent(7, 'agent', 'STANDARD');
select fixture_operator(9, 'operator');
select fixture_usdc(7, 'usdc', p_amount => 300000000);
select fixture_work(7, 'done', 'COMPLETED');
select earning_settle(9, t0() + interval '8 days', 10);
select payout_request(9, id('operator'), 'operator', name_id('payout', id_new(9, t0())), 15000000, 30000, address_of('to'), 8453, false, t0());
select payout_request(7, id('agent'), 'agent', name_id('back', id_new(7, t0())), 20000000, 30000, address_of('to'), 8453, false, t0());
select results_eq($$select * from custody_everywhere()$$, $$values (300000000::bigint, 35000000::bigint, 252500000::bigint, 0::bigint, 0::bigint, 10000000::bigint,
    2500000::bigint, 0::bigint, 0::bigint)$$, 'custody, what is on its way, and whose the rest is');
select * from finish();
rollback;

-- Two workers at once, by two connections.  What they see has to be committed, so it is removed again.
begin;
\ir shared/fixtures.sql
create extension if not exists dblink schema tap;
select no_plan();
select dblink_connect(name, format('host=%s dbname=%s user=%s', split_part(current_setting('unix_socket_directories'), ',', 1),
    current_database(), current_user)) from unnest(array['one', 'two']) name;
create function fixture.clean() returns text
language sql as $$
    select dblink_exec('one', $d$do $b$ begin
        delete from chain_states where bucket = 1001; delete from nonces where bucket = 1001; delete from jobs where bucket = 1001; end $b$ $d$)
$$;
create function fixture.take_nonce() returns text
language sql as $$ select format('select nonce_take(1001, 8453, %L, 5, %L)::text', address_of('payer'), t0()) $$;
create function fixture.begins() returns text
language sql as $$ select format('select chain_begin(1001, 8453, %L, null, %L)::text', id('watch'), t0()) $$;
select clean();
select name_id('watch', gen_random_uuid());
select dblink_exec('one', 'begin');
select is((select r from dblink('one', take_nonce()) d(r text)), '5', 'one takes a nonce');
select dblink_send_query('two', take_nonce());
select ok(waits_in(1001), 'another has to wait');
select dblink_exec('one', 'rollback');
select is(answer('two'), '5', 'and gets the same if the first fails: there is no gap');
select dblink_exec('one', 'begin');
select is((select r from dblink('one', take_nonce()) d(r text)), '6', 'one takes the next');
select dblink_send_query('two', take_nonce());
select ok(waits_in(1001), 'another has to wait');
select dblink_exec('one', 'commit');
select is(answer('two'), '7', 'and gets the one behind it');
select dblink_exec('one', 'begin');
select r from dblink('one', begins()) d(r text);
select dblink_send_query('two', begins());
select ok(waits_in(1001), 'of two workers that begin at once one waits');
select dblink_exec('one', 'commit');
select answer('two');
select is((select count(*) from jobs where bucket = 1001 and ref = id('watch')), 1::bigint, 'and finds the job');
select clean();
select dblink_disconnect(name) from unnest(array['one', 'two']) name;
select * from finish();
rollback;
