-- Whatever falls due by itself.  Each is safe to run twice at once, or late by a week.

-- sweep_due_everywhere: buckets with a task whose timer has run out.
create or replace function sweep_due_everywhere(p_now timestamptz) returns table (bucket int)
language plpgsql as $$
#variable_conflict use_column
begin
    return query select distinct bucket from tasks where due_at <= p_now order by bucket;
end $$;

-- sweep_task: ends one overdue wait of a bucket (spec 4): a claim nobody approved goes back, a task past its deadline is
-- cancelled and refunded, a review nobody made counts as approved.  No row: nothing is due.  One at a time, since the
-- operator's leg of a payment (pays) follows in the same transaction.
create or replace function sweep_task(p_bucket int, p_now timestamptz)
returns table (task_id uuid, event text, agent_id uuid, operator_id uuid, reward bigint, pays boolean, is_sandbox boolean)
language plpgsql as $$
#variable_conflict use_column
declare
    t tasks;
    v_event text;
    v_pays boolean;
begin
    select * into t from tasks k where k.bucket = p_bucket and k.due_at <= p_now
    order by k.due_at limit 1 for update skip locked;
    if not found then
        return;
    end if;
    v_event := case
        when t.status = 'SUBMITTED' then 'review_lapse'
        when t.status = 'ESTIMATE_PENDING' and t.deadline > p_now then 'lapse'
        else 'expire' end;
    v_pays := v_event = 'review_lapse' and not t.is_sandbox;
    perform task_move(p_bucket, t.id, v_event, 'sweeper', null, '{}', p_now);
    if v_event = 'expire' and not t.is_sandbox then
        perform escrow_refund(p_bucket, t, p_now);
    elsif v_pays then
        perform escrow_release(p_bucket, t, p_now);
    end if;
    return query select t.id, v_event, t.agent_id, t.operator_id, t.reward, v_pays, t.is_sandbox;
end $$;

-- sweep_expired: deletes what is past its time, bucket by bucket in one statement each: idempotency keys, tokens (used ones are
-- kept a month, so that an old link still says what it did), dead jobs after a month.
create or replace function sweep_expired_everywhere(p_now timestamptz) returns bigint
language plpgsql as $$
declare
    v_count bigint;
    v_all bigint := 0;
begin
    delete from idempotency_keys where expires_at <= p_now;
    get diagnostics v_count = row_count;
    v_all := v_all + v_count;
    delete from email_tokens where expires_at <= p_now - interval '30 days';
    get diagnostics v_count = row_count;
    v_all := v_all + v_count;
    delete from jobs where is_dead and created_at <= p_now - interval '30 days';
    get diagnostics v_count = row_count;
    return v_all + v_count;
end $$;
