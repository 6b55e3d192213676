-- Tasks: the moves of spec section 4, and nothing beside them.  Locks: agent, then task, then accounts.

-- task_create: posts a task and escrows its money, or starts a simulated one.  Tier limits, the key's budget and the
-- deposit are judged under a lock on the agent, so that requests at the same instant cannot share one limit.
-- Fails: agent_suspended, tier_limit_exceeded, key_budget_exceeded, insufficient_balance.
create or replace function task_create(p_bucket int, p_agent uuid, p_key uuid, p_task uuid, p_is_sandbox boolean,
    p_scenario text, p_title text, p_description text, p_lat float8, p_lng float8, p_address text, p_reward bigint,
    p_deadline timestamptz, p_grace_s int, p_requirements jsonb, p_type text, p_domain text, p_proof_type text,
    p_instructions text, p_callback_url text, p_callback_secret bytea, p_public_key text, p_now timestamptz)
returns setof tasks
language plpgsql as $$
declare
    a agents;
    t tasks;
    v_spend bigint;
    v_deposit bigint;
    v_owed bigint;                              -- for a deposit that vanished when it was spent already
begin
    select * into strict a from agents where bucket = p_bucket and id = p_agent for update;
    if a.suspended_at is not null then
        perform refuse('agent_suspended');
    end if;
    v_spend := task_check_limits(p_bucket, a, p_key, p_is_sandbox, p_reward, p_now);
    insert into tasks (bucket, id, agent_id, key_id, status, is_sandbox, scenario, title, description, lat, lng, address,
        reward, fee, deadline, late_at, proof_requirements, task_type, task_domain, proof_type, digital_instructions,
        callback_url, callback_secret, agent_public_key, due_at, created_at)
    values (p_bucket, p_task, p_agent, p_key, 'PENDING', p_is_sandbox, p_scenario, p_title, p_description, p_lat, p_lng,
        p_address, p_reward, fee_of(p_reward, v_spend), p_deadline, p_deadline + p_grace_s * interval '1 second',
        p_requirements, p_type, p_domain, p_proof_type, p_instructions, p_callback_url, p_callback_secret, p_public_key,
        p_deadline, p_now)
    returning * into t;
    perform event_add(p_bucket, t, 'task.created', 'agent', p_agent, null, '{}', p_now);
    if t.is_sandbox then
        perform job_add(p_bucket, 'sandbox', p_task, '{}', p_now, 50, p_now);
        return next t;
        return;
    end if;
    perform task_check_budget(p_bucket, p_agent, p_key, t.reward + t.fee, p_now);
    select d.balance, -r.balance into v_deposit, v_owed from accounts d
    join accounts r on r.bucket = d.bucket and r.party_id = d.party_id and r.kind = 'receivable'
    where d.bucket = p_bucket and d.party_id = p_agent and d.kind = 'deposit' for update of d;
    if v_deposit - v_owed < t.reward + t.fee then
        perform refuse('insufficient_balance', jsonb_strip_nulls(jsonb_build_object('required_usd', usd(t.reward + t.fee),
            'reward_usd', usd(t.reward), 'platform_fee', usd(t.fee), 'deposit_balance', usd(v_deposit),
            'owed_usd', usd(nullif(v_owed, 0)))));
    end if;
    perform escrow_hold(p_bucket, t, p_now);
    return next t;
end $$;

-- task_check_limits: refuses what the tier does not allow today; returns the trailing 30 days' spend for the fee.
create or replace function task_check_limits(p_bucket int, a agents, p_key uuid, p_is_sandbox boolean, p_reward bigint,
    p_now timestamptz) returns bigint
language plpgsql as $$
declare
    l tiers;
    u record;
    v_tasks bigint;
    v_spend bigint;
    v_over text;
