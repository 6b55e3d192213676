-- Judging a proof: by the Guardian and by the agent.  What completion pays is escrow_release's and earning_credit's.

-- verdict_guardian: records the Guardian's answer and moves the task by it: pass (and completes, and pays), review or fail.
-- A task that is no longer waiting (the agent was faster) keeps its status; the answer is only recorded.
-- Returns the task; pays tells that the operator's leg is due.
create or replace function verdict_guardian(p_bucket int, p_task uuid, p_event text, p_result jsonb, p_review_s int,
    p_now timestamptz)
returns table (status text, operator_id uuid, agent_id uuid, reward bigint, pays boolean, has_moved boolean)
language plpgsql as $$
#variable_conflict use_column
declare
    t tasks;
    v_moves boolean;
    v_data jsonb := jsonb_build_object('guardian_result', p_result);
    v_pays boolean := false;
begin
    select * into strict t from tasks k where k.bucket = p_bucket and k.id = p_task for update;
    update tasks k set guardian_result = p_result where k.bucket = p_bucket and k.id = p_task;
    v_moves := t.status = 'SUBMITTED' and coalesce(t.guardian_result ->> 'decision', '') <> 'MANUAL_REVIEW';
    if v_moves then
        if p_event = 'review' then
            update tasks k set review_deadline = p_now + p_review_s * interval '1 second'
            where k.bucket = p_bucket and k.id = p_task;
        end if;
        perform task_move(p_bucket, p_task, p_event, 'guardian', null, v_data, p_now);
        if p_event = 'pass' then
            perform task_move(p_bucket, p_task, 'complete', 'guardian', null, v_data, p_now);
            perform escrow_release(p_bucket, t, p_now);
            v_pays := true;
        end if;
    end if;
    return query select k.status, k.operator_id, k.agent_id, k.reward, v_pays, v_moves
    from tasks k where k.bucket = p_bucket and k.id = p_task;
end $$;

-- verdict_agent: the agent's own decision.  Fails: task_not_found, task_state_conflict.
create or replace function verdict_agent(p_bucket int, p_agent uuid, p_task uuid, p_is_approved boolean, p_reason text,
    p_now timestamptz)
returns table (status text, operator_id uuid, reward bigint, pays boolean, is_sandbox boolean)
language plpgsql as $$
#variable_conflict use_column
declare
    t tasks;
    v_event text := case when p_is_approved then 'verify_approve' else 'verify_reject' end;
begin
    select * into t from tasks k where k.bucket = p_bucket and k.id = p_task and k.agent_id = p_agent for update;
    if not found then
        perform refuse('task_not_found');
    end if;
    perform task_move(p_bucket, p_task, v_event, 'agent', p_agent, jsonb_strip_nulls(jsonb_build_object(
        'guardian_result', t.guardian_result, 'reason', p_reason)), p_now);
    if p_is_approved and not t.is_sandbox then
        perform escrow_release(p_bucket, t, p_now);
    elsif not p_is_approved then
        update tasks k set disputed_at = p_now, dispute_reason = coalesce(p_reason, 'The agent rejected the proof.')
        where k.bucket = p_bucket and k.id = p_task;
    end if;
    return query select k.status, k.operator_id, k.reward, p_is_approved and not k.is_sandbox, k.is_sandbox
    from tasks k where k.bucket = p_bucket and k.id = p_task;
end $$;
