-- What operators are paid: credited once, available when the hold ends, frozen by a dispute; each against the others.
begin;
\ir shared/fixtures.sql
select no_plan();
select fixture_agent(7, 'agent', 'STANDARD', 10000000000);
select fixture_operator(9, 'operator');
select fixture_operator(9, 'second');
select fixture_operator(10, 'other');
create function fixture.purse(p_operator text) returns text
language sql as $$ select pending || ' ' || available || ' ' || in_flight || ' ' || total from earning_summary(9, id(p_operator)) $$;
create function fixture.state(p_task text) returns text
language sql as $$ select state from earnings where bucket = 9 and task_id = id(p_task) $$;

-- Credited once.
select fixture_work(7, 'first', 'COMPLETED');
select is(purse('operator'), '25000000 0 0 25000000', 'the reward is pending');
select earning_credit(9, id('operator'), id('first'), 25000000, t0() + interval '1 day', t0() + interval '1 hour');
select is(purse('operator'), '25000000 0 0 25000000', 'the second leg twice is once');
select is((select available_at from earnings where bucket = 9 and task_id = id('first')), t0() + interval '7 days 5 minutes', 'and leaves the hold as it was');
select is(clearing(), 0::numeric, 'clearing is empty');
select results_eq($$select kind, account, amount from postings join ledger_transactions t on t.bucket = postings.bucket and t.id = transaction_id
    where postings.bucket = 9 and t.ref = id('first') order by account$$, $$values ('earning', 'clearing', -25000000::bigint), ('earning', 'pending', 25000000::bigint)$$,
    'the operator''s leg bears the task as its reference');
select throws_ok($$select earning_credit(10, id('operator'), gen_random_uuid(), 1, t0(), t0())$$, '23503', null, 'an operator is paid in the own bucket alone');
select throws_ok($$select earning_credit(9, id('operator'), gen_random_uuid(), -1, t0(), t0())$$, '23514', null, 'and never less than nothing');

-- Settled when the hold is over.
select is(earning_settle(9, t0() + interval '7 days 5 minutes' - interval '1 millisecond', 10), 0, 'not a millisecond early');
select is_empty($$select * from earning_due_everywhere(t0() + interval '7 days')$$, 'nothing is due before');
select results_eq($$select * from earning_due_everywhere(t0() + interval '7 days 5 minutes')$$, 'values (9)', 'then its bucket is told');
select is(earning_settle(10, t0() + interval '30 days', 10), 0, 'another bucket has nothing');
select is(earning_settle(9, t0() + interval '7 days 5 minutes', 10), 1, 'at its time it is settled');
select is(purse('operator'), '0 25000000 0 25000000', 'and available');
select is(earning_settle(9, t0() + interval '30 days', 10), 0, 'once');
select is(purse('operator'), '0 25000000 0 25000000', 'and stays so');

-- In batches, of several operators.
select fixture_work(7, 'batch ' || n, 'COMPLETED', case when n % 2 = 0 then 'operator' else 'second' end, p_reward => 10000000) from generate_series(1, 5) n;
select is(earning_settle(9, t0() + interval '30 days', 2), 2, 'a batch is no larger than asked for');
select is(earning_settle(9, t0() + interval '30 days', 100), 3, 'the next takes the rest');
select is(purse('operator') || ', ' || purse('second'), '0 45000000 0 45000000, 0 30000000 0 30000000', 'to each the own');

-- Frozen by a dispute.
select fixture_work(7, 'disputed', 'COMPLETED');
select is(refusal_of($$select earning_freeze(9, id('disputed'), t0() + interval '7 days 5 minutes')$$), 'hold_over', 'when the hold is over, nothing is frozen');
select is(refusal_of($$select earning_freeze(9, id('first'), t0())$$), 'hold_over', 'nor what is settled');
select is(refusal_of($$select earning_freeze(10, id('disputed'), t0())$$), 'hold_over', 'nor what is not there');
select earning_freeze(9, id('disputed'), t0() + interval '7 days 5 minutes' - interval '1 millisecond');
select is(state('disputed'), 'frozen', 'up to the last millisecond it can be');
select is(refusal_of($$select earning_freeze(9, id('disputed'), t0())$$), 'hold_over', 'once');
select is(earning_settle(9, t0() + interval '1 year', 100), 0, 'what is frozen is not settled, however late');
select is(purse('operator'), '25000000 45000000 0 70000000', 'and stays pending');

-- Resolved: all, part, nothing.
select earning_resolve(9, id('disputed'), 25000000, t0() + interval '8 days');
select is(state('disputed') || ' ' || purse('operator'), 'available 0 70000000 0 70000000', 'kept whole it is available at once');
select throws_ok($$select earning_resolve(9, id('disputed'), 0, t0() + interval '9 days')$$, 'P0002', null, 'once');
select throws_ok($$select earning_resolve(9, id('first'), 0, t0() + interval '9 days')$$, 'P0002', null, 'what was never frozen is not resolved');
select fixture_work(7, 'halved', 'COMPLETED');
select earning_freeze(9, id('halved'), t0() + interval '1 day');
select earning_resolve(9, id('halved'), 10000000, t0() + interval '2 days');
select is(state('halved') || ' ' || purse('operator') || ' ' || clearing(), 'available 0 80000000 0 80000000 15000000', 'a part is kept, the rest goes back through clearing');
select fixture_work(7, 'lost', 'COMPLETED');
select earning_freeze(9, id('lost'), t0() + interval '1 day');
select earning_resolve(9, id('lost'), 0, t0() + interval '2 days');
select is(state('lost') || ' ' || purse('operator') || ' ' || clearing(), 'returned 0 80000000 0 80000000 40000000', 'nothing kept, all of it does');
select is((select count(*) from earning_list(9, id('operator'), 100)), 6::bigint, 'the list names every one');
select is((select count(*) from earning_list(9, id('operator'), 2)), 2::bigint, 'or the newest');
select is((select sum(amount) from postings), 0::numeric, 'all postings add up to zero');
select * from finish();
rollback;
