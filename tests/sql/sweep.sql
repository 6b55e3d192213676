-- Whatever falls due by itself: each timer at its millisecond, once, twice, and a week late; and what is past keeping.
begin;
\ir shared/fixtures.sql
select no_plan();
select fixture_agent(7, 'agent', 'STANDARD', 10000000000);
select fixture_agent(8, 'other', 'STANDARD', 100000000);

-- A row for each timer: when it runs out, and what becomes of the task.
create temporary table timers (name text, status text, moves text[], deadline interval, due timestamptz, to_status text, is_refunded boolean) on commit drop;
insert into timers values
    ('an offer', 'PENDING', '{}', '2 days', t0() + interval '2 days', 'CANCELLED', true),
    ('an estimate', 'ESTIMATE_PENDING', '{}', '10 days', t0() + interval '1 day 1 minute', 'PENDING', false),
    ('an estimate near the deadline', 'ESTIMATE_PENDING', '{}', '2 hours', t0() + interval '2 hours', 'CANCELLED', true),
    ('accepted work', 'ACCEPTED', '{}', '2 days', t0() + interval '3 days', 'CANCELLED', true),
    ('work in progress', 'IN_PROGRESS', '{}', '2 days', t0() + interval '3 days', 'CANCELLED', true);
select fixture_task(7, name, status, p_deadline => t0() + deadline) from timers;
select fixture_task(8, 'elsewhere', p_agent => 'other', p_deadline => t0() + interval '1 hour');
select is((task(7, name)).due_at, due, name || ' has its timer') from timers;
-- sweep: every task of a bucket that is due, the agent's leg; how many.  What one sweeper run does, in one transaction.
-- state_after: a task after sweeps at these instants, undone again: status, sweeps' counts, escrow left, reason, trail.
create function fixture.sweep(p_bucket int, p_now timestamptz, p_limit int default 1000) returns int
language plpgsql as $$
declare
    d record;
    v_done int := 0;
begin
    for d in select * from sweep_due_everywhere(p_now) where bucket = p_bucket limit p_limit loop
        perform sweep_task(d.bucket, d.id, p_now);
        v_done := v_done + 1;
    end loop;
    return v_done;
end $$;
create function fixture.state_after(p_name text, variadic p_at timestamptz[]) returns text
language plpgsql as $$
declare
    v_counts text := '';
    v_at timestamptz;
    t tasks;
    v_kept bigint := balance(7, 'agent', 'escrow');
begin
    -- Alone, so that the counts are this task's.
    update tasks set due_at = null where bucket = 7 and tasks.id <> id(p_name);
    foreach v_at in array p_at loop
        v_counts := v_counts || sweep(7, v_at);
    end loop;
    t := task(7, p_name);
    raise exception using errcode = 'ZZ001', message = format('%s %s %s %s', t.status, v_counts,
        case when balance(7, 'agent', 'escrow') = v_kept then 'held' else 'refunded' end, coalesce(t.cancel_reason, '-'));
exception when sqlstate 'ZZ001' then
    return sqlerrm;
end $$;
create function fixture.wanted(t timers, p_counts text) returns text
language sql as $$
    select format('%s %s %s %s', t.to_status, p_counts, case when t.is_refunded then 'refunded' else 'held' end,
        case when t.to_status = 'CANCELLED' then 'expired' else '-' end)
$$;
select is(state_after(name, due - interval '1 millisecond'), status || ' 0 held -', name || ' stays to the last millisecond') from timers;
select is(state_after(name, due), wanted(timers, '1'), name || ' ends at its time') from timers;
select is(state_after(name, due, due), wanted(timers, '10'), name || ' ends once, however often it is swept') from timers;
select is(state_after(name, due + interval '7 days'), case when name = 'an estimate' then 'PENDING 1 held -' else wanted(timers, '1') end,
    name || ' ends the same a week late') from timers;
select is(state_after('an estimate', t0() + interval '10 days'), 'CANCELLED 1 refunded expired',
    'an estimate whose deadline has passed too expires at once');
select is(state_after('an estimate', t0() + interval '2 days', t0() + interval '10 days'), 'CANCELLED 11 refunded expired',
    'one that goes back to the offers still expires in the end');
select fixture_task(7, 'simulated', 'SUBMITTED', p_is_sandbox => true, p_reward => 10000);
select is(state_after('simulated', t0() + interval '1 year'), 'SUBMITTED 0 held -', 'proof that waits for its verdict is not swept');
select walk(7, id('simulated'), '{review}', t0());
select is(state_after('simulated', t0() + interval '7 days'), 'SUBMITTED 0 held -', 'nor a review before its time');
select is(state_after('simulated', t0() + interval '7 days 1 minute'), 'COMPLETED 1 held -', 'a review that nobody made counts as approved');
select fixture_task(7, 'simulated offer', p_is_sandbox => true, p_reward => 10000);
select is(state_after('simulated offer', t0() + interval '2 days'), 'CANCELLED 1 held expired', 'a simulated task expires without a refund');

-- All of it, one by one, over all buckets.
select results_eq($$select distinct bucket from sweep_due_everywhere(t0() + interval '30 days') order by bucket$$, 'values (7), (8)',
    'what is due is told for every bucket');
select is((select array_agg(t.due_at) from sweep_due_everywhere(t0() + interval '30 days') d join tasks t using (bucket, id)),
    (select array_agg(due_at order by due_at) from tasks where due_at <= t0() + interval '30 days'), 'the longest overdue first');
