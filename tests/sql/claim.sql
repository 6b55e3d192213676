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
select is(refusal_of($$select claim_withdraw(7, id('work'), id('operator'), t0())$$), 'task_state_conflict {"status": "IN_PROGRESS", "allowed": ["abort", "submit"]}',
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

-- Stopping.
select fixture_operator(10, 'third');
create function fixture.stop(p_task text, p_operator text, p_reason text default 'unsafe', p_note text default null, p_at timestamptz default t0() + interval '1 hour',
    p_bucket int default 7) returns text
language sql as $$
    select coalesce(would_refuse(format('select claim_abort(%s, %L, %L, %L, %L, %L, %L)', p_bucket, id(p_task), id(p_operator), p_reason,
        id_new(p_bucket, p_at), p_note, p_at)), 'would')
$$;
select fixture_work(7, 'begun', 'IN_PROGRESS', p_callback => 'https://example.com/');
select message_add(7, id('begun'), id_new(7, t0()), 'agent', id('agent'), 'The code is 4711.', t0() + interval '30 minutes');
select is(stop('begun', 'other'), 'task_not_found', 'only its own operator can stop');
select is(stop('begun', 'operator', p_bucket => 8), 'task_not_found', 'in its own bucket');
select is(stop('begun', 'operator'), 'would', 'work that has begun can be stopped');
select fixture_work(7, 'not agreed', 'ESTIMATE_PENDING');
select is(stop('not agreed', 'operator'), 'task_state_conflict {"status": "ESTIMATE_PENDING", "allowed": ["withdraw"]}', 'a claim is withdrawn instead');
select fixture_work(7, 'agreed', 'ACCEPTED');
select is(stop('agreed', 'operator', p_at => t0() + interval '2 days 1 hour'), 'would', 'also within the grace, and before it was begun');
select fixture_work(7, 'handed in', 'SUBMITTED');
select is(stop('handed in', 'operator'), 'task_state_conflict {"status": "SUBMITTED", "allowed": []}', 'what is handed in is past stopping');

select results_eq($$select status, operator_id, estimate_minutes, accepted_at, started_at, safety_stops, due_at
    from claim_abort(7, id('begun'), id('operator'), 'unsafe', id_new(7, t0()), 'A dog is loose here.', t0() + interval '1 hour')$$,
    $$values ('PENDING', null::uuid, null::int, null::timestamptz, null::timestamptz, 1, t0() + interval '2 days')$$,
    'the task is open again, without the claim, and expires at its deadline');
select results_eq($$select type, actor, actor_id, from_status, data ->> 'abort_reason', data -> 'message' ->> 'text' from task_events(7, id('begun')) where to_status = 'PENDING' and from_status is not null$$,
    $$values ('task.aborted', 'operator', id('operator'), 'IN_PROGRESS', 'unsafe', 'A dog is loose here.')$$, 'one event says why, with the last words');
select results_eq($$select type from deliveries where task_id = id('begun') order by at desc, id desc limit 1$$, $$values ('task.aborted')$$, 'and is sent');
select is((select array_agg(text) from message_list(7, id('begun'), 10)), '{The code is 4711.,A dog is loose here.}', 'the words stand among the messages too');
select is(balance(7, 'agent', 'escrow') - (select coalesce(sum(t.reward + t.fee), 0) from tasks t where t.bucket = 7 and not t.is_sandbox and t.status <> 'CANCELLED' and not t.is_paid), 0::numeric,
    'the money is where it was');
select is(stop('begun', 'operator'), 'task_state_conflict {"status": "PENDING", "allowed": ["accept"]}', 'once');

-- back: the task of that name once more with that operator, who has begun.
create function fixture.back(p_task text, p_operator text) returns void
language plpgsql as $$
begin
    perform claim_make(7, id(p_task), id(p_operator), p_operator, null, 30, null, 86400, t0() + interval '2 hours');
    perform claim_approve(7, id('agent'), id(p_task), t0() + interval '2 hours');
    perform claim_start(7, id(p_task), id(p_operator), t0() + interval '2 hours');
end $$;
-- again: how that operator's stop leaves it.
create function fixture.again(p_task text, p_operator text, p_reason text default 'unsafe') returns text
language plpgsql as $$
declare t tasks;
begin
    perform back(p_task, p_operator);
    select * into t from claim_abort(7, id(p_task), id(p_operator), p_reason, id_new(7, t0()), null, t0() + interval '3 hours');
    return t.status || ' ' || t.safety_stops;
end $$;
select is(again('begun', 'operator'), 'PENDING 1', 'one who stops twice counts once');
select back('begun', 'other');
select is_empty($$select * from message_list(7, id('begun'), 10, id('other'))$$, 'who comes later does not read what was said before');
select message_add(7, id('begun'), id_new(7, t0()), 'agent', id('agent'), 'Use the back door.', t0() + interval '2 hours 30 minutes');
select is((select array_agg(text) from message_list(7, id('begun'), 10, id('other'))), '{Use the back door.}', 'but what is said since');
select is((select array_agg(text) from message_list(7, id('begun'), 10, id('operator'))), '{The code is 4711.,A dog is loose here.}', 'nor does the one before');
select is((select array_agg(text) from message_list(7, id('begun'), 10)), '{The code is 4711.,A dog is loose here.,Use the back door.}', 'the agent reads all');
select is((select status || safety_stops from claim_abort(7, id('begun'), id('other'), 'cannot_complete', id_new(7, t0()), null, t0() + interval '3 hours')), 'PENDING1',
    'who cannot is not counted');
select is(again('begun', 'other'), 'PENDING 2', 'a second who does not feel safe is');
select is((select f.safety_stops from feed_open_everywhere(null, null, null, null, null, 100, 0, t0()) f where f.id = id('begun')), 2, 'operators see it before they claim');
select is(again('begun', 'third'), 'CANCELLED 3', 'at the third the task ends');
select results_eq($$select e.type, e.actor, e.from_status, e.to_status from task_events(7, id('begun')) e order by e.at desc, e.id desc limit 2$$,
    $$values ('task.cancelled', 'system', 'PENDING', 'CANCELLED'), ('task.aborted', 'operator', 'IN_PROGRESS', 'PENDING')$$, 'by a move of its own');
select results_eq($$select cancel_reason, due_at, (select array_agg(kind order by kind) from ledger_transactions where ref = id('begun')) from task(7, 'begun')$$,
    $$values ('unsafe', null::timestamptz, '{escrow_hold,escrow_refund}'::text[])$$, 'and is refunded');
select is((select array_agg(type order by at, id) from (select * from deliveries where task_id = id('begun') order by at desc, id desc limit 2) d), '{task.aborted,task.cancelled}', 'both are sent');
select claim_abort(7, id('agreed'), id('operator'), 'cannot_complete', id_new(7, t0()), null, t0() + interval '2 days 1 hour');
select is((select event from sweep_task(7, id('agreed'), t0() + interval '2 days 1 hour')), 'expire', 'one given back after its deadline expires with the next sweep');

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
select is((select array_agg(n.name order by n.name) from feed_mine_everywhere(id('operator'), null, 10, 0) f join fixture.names n using (id)), '{"at once","handed in","not agreed",work}', 'and sees it among the own');
select is(findings(), null, 'the ledger is whole');
select * from finish();
rollback;
