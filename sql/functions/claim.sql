-- The operator's moves of a task, and the agent's answer to a claim (spec 4).  All lie in the task's bucket; whether the
-- operator may work at all (identity, suspension) is asked of the operator's bucket before, in the same transaction.

-- claim_make: claims a PENDING task with an estimate.  Fails: task_not_found (also simulated ones), task_expired,
-- task_state_conflict (also: another operator was faster).
create or replace function claim_make(p_bucket int, p_task uuid, p_operator uuid, p_name text, p_rating float8,
    p_minutes int, p_note text, p_approval_s int, p_now timestamptz) returns setof tasks
language plpgsql as $$
declare t tasks;
begin
    select * into t from tasks where bucket = p_bucket and id = p_task and not is_sandbox for update;
    if not found then
        perform refuse('task_not_found');
    elsif t.cancel_reason = 'expired' or (t.status in ('PENDING', 'ESTIMATE_PENDING') and t.deadline <= p_now) then
        perform refuse('task_expired');
    end if;
    if t.status = 'PENDING' then
        update tasks set operator_id = p_operator, operator_name = p_name, operator_rating = p_rating,
            estimate_minutes = p_minutes, estimate_note = p_note, claim_rejection = null,
            approval_deadline = p_now + p_approval_s * interval '1 second'
        where bucket = p_bucket and id = p_task;
    end if;
    return query select * from task_move(p_bucket, p_task, 'accept', 'operator', p_operator, jsonb_build_object(
        'estimate_minutes', p_minutes), p_now);
end $$;

-- claim_approve: the agent lets the claimant begin.  Fails: task_not_found, task_state_conflict.
create or replace function claim_approve(p_bucket int, p_agent uuid, p_task uuid, p_now timestamptz)
returns setof tasks
language plpgsql as $$
declare t tasks;
begin
    select * into t from tasks where bucket = p_bucket and id = p_task and agent_id = p_agent for update;
    if not found then
        perform refuse('task_not_found');
    end if;
    if t.is_sandbox and t.status = 'ESTIMATE_PENDING' then
        perform job_add(p_bucket, 'sandbox', p_task, '{}', p_now, 50, p_now);
    end if;
    return query select * from task_move(p_bucket, p_task, 'approve', 'agent', p_agent, '{}', p_now);
end $$;

-- claim_reject: the claim goes back, with the agent's reason for the operator.
create or replace function claim_reject(p_bucket int, p_agent uuid, p_task uuid, p_reason text, p_now timestamptz)
returns setof tasks
language plpgsql as $$
declare t tasks;
begin
    select * into t from tasks where bucket = p_bucket and id = p_task and agent_id = p_agent for update;
    if not found then
        perform refuse('task_not_found');
    end if;
    perform task_move(p_bucket, p_task, 'reject', 'agent', p_agent, jsonb_build_object('reason', p_reason), p_now);
    -- What the caller gets still names the operator who is to be told.
    return query select t.*;
end $$;

-- claim_lock: locks a task for its operator; someone else's is not found.  An open one is: every operator sees it, and is told
-- by task_move that a claim comes first.
create or replace function claim_lock(p_bucket int, p_task uuid, p_operator uuid) returns tasks
language plpgsql as $$
declare t tasks;
begin
    select * into t from tasks where bucket = p_bucket and id = p_task
        and (operator_id = p_operator or (status = 'PENDING' and not is_sandbox)) for update;
    if not found then
        perform refuse('task_not_found');
    end if;
    return t;
end $$;

create or replace function claim_withdraw(p_bucket int, p_task uuid, p_operator uuid, p_now timestamptz) returns setof tasks
language plpgsql as $$
begin
    perform claim_lock(p_bucket, p_task, p_operator);
    return query select * from task_move(p_bucket, p_task, 'withdraw', 'operator', p_operator, '{}', p_now);
end $$;

create or replace function claim_start(p_bucket int, p_task uuid, p_operator uuid, p_now timestamptz) returns setof tasks
language plpgsql as $$
begin
    perform claim_lock(p_bucket, p_task, p_operator);
    return query select * from task_move(p_bucket, p_task, 'start', 'operator', p_operator, '{}', p_now);
end $$;

-- claim_abort: the operator stops after the agent has agreed: p_reason unsafe or cannot_complete, p_note (or null) a last message
-- to the agent, which is told with the event.  The task is open again and its money stays in escrow; once three operators did
-- not feel safe, it is cancelled and refunded.  Fails: task_not_found, task_state_conflict.
create or replace function claim_abort(p_bucket int, p_task uuid, p_operator uuid, p_reason text, p_message uuid, p_note text,
    p_now timestamptz) returns setof tasks
language plpgsql as $$
declare
    t tasks;
    v_is_first boolean;
begin
    t := claim_lock(p_bucket, p_task, p_operator);
    v_is_first := p_reason = 'unsafe' and not exists (select from events where bucket = p_bucket and task_id = p_task
        and at >= t.created_at and type = 'task.aborted' and actor_id = p_operator and data ->> 'abort_reason' = 'unsafe');
    select * into t from task_move(p_bucket, p_task, 'abort', 'operator', p_operator, jsonb_strip_nulls(jsonb_build_object(
        'abort_reason', p_reason, 'message', case when p_note is not null then
            jsonb_build_object('id', p_message, 'sender', 'operator', 'text', p_note) end)), p_now);
    if p_note is not null then
        insert into messages (bucket, at, id, task_id, sender, sender_id, text, operator_id)
        values (p_bucket, p_now, p_message, p_task, 'operator', p_operator, p_note, p_operator);
    end if;
    if v_is_first then
        update tasks set safety_stops = safety_stops + 1 where bucket = p_bucket and id = p_task returning * into t;
        if t.safety_stops = 3 then
            select * into t from task_move(p_bucket, p_task, 'give_up', 'system', null, '{}', p_now);
            perform escrow_refund(p_bucket, t, p_now);
        end if;
    end if;
    return next t;
end $$;

-- claim_submit: the proof, and the Guardian's job.  Work is taken until deadline and grace are over.
-- Fails: task_not_found, task_state_conflict, task_expired.
create or replace function claim_submit(p_bucket int, p_task uuid, p_operator uuid, p_proof jsonb, p_credential jsonb,
    p_review_s int, p_now timestamptz) returns setof tasks
language plpgsql as $$
declare t tasks;
begin
    t := claim_lock(p_bucket, p_task, p_operator);
    if t.status in ('ACCEPTED', 'IN_PROGRESS') then
        if t.late_at <= p_now then
            perform refuse('task_expired');
        end if;
        -- Should no verdict ever come, the review's time runs from here.
        update tasks set proof = p_proof, encrypted_credential = p_credential,
            review_deadline = p_now + p_review_s * interval '1 second'
        where bucket = p_bucket and id = p_task;
        perform job_add(p_bucket, 'guardian', p_task, '{}', p_now, 8, p_now);
    end if;
    return query select * from task_move(p_bucket, p_task, 'submit', 'operator', p_operator, '{}', p_now);
end $$;
