-- Verdicts on a proof: the Guardian's three, the agent's two, whoever is first; and that pay is booked once, on both sides.
begin;
\ir shared/fixtures.sql
select no_plan();
select fixture_agent(7, 'agent', 'STANDARD', 10000000000);
select fixture_agent(7, 'stranger', 'STANDARD', 0);
select fixture_operator(9, 'operator');
create function fixture.judged(p_task text, p_event text, p_at timestamptz default t0() + interval '1 hour') returns text
language sql as $$
    select concat_ws(' ', v.status, case when v.pays then 'pays' end, case when v.has_moved then 'moved' end)
    from verdict_guardian(7, id(p_task), p_event, jsonb_build_object('decision', case p_event when 'review' then 'MANUAL_REVIEW' else p_event end), 604800, p_at) v
$$;
create function fixture.decided(p_task text, p_is_approved boolean, p_agent text default 'agent', p_bucket int default 7) returns text
language sql as $$
    select refusal_of(format('select verdict_agent(%s, %L, %L, %L, %L, %L)', p_bucket, id(p_agent), id(p_task), p_is_approved, 'because', t0() + interval '2 hours'))
$$;
create function fixture.books(p_task text) returns text[]
language sql as $$
    select array_agg(l.kind || ' ' || p.account || ' ' || p.amount order by l.bucket, l.kind, p.account)
    from ledger_transactions l join postings p on p.bucket = l.bucket and p.at = l.at and p.transaction_id = l.id
    where l.ref = id(p_task) and l.kind <> 'escrow_hold'
$$;

-- The Guardian: pass.
select fixture_work(7, 'passed', 'SUBMITTED');
select is(judged('passed', 'pass'), 'COMPLETED pays moved', 'a good proof completes the task and pays');
select results_eq($$select to_status, actor from task_events(7, id('passed')) offset 5$$, $$values ('VERIFIED', 'guardian'), ('COMPLETED', 'guardian')$$,
    'by way of VERIFIED');
select is(books('passed'), '{escrow_release clearing 25000000,escrow_release escrow -27500000,escrow_release revenue 2500000}', 'the agent''s leg: reward and fee leave escrow');
select is(clearing(), 25000000::numeric, 'the reward is on its way');
select earning_credit(9, id('operator'), id('passed'), 25000000, t0() + interval '8 days', t0() + interval '1 hour');
select is(clearing(), 0::numeric, 'and has arrived');
select is(judged('passed', 'pass'), 'COMPLETED', 'a second answer moves and pays nothing');
select is(judged('passed', 'fail'), 'COMPLETED', 'whatever it says');
select is(decided('passed', true), 'task_state_conflict {"status": "COMPLETED", "allowed": ["dispute"]}', 'nor has the agent anything to decide');
select is((select count(*) from ledger_transactions where ref = id('passed')), 3::bigint, 'hold, release and earning: each once');

-- Review.
select fixture_work(7, 'reviewed', 'SUBMITTED');
select is(judged('reviewed', 'review'), 'SUBMITTED moved', 'a doubtful proof waits');
select is((task(7, 'reviewed')).due_at, t0() + interval '7 days 1 hour', 'for seven days from the verdict');
select is(judged('reviewed', 'pass'), 'SUBMITTED', 'the Guardian has had its say');
select is(books('reviewed'), null, 'nothing is paid yet');
select is(decided('reviewed', true, 'stranger'), 'task_not_found', 'the answer is the agent''s own');
select is(decided('reviewed', true, p_bucket => 8), 'task_not_found', 'in its own bucket');
select results_eq($$select status, operator_id, reward, pays from verdict_agent(7, id('agent'), id('reviewed'), true, null, t0() + interval '2 hours')$$,
    $$values ('COMPLETED', id('operator'), 25000000::bigint, true)$$, 'who approves, and the operator is to be paid');
select is(decided('reviewed', true), 'task_state_conflict {"status": "COMPLETED", "allowed": ["dispute"]}', 'once');
select earning_credit(9, id('operator'), id('reviewed'), 25000000, t0() + interval '8 days', t0() + interval '2 hours');

-- Fail.
select fixture_work(7, 'failed', 'SUBMITTED');
select is(judged('failed', 'fail'), 'DISPUTED moved', 'a bad proof is disputed');
select is(books('failed'), null, 'and its money stays in escrow');
select is((task(7, 'failed')).due_at, null, 'until staff has decided');

-- The agent before the Guardian.
select fixture_work(7, 'approved first', 'SUBMITTED');
select verdict_agent(7, id('agent'), id('approved first'), true, null, t0() + interval '30 minutes');
select earning_credit(9, id('operator'), id('approved first'), 25000000, t0() + interval '8 days', t0() + interval '30 minutes');
select is(judged('approved first', 'fail'), 'COMPLETED', 'the agent''s approval stands');
select is((task(7, 'approved first')).guardian_result ->> 'decision', 'fail', 'the Guardian''s answer is recorded');
select fixture_work(7, 'rejected first', 'SUBMITTED');
select results_eq($$select status, pays from verdict_agent(7, id('agent'), id('rejected first'), false, 'blurred', t0() + interval '30 minutes')$$,
    $$values ('DISPUTED', false)$$, 'a rejection disputes');
select is((task(7, 'rejected first')).dispute_reason, 'blurred', 'with its reason');
select is(judged('rejected first', 'pass'), 'DISPUTED', 'and stands too');
select is(books('rejected first'), null, 'without pay');

-- Neither, in any other status.
select fixture_work(7, 'begun', 'IN_PROGRESS');
select is(judged('begun', 'pass'), 'IN_PROGRESS', 'no verdict before there is a proof');
select is(decided('begun', true), 'task_state_conflict {"status": "IN_PROGRESS", "allowed": []}', 'by nobody');
select throws_ok($$select * from verdict_guardian(8, id('begun'), 'pass', '{}', 1, t0())$$, 'P0002', null, 'nor in another bucket');

-- Simulated tasks have no money.
select fixture_task(7, 'simulated', 'SUBMITTED', p_is_sandbox => true, p_reward => 10000);
select results_eq($$select status, pays, is_sandbox from verdict_agent(7, id('agent'), id('simulated'), true, null, t0() + interval '1 hour')$$,
    $$values ('COMPLETED', false, true)$$, 'a simulated task is approved without pay');
select is(clearing(), 0::numeric, 'nothing is left between the buckets');
select is(balance(9, 'operator', 'pending'), 75000000::bigint, 'three were paid');
select is(findings(), null, 'the ledger is whole');
select * from finish();
rollback;
