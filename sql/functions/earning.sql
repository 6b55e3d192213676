-- What operators are paid: the operator's leg of a completed task, its hold, its settlement (spec 5).

-- earning_credit: clearing → pending, to be available at p_available.  Twice for one task is once.
create or replace function earning_credit(p_bucket int, p_operator uuid, p_task uuid, p_amount bigint,
    p_available timestamptz, p_now timestamptz) returns void
language plpgsql as $$
begin
    insert into earnings (bucket, task_id, operator_id, amount, state, available_at, created_at)
    values (p_bucket, p_task, p_operator, p_amount, 'pending', p_available, p_now)
    on conflict (bucket, task_id) do nothing;
    if found then
        perform ledger_post(p_bucket, 'earning', p_task, p_now, p_operator, array[
            ('clearing', -p_amount), ('pending', p_amount)]::posting_line[]);
    end if;
end $$;

-- earning_settle: pending → available for up to p_limit earnings of a bucket whose hold is over; returns how many.  By operator,
-- so that sweeps at once come to the operators' accounts in one order.
create or replace function earning_settle(p_bucket int, p_now timestamptz, p_limit int) returns int
language plpgsql as $$
declare
    e earnings;
    v_done int := 0;
begin
    for e in select * from earnings where bucket = p_bucket and state = 'pending' and available_at <= p_now
        order by operator_id, available_at limit p_limit for update skip locked
    loop
        perform earning_release(p_bucket, e, p_now);
        v_done := v_done + 1;
    end loop;
    return v_done;
end $$;

-- earning_release: one earning becomes available.  The caller holds it.
create or replace function earning_release(p_bucket int, e earnings, p_now timestamptz) returns void
language plpgsql as $$
begin
    update earnings set state = 'available', available_at = p_now where bucket = p_bucket and task_id = e.task_id;
    perform ledger_post(p_bucket, 'settlement', e.task_id, p_now, e.operator_id, array[
        ('pending', -e.amount), ('available', e.amount)]::posting_line[]);
end $$;

create or replace function earning_due_everywhere(p_now timestamptz) returns table (bucket int)
language plpgsql as $$
#variable_conflict use_column
begin
    return query select distinct bucket from earnings where state = 'pending' and available_at <= p_now order by bucket;
end $$;

-- earning_freeze: a dispute within the hold.  Fails: hold_over.
create or replace function earning_freeze(p_bucket int, p_task uuid, p_now timestamptz) returns void
language plpgsql as $$
begin
    update earnings set state = 'frozen', available_at = null
    where bucket = p_bucket and task_id = p_task and state = 'pending' and available_at > p_now;
    if not found then
        perform refuse('hold_over');
    end if;
end $$;

-- earning_resolve: ends a freeze: the operator keeps p_keep, available at once; the rest goes back through clearing.
create or replace function earning_resolve(p_bucket int, p_task uuid, p_keep bigint, p_now timestamptz) returns void
language plpgsql as $$
declare
    e earnings;
    v_back bigint;
begin
    select * into strict e from earnings where bucket = p_bucket and task_id = p_task and state = 'frozen' for update;
    -- Two bookings may follow: all their accounts now, in the order of every booking.
    perform 1 from accounts
    where bucket = p_bucket and party_id = e.operator_id and kind in ('available', 'clearing', 'pending')
    order by kind for update;
    v_back := e.amount - p_keep;
    update earnings set amount = p_keep, state = case when p_keep > 0 then 'pending' else 'returned' end
    where bucket = p_bucket and task_id = p_task;
    if v_back > 0 then
        perform ledger_post(p_bucket, 'earning_return', p_task, p_now, e.operator_id, array[
            ('pending', -v_back), ('clearing', v_back)]::posting_line[]);
    end if;
    if p_keep > 0 then
        e.amount := p_keep;
        perform earning_release(p_bucket, e, p_now);
    end if;
end $$;

-- earning_summary: what an operator has, and the newest earnings.
create or replace function earning_summary(p_bucket int, p_operator uuid)
returns table (pending bigint, available bigint, in_flight bigint, total bigint)
language plpgsql as $$
#variable_conflict use_column
declare v_total bigint;
begin
    select coalesce(sum(e.amount), 0) into v_total from earnings e
    where e.bucket = p_bucket and e.operator_id = p_operator and e.state <> 'returned';
    return query
    select coalesce(sum(a.balance) filter (where a.kind = 'pending'), 0)::bigint,
        coalesce(sum(a.balance) filter (where a.kind = 'available'), 0)::bigint,
        coalesce(sum(a.balance) filter (where a.kind = 'in_flight'), 0)::bigint, v_total
    from accounts a where a.bucket = p_bucket and a.party_id = p_operator;
end $$;

create or replace function earning_list(p_bucket int, p_operator uuid, p_limit int)
returns table (task_id uuid, amount bigint, state text, available_at timestamptz, created_at timestamptz)
language plpgsql as $$
#variable_conflict use_column
begin
    return query select e.task_id, e.amount, e.state, e.available_at, e.created_at from earnings e
    where e.bucket = p_bucket and e.operator_id = p_operator order by e.created_at desc, e.task_id limit p_limit;
end $$;
