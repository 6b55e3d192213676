-- Webhooks out (spec 8): a delivery for each event that is sent, and a row for each attempt.

-- delivery_add: queues the newest event of a task, in the transaction that made it.
create or replace function delivery_add(p_bucket int, t tasks, p_type text, p_now timestamptz) returns void
language plpgsql as $$
declare
    v_id uuid := id_new(p_bucket, p_now, t.moves);
    v_event uuid;
    v_at timestamptz := id_time(v_id);
begin
    select id into strict v_event from events
    where bucket = p_bucket and at = v_at and task_id = t.id order by id desc limit 1;
    insert into deliveries (bucket, at, id, agent_id, task_id, event_id, type, state, next_at)
    values (p_bucket, v_at, v_id, t.agent_id, t.id, v_event, p_type, 'pending', p_now);
    perform job_add(p_bucket, 'webhook', v_id, '{}', p_now, 10, p_now);
end $$;

-- delivery_load: what the worker needs to send one: where to, the sealed secret, and the event.
create or replace function delivery_load(p_bucket int, p_delivery uuid)
returns table (task_id uuid, event_id uuid, type text, state text, callback_url text, callback_secret bytea,
    is_sandbox boolean, at timestamptz, to_status text, data jsonb)
language plpgsql as $$
#variable_conflict use_column
declare
    v_at timestamptz := id_time(p_delivery);
    d deliveries;
begin
    select * into d from deliveries x where x.bucket = p_bucket and x.at = v_at and x.id = p_delivery;
    v_at := id_time(d.event_id);
    return query
    select t.id, e.id, d.type, d.state, t.callback_url, t.callback_secret, t.is_sandbox, e.at, e.to_status, e.data
    from tasks t
    join events e on e.bucket = p_bucket and e.at = v_at and e.id = d.event_id
    where t.bucket = p_bucket and t.id = d.task_id;
end $$;

-- delivery_result: records an attempt and settles its job in one step: finished (delivered, or failed for good when
-- p_next is null), or again at p_next.
create or replace function delivery_result(p_bucket int, p_delivery uuid, p_job uuid, p_attempts int, p_state text,
    p_next timestamptz, p_status int, p_error text, p_duration_ms int, p_now timestamptz) returns void
language plpgsql as $$
declare
    v_at timestamptz := id_time(p_delivery);
    v_id uuid := id_new(p_bucket, p_now);
    v_held boolean;
begin
    if p_state = 'pending' then
        v_held := job_retry(p_bucket, p_job, p_attempts, p_next, p_error);
    else
        v_held := job_finish(p_bucket, p_job, p_attempts);
    end if;
    insert into delivery_attempts (bucket, at, id, delivery_id, attempt, status, error, duration_ms)
    values (p_bucket, p_now, v_id, p_delivery, p_attempts, p_status, p_error, p_duration_ms);
    if v_held then
        update deliveries set state = p_state, attempts = p_attempts, next_at = p_next, last_status = p_status,
            last_error = p_error, delivered_at = case when p_state = 'delivered' then p_now end
        where bucket = p_bucket and at = v_at and id = p_delivery;
    end if;
end $$;

-- delivery_list: a task's deliveries, oldest first, each with its attempts.  Fails: task_not_found.
create or replace function delivery_list(p_bucket int, p_agent uuid, p_task uuid)
returns table (id uuid, event_id uuid, type text, state text, created_at timestamptz, next_at timestamptz,
    delivered_at timestamptz, attempts jsonb)
language plpgsql as $$
#variable_conflict use_column
declare t tasks;
begin
    select * into t from tasks k where k.bucket = p_bucket and k.id = p_task and k.agent_id = p_agent;
    if not found then
        perform refuse('task_not_found');
    end if;
    return query
    select d.id, d.event_id, d.type, d.state, d.at, d.next_at, d.delivered_at,
        coalesce(jsonb_agg(jsonb_build_object('attempt', a.attempt, 'status', a.status, 'error', a.error,
            'duration_ms', a.duration_ms, 'at', to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
            order by a.at, a.id) filter (where a.id is not null), '[]')
    from deliveries d
    left join delivery_attempts a on a.bucket = p_bucket and a.delivery_id = d.id and a.at >= t.created_at
    where d.bucket = p_bucket and d.task_id = p_task and d.at >= t.created_at
    group by d.bucket, d.at, d.id
    order by d.at, d.id;
end $$;

-- delivery_redeliver: sends one again that was delivered or given up, with all its attempts anew and the same id.
-- Fails: delivery_not_found, delivery_in_progress.
create or replace function delivery_redeliver(p_bucket int, p_agent uuid, p_task uuid, p_delivery uuid, p_now timestamptz)
returns void
language plpgsql as $$
declare
    d deliveries;
    v_at timestamptz := id_time(p_delivery);
begin
    select * into d from deliveries
    where bucket = p_bucket and at = v_at and id = p_delivery and task_id = p_task and agent_id = p_agent for update;
    if not found then
        perform refuse('delivery_not_found');
    elsif d.state = 'pending' then
        perform refuse('delivery_in_progress');
    end if;
    update deliveries set state = 'pending', attempts = 0, next_at = p_now, delivered_at = null
    where bucket = p_bucket and at = v_at and id = p_delivery;
    perform job_add(p_bucket, 'webhook', p_delivery, '{}', p_now, 10, p_now);
end $$;
