-- The lifecycle (spec 4), every status against every event and every actor: exactly the rows of the specification are
-- accepted, with their times and timers; all else is refused by name.  The expected table is written out here from the
-- specification's text and not read from task_moves.
begin;
\ir shared/fixtures.sql
select no_plan();

create temporary table moves (from_status text, event text, actor text, to_status text) on commit drop;
insert into moves values
    ('PENDING', 'accept', 'operator', 'ESTIMATE_PENDING'),
    ('ESTIMATE_PENDING', 'approve', 'agent', 'ACCEPTED'),
    ('ESTIMATE_PENDING', 'reject', 'agent', 'PENDING'),
    ('ESTIMATE_PENDING', 'withdraw', 'operator', 'PENDING'),
    ('ESTIMATE_PENDING', 'lapse', 'sweeper', 'PENDING'),             -- approval time over
    ('ACCEPTED', 'start', 'operator', 'IN_PROGRESS'),
    ('ACCEPTED', 'submit', 'operator', 'SUBMITTED'),
    ('IN_PROGRESS', 'submit', 'operator', 'SUBMITTED'),
    ('ACCEPTED', 'abort', 'operator', 'PENDING'),                    -- stopped, whyever
    ('IN_PROGRESS', 'abort', 'operator', 'PENDING'),
    ('PENDING', 'give_up', 'system', 'CANCELLED'),                   -- … by three who did not feel safe
    ('SUBMITTED', 'pass', 'guardian', 'VERIFIED'),                   -- confidence from 90 on …
    ('VERIFIED', 'complete', 'guardian', 'COMPLETED'),               -- … at once completed
    ('SUBMITTED', 'review', 'guardian', 'SUBMITTED'),                -- 50 to 89
    ('SUBMITTED', 'fail', 'guardian', 'DISPUTED'),                   -- below 50
    ('SUBMITTED', 'verify_approve', 'agent', 'COMPLETED'),
    ('VERIFIED', 'verify_approve', 'agent', 'COMPLETED'),
    ('SUBMITTED', 'verify_reject', 'agent', 'DISPUTED'),
    ('VERIFIED', 'verify_reject', 'agent', 'DISPUTED'),
    ('SUBMITTED', 'review_lapse', 'sweeper', 'COMPLETED'),           -- no answer in time
    ('PENDING', 'cancel', 'agent', 'CANCELLED'),
    ('ESTIMATE_PENDING', 'cancel', 'agent', 'CANCELLED'),
    ('ACCEPTED', 'cancel', 'agent', 'CANCELLED'),
    ('PENDING', 'expire', 'sweeper', 'CANCELLED'),                   -- deadline passed
    ('ESTIMATE_PENDING', 'expire', 'sweeper', 'CANCELLED'),
    ('ACCEPTED', 'expire', 'sweeper', 'CANCELLED'),                  -- deadline and grace passed
    ('IN_PROGRESS', 'expire', 'sweeper', 'CANCELLED'),
    ('COMPLETED', 'dispute', 'agent', 'DISPUTED'),
    ('DISPUTED', 'resolve_pay', 'staff', 'COMPLETED'),
    ('DISPUTED', 'resolve_split', 'staff', 'COMPLETED'),
    ('DISPUTED', 'resolve_refund', 'staff', 'CANCELLED');

create temporary view statuses as
select unnest(array['PENDING', 'ESTIMATE_PENDING', 'ACCEPTED', 'IN_PROGRESS', 'SUBMITTED', 'VERIFIED', 'COMPLETED', 'DISPUTED',
    'CANCELLED']) as status;
create temporary view actors as select unnest(array['agent', 'operator', 'guardian', 'sweeper', 'staff', 'system']) as actor;

select set_eq('select from_status, event, actor, to_status from task_moves', 'select * from moves',
    'the table of moves is the specification''s');

-- One task of each status, a real and a simulated one.  The move is made a day later, and undone.
select fixture_agent(7, 'agent', 'STANDARD', 1000000000);
select fixture_task(7, 'real ' || status, status) from statuses;
select fixture_task(7, 'simulated ' || status, status, p_reward => 10000, p_is_sandbox => true) from statuses;

create function fixture.later() returns timestamptz
language sql immutable as $$ select t0() + interval '1 day' $$;

-- attempt: what task_move makes of it: the task after the move and its newest event, or the refusal.
create function fixture.attempt(p_name text, p_event text, p_actor text) returns jsonb
language plpgsql as $$
declare
    v_name text;
    v_details text;
    v_task tasks;
    v_event events;
begin
    perform task_move(7, id(p_name), p_event, p_actor, null, '{"some": "data"}', later());
    v_task := task(7, p_name);
    select * into v_event from events e where e.bucket = 7 and e.task_id = v_task.id order by e.at desc, e.id desc limit 1;
    raise exception using errcode = 'ZZ001', message = 'undone',
        detail = jsonb_build_object('task', to_jsonb(v_task), 'event', to_jsonb(v_event));
