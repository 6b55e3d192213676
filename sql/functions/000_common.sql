-- Helpers without tables.

-- refuse(name, details): refuses in the terms of errors.def; a program answers with that error's status and sentence.
create or replace function refuse(p_name text, p_details jsonb default '{}') returns void
language plpgsql as $$
begin
    raise exception using errcode = 'UX001', message = p_name, detail = p_details::text;
end $$;

-- usd(micros): an amount as a plain decimal of dollars, for details and statements.
create or replace function usd(p_micros bigint) returns numeric
language sql immutable as $$
    select trim_scale(p_micros / 1000000::numeric)
$$;

-- id_new(bucket, now, order): UUID version 7 whose rand_a begins with the bucket; `order` sorts ids of one instant.
create or replace function id_new(p_bucket int, p_now timestamptz, p_order int default null) returns uuid
language plpgsql volatile as $$
declare
    v_random text := replace(gen_random_uuid()::text, '-', '');
    v_ms bigint := floor(extract(epoch from p_now) * 1000);
    v_order int := coalesce(p_order, ('x' || substr(v_random, 1, 4))::bit(16)::int) & 16383;
begin
    return (lpad(to_hex(v_ms), 12, '0') || to_hex(28672 | (p_bucket << 2)) || to_hex(32768 | v_order)
        || substr(v_random, 21, 12))::uuid;
end $$;

-- id_bucket(id): the bucket in an id of ours.
create or replace function id_bucket(p_id uuid) returns int
language sql immutable as $$
    select ('x' || substr(replace(p_id::text, '-', ''), 14, 3))::bit(12)::int >> 2
$$;

-- id_time(id): the instant in a version 7 UUID, to the millisecond.
create or replace function id_time(p_id uuid) returns timestamptz
language sql immutable as $$
    select to_timestamp(('x' || substr(replace(p_id::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0::float8)
$$;

-- id_text(prefix, id): an id as the programs show it: 26 digits of base 32 for two zero bits and the id's 128.
create or replace function id_text(p_prefix text, p_id uuid) returns text
language sql immutable as $$
    select p_prefix || string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz',
        substring(b'00' || ('x' || replace(p_id::text, '-', ''))::bit(128) from n * 5 + 1 for 5)::bit(5)::int + 1, 1), '' order by n)
    from generate_series(0, 25) n
$$;

-- today(now): the UTC day's beginning.
create or replace function today(p_now timestamptz) returns timestamptz
language sql immutable as $$
    select date_trunc('day', p_now at time zone 'UTC') at time zone 'UTC'
$$;
