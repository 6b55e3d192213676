-- Double entry (spec 5): what ledger_post takes and refuses, who may write, what a statement shows, what the audit finds.
begin;
\ir shared/fixtures.sql
select no_plan();
select fixture_agent(7, 'agent', 'VERIFIED', 100000000);
select fixture_agent(7, 'other', 'VERIFIED', 5000000);

-- Booked a millisecond apart, so that their order is known.
create sequence fixture.instants;
create function fixture.post(p_lines posting_line[], p_ref uuid default gen_random_uuid(), p_kind text default 'adjust')
returns uuid
language sql as $$
    select ledger_post(7, p_kind, p_ref, t0() + nextval('fixture.instants') * interval '1 millisecond', id('agent'), p_lines)
$$;

-- What is refused.
create temporary table refused (why text, state text, lines posting_line[]) on commit drop;
insert into refused values
    ('lines that do not add up to zero', 'P0004', array[('deposit', -2), ('gas', 1)]::posting_line[]),
    ('a single line', 'P0004', array[('deposit', -1)]::posting_line[]),
    ('no line', 'P0004', array[]::posting_line[]),
    ('one line and one of zero', 'P0004', array[('deposit', 1), ('gas', 0)]::posting_line[]),
    ('only lines of zero', 'P0004', array[('deposit', 0), ('gas', 0)]::posting_line[]),
    ('the same account twice', 'P0004', array[('deposit', -2), ('gas', 1), ('gas', 1)]::posting_line[]),
    ('an account that nobody knows', 'P0004', array[('deposit', -1), ('pocket', 1)]::posting_line[]),
    ('an account that this party does not have', 'P0004', array[('deposit', -1), ('pending', 1)]::posting_line[]),
    ('an account without a name', 'P0004', array[('deposit', -1), (null, 1)]::posting_line[]),
    ('an amount that is not there', 'P0004', array[('deposit', -1), ('gas', null)]::posting_line[]),
    ('more than the account has', '23514', array[('deposit', -100000001), ('gas', 100000001)]::posting_line[]),
    ('more than an account can hold', '22003',
        array[('usdc_custody', -9223372036854775807), ('deposit', 9223372036854775807)]::posting_line[]);
select throws_ok(format('select post(%L)', lines), state, null, 'refused: ' || why) from refused;
select is(balance(7, 'agent', 'deposit'), 100000000::bigint, 'a refusal leaves the balance as it was');

-- What is booked.
select lives_ok($$select post(array[('deposit', -100000000), ('gas', 100000000)]::posting_line[])$$, 'all of a balance can move');
select is(balance(7, 'agent', 'deposit'), 0::bigint, 'and leaves exactly zero');
select lives_ok($$select post(array[('gas', -60000000), ('revenue', 1), ('deposit', 59999999)]::posting_line[])$$,
    'lines may stand in any order');
select is(balance(7, 'agent', 'gas'), 40000000::bigint, 'what is left after it');
select name_id('crossing', gen_random_uuid());
select lives_ok($$select post(array[('clearing', -5), ('revenue', 5)]::posting_line[], id('crossing'), 'there')$$, 'clearing may run below zero');
select lives_ok($$select post(array[('deposit', 0), ('clearing', 5), ('revenue', -5)]::posting_line[], id('crossing'), 'back')$$,
    'a line of zero is left out');
select is((select count(*) from postings where bucket = 7 and amount = 0), 0::bigint, 'and makes no posting');
select name_id('cause', gen_random_uuid());
select lives_ok($$select post(array[('deposit', -1), ('gas', 1)]::posting_line[], id('cause'), 'escrow_hold')$$, 'a cause is booked');
select throws_ok($$select post(array[('deposit', -1), ('gas', 1)]::posting_line[], id('cause'), 'escrow_hold')$$, '23505', null,
    'the same cause twice is refused');
select lives_ok($$select post(array[('deposit', 1), ('gas', -1)]::posting_line[], id('cause'), 'escrow_refund')$$,
    'another kind of the same cause is another cause');
select results_eq(
    $$select balance from postings where bucket = 7 and party_id = id('agent') and account = 'gas' order by at$$,
    $$select sum(amount) over (order by at)::bigint from postings
        where bucket = 7 and party_id = id('agent') and account = 'gas' order by at$$,
    'each posting carries its account''s balance after it');
select is(balance(7, 'other', 'deposit'), 5000000::bigint, 'nobody else''s account was touched');
select is((select count(*) from ledger_audit_everywhere(t0() + interval '1 hour')), 0::bigint, 'the audit finds nothing wrong');

