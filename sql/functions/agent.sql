-- Agents: sign-up, e-mail verification, tiers.

-- agent_register(bucket, agent, …): a SANDBOX agent with its first key, its accounts, a verification token and the mail job
-- that carries it.  The e-mail address was claimed by registry_claim in the same transaction.
create or replace function agent_register(p_bucket int, p_agent uuid, p_name text, p_email text, p_company text,
    p_key uuid, p_handle text, p_hash bytea, p_token_hash bytea, p_mail jsonb, p_now timestamptz)
returns setof tiers
language plpgsql as $$
begin
    insert into agents (bucket, id, name, email, company, tier, created_at)
    values (p_bucket, p_agent, p_name, p_email, p_company, 'SANDBOX', p_now);
    insert into api_keys (bucket, id, agent_id, handle, hash, name, scopes, created_at)
    values (p_bucket, p_key, p_agent, p_handle, p_hash, 'default', array['read', 'tasks', 'funds', 'keys'], p_now);
    insert into accounts (bucket, party_id, kind)
    select p_bucket, p_agent, kind
    from unnest(array['clearing', 'deposit', 'escrow', 'fiat_custody', 'gas', 'in_flight', 'receivable', 'revenue',
        'usdc_custody']) kind;
    perform email_token_add(p_bucket, p_agent, p_token_hash, p_mail, p_now);
    return query select t.* from tiers t where t.name = 'SANDBOX';
end $$;

-- email_token_add: a token good for 24 hours and the mail job; tokens before it die.
create or replace function email_token_add(p_bucket int, p_agent uuid, p_token_hash bytea, p_mail jsonb, p_now timestamptz)
returns void
language plpgsql as $$
declare v_job uuid := id_new(p_bucket, p_now);
begin
    delete from email_tokens where bucket = p_bucket and agent_id = p_agent;
    insert into email_tokens (bucket, token_hash, agent_id, expires_at, created_at)
    values (p_bucket, p_token_hash, p_agent, p_now + interval '24 hours', p_now);
    insert into jobs (bucket, id, kind, ref, payload, run_at, max_attempts, created_at)
    values (p_bucket, v_job, 'mail', p_agent, p_mail, p_now, 12, p_now);
end $$;

-- email_resend: a new token and mail.  Fails: already_verified.
create or replace function email_resend(p_bucket int, p_agent uuid, p_token_hash bytea, p_mail jsonb, p_now timestamptz)
returns void
language plpgsql as $$
declare a agents;
begin
    select * into strict a from agents where bucket = p_bucket and id = p_agent for update;
    if a.email_verified_at is not null then
        perform refuse('already_verified');
    end if;
    perform email_token_add(p_bucket, p_agent, p_token_hash, p_mail, p_now);
end $$;

-- email_verify: spends a token; was_used tells that it had been spent before (and changes nothing then).
-- Fails: token_invalid, token_expired.
create or replace function email_verify(p_bucket int, p_token_hash bytea, p_now timestamptz)
returns table (agent_id uuid, tier text, was_used boolean)
language plpgsql as $$
#variable_conflict use_column
declare
    t email_tokens;
    v_tier text;
begin
    -- The agent is locked before its token, as in email_resend: the other order would let the two wait for each other.
    perform 1 from agents a where a.bucket = p_bucket and a.id = (
        select e.agent_id from email_tokens e where e.bucket = p_bucket and e.token_hash = p_token_hash) for update;
    select * into t from email_tokens e where e.bucket = p_bucket and e.token_hash = p_token_hash for update;
    if not found then
        perform refuse('token_invalid');
    elsif t.used_at is null and t.expires_at <= p_now then
        perform refuse('token_expired');
    end if;
    if t.used_at is null then
        update email_tokens e set used_at = p_now where e.bucket = p_bucket and e.token_hash = p_token_hash;
        update agents a set email_verified_at = coalesce(a.email_verified_at, p_now)
        where a.bucket = p_bucket and a.id = t.agent_id;
    end if;
    v_tier := agent_upgrade(p_bucket, t.agent_id);
    return query select t.agent_id, v_tier, t.used_at is not null;
