-- Whatever falls due by itself.  Each is safe to run twice at once, or late by a week.

-- sweep_due_everywhere: up to 1,000 tasks whose timer has run out, the longest overdue first.
create or replace function sweep_due_everywhere(p_now timestamptz) returns table (bucket int, id uuid)
language plpgsql as $$
#variable_conflict use_column
begin
    return query select t.bucket, t.id from tasks t where t.due_at <= p_now order by t.due_at limit 1000;
end $$;

-- sweep_task: ends one overdue wait (spec 4): a claim nobody approved goes back, a task past its deadline is cancelled and
-- refunded, a review nobody made counts as approved, a simulated dispute ends as a refund.  No row: nothing is due any
-- more, or another sweep has it in hand.  One at a time: the operator's leg of a payment (pays) follows in the same
-- transaction, and a task that cannot be ended stops no other.
create or replace function sweep_task(p_bucket int, p_task uuid, p_now timestamptz)
returns table (event text, agent_id uuid, operator_id uuid, reward bigint, pays boolean, is_sandbox boolean)
language plpgsql as $$
#variable_conflict use_column
declare
    t tasks;
    v_event text;
    v_actor text;
    v_pays boolean;
begin
    select * into t from tasks k where k.bucket = p_bucket and k.id = p_task and k.due_at <= p_now
    for update skip locked;
    if not found then
        return;
    end if;
    v_event := case
        when t.status = 'SUBMITTED' then 'review_lapse'
        when t.status = 'DISPUTED' then 'resolve_refund'
        when t.status = 'ESTIMATE_PENDING' and t.deadline > p_now then 'lapse'
        else 'expire' end;
    v_actor := case t.status when 'DISPUTED' then 'sandbox' else 'sweeper' end;
    v_pays := v_event = 'review_lapse' and not t.is_sandbox;
    perform task_move(p_bucket, t.id, v_event, v_actor, null, '{}', p_now);
    if v_event = 'expire' and not t.is_sandbox then
        perform escrow_refund(p_bucket, t, p_now);
    elsif v_pays then
        perform escrow_release(p_bucket, t, p_now);
    end if;
    return query select v_event, t.agent_id, t.operator_id, t.reward, v_pays, t.is_sandbox;
end $$;

-- sweep_expired: deletes what is past its time: idempotency keys, tokens (used ones are kept a month, so that an old link
-- still says what it did), wallet challenges, dead jobs and blocks after a month.  At most 10,000 rows of each at a time, which bounds the statement however
-- late the sweep comes; rows that another sweep holds are left to it.
create or replace function sweep_expired_everywhere(p_now timestamptz) returns bigint
language plpgsql as $$
declare
    v_count bigint;
    v_all bigint := 0;
begin
    delete from idempotency_keys where (bucket, principal_id, path, key) in (
        select k.bucket, k.principal_id, k.path, k.key from idempotency_keys k where k.expires_at <= p_now
        order by k.expires_at limit 10000 for update skip locked);
    get diagnostics v_count = row_count;
    v_all := v_all + v_count;
    delete from email_tokens where (bucket, token_hash) in (
        select t.bucket, t.token_hash from email_tokens t where t.expires_at <= p_now - interval '30 days'
        order by t.expires_at limit 10000 for update skip locked);
    get diagnostics v_count = row_count;
    v_all := v_all + v_count;
    delete from jobs where (bucket, id) in (
        select j.bucket, j.id from jobs j where j.is_dead and j.created_at <= p_now - interval '30 days'
        order by j.created_at limit 10000 for update skip locked);
    get diagnostics v_count = row_count;
    v_all := v_all + v_count;
    delete from screenings where (bucket, id) in (
        select s.bucket, s.id from screenings s where s.expires_at <= p_now - interval '30 days'
        order by s.expires_at limit 10000 for update skip locked);
    get diagnostics v_count = row_count;
    v_all := v_all + v_count;
    delete from wallet_challenges where (bucket, agent_id, nonce) in (
        select c.bucket, c.agent_id, c.nonce from wallet_challenges c where c.issued_at <= p_now - interval '10 minutes'
        order by c.issued_at limit 10000 for update skip locked);
    get diagnostics v_count = row_count;
    return v_all + v_count;
end $$;
