-- Claims: offer, estimate, the agent's answer, the operator's moves; by the right people, in time, once.
begin;
\ir shared/fixtures.sql
select no_plan();
select fixture_agent(7, 'agent', 'STANDARD', 10000000000);
select fixture_agent(7, 'stranger', 'STANDARD', 10000000000);
select fixture_operator(9, 'operator');
select fixture_operator(10, 'other');

create function fixture.claim(p_task text, p_operator text default 'operator', p_at timestamptz default t0(), p_bucket int default 7) returns text
language sql as $$
    select would_refuse(format('select claim_make(%s, %L, %L, %L, 4.5, 30, %L, 86400, %L)', p_bucket, id(p_task), id(p_operator), p_operator, 'soon', p_at))
$$;

-- Making a claim.
select fixture_task(7, 'task');
select is(claim('task', p_bucket => 8), 'task_not_found', 'a task is in one bucket alone');
select is(claim('task', p_at => t0() + interval '2 days'), 'task_expired', 'at its deadline it is no longer offered');
select is(claim('task', p_at => t0() + interval '2 days' - interval '1 millisecond'), null, 'up to then it is');
select fixture_task(7, 'simulated', p_is_sandbox => true, p_reward => 10000);
select is(claim('simulated'), 'task_not_found', 'no operator sees a simulated task');
select results_eq($$select status, operator_id, operator_name, operator_rating, estimate_minutes, estimate_note, approval_deadline, due_at
    from claim_make(7, id('task'), id('operator'), 'Robin', 4.5, 150, 'soon', 86400, t0())$$,
    $$values ('ESTIMATE_PENDING', id('operator'), 'Robin', 4.5::numeric(3, 2), 150, 'soon', t0() + interval '1 day', t0() + interval '1 day')$$,
    'a claim names operator and estimate, and has a day for its answer');
select is(claim('task', 'other'), 'task_state_conflict {"status": "ESTIMATE_PENDING", "allowed": ["withdraw"]}', 'a second one comes too late');
select is(claim('task'), 'task_state_conflict {"status": "ESTIMATE_PENDING", "allowed": ["withdraw"]}', 'whoever it is');
select is((task(7, 'task')).operator_id, id('operator'), 'and changes nothing');
select fixture_task(7, 'over', p_deadline => t0() + interval '1 hour');
select sweep_task(7, id('over'), t0() + interval '1 hour');
select is(claim('over'), 'task_expired', 'an expired task says so');
select fixture_task(7, 'taken back');
select task_cancel(7, id('agent'), id('taken back'), t0());
select is(claim('taken back'), 'task_state_conflict {"status": "CANCELLED", "allowed": []}', 'a cancelled one that it was cancelled');

-- The agent's answer.
select is(refusal_of($$select claim_approve(7, id('stranger'), id('task'), t0())$$), 'task_not_found', 'only the task''s agent approves');
select is(refusal_of($$select claim_reject(7, id('stranger'), id('task'), null, t0())$$), 'task_not_found', 'or rejects');
select is(refusal_of($$select claim_approve(8, id('agent'), id('task'), t0())$$), 'task_not_found', 'in its own bucket');
select results_eq($$select operator_id, status from claim_reject(7, id('agent'), id('task'), 'too long', t0() + interval '1 minute')$$,
    $$values (id('operator'), 'ESTIMATE_PENDING')$$, 'a rejection tells who is to hear of it');
select is((task(7, 'task')).status, 'PENDING', 'and opens the task again');
select is(num_nulls(t.operator_id, t.operator_name, t.operator_rating, t.estimate_minutes, t.estimate_note, t.approval_deadline, t.claimed_at), 7,
    'of the claim nothing is left') from task(7, 'task') t;
select is((select data ->> 'reason' from task_events(7, id('task')) where type = 'task.estimate_rejected'), 'too long', 'but its reason in the trail');
select is(refusal_of($$select claim_reject(7, id('agent'), id('task'), null, t0())$$), 'task_state_conflict {"status": "PENDING", "allowed": ["cancel"]}', 'once');
select is(claim('task', 'other', t0() + interval '2 minutes'), null, 'somebody else may claim it');
select claim_make(7, id('task'), id('other'), 'Kim', null, 30, null, 86400, t0() + interval '2 minutes');
select is(refusal_of($$select claim_withdraw(7, id('task'), id('operator'), t0())$$), 'task_not_found', 'and is then the only one to withdraw');
select is((select status from claim_withdraw(7, id('task'), id('other'), t0() + interval '3 minutes')), 'PENDING', 'a withdrawn claim opens it too');
select is((select count(*) from ledger_transactions where ref = id('task')), 1::bigint, 'the money has stayed where it was');

-- The work.
select fixture_work(7, 'work', 'ESTIMATE_PENDING');
select is(refusal_of($$select claim_start(7, id('work'), id('operator'), t0())$$),
    'task_state_conflict {"status": "ESTIMATE_PENDING", "allowed": ["withdraw"]}', 'work does not start before the agent agrees');