end $$;

-- agent_upgrade: lifts the tier to what the agent has earned (spec 4) and returns it; never lowers it.
create or replace function agent_upgrade(p_bucket int, p_agent uuid) returns text
language plpgsql as $$
declare
    a agents;
    v_deposited bigint;
    v_tier text;
begin
    select * into strict a from agents where bucket = p_bucket and id = p_agent for update;
    -- By what came into custody: part of a deposit may have paid a debt.
    select coalesce(-sum(p.amount), 0) into v_deposited
    from ledger_transactions t
    join postings p on p.bucket = t.bucket and p.at = t.at and p.transaction_id = t.id and p.account = 'usdc_custody'
    where t.bucket = p_bucket and t.party_id = p_agent and t.kind in ('deposit_usdc', 'deposit_usdc_reversed');
    v_tier := case
        when a.tier = 'STANDARD' then a.tier
        when a.email_verified_at is null then a.tier
        when v_deposited >= 50000000 then 'STANDARD'
        else 'VERIFIED' end;
    if v_tier <> a.tier then
        update agents set tier = v_tier where bucket = p_bucket and id = p_agent;
    end if;
    return v_tier;
end $$;

-- agent_usage: what of the day's limits is used, and the trailing 30 days' spend that decides the fee (spec 4).
-- Days are UTC.  A cancelled task still counts as one of the day's tasks; its reward is no spend.
create or replace function agent_usage(p_bucket int, p_agent uuid, p_key uuid, p_now timestamptz)
returns table (tasks_today bigint, spend_today bigint, sandbox_tasks_today bigint, sandbox_spend_today bigint,
    key_spend_today bigint, spend_30_days bigint)
language plpgsql as $$
#variable_conflict use_column
declare v_day timestamptz := today(p_now);
begin
    return query
    select count(*) filter (where created_at >= v_day and not is_sandbox),
        coalesce(sum(reward) filter (where created_at >= v_day and not is_sandbox and status <> 'CANCELLED'), 0)::bigint,
        count(*) filter (where created_at >= v_day and is_sandbox),
        coalesce(sum(reward) filter (where created_at >= v_day and is_sandbox and status <> 'CANCELLED'), 0)::bigint,
        coalesce(sum(reward + fee) filter (where created_at >= v_day and not is_sandbox and status <> 'CANCELLED'
            and key_id = p_key), 0)::bigint,
        coalesce(sum(reward) filter (where not is_sandbox and status <> 'CANCELLED'), 0)::bigint
    from tasks
    where bucket = p_bucket and agent_id = p_agent and created_at > p_now - interval '30 days';
end $$;

-- agent_show: the agent with its tier's limits, today's use and its fee tier.
create or replace function agent_show(p_bucket int, p_agent uuid, p_key uuid, p_now timestamptz)
returns table (name text, email text, company text, tier text, email_verified_at timestamptz, created_at timestamptz,
    max_daily_tasks int, max_task_value bigint, max_daily_spend bigint, upgrade text,
    tasks_today bigint, spend_today bigint, sandbox_tasks_today bigint, sandbox_spend_today bigint,
    spend_30_days bigint, fee_tier text, basis_points int)
language plpgsql as $$
#variable_conflict use_column
begin
    return query
    select a.name, a.email, a.company, a.tier, a.email_verified_at, a.created_at,
        t.max_daily_tasks, t.max_task_value, t.max_daily_spend, t.upgrade,
        u.tasks_today, u.spend_today, u.sandbox_tasks_today, u.sandbox_spend_today, u.spend_30_days, f.name, f.basis_points
    from agents a
    join tiers t on t.name = a.tier
    cross join lateral agent_usage(p_bucket, p_agent, p_key, p_now) u
    cross join lateral fee_tier(u.spend_30_days) f
    where a.bucket = p_bucket and a.id = p_agent;
end $$;
