-- Whatever falls due by itself.  Each is safe to run twice at once, or late by a week.

-- sweep_due_everywhere: buckets with a task whose timer has run out.
create or replace function sweep_due_everywhere(p_now timestamptz) returns table (bucket int)
language plpgsql as $$
#variable_conflict use_column
begin
    return query select distinct bucket from tasks where due_at <= p_now order by bucket;
end $$;

-- sweep_tasks: ends up to p_limit overdue waits of a bucket (spec 4): a claim nobody approved goes back, a task past its
-- deadline is cancelled and refunded, a review nobody made counts as approved.  Returns how many.  A task that cannot be ended
-- (its escrow is not there, say) stays due, with a warning in the database's log, and stops no other.
create or replace function sweep_tasks(p_bucket int, p_now timestamptz, p_limit int) returns int
language plpgsql as $$
declare
    t tasks;
    v_event text;
    v_done int := 0;
begin
    for t in
        select * from tasks where bucket = p_bucket and due_at <= p_now
        order by due_at limit p_limit for update skip locked
    loop
        v_event := case
            when t.status = 'SUBMITTED' then 'review_lapse'
            when t.status = 'ESTIMATE_PENDING' and t.deadline > p_now then 'lapse'
            else 'expire' end;
        begin
            perform task_move(p_bucket, t.id, v_event, 'sweeper', null, '{}', p_now);
            if v_event = 'expire' and not t.is_sandbox then
                perform escrow_refund(p_bucket, t, p_now);
            end if;
            v_done := v_done + 1;
        exception when others then
            raise warning 'sweep: % of task % failed: % %', v_event, t.id, sqlstate, sqlerrm;
        end;
    end loop;
    return v_done;
end $$;

-- sweep_expired: deletes what is past its time: idempotency keys, tokens (used ones are kept a month, so that an old link
-- still says what it did), dead jobs after a month.  At most 10,000 rows of each at a time, which bounds the statement however
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
    return v_all + v_count;
end $$;
