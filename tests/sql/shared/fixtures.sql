-- What the tests of this folder stand on: named ids, agents with money, tasks in any status.  Included inside a test's
-- transaction, so all of it goes when the test rolls back.  pgTAP may stand in a schema of its own or in public.
-- The tests' time begins at t0() and is handed in wherever a function takes one.
create schema if not exists tap;
create extension if not exists pgtap schema tap;
create schema fixture;
set local search_path = public, tap, fixture;

create table fixture.names (name text primary key, id uuid not null);

create function fixture.t0() returns timestamptz
language sql immutable as $$ select timestamptz '2026-02-06 14:00:00Z' $$;

-- name_id: remembers an id under a name, which a later one may take over.
create function fixture.name_id(p_name text, p_id uuid) returns uuid
language sql as $$
    insert into fixture.names values (p_name, p_id) on conflict (name) do update set id = excluded.id returning id
$$;

-- id('task_a'): the id of that name.
create function fixture.id(p_name text) returns uuid
language plpgsql stable as $$
declare v_id uuid;
begin
    select n.id into v_id from fixture.names n where n.name = p_name;
    if not found then
        raise exception 'fixtures: nothing is named %', p_name;
    end if;
    return v_id;
end $$;

create function fixture.balance(p_bucket int, p_party text, p_kind text) returns bigint
language sql as $$
    select balance from public.accounts where bucket = p_bucket and party_id = fixture.id(p_party) and kind = p_kind
$$;

-- fixture_agent: an agent of a tier with a deposit (usd_micros); its first key is named 'key of <name>', its token's hash is
-- that of its name.
create function fixture.fixture_agent(p_bucket int, p_name text, p_tier text default 'VERIFIED', p_deposit bigint default 0,
    p_at timestamptz default fixture.t0()) returns uuid
language plpgsql as $$
declare
    v_agent uuid := fixture.name_id(p_name, public.id_new(p_bucket, p_at));
    v_key uuid := fixture.name_id('key of ' || p_name, public.id_new(p_bucket, p_at));
begin
    perform public.agent_register(p_bucket, v_agent, p_name, p_name || '@example.com', null, v_key, 'handle ' || v_key,
        sha256('key'), sha256(p_name::bytea), '{}', p_at);
    if p_tier <> 'SANDBOX' then
        update public.agents set tier = p_tier, email_verified_at = p_at where bucket = p_bucket and id = v_agent;
    end if;
    if p_deposit > 0 then
        perform public.deposit_credit(p_bucket, v_agent, 'deposit_fiat', gen_random_uuid(), p_deposit, p_at);
    end if;
    return v_agent;
end $$;

-- hash_of('a'), address_of('a'): the hash and the address of that name.
create function fixture.hash_of(p_name text) returns text
language sql immutable as $$ select '0x' || encode(sha256(p_name::bytea), 'hex') $$;
create function fixture.address_of(p_name text) returns text
language sql immutable as $$ select left(fixture.hash_of(p_name), 42) $$;

-- fixture_usdc: a confirmed USDC deposit of the agent of that name (usd_micros), by the transaction hash_of(name) in the block
-- hash_of('block of ' || name).
create function fixture.fixture_usdc(p_bucket int, p_name text, p_agent text default 'agent', p_amount bigint default 100000000,
    p_is_final boolean default true, p_at timestamptz default fixture.t0()) returns uuid
language plpgsql as $$
declare
    v_agent uuid := fixture.id(p_agent);
    v_id uuid := fixture.name_id(p_name, public.id_new(p_bucket, p_at));
    v_block text := fixture.hash_of('block of ' || p_name);
begin
    perform public.usdc_seen(p_bucket, v_agent, v_id, 8453, fixture.hash_of(p_name), 0, null, p_amount, 100, v_block, p_at);
    perform public.usdc_confirm(p_bucket, v_agent, v_id, v_block, p_at);
    if p_is_final then
        perform public.usdc_final(p_bucket, v_agent, v_id, v_block);
    end if;
    return v_id;
end $$;

