-- Disputes (spec 4, 5): raising one within the hold, and staff's three resolutions.

-- dispute_raise: the agent objects to a completed task; the operator's pending money is frozen by earning_freeze in the same
-- transaction.  Fails: task_not_found, task_state_conflict.
create or replace function dispute_raise(p_bucket int, p_agent uuid, p_task uuid, p_reason text, p_now timestamptz)
returns setof tasks
language plpgsql as $$
declare t tasks;
begin
    select * into t from tasks where bucket = p_bucket and id = p_task and agent_id = p_agent for update;
    if not found then
        perform refuse('task_not_found');
    end if;
    update tasks set disputed_at = p_now, dispute_reason = p_reason where bucket = p_bucket and id = p_task;
    return query select * from task_move(p_bucket, p_task, 'dispute', 'agent', p_agent,
        jsonb_build_object('reason', p_reason), p_now);
end $$;

-- dispute_resolve: the agent's leg of a resolution: the operator keeps p_keep of the reward, the agent gets the rest back;
-- the fee is given back only with the whole reward.  was_paid tells which operator's leg is due: earning_resolve
-- (the money was there already, frozen) or earning_credit.  Fails: task_not_found, task_state_conflict, split_invalid.
create or replace function dispute_resolve(p_bucket int, p_task uuid, p_resolution text, p_split bigint, p_note text,
    p_now timestamptz)
returns table (operator_id uuid, agent_id uuid, keep bigint, was_paid boolean, status text, title text)
language plpgsql as $$
#variable_conflict use_column
declare
    t tasks;
    v_keep bigint;
    v_fee_back bigint;
begin
    select * into t from tasks k where k.bucket = p_bucket and k.id = p_task and not k.is_sandbox for update;
    if not found then
        perform refuse('task_not_found');
    end if;
    v_keep := case p_resolution when 'PAY_OPERATOR' then t.reward when 'REFUND_AGENT' then 0 else p_split end;
    if v_keep < 0 or v_keep > t.reward or (p_resolution = 'SPLIT' and v_keep in (0, t.reward)) then
        perform refuse('split_invalid', jsonb_build_object('reward_usd', usd(t.reward)));
    end if;
    v_fee_back := case when v_keep = 0 then t.fee else 0 end;
    update tasks k set resolution = jsonb_build_object('resolution', p_resolution, 'operator_usd', usd(v_keep), 'note', p_note)
    where k.bucket = p_bucket and k.id = p_task;
    perform task_move(p_bucket, p_task, case p_resolution when 'PAY_OPERATOR' then 'resolve_pay'
        when 'REFUND_AGENT' then 'resolve_refund' else 'resolve_split' end, 'staff', null,
        jsonb_build_object('resolution', p_resolution, 'operator_usd', usd(v_keep)), p_now);
    if not t.is_paid then
        perform ledger_post(p_bucket, 'dispute_resolution', p_task, p_now, t.agent_id, array[
            ('escrow', -(t.reward + t.fee)), ('clearing', v_keep), ('deposit', t.reward - v_keep + v_fee_back),
            ('revenue', t.fee - v_fee_back)]::posting_line[]);
        update tasks k set is_paid = v_keep > 0 where k.bucket = p_bucket and k.id = p_task;
    elsif v_keep < t.reward then
        perform ledger_post(p_bucket, 'dispute_refund', p_task, p_now, t.agent_id, array[
            ('clearing', -(t.reward - v_keep)), ('deposit', t.reward - v_keep + v_fee_back),
            ('revenue', -v_fee_back)]::posting_line[]);
    end if;
    return query select k.operator_id, k.agent_id, v_keep, t.is_paid, k.status, k.title
    from tasks k where k.bucket = p_bucket and k.id = p_task;
end $$;

-- dispute_list_everywhere: for staff, longest waiting first.
create or replace function dispute_list_everywhere(p_limit int, p_offset int) returns setof tasks
language plpgsql as $$
begin
    return query select * from tasks where status = 'DISPUTED' and not is_sandbox
    order by disputed_at nulls first, id limit p_limit offset p_offset;
end $$;