select is_empty($$select * from sweep_due_everywhere(t0())$$, 'and nothing before its time');
select is_empty($$select * from sweep_task(7, id('an offer'), t0() + interval '2 days' - interval '1 millisecond')$$, 'a task that is not due is left alone');
select is_empty($$select * from sweep_task(8, id('an offer'), t0() + interval '30 days')$$, 'as is one of another bucket');
select results_eq($$select event, agent_id, operator_id, reward, pays, is_sandbox from sweep_task(7, id('an offer'), t0() + interval '30 days')$$,
    $$values ('expire', id('agent'), null::uuid, 25000000::bigint, false, false)$$, 'the sweep tells what it did, and that nobody is paid');
select is_empty($$select * from sweep_task(7, id('an offer'), t0() + interval '30 days')$$, 'once');
select is(sweep(7, t0() + interval '30 days'), 6, 'the rest follows');
select is(sweep(7, t0() + interval '30 days'), 0, 'and then nothing is due');
select is((task(8, 'elsewhere')).status, 'PENDING', 'another bucket is another call');
select is(balance(7, 'agent', 'deposit') || ' ' || balance(7, 'agent', 'escrow'), '10000000000 0', 'everything came back');
select is((select count(*) from ledger_audit_everywhere(t0() + interval '31 days')), 0::bigint, 'the ledger is whole');
select results_eq($$select type, actor from events where bucket = 7 and task_id = id('an offer') order by at, id$$,
    $$values ('task.created', 'agent'), ('task.cancelled', 'sweeper')$$, 'the trail tells that it was the sweeper');

-- A review that nobody made pays the operator; the caller is told whom, and how much.
select fixture_operator(9, 'operator');
select fixture_work(7, 'unanswered', 'SUBMITTED', 'operator');
select verdict_guardian(7, id('unanswered'), 'review', '{"decision": "MANUAL_REVIEW"}', 604800, t0() + interval '1 hour');
select is_empty($$select * from sweep_task(7, id('unanswered'), t0() + interval '7 days 59 minutes')$$, 'a review has its seven days');
select results_eq($$select event, operator_id, reward, pays from sweep_task(7, id('unanswered'), t0() + interval '7 days 1 hour')$$,
    $$values ('review_lapse', id('operator'), 25000000::bigint, true)$$, 'then the operator is to be paid');
select is(balance(7, 'agent', 'escrow') || ' ' || balance(7, 'agent', 'clearing') || ' ' || balance(7, 'agent', 'revenue'), '0 25000000 2500000',
    'the agent''s leg is booked');
select is((task(7, 'unanswered')).is_paid, true, 'and the task remembers it');
select earning_credit(9, id('operator'), id('unanswered'), 25000000, t0() + interval '14 days', t0() + interval '7 days 1 hour');
select is((select sum(balance) from accounts where kind = 'clearing'), 0::numeric, 'both legs clear');
select is((select count(*) from ledger_audit_everywhere(t0() + interval '31 days')), 0::bigint, 'and the ledger is whole');

-- One task that cannot be ended changes nothing and stops no other: each is a call of its own.
select fixture_task(7, 'broken', p_deadline => t0() + interval '1 hour');
update accounts set balance = 0 where bucket = 7 and party_id = id('agent') and kind = 'escrow';
select fixture_agent(7, 'sound', 'STANDARD', 100000000);
select fixture_task(7, 'behind it', p_agent => 'sound', p_deadline => t0() + interval '2 hours');
select throws_ok($$select * from sweep_task(7, id('broken'), t0() + interval '1 day')$$, '23514', null, 'a task whose escrow is not there cannot be ended');
select is((select count(*) from sweep_task(7, id('behind it'), t0() + interval '1 day')), 1::bigint, 'the one behind it can');
select is((task(7, 'behind it')).status, 'CANCELLED', 'and has');
select is((task(7, 'broken')).status || ' ' || (task(7, 'broken')).due_at, 'PENDING ' || (t0() + interval '1 hour'), 'the broken one stays due, unchanged');

-- What is past keeping.
insert into idempotency_keys select 7, id('agent'), '/p', n::text, 'x', 201, '{}', t0() + n * interval '1 second', t0() from generate_series(1, 3) n;
update email_tokens set expires_at = t0() - interval '30 days' where bucket = 7 and agent_id = id('agent');
delete from jobs;
insert into jobs select 7, gen_random_uuid(), 'x', gen_random_uuid(), '{}', is_dead, t0(), 0, 3, null, t0() - age
from (values (true, interval '30 days'), (true, '29 days'), (false, '99 days')) j(is_dead, age);
insert into wallet_challenges select 7, id('agent'), gen_random_uuid(), t0() + interval '2 seconds' - age
from unnest(array[interval '10 minutes', '9 minutes 59.999 seconds']) age;
select is(sweep_expired_everywhere(t0() + interval '2 seconds'), 5::bigint, 'what has ended is deleted');
select is((select array_agg(key) from idempotency_keys), '{3}', 'keys to the second');
select is((select count(*) from email_tokens where agent_id = id('agent')), 0::bigint, 'tokens a month after their end');
select is((select count(*) from jobs), 2::bigint, 'dead jobs after a month, living ones never');
select is((select min(issued_at) from wallet_challenges), t0() + interval '2.001 seconds' - interval '10 minutes', 'wallet challenges to the millisecond');
select is(sweep_expired_everywhere(t0() + interval '2 seconds'), 0::bigint, 'once');
insert into idempotency_keys select 7, id('agent'), '/q', n::text, 'x', 201, '{}', t0(), t0() from generate_series(1, 10001) n;
select is(sweep_expired_everywhere(t0()), 10000::bigint, 'at most ten thousand rows at a time');
select is(sweep_expired_everywhere(t0()), 1::bigint, 'the next time goes on');
select * from finish();
rollback;