-- walk: makes the moves named, each by the actor that the lifecycle has for it, a minute apart from p_at on.
create function fixture.walk(p_bucket int, p_task uuid, p_events text[], p_at timestamptz) returns void
language plpgsql as $$
declare
    v_event text;
    v_now timestamptz := p_at;
    v_actor text;
begin
    foreach v_event in array p_events loop
        v_now := v_now + interval '1 minute';
        select min(actor) into strict v_actor from public.task_moves where event = v_event;
        if v_event = 'accept' then
            update public.tasks set operator_id = public.id_new(9, v_now), operator_name = 'Robin S.', operator_rating = 4.5,
                estimate_minutes = 30, estimate_note = 'soon', approval_deadline = v_now + interval '24 hours'
            where bucket = p_bucket and id = p_task;
        elsif v_event = 'review' then
            update public.tasks set review_deadline = v_now + interval '7 days' where bucket = p_bucket and id = p_task;
        end if;
        perform public.task_move(p_bucket, p_task, v_event, v_actor, null, '{}', v_now);
    end loop;
end $$;

-- fixture_task: a task of the agent of that name in any status; its money is in escrow if it is a real one.
create function fixture.fixture_task(p_bucket int, p_name text, p_status text default 'PENDING', p_agent text default 'agent',
    p_reward bigint default 25000000, p_is_sandbox boolean default false, p_callback text default null,
    p_deadline timestamptz default fixture.t0() + interval '2 days', p_at timestamptz default fixture.t0(),
    p_key text default null) returns uuid
language plpgsql as $$
declare
    v_task uuid := fixture.name_id(p_name, public.id_new(p_bucket, p_at));
begin
    perform public.task_create(p_bucket, fixture.id(p_agent), fixture.id(coalesce(p_key, 'key of ' || p_agent)), v_task,
        p_is_sandbox, case when p_is_sandbox then 'approve' end, 'title', 'description', 40.7, -74.0, 'address', p_reward,
        p_deadline, 86400, '["photo"]', 'PHOTO', 'PHYSICAL', 'PHOTO', null, p_callback, null, null, p_at);
    perform fixture.walk(p_bucket, v_task, case p_status
        when 'PENDING' then '{}'
        when 'ESTIMATE_PENDING' then '{accept}'
        when 'ACCEPTED' then '{accept,approve}'
        when 'IN_PROGRESS' then '{accept,approve,start}'
        when 'SUBMITTED' then '{accept,approve,start,submit}'
        when 'VERIFIED' then '{accept,approve,start,submit,pass}'
        when 'COMPLETED' then '{accept,approve,start,submit,pass,complete}'
        when 'DISPUTED' then '{accept,approve,start,submit,fail}'
        when 'CANCELLED' then '{cancel}' end::text[], p_at);
    return v_task;
end $$;

-- fixture_operator: a verified operator, or one of another identity status.
create function fixture.fixture_operator(p_bucket int, p_name text, p_kyc text default 'VERIFIED', p_lat float8 default null,
    p_lng float8 default null, p_skills jsonb default '[]', p_at timestamptz default fixture.t0()) returns uuid
language plpgsql as $$
declare v_operator uuid := fixture.name_id(p_name, public.id_new(p_bucket, p_at));
begin
    perform public.operator_register(p_bucket, v_operator, null, p_name, p_name || '@example.com', null, 'Town', 'NO', p_lat, p_lng,
        p_skills, p_kyc, p_at);
    return v_operator;
end $$;

-- fixture_work: a real task of the operator of that name, brought to a status by the functions that the programs call, a minute
-- apart; COMPLETED with both legs of its pay, in hold for seven days from then.
create function fixture.fixture_work(p_bucket int, p_name text, p_status text, p_operator text default 'operator',
    p_agent text default 'agent', p_reward bigint default 25000000, p_at timestamptz default fixture.t0(),
    p_callback text default null) returns uuid
language plpgsql as $$
declare
    v_task uuid := fixture.fixture_task(p_bucket, p_name, p_agent => p_agent, p_reward => p_reward, p_at => p_at,
        p_callback => p_callback, p_deadline => p_at + interval '2 days');
    v_agent uuid := fixture.id(p_agent);
    v_operator uuid := fixture.id(p_operator);
    v_place int := array_position('{PENDING,ESTIMATE_PENDING,ACCEPTED,IN_PROGRESS,SUBMITTED,COMPLETED}'::text[], p_status);
    v_bucket int;