begin
    select * into strict l from tiers where name = case when p_is_sandbox then 'SANDBOX' else a.tier end;
    select * into strict u from agent_usage(p_bucket, a.id, p_key, p_now);
    v_tasks := case when p_is_sandbox then u.sandbox_tasks_today else u.tasks_today end;
    v_spend := case when p_is_sandbox then u.sandbox_spend_today else u.spend_today end;
    v_over := case
        when not p_is_sandbox and a.tier = 'SANDBOX' then 'mode'
        when p_reward > l.max_task_value then 'max_task_value_usd'
        when v_tasks >= l.max_daily_tasks then 'max_daily_tasks'
        when v_spend + p_reward > l.max_daily_spend then 'max_daily_spend_usd' end;
    if v_over is not null then
        perform refuse('tier_limit_exceeded', jsonb_build_object('exceeded', v_over, 'tier', a.tier, 'sandbox', p_is_sandbox,
            'limits', jsonb_build_object('max_daily_tasks', l.max_daily_tasks,
                'max_task_value_usd', usd(l.max_task_value), 'max_daily_spend_usd', usd(l.max_daily_spend)),
            'used_today', jsonb_build_object('tasks', v_tasks, 'spend_usd', usd(v_spend)),
            'resets_at', to_char((today(p_now) + interval '24 hours') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS".000Z"'),
            'how_to_upgrade', (select upgrade from tiers where name = a.tier)));
    end if;
    return u.spend_30_days;
end $$;

-- task_check_budget: refuses what would take a key past its daily budget (reward and fee of its real tasks).  The new task
-- is among them already.
create or replace function task_check_budget(p_bucket int, p_agent uuid, p_key uuid, p_cost bigint, p_now timestamptz)
returns void
language plpgsql as $$
declare
    v_budget bigint;
    v_spent bigint;
begin
    select budget into strict v_budget from api_keys where bucket = p_bucket and id = p_key;
    if v_budget is not null then
        select key_spend_today into strict v_spent from agent_usage(p_bucket, p_agent, p_key, p_now);
        if v_spent > v_budget then
            perform refuse('key_budget_exceeded', jsonb_build_object('max_daily_spend_usd', usd(v_budget),
                'spent_today_usd', usd(v_spent - p_cost), 'required_usd', usd(p_cost)));
        end if;
    end if;
end $$;

-- task_move(bucket, task, event, actor, actor_id, data, now): the one writer of a status.  The move must be a row of
-- task_moves for this actor; a simulated task takes any of its moves from the simulation.  Writes the event, and a webhook
-- where the row says so.  The caller has locked the task and changed its other columns before.  A caller that had to wait for
-- the task may come with an earlier time than the move before it: the trail stays in the order of the moves all the same.
-- Fails: task_state_conflict, with the present status and what this actor may do in it.
create or replace function task_move(p_bucket int, p_task uuid, p_event text, p_actor text, p_actor_id uuid, p_data jsonb,
    p_now timestamptz) returns setof tasks
language plpgsql as $$
declare
    t tasks;
    m task_moves;
    v_from text;
    v_now timestamptz;
begin
    select * into strict t from tasks where bucket = p_bucket and id = p_task for update;
    select * into m from task_moves
    where from_status = t.status and event = p_event and (actor = p_actor or (p_actor = 'sandbox' and t.is_sandbox));
    if not found then
        perform refuse('task_state_conflict', jsonb_build_object('status', t.status, 'allowed',
            (select coalesce(jsonb_agg(event order by event), '[]') from task_moves
            where from_status = t.status and actor = p_actor)));
    end if;
    select greatest(p_now, max(at)) into v_now from events where bucket = p_bucket and task_id = p_task and at > p_now;
    v_from := t.status;
    t.status := m.to_status;
    t := task_stamp(t, v_from, p_event, v_now);
    update tasks set status = t.status, moves = t.moves, due_at = t.due_at, claimed_at = t.claimed_at,
        accepted_at = t.accepted_at, started_at = t.started_at, submitted_at = t.submitted_at, verified_at = t.verified_at,
        completed_at = t.completed_at, cancelled_at = t.cancelled_at, cancel_reason = t.cancel_reason,
        operator_id = t.operator_id, operator_name = t.operator_name, operator_rating = t.operator_rating,
        estimate_minutes = t.estimate_minutes, estimate_note = t.estimate_note, approval_deadline = t.approval_deadline
    where bucket = p_bucket and id = p_task;
    perform event_add(p_bucket, t, m.notice, p_actor, p_actor_id, v_from, p_data, v_now);
    if m.is_sent and t.callback_url is not null then
        perform delivery_add(p_bucket, t, m.notice, v_now);
    end if;
    return next t;
end $$;

-- task_stamp: the times, the timer and the claim that go with a new status.
create or replace function task_stamp(t tasks, p_from text, p_event text, p_now timestamptz) returns tasks
language plpgsql immutable as $$
begin
    t.moves := t.moves + 1;
    case t.status
        when 'PENDING' then
            t.operator_id := null; t.operator_name := null; t.operator_rating := null;
            t.estimate_minutes := null; t.estimate_note := null; t.approval_deadline := null; t.claimed_at := null;
            t.accepted_at := null; t.started_at := null;
        when 'ESTIMATE_PENDING' then t.claimed_at := p_now;
        when 'ACCEPTED' then t.accepted_at := p_now;
        when 'IN_PROGRESS' then t.started_at := p_now;
        when 'SUBMITTED' then
            if p_from <> 'SUBMITTED' then
                t.submitted_at := p_now;
            end if;
        when 'VERIFIED' then t.verified_at := p_now;
        when 'COMPLETED' then
            t.verified_at := coalesce(t.verified_at, p_now);
            t.completed_at := coalesce(t.completed_at, p_now);
        when 'CANCELLED' then
            t.cancelled_at := p_now;
            t.cancel_reason := case p_event when 'cancel' then 'agent' when 'expire' then 'expired' when 'give_up' then 'unsafe'
                else 'dispute' end;
        else null;
    end case;
    t.due_at := case t.status
        when 'PENDING' then t.deadline
        when 'ESTIMATE_PENDING' then least(t.approval_deadline, t.deadline)
        when 'ACCEPTED' then t.late_at
        when 'IN_PROGRESS' then t.late_at
        when 'SUBMITTED' then t.review_deadline
        -- Of a simulated dispute no staff will ever hear: after a day it ends as a refund.
        when 'DISPUTED' then case when t.is_sandbox then p_now + interval '1 day' end end;
    return t;
end $$;

-- event_add: the audit trail's row; its id sorts by instant and then by the task's number of moves.  Its time is the
-- id's, to the millisecond: that is where delivery_load looks for it.
create or replace function event_add(p_bucket int, t tasks, p_type text, p_actor text, p_actor_id uuid, p_from text,
    p_data jsonb, p_now timestamptz) returns void
language plpgsql as $$
declare v_id uuid := id_new(p_bucket, p_now, t.moves);
begin
    insert into events (bucket, at, id, agent_id, task_id, type, actor, actor_id, from_status, to_status, data)
    values (p_bucket, id_time(v_id), v_id, t.agent_id, t.id, p_type, p_actor, p_actor_id, p_from, t.status, p_data);
end $$;

-- task_cancel: the agent takes a task back that nobody has begun; what was held returns to the deposit.
-- Fails: task_not_found, task_state_conflict.
create or replace function task_cancel(p_bucket int, p_agent uuid, p_task uuid, p_now timestamptz)
returns table (refunded bigint, is_sandbox boolean, operator_id uuid)
language plpgsql as $$
#variable_conflict use_column
declare t tasks;
begin
    select * into t from tasks where bucket = p_bucket and id = p_task and agent_id = p_agent for update;
    if not found then
        perform refuse('task_not_found');
    end if;
    perform task_move(p_bucket, p_task, 'cancel', 'agent', p_agent, '{}', p_now);
    if not t.is_sandbox then
        perform escrow_refund(p_bucket, t, p_now);
    end if;
    return query select case when t.is_sandbox then 0 else t.reward + t.fee end, t.is_sandbox, t.operator_id;
end $$;

-- task_show: one task of an agent; no row if it is not the agent's.
create or replace function task_show(p_bucket int, p_agent uuid, p_task uuid) returns setof tasks
language plpgsql as $$
begin
    return query select * from tasks where bucket = p_bucket and id = p_task and agent_id = p_agent;
end $$;

-- task_any: any task, for staff and for jobs.
create or replace function task_any(p_bucket int, p_task uuid) returns setof tasks
language plpgsql as $$
begin
    return query select * from tasks where bucket = p_bucket and id = p_task;
end $$;

-- task_events: a task's audit trail, oldest first.
create or replace function task_events(p_bucket int, p_task uuid) returns setof events
language plpgsql as $$
declare v_since timestamptz;
begin
    select created_at into v_since from tasks where bucket = p_bucket and id = p_task;
    return query select * from events
    where bucket = p_bucket and task_id = p_task and at >= v_since order by at, id;
end $$;

-- task_list: an agent's tasks, newest first, of one status or all; from after task p_after on, or from an offset.
create or replace function task_list(p_bucket int, p_agent uuid, p_status text, p_after uuid, p_limit int, p_offset int)
returns setof tasks
language plpgsql as $$
declare v_at timestamptz := timestamptz 'infinity';
begin
    if p_after is not null then
        select created_at into v_at from tasks where bucket = p_bucket and agent_id = p_agent and id = p_after;
        if not found then
            perform refuse('cursor_invalid');
        end if;
    end if;
    return query select * from tasks
    where bucket = p_bucket and agent_id = p_agent and (p_status is null or status = p_status)
        and (p_after is null or (created_at, id) < (v_at, p_after))
    order by created_at desc, id desc limit p_limit offset p_offset;
end $$;

-- task_count: how many task_list would give without a limit.
create or replace function task_count(p_bucket int, p_agent uuid, p_status text) returns bigint
language plpgsql as $$
declare v_count bigint;
begin
    select count(*) into v_count from tasks
    where bucket = p_bucket and agent_id = p_agent and (p_status is null or status = p_status);
    return v_count;
end $$;

-- task_rate: the agent's rating of finished work, once.  Fails: task_not_found, task_state_conflict, already_rated.
create or replace function task_rate(p_bucket int, p_agent uuid, p_task uuid, p_rating int, p_comment text, p_now timestamptz)
returns setof tasks
language plpgsql as $$
declare t tasks;
begin
    select * into t from tasks where bucket = p_bucket and id = p_task and agent_id = p_agent for update;
    if not found then
        perform refuse('task_not_found');
    elsif t.status <> 'COMPLETED' then
        perform refuse('task_state_conflict', jsonb_build_object('status', t.status, 'allowed', '[]'::jsonb));
    elsif t.rated_at is not null then
        perform refuse('already_rated');
    end if;
    update tasks set rating = p_rating, rating_comment = p_comment, rated_at = p_now
    where bucket = p_bucket and id = p_task returning * into t;
    return next t;
end $$;