exception
when sqlstate 'ZZ001' then
    get stacked diagnostics v_details = pg_exception_detail;
    return v_details;
when others then
    get stacked diagnostics v_name = message_text, v_details = pg_exception_detail;
    return jsonb_build_object('state', sqlstate, 'refusal', v_name, 'details', nullif(v_details, '')::jsonb);
end $$;

create temporary table attempts on commit drop as
select s.status, e.event, a.actor, m.to_status, attempt('real ' || s.status, e.event, a.actor) as result
from statuses s
cross join (select distinct event from moves) e
cross join actors a
left join moves m on m.from_status = s.status and m.event = e.event and m.actor = a.actor;
select is((select count(*) from attempts), (9 * 22 * 6)::bigint, 'every status, event and actor was tried');

select is(result -> 'task' ->> 'status', to_status, format('%s: %s by the %s makes it %s', status, event, actor, to_status))
from attempts where to_status is not null;

-- Refusals: by name, with the present status and what this actor may do instead.
select is(result, jsonb_build_object('state', 'UX001', 'refusal', 'task_state_conflict', 'details', jsonb_build_object(
        'status', status, 'allowed', (select coalesce(jsonb_agg(m.event order by m.event), '[]') from moves m
            where m.from_status = status and m.actor = a.actor))),
    format('%s: %s by the %s is refused', status, event, actor))
from attempts a where to_status is null;

-- The simulation may make any move of a simulated task, and none of a real one.
select is(attempt('simulated ' || s.status, e.event, 'sandbox') -> 'task' ->> 'status',
    (select distinct m.to_status from moves m where m.from_status = s.status and m.event = e.event),
    format('%s: %s by the simulation', s.status, e.event))
from statuses s cross join (select distinct event from moves) e;
select is_empty($$select s.status, e.event from statuses s cross join (select distinct event from moves) e
    where attempt('real ' || s.status, e.event, 'sandbox') ->> 'refusal' is distinct from 'task_state_conflict'$$,
    'the simulation moves no real task');
select throws_ok($$select task_move(7, gen_random_uuid(), 'cancel', 'agent', null, '{}', later())$$, 'P0002', null,
    'a task that is not there cannot move');
select throws_ok($$select task_move(8, id('real PENDING'), 'cancel', 'agent', null, '{}', later())$$, 'P0002', null,
    'nor one of another bucket');

-- The audit trail: each move is one event, with its actor and time.
select is(result -> 'event' ->> 'from_status' || ' ' || (result -> 'event' ->> 'to_status') || ' ' || (result -> 'event' ->> 'actor'),
    status || ' ' || to_status || ' ' || actor, format('%s: the event of %s tells from, to and by whom', status, event))
from attempts where to_status is not null;
select is_empty($$select status, event from attempts where to_status is not null and ((result -> 'event' ->> 'at')::timestamptz <> later()
    or result -> 'event' -> 'data' <> '{"some": "data"}' or (result -> 'task' ->> 'moves')::int <> (task(7, 'real ' || status)).moves + 1)$$,
    'the event tells when and what, and the moves are counted');

select fixture_task(7, 'overtaken', 'ACCEPTED', p_callback => 'https://example.com/');
select task_cancel(7, id('agent'), id('overtaken'), t0() + interval '1 second');
select results_eq($$select to_status, at from task_events(7, id('overtaken'))$$, $$values ('PENDING', t0()), ('ESTIMATE_PENDING', t0() + interval '1 minute'),
    ('ACCEPTED', t0() + interval '2 minutes'), ('CANCELLED', t0() + interval '2 minutes')$$,
    'a move that had to wait, and comes with an earlier time than the one before it, still stands behind it');
select is((task(7, 'overtaken')).cancelled_at, t0() + interval '2 minutes', 'also in the task''s own times');
select is((select to_status from deliveries d cross join lateral delivery_load(7, d.id) where d.task_id = id('overtaken') and d.type = 'task.cancelled'), 'CANCELLED',
    'and its webhook finds its event');

-- Times: which column a move sets, beside those that it leaves alone.
create temporary table stamps (to_status text, stamp text) on commit drop;
insert into stamps values
    ('ESTIMATE_PENDING', 'claimed_at'), ('ACCEPTED', 'accepted_at'), ('IN_PROGRESS', 'started_at'), ('SUBMITTED', 'submitted_at'),
    ('VERIFIED', 'verified_at'), ('COMPLETED', 'completed_at'), ('CANCELLED', 'cancelled_at');
