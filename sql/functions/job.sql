-- The queue.  A job is taken for a lease by moving run_at ahead; `attempts` is the taker's ticket, so that one who was
-- slower than its lease can no longer finish what another has taken up.

create or replace function job_add(p_bucket int, p_kind text, p_ref uuid, p_payload jsonb, p_run_at timestamptz,
    p_max_attempts int, p_now timestamptz) returns uuid
language plpgsql as $$
declare v_id uuid := id_new(p_bucket, p_now);
begin
    insert into jobs (bucket, id, kind, ref, payload, run_at, max_attempts, created_at)
    values (p_bucket, v_id, p_kind, p_ref, p_payload, p_run_at, p_max_attempts, p_now);
    return v_id;
end $$;

-- job_due_everywhere: buckets that have a job due of these kinds (a list, or the members of an object), the longest waiting first.  Usually these are those of the
-- jobs due next.  Where many are due they may all be one bucket's and hide the others: then it steps from bucket to bucket
-- along the index.
create or replace function job_due_everywhere(p_kinds jsonb, p_now timestamptz) returns table (bucket int)
language plpgsql as $$
#variable_conflict use_column
declare v_next int[];
begin
    select array_agg(d.bucket order by d.run_at) into v_next from (
        select bucket, run_at from jobs
        where not is_dead and run_at <= p_now and p_kinds ? kind order by run_at limit 500) d;
    if v_next is null or cardinality(v_next) < 500 then
        return query select n.bucket from unnest(v_next) with ordinality n(bucket, place)
        group by n.bucket order by min(n.place) limit 100;
        return;
    end if;
    return query
    with recursive busy as (
        (select j.bucket from jobs j where not j.is_dead order by j.bucket limit 1)
        union all
        select (select j.bucket from jobs j where not j.is_dead and j.bucket > b.bucket order by j.bucket limit 1)
        from busy b where b.bucket is not null
    )
    select b.bucket from busy b
    cross join lateral (
        select j.run_at from jobs j
        where j.bucket = b.bucket and not j.is_dead and j.run_at <= p_now and p_kinds ? j.kind order by j.run_at limit 1
    ) first
    order by first.run_at limit 100;
end $$;

-- job_take: one due job for its lease, or no row.  p_kinds: each kind with its lease in seconds.
create or replace function job_take(p_bucket int, p_kinds jsonb, p_now timestamptz) returns setof jobs
language plpgsql as $$
declare j jobs;
begin
    select * into j from jobs
    where bucket = p_bucket and not is_dead and run_at <= p_now and p_kinds ? kind
    order by run_at limit 1 for update skip locked;
    if found then
        update jobs set attempts = attempts + 1, run_at = p_now + (p_kinds ->> kind)::int * interval '1 second'
        where bucket = p_bucket and id = j.id returning * into j;
        return next j;
    end if;
end $$;

-- job_finish: done; false if the lease was lost meanwhile.
create or replace function job_finish(p_bucket int, p_job uuid, p_attempts int) returns boolean
language plpgsql as $$
begin
    delete from jobs where bucket = p_bucket and id = p_job and attempts = p_attempts;
    return found;
end $$;

-- job_retry: not done; again at p_run_at, or a dead letter after the last attempt and where p_run_at is null.
create or replace function job_retry(p_bucket int, p_job uuid, p_attempts int, p_run_at timestamptz, p_error text)
returns boolean
language plpgsql as $$
begin
    update jobs set run_at = coalesce(p_run_at, run_at), last_error = p_error,
        is_dead = p_run_at is null or attempts >= max_attempts
    where bucket = p_bucket and id = p_job and attempts = p_attempts;
    return found;
end $$;

-- job_next: done with this step; the same job runs its next one at p_run_at.  A step that was done uses up no attempt; the
-- count itself only grows, since a number that came again would let an earlier taker of that number in.
create or replace function job_next(p_bucket int, p_job uuid, p_attempts int, p_run_at timestamptz) returns boolean
language plpgsql as $$
begin
    update jobs set run_at = p_run_at, last_error = null, max_attempts = max_attempts + 1
    where bucket = p_bucket and id = p_job and attempts = p_attempts;
    return found;
end $$;

-- job_revive: the one job of a kind for p_ref is due now and, were it given up, alive again; it is added if there is none.  The
-- caller holds what the job is about, so that two at once add one.
create or replace function job_revive(p_bucket int, p_kind text, p_ref uuid, p_max_attempts int, p_now timestamptz) returns void
language plpgsql as $$
begin
    update jobs set run_at = least(run_at, p_now), is_dead = false, last_error = null,
        max_attempts = attempts + p_max_attempts
    where bucket = p_bucket and kind = p_kind and ref = p_ref;
    if not found then
        perform job_add(p_bucket, p_kind, p_ref, '{}', p_now, p_max_attempts, p_now);
    end if;
end $$;

-- job_wake: a hint to the workers that something is due (database.md R10); they poll as well.
create or replace function job_wake_everywhere() returns void
language plpgsql as $$
begin
    perform pg_notify('humanops_jobs', '');
end $$;