-- Who may write.
create function fixture.state_as_app(p_sql text) returns text
language plpgsql as $$
begin
    set local role humanops_app;
    execute p_sql;
    reset role;
    return 'done';
exception when others then
    return sqlstate;
end $$;
select is(state_as_app(format(what, t)), '42501', format('a program may not: ' || what, t))
from unnest(array['insert into %s default values', 'update %s set amount = 0', 'delete from %s', 'truncate %s',
    'select 1 from %s']) what, unnest(array['postings', 'postings_rest']) t;
select is(state_as_app('update accounts set balance = 1'), '42501', 'a program may not set a balance');
select is(state_as_app($$select ledger_post(7, 'x', gen_random_uuid(), now(), gen_random_uuid(), '{}')$$), '42501',
    'a program may not book by itself');
select throws_ok($$update accounts set balance = -1 where bucket = 7 and party_id = id('agent') and kind = 'deposit'$$, '23514', null,
    'not even the owner can set a deposit below zero');
select throws_ok($$insert into accounts values (7, id('agent'), 'pocket', 0)$$, '23514', null, 'there is no account of another kind');
select throws_ok($$insert into postings values (7, t0(), gen_random_uuid(), id('agent'), 'deposit', 1, 1)$$, '23503', null,
    'a posting needs its transaction');

-- Balance and statement.
select results_eq($$select deposit, escrow from ledger_balance(7, id('other'))$$, $$values (5000000::bigint, 0::bigint)$$,
    'the balance is the accounts''');
select results_eq($$select deposit, escrow from ledger_balance(8, id('other'))$$, $$values (0::bigint, 0::bigint)$$,
    'in another bucket there is none');
select fixture_agent(7, 'reader', 'VERIFIED');
select deposit_credit(7, id('reader'), 'deposit_fiat', gen_random_uuid(), 100 + n, t0() + n / 3 * interval '1 millisecond')
from generate_series(1, 10) n;
select is((select count(*) from ledger_statement(7, id('reader'), null, 100)), 10::bigint, 'a statement has every transaction');
select is((select count(*) from ledger_statement(7, id('reader'), null, 3)), 3::bigint, 'or as many as are asked for');
create function fixture.pages(p_limit int) returns uuid[]
language plpgsql as $$
declare
    v_all uuid[] := '{}';
    v_page uuid[];
begin
    loop
        v_page := array(select s.id from ledger_statement(7, fixture.id('reader'), v_all[cardinality(v_all)], p_limit) s);
        v_all := v_all || v_page;
        exit when cardinality(v_page) < p_limit;
    end loop;
    return v_all;
end $$;
select is(pages(n), array(select s.id from ledger_statement(7, id('reader'), null, 100) s),
    'pages of ' || n || ' make up the statement, also of bookings asked for at one instant') from unnest(array[1, 2, 3, 9]) n;
select is((select array_agg(at) from ledger_statement(7, id('reader'), null, 100)),
    (select array_agg(at order by at desc) from ledger_statement(7, id('reader'), null, 100)), 'newest first');
select is((select max(deposit_balance) from ledger_statement(7, id('reader'), null, 100)), balance(7, 'reader', 'deposit'),
    'a line shows the balance after it');
select deposit_credit(7, id('reader'), 'deposit_fiat', gen_random_uuid(), 1000, t0() - interval '1 second');
select is((select at from ledger_statement(7, id('reader'), null, 1)), (select max(at) from ledger_statement(7, id('reader'), null, 100) where deposit_change <> 1000)
    + interval '1 millisecond', 'a booking that comes with an earlier time than the last one stands right behind it');
select is_empty($$select id from (select s.id, deposit_balance, sum(deposit_change) over (order by at) as want
    from ledger_statement(7, id('reader'), null, 100) s) w where deposit_balance <> want$$, 'so that every line''s balance follows from the one before');
select is(refusal_of($$select ledger_statement(7, id('reader'), gen_random_uuid(), 3)$$), 'cursor_invalid', 'an unknown cursor is refused');
select is(refusal_of(format('select ledger_statement(7, %L, %L, 3)', id('other'), (pages(9))[1])), 'cursor_invalid',
    'and so is another agent''s');

-- What the audit finds: each kind of damage is planted, found, and undone.
create function fixture.audit_after(p_damage text, p_now timestamptz default t0() + interval '1 hour') returns text[]
language plpgsql as $$
declare v_found text[];
begin
    execute p_damage;
    v_found := array(select distinct a.what from ledger_audit_everywhere(p_now) a order by 1);
    raise exception using errcode = 'ZZ001', message = v_found::text;