select is((a.result -> 'task' ->> s.stamp)::timestamptz, later(), format('%s: %s sets %s', a.status, a.event, s.stamp))
from attempts a join stamps s using (to_status) where a.status <> a.to_status;
select is((a.result -> 'task' ->> s.stamp)::timestamptz, (to_jsonb(task(7, 'real ' || a.status)) ->> s.stamp)::timestamptz,
    format('%s: %s leaves %s alone', a.status, a.event, s.stamp))
from attempts a cross join stamps s
where a.to_status is not null and s.to_status <> a.to_status and not (a.to_status = 'PENDING' and s.stamp in ('claimed_at', 'accepted_at', 'started_at'))
    and not (a.to_status = 'COMPLETED' and s.stamp = 'verified_at');
select is((result -> 'task' ->> 'verified_at')::timestamptz, coalesce((task(7, 'real ' || status)).verified_at, later()),
    format('%s: %s: what is completed was verified, then or before', status, event))
from attempts where to_status = 'COMPLETED';
select is((result -> 'task' ->> 'submitted_at')::timestamptz, (task(7, 'real SUBMITTED')).submitted_at,
    'a review does not make the proof younger') from attempts where event = 'review' and to_status is not null;
select is(result -> 'task' ->> 'cancel_reason', case event when 'cancel' then 'agent' when 'expire' then 'expired' when 'give_up' then 'unsafe'
    else 'dispute' end,
    format('%s: %s gives the reason', status, event)) from attempts where to_status = 'CANCELLED';
select is_empty($$select event from attempts where to_status = 'PENDING' and jsonb_strip_nulls(result -> 'task')
    ?| array['operator_id', 'operator_name', 'operator_rating', 'estimate_minutes', 'estimate_note', 'approval_deadline', 'claimed_at', 'accepted_at',
    'started_at']$$,
    'a task that goes back keeps nothing of the claim');

-- Timers: what each status waits for.
select is((result -> 'task' ->> 'due_at')::timestamptz, case to_status
        when 'PENDING' then (task(7, 'real PENDING')).deadline
        when 'ESTIMATE_PENDING' then (task(7, 'real PENDING')).deadline
        when 'ACCEPTED' then (task(7, 'real PENDING')).deadline + interval '1 day'
        when 'IN_PROGRESS' then (task(7, 'real PENDING')).deadline + interval '1 day' end,
    format('%s: %s by the %s sets the timer of %s', status, event, actor, to_status))
from attempts where to_status is not null;
select fixture_task(7, 'far', 'ESTIMATE_PENDING', p_deadline => t0() + interval '30 days');
select is((task(7, 'far')).due_at, (task(7, 'far')).approval_deadline, 'an estimate waits for its approval time, if that ends before the deadline');
select fixture_task(7, 'near', 'ESTIMATE_PENDING', p_deadline => t0() + interval '2 hours');
select is((task(7, 'near')).due_at, (task(7, 'near')).deadline, 'and for the deadline if that is sooner');
select fixture_task(7, 'reviewed', 'SUBMITTED');
select walk(7, id('reviewed'), '{review}', later());
select is((task(7, 'reviewed')).due_at, (task(7, 'reviewed')).review_deadline, 'a review waits for its own time');
select ok((task(7, 'reviewed')).due_at is not null, 'and has one');
select ok(
    exists (select from attempts a where a.to_status = s.status and a.result -> 'task' ->> 'due_at' is not null)
    or exists (select from moves m where m.from_status = s.status and m.actor not in ('sweeper', 'system')),
    s.status || ' has a timer or somebody who can end it')
from statuses s where s.status <> 'CANCELLED';
select is_empty($$select event, to_status from attempts where to_status in ('COMPLETED', 'CANCELLED', 'DISPUTED', 'VERIFIED')
    and result -> 'task' ->> 'due_at' is not null$$, 'what waits for a person or is over has no timer');

-- Webhooks: which moves call back, if the task has an address.
create temporary table told (notice text) on commit drop;
insert into told values ('task.claimed'), ('task.submitted'), ('task.verified'), ('task.manual_review'), ('task.disputed'),
    ('task.completed'), ('task.cancelled'), ('task.aborted');
select is_empty($$select notice from task_moves where is_sent <> (notice in (select notice from told))$$, 'the events of the specification are sent, and that of an operator who stops');
select is_empty($$select d.id from deliveries d where d.bucket = 7 and d.task_id <> id('overtaken')$$, 'nothing is sent for a task without an address');
select fixture_task(7, 'told', 'COMPLETED', p_callback => 'https://example.com/hook');
select results_eq($$select type from deliveries where bucket = 7 and task_id = id('told') order by at, id$$,
    $$values ('task.claimed'), ('task.submitted'), ('task.verified'), ('task.completed')$$, 'a task that went well told of each in its order');
select * from finish();
rollback;