begin
    if v_place is null then
        raise exception 'fixtures: no work becomes % by itself', p_status;
    end if;
    if v_place >= 2 then
        perform public.claim_make(p_bucket, v_task, v_operator, p_operator, 4.5, 30, 'soon', 86400, p_at + interval '1 minute');
    end if;
    if v_place >= 3 then
        perform public.claim_approve(p_bucket, v_agent, v_task, p_at + interval '2 minutes');
    end if;
    if v_place >= 4 then
        perform public.claim_start(p_bucket, v_task, v_operator, p_at + interval '3 minutes');
    end if;
    if v_place >= 5 then
        perform public.claim_submit(p_bucket, v_task, v_operator, '{"notes": "done"}', null, 604800, p_at + interval '4 minutes');
    end if;
    if v_place >= 6 then
        perform public.verdict_guardian(p_bucket, v_task, 'pass', '{"decision": "APPROVE", "confidence": 95}', 604800,
            p_at + interval '5 minutes');
        select o.bucket into strict v_bucket from public.operators o where o.id = v_operator;
        perform public.earning_credit(v_bucket, v_operator, v_task, p_reward, p_at + interval '7 days 5 minutes',
            p_at + interval '5 minutes');
    end if;
    return v_task;
end $$;

-- clearing: what is on its way between buckets; nothing, once both legs are booked.
create function fixture.clearing() returns numeric
language sql as $$ select sum(balance) from public.accounts where kind = 'clearing' $$;

-- findings: what the audit of the ledger finds wrong, a year on; null is what one hopes for.
create function fixture.findings() returns text
language sql as $$ select string_agg(a::text, '; ') from public.ledger_audit_everywhere(fixture.t0() + interval '1 year') a $$;

create function fixture.usdc(p_name text) returns public.usdc_deposits
language sql as $$ select d from public.usdc_deposits d where d.id = fixture.id(p_name) $$;

create function fixture.payout(p_name text) returns public.payouts
language sql as $$ select p from public.payouts p where p.id = fixture.id(p_name) $$;

create function fixture.task(p_bucket int, p_name text) returns public.tasks
language sql as $$ select t from public.tasks t where bucket = p_bucket and id = fixture.id(p_name) $$;

-- refusal_of: runs a statement; the name of its refusal and, behind a space, the details; null if it passed.
create function fixture.refusal_of(p_sql text) returns text
language plpgsql as $$
declare
    v_name text;
    v_details text;
begin
    execute p_sql;
    return null;
exception when sqlstate 'UX001' then
    get stacked diagnostics v_name = message_text, v_details = pg_exception_detail;
    return v_name || case when v_details = '{}' then '' else ' ' || v_details end;
end $$;

-- would_refuse: the same, undone in any case.
create function fixture.would_refuse(p_sql text) returns text
language plpgsql as $$
declare v_refusal text;
begin
    v_refusal := fixture.refusal_of(p_sql);
    raise exception using errcode = 'ZZ001';
exception when sqlstate 'ZZ001' then
    return v_refusal;
end $$;

-- answer: the one text that a connection of dblink was sent to ask for, with the end of it, so that the connection is free again.
create function fixture.answer(p_name text) returns text
language plpgsql as $$
declare v_answer text;
begin
    select r into v_answer from dblink_get_result(p_name) d(r text);
    perform from dblink_get_result(p_name) d(r text);
    return v_answer;
end $$;

-- waits_in: whether a call of a function with this bucket, by another connection, comes to stand behind a lock.
create function fixture.waits_in(p_bucket int) returns boolean
language plpgsql as $$
begin
    for i in 1..200 loop
        perform pg_stat_clear_snapshot();
        if exists (select from pg_stat_activity
            where wait_event_type = 'Lock' and query like format('%%(%s,%%', p_bucket) and pid <> pg_backend_pid()) then
            return true;
        end if;
        perform pg_sleep(0.02);
    end loop;
    return false;
end $$;