select results_eq($$select status, due_at from claim_approve(7, id('agent'), id('work'), t0() + interval '2 minutes')$$,
    $$values ('ACCEPTED', t0() + interval '3 days')$$, 'accepted work has until deadline and grace are over');
select is(refusal_of($$select claim_approve(7, id('agent'), id('work'), t0())$$), 'task_state_conflict {"status": "ACCEPTED", "allowed": ["cancel"]}', 'once');
select is(refusal_of($$select claim_start(7, id('work'), id('other'), t0())$$), 'task_not_found', 'another operator starts nothing');
select is(refusal_of($$select claim_start(8, id('work'), id('operator'), t0())$$), 'task_not_found', 'nor does one in another bucket');
select is((select status from claim_start(7, id('work'), id('operator'), t0() + interval '3 minutes')), 'IN_PROGRESS', 'the operator starts');
select is(refusal_of($$select claim_withdraw(7, id('work'), id('operator'), t0())$$), 'task_state_conflict {"status": "IN_PROGRESS", "allowed": ["submit"]}',
    'and can no longer withdraw');

create function fixture.submit(p_task text, p_operator text, p_at timestamptz) returns text
language sql as $$
    select would_refuse(format('select claim_submit(7, %L, %L, %L, null, 604800, %L)', id(p_task), id(p_operator), '{"notes": "done"}', p_at))
$$;
select is(submit('work', 'other', t0()), 'task_not_found', 'another operator hands in nothing');
select is(submit('work', 'operator', t0() + interval '3 days'), 'task_expired', 'after the grace it is too late');
select is(submit('work', 'operator', t0() + interval '3 days' - interval '1 millisecond'), null, 'up to then it is not');
select is((task(7, 'work')).proof, null, 'a refused proof leaves no trace');
select results_eq($$select status, proof, encrypted_credential, review_deadline, due_at from claim_submit(7, id('work'), id('operator'), '{"notes": "done"}', '{"iv": "x"}', 604800,
    t0() + interval '1 hour')$$, $$values ('SUBMITTED', '{"notes": "done"}'::jsonb, '{"iv": "x"}'::jsonb, t0() + interval '7 days 1 hour', t0() + interval '7 days 1 hour')$$,
    'a proof is kept, and its review has an end');
select results_eq($$select kind, run_at from jobs where bucket = 7 and ref = id('work') and kind = 'guardian'$$, $$values ('guardian', t0() + interval '1 hour')$$,
    'the Guardian is called');
select is(submit('work', 'operator', t0() + interval '2 hours'), 'task_state_conflict {"status": "SUBMITTED", "allowed": []}', 'once');
select is((select count(*) from jobs where bucket = 7 and ref = id('work') and kind = 'guardian'), 1::bigint, 'and called once');
select fixture_work(7, 'at once', 'ACCEPTED');
select is(submit('at once', 'operator', t0() + interval '1 hour'), null, 'work need not be started to be handed in');

-- What an open task says to an operator who is not on it.
select is(submit('task', 'operator', t0()), 'task_state_conflict {"status": "PENDING", "allowed": ["accept"]}', 'an open task can be claimed first');
select is(refusal_of($$select claim_start(7, id('task'), id('operator'), t0())$$), 'task_state_conflict {"status": "PENDING", "allowed": ["accept"]}', 'then started');
select is(refusal_of($$select claim_withdraw(7, id('task'), id('operator'), t0())$$), 'task_state_conflict {"status": "PENDING", "allowed": ["accept"]}', 'or withdrawn');
select is((task(7, 'task')).status || num_nonnulls((task(7, 'task')).operator_id, (task(7, 'task')).proof), 'PENDING0', 'and nothing has happened to it');
select is(refusal_of($$select claim_start(7, id('simulated'), id('operator'), t0())$$), 'task_not_found', 'a simulated one is not there');

-- The feed.
select is((select array_agg(distinct n.name) from feed_open_everywhere(null, null, null, null, null, 100, 0, t0()) f join fixture.names n using (id)), '{task}',
    'offered is what is open, real and in time');
select is_empty($$select * from feed_open_everywhere(null, null, null, null, null, 100, 0, t0() + interval '2 days')$$, 'and no longer than that');
select is((select count(*) from feed_show(7, id('task'), id('operator'), t0())), 1::bigint, 'anybody may look at an offer');
select is((select count(*) from feed_show(7, id('work'), id('operator'), t0())), 1::bigint, 'its operator at the work');
select is_empty($$select * from feed_show(7, id('work'), id('other'), t0())$$, 'nobody else');
select is((select array_agg(n.name order by n.name) from feed_mine_everywhere(id('operator'), null, 10, 0) f join fixture.names n using (id)), '{"at once",work}', 'and sees it among the own');
select is(findings(), null, 'the ledger is whole');
select * from finish();
rollback;
