-- Signs of life (table heartbeats), and what regular checks have found.

-- heartbeat_set: it lives, or a check has ended with this result.
create or replace function heartbeat_set(p_bucket int, p_name text, p_data jsonb, p_now timestamptz) returns void
language plpgsql as $$
begin
    insert into heartbeats as h (bucket, name, at, data) values (p_bucket, p_name, p_now, p_data)
    on conflict (bucket, name) do update set at = excluded.at, data = excluded.data;
end $$;

-- heartbeat_begin: true for the one who shall make the check now: p_every_s after the last that ended, and p_retry_s after one
-- that has begun and not ended.  A time that lies ahead, of a clock that was wrong, keeps nobody waiting.
create or replace function heartbeat_begin(p_bucket int, p_name text, p_every_s int, p_retry_s int, p_now timestamptz)
returns boolean
language plpgsql as $$
begin
    insert into heartbeats as h (bucket, name, begun_at) values (p_bucket, p_name, p_now)
    on conflict (bucket, name) do update set begun_at = excluded.begun_at
    where (h.begun_at > p_now - p_retry_s * interval '1 second' and h.begun_at <= p_now) is not true
        and (h.at > p_now - p_every_s * interval '1 second' and h.at <= p_now) is not true;
    return found;
end $$;

-- heartbeat_list_everywhere: each with when it last came or ended (null: it has begun, and never ended) and what came of it.
-- sweeper: the last sweep that was done whole.  worker: a worker looked for jobs.  ledger_audit: {"findings": n, "seconds": s}.
create or replace function heartbeat_list_everywhere()
returns table (name text, begun_at timestamptz, at timestamptz, data jsonb)
language plpgsql as $$
#variable_conflict use_column
begin
    return query select h.name, h.begun_at, h.at, h.data from heartbeats h order by h.name;
end $$;