exception when sqlstate 'ZZ001' then
    return sqlerrm::text[];
end $$;
select fixture_task(7, 'task', 'PENDING', 'agent');
select is(audit_after('select 1'), '{}'::text[], 'the audit finds nothing in a healthy ledger');
select ok('drift' = any (audit_after($$update accounts set balance = balance + 1 where party_id = id('agent') and kind = 'deposit'$$)),
    'the audit finds a balance that its postings do not explain');
select ok('total' = any (audit_after($$update accounts set balance = balance + 1 where party_id = id('agent') and kind = 'deposit'$$)),
    'the audit finds money made of nothing');
select ok('unbalanced' = any (audit_after($$update postings set amount = amount + 1 where party_id = id('agent') and account = 'gas' and amount > 0$$)),
    'the audit finds a transaction that does not add up');
select ok('unbalanced' = any (audit_after($$delete from postings where party_id = id('other')$$)),
    'the audit finds a transaction that lost its postings');
select ok('unbalanced' = any (audit_after($$insert into ledger_transactions
    values (7, gen_random_uuid(), id('agent'), 'x', gen_random_uuid(), t0())$$)), 'the audit finds a transaction that never had any');
select ok('unbalanced' = any (audit_after($$update postings set at = at + interval '1 day' where party_id = id('other')$$)),
    'the audit finds postings that stand at another time than their transaction');
select ok('escrow' = any (audit_after($$update tasks set status = 'CANCELLED' where id = id('task')$$)),
    'the audit finds escrow of a task that is over');
select ok('escrow' = any (audit_after($$update tasks set reward = reward + 1 where id = id('task')$$)),
    'the audit finds a task that holds less than it should');
select is(audit_after($$select post(array[('clearing', -5), ('revenue', 5)]::posting_line[])$$, t0() + interval '1 hour'),
    '{clearing}', 'the audit finds money that has been between two buckets for long');
select is(audit_after($$select post(array[('clearing', -5), ('revenue', 5)]::posting_line[])$$, t0() + interval '59 seconds'), '{}',
    'but not what has only just left');
-- USDC that came in, and what is on its way out.
select fixture_usdc(7, 'usdc'), fixture_usdc(7, 'vanished', p_is_final => false);
select usdc_reverse(7, id('agent'), id('vanished'), hash_of('block of vanished'), t0());
select payouts_freeze(7, id('agent'), false, null, t0());
select payout_request(7, id('agent'), 'agent', name_id('payout', id_new(7, t0())), 20000000, 30000, address_of('to'), 8453, false, t0());
select is(audit_after('select 1'), '{}'::text[], 'the audit finds nothing in deposits and payouts that are whole');
select is(audit_after($$update payouts set status = 'failed', settled_at = t0() where id = id('payout')$$), '{payout}'::text[],
    'the audit finds money in flight of a payout that is over');
select is(audit_after($$update payouts set amount = amount + 1 where id = id('payout')$$), '{payout}'::text[], 'the audit finds a payout that holds less than it should');
select is(audit_after($$update payouts set amount = amount * 2 where id = id('payout')$$), '{payout}'::text[], 'or twice as much');
select is(audit_after($$update usdc_deposits set amount = amount + 1 where id = id('usdc')$$), '{usdc}'::text[], 'the audit finds a deposit of another amount than was booked');
select is(audit_after($$update usdc_deposits set status = 'reversed', is_final = false where id = id('usdc')$$), '{usdc}'::text[],
    'the audit finds one that is reversed without its booking');
select is(audit_after($$update usdc_deposits set status = 'confirmed' where id = id('vanished')$$), '{usdc}'::text[], 'or booked back and still confirmed');
select is(audit_after($$select deposit_credit(7, id('other'), 'deposit_usdc', gen_random_uuid(), 1, t0())$$), '{usdc}'::text[],
    'the audit finds USDC that was booked for no deposit');
select is(audit_after($$insert into usdc_deposits (bucket, id, agent_id, chain_id, tx_hash, log_index, amount, status, credit_ref, transaction_id, created_at, checked_at)
    values (7, gen_random_uuid(), id('other'), 8453, hash_of('x'), 0, 1, 'confirmed', gen_random_uuid(), gen_random_uuid(), t0(), t0())$$), '{usdc}'::text[],
    'and a deposit that was never booked');
select * from finish();
rollback;
