-- Agents to measure with, made by the product's own functions: verified, STANDARD, rich, each with one posted task.  All ids
-- follow from the agent's number, so that pgbench can compute them: agent ...-8000-<number>, key ...-8001-, task ...-8002-.
-- Wants: agents.  Gives on standard output a line for each agent: its API key and its task's public id.
\set ON_ERROR_STOP on
set synchronous_commit = off;
set client_min_messages = warning;

create function pg_temp.bench_id(i int, kind text) returns uuid language sql immutable as $$
    select ('01990000-0000-7' || lpad(to_hex((i % 1024) << 2), 3, '0') || '-' || kind || '-' || lpad(to_hex(i), 12, '0'))::uuid
$$;

create function pg_temp.bench_handle(i int) returns text language sql immutable as $$
    select substr('0123456789abcdefghjkmnpqrstvwxyz', ((i % 1024) >> 5) + 1, 1)
        || substr('0123456789abcdefghjkmnpqrstvwxyz', ((i % 1024) & 31) + 1, 1) || lpad(i::text, 10, '0')
$$;

create function pg_temp.bench_key(i int) returns text language sql immutable as $$
    select 'ho_live_' || pg_temp.bench_handle(i) || repeat('0', 40)
$$;

create function pg_temp.bench_public(id uuid) returns text language sql immutable as $$
    select 'task_' || string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz',
        substr('00' || ('x' || replace(id::text, '-', ''))::bit(128)::text, 5 * k + 1, 5)::bit(5)::int + 1, 1), '' order by k)
    from generate_series(0, 25) k
$$;

create function pg_temp.bench_agent(i int) returns void language plpgsql as $$
declare
    b int := i % 1024;
    a uuid := pg_temp.bench_id(i, '8000');
    k uuid := pg_temp.bench_id(i, '8001');
    token bytea := sha256(i::text::bytea);
begin
    perform agent_register(b, a, 'bench', 'bench' || i || '@example.com', null, k, pg_temp.bench_handle(i),
        sha256(pg_temp.bench_key(i)::bytea), token, '{}', now());
    perform email_verify(b, token, now());
    perform usdc_seen(b, a, pg_temp.bench_id(i, '8003'), 8453, '0x' || lpad(to_hex(i), 64, '0'), 0, null, 100000000000, null,
        null, now());
    perform usdc_confirm(b, a, pg_temp.bench_id(i, '8003'), null, now());
    perform task_create(b, a, k, pg_temp.bench_id(i, '8002'), false, null, 'Verify storefront signage',
        'Take a clear photo of the sign at 123 Main St', 40.7128, -74.006, '123 Main St, New York, NY', 10000000,
        now() + interval '1 day', 86400, '["Photo of storefront sign", "GPS-stamped image"]', 'VERIFICATION', 'PHYSICAL',
        'PHOTO', null, null, null, null, now());
    -- A key's use is written down once a minute; not while we measure.
    perform apikey_touch(b, k, now() + interval '1 hour');
end $$;

begin;
select count(pg_temp.bench_agent(i)) from generate_series(0, :agents - 1) i \g /dev/null
delete from jobs where kind = 'mail';
commit;
vacuum analyze;
select pg_temp.bench_key(i) || ' ' || pg_temp.bench_public(pg_temp.bench_id(i, '8002')) from generate_series(0, :agents - 1) i;
