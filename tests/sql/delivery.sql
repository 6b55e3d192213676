-- Webhooks out: one delivery for each event that is sent, a row for each attempt, and delivery again on request.
begin;
\ir shared/fixtures.sql
select no_plan();
select fixture_agent(7, 'agent', 'STANDARD', 100000000);
select fixture_agent(7, 'other', 'STANDARD', 100000000);
select fixture_task(7, 'task', 'ESTIMATE_PENDING', p_callback => 'https://example.com/hook');
select name_id('claimed', (select d.id from deliveries d where d.bucket = 7 and task_id = id('task')));
create function fixture.delivery(p_name text) returns deliveries
language sql as $$ select d from deliveries d where bucket = 7 and d.id = id(p_name) $$;
create function fixture.job_of(p_name text) returns jobs
language sql as $$ select j from jobs j where bucket = 7 and kind = 'webhook' and ref = id(p_name) $$;
-- run: the worker takes the delivery's job and tells how its attempt went.
create function fixture.run(p_name text, p_state text, p_next timestamptz, p_status int, p_at timestamptz) returns int
language plpgsql as $$
declare j jobs := fixture.job_of(p_name);
begin
    update jobs set attempts = attempts + 1, run_at = p_at + interval '1 minute' where bucket = 7 and jobs.id = j.id;
    perform delivery_result(7, id(p_name), j.id, j.attempts + 1, p_state, p_next, p_status, 'answer ' || p_status, 12, p_at);
    return j.attempts + 1;
end $$;

-- What is queued with a move.
select results_eq($$select type, state, attempts, next_at from deliveries where bucket = 7 and task_id = id('task')$$,
    $$values ('task.claimed', 'pending', 0, t0() + interval '1 minute')$$, 'an event that is sent becomes a delivery, due at once');
select is((job_of('claimed')).run_at || ' ' || (job_of('claimed')).max_attempts, t0() + interval '1 minute' || ' 10', 'with a job of ten attempts');
select is((delivery('claimed')).event_id, (select e.id from events e where e.bucket = 7 and e.task_id = id('task') and e.type = 'task.claimed'),
    'it carries that event');
select results_eq($$select task_id, type, state, callback_url, is_sandbox, at, to_status from delivery_load(7, id('claimed'))$$,
    $$values (id('task'), 'task.claimed', 'pending', 'https://example.com/hook', false, t0() + interval '1 minute', 'ESTIMATE_PENDING')$$,
    'the worker gets all that it sends');
select is_empty($$select 1 from delivery_load(8, id('claimed'))$$, 'from its own bucket only');
select is_empty($$select 1 from delivery_load(7, gen_random_uuid())$$, 'and nothing for an id that is none');

-- Events of one instant, and an instant between two milliseconds.
select fixture_task(7, 'quick', 'SUBMITTED', p_callback => 'https://example.com/hook');
select task_move(7, id('quick'), e, 'guardian', null, '{}', t0() + interval '1 hour 0.0005 seconds') from unnest(array['pass', 'complete']) e;
select results_eq($$select d.type, l.type, l.to_status from deliveries d cross join lateral delivery_load(7, d.id) l
    where d.bucket = 7 and d.task_id = id('quick') and d.at = t0() + interval '1 hour' order by d.id$$,
    $$values ('task.verified', 'task.verified', 'VERIFIED'), ('task.completed', 'task.completed', 'COMPLETED')$$,
    'two events of one instant are two deliveries in their order, each with its own');

-- Attempts.
select run('claimed', 'pending', t0() + interval '1 hour', 500, t0() + interval '2 minutes');
select is((delivery('claimed')).state || ' ' || (delivery('claimed')).attempts || ' ' || (delivery('claimed')).last_status, 'pending 1 500', 'a failed attempt is recorded');
select is((job_of('claimed')).run_at, t0() + interval '1 hour', 'and tried again when the worker says');
select delivery_result(7, id('claimed'), (job_of('claimed')).id, 0, 'delivered', null, 200, null, 9, t0() + interval '3 minutes');
select is((delivery('claimed')).state, 'pending', 'one who was slower than its lease changes nothing');
select is((select count(*) from delivery_attempts where bucket = 7 and delivery_id = id('claimed')), 2::bigint, 'though its attempt is on record');
select is(refusal_of($$select delivery_redeliver(7, id('agent'), id('task'), id('claimed'), t0())$$), 'delivery_in_progress', 'what is still tried is not sent again');
select run('claimed', 'delivered', null, 204, t0() + interval '1 hour');
select is((delivery('claimed')).state || ' ' || (delivery('claimed')).delivered_at, 'delivered ' || (t0() + interval '1 hour'), 'a success ends it');
select is((job_of('claimed')).id, null, 'with its job');

-- Again, on request.
select is(refusal_of($$select delivery_redeliver(7, id('other'), id('task'), id('claimed'), t0())$$), 'delivery_not_found', 'not for another agent');
select is(refusal_of($$select delivery_redeliver(7, id('agent'), id('quick'), id('claimed'), t0())$$), 'delivery_not_found', 'nor by another task');
select is(refusal_of($$select delivery_redeliver(8, id('agent'), id('task'), id('claimed'), t0())$$), 'delivery_not_found', 'nor in another bucket');
select delivery_redeliver(7, id('agent'), id('task'), id('claimed'), t0() + interval '1 day');
select is((delivery('claimed')).state || ' ' || (delivery('claimed')).attempts || ' ' || coalesce((delivery('claimed')).delivered_at::text, '-'), 'pending 0 -', 'it begins anew');
select is((job_of('claimed')).run_at || ' ' || (job_of('claimed')).attempts, t0() + interval '1 day' || ' 0', 'with ten attempts of its own, at once');
select is(refusal_of($$select delivery_redeliver(7, id('agent'), id('task'), id('claimed'), t0())$$), 'delivery_in_progress', 'asked twice it is sent once');
select is((select event_id from delivery_load(7, id('claimed'))), (delivery('claimed')).event_id, 'under the same event');

-- To the tenth attempt.
do $$ begin perform fixture.run('claimed', 'pending', t0() + n * interval '1 hour', 500, t0() + interval '1 day' + n * interval '1 hour')
    from generate_series(1, 9) n; end $$;
select is((job_of('claimed')).is_dead, false, 'nine failures leave one more try');
select is(run('claimed', 'failed', null, 500, t0() + interval '2 days'), 10, 'the tenth');
select is((delivery('claimed')).state || ' ' || coalesce((job_of('claimed')).id::text, '-'), 'failed -', 'ends as failed, and no job stays behind');
select delivery_redeliver(7, id('agent'), id('task'), id('claimed'), t0() + interval '3 days');
select is((delivery('claimed')).state, 'pending', 'what has failed can be sent again');

-- The log.
select is((select jsonb_array_length(attempts) from delivery_list(7, id('agent'), id('task'))), 13, 'the log shows every attempt');
select is((select attempts -> 0 from delivery_list(7, id('agent'), id('task'))),
    '{"attempt": 1, "status": 500, "error": "answer 500", "duration_ms": 12, "at": "2026-02-06T14:02:00.000Z"}'::jsonb, 'with what came of it');
select is((select array_agg(type) from delivery_list(7, id('agent'), id('quick'))), '{task.claimed,task.submitted,task.verified,task.completed}',
    'deliveries in their order');
select is((select max(jsonb_array_length(attempts)) from delivery_list(7, id('agent'), id('quick'))), 0, 'one without an attempt has an empty list');
select is(refusal_of($$select delivery_list(7, id('other'), id('task'))$$), 'task_not_found', 'another agent''s log is not there');
select * from finish();
rollback;
