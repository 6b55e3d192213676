-- API keys.  The programs compare the hash themselves, in constant time.

-- apikey_find: the live or dead key behind a handle, with its agent's standing.
create or replace function apikey_find(p_bucket int, p_handle text)
returns table (id uuid, agent_id uuid, hash bytea, scopes text[], expires_at timestamptz, last_used_at timestamptz,
    revoked_at timestamptz, tier text, suspended_at timestamptz)
language plpgsql as $$
#variable_conflict use_column
begin
    return query
    select k.id, k.agent_id, k.hash, k.scopes, k.expires_at, k.last_used_at, k.revoked_at, a.tier, a.suspended_at
    from api_keys k
    join agents a on a.bucket = k.bucket and a.id = k.agent_id
    where k.bucket = p_bucket and k.handle = p_handle;
end $$;

-- apikey_touch: records a use; called after the answer is sent, at most once a minute for a key.
create or replace function apikey_touch(p_bucket int, p_key uuid, p_now timestamptz) returns void
language plpgsql as $$
begin
    update api_keys set last_used_at = p_now
    where bucket = p_bucket and id = p_key and (last_used_at is null or last_used_at < p_now);
end $$;

-- apikey_create: another key of an agent, made with key p_maker.  A key hands out no more than it holds: no scope that it
-- lacks, no later end, and one with a budget makes none that can spend (many small budgets would add up to a large one).
-- Fails: scope_too_wide, key_limit_reached.
create or replace function apikey_create(p_bucket int, p_agent uuid, p_maker uuid, p_key uuid, p_handle text, p_hash bytea,
    p_name text, p_scopes jsonb, p_budget bigint, p_expires timestamptz, p_now timestamptz) returns void
language plpgsql as $$
declare
    m api_keys;
    v_scopes text[] := array(select jsonb_array_elements_text(p_scopes));
    v_count int;
begin
    perform 1 from agents where bucket = p_bucket and id = p_agent for update;
    select * into strict m from api_keys where bucket = p_bucket and id = p_maker;
    if not v_scopes <@ m.scopes then
        perform refuse('scope_too_wide', jsonb_build_object('scopes', to_jsonb(m.scopes)));
    elsif m.expires_at is not null and (p_expires is null or p_expires > m.expires_at) then
        perform refuse('scope_too_wide', jsonb_build_object('expires_at', 'not after the key that asks'));
    elsif m.budget is not null and v_scopes && array['tasks', 'funds'] then
        perform refuse('scope_too_wide', jsonb_build_object('max_daily_spend_usd', 'a key with a budget makes none that can spend'));
    end if;
    select count(*) into v_count from api_keys
    where bucket = p_bucket and agent_id = p_agent and revoked_at is null and (expires_at is null or expires_at > p_now);
    if v_count >= 100 then
        perform refuse('key_limit_reached', jsonb_build_object('limit', 100));
    end if;
    insert into api_keys (bucket, id, agent_id, handle, hash, name, scopes, budget, expires_at, created_at)
    values (p_bucket, p_key, p_agent, p_handle, p_hash, p_name, v_scopes, p_budget, p_expires, p_now);
end $$;

-- apikey_list: the keys that still work, oldest first.
create or replace function apikey_list(p_bucket int, p_agent uuid, p_now timestamptz)
returns table (id uuid, handle text, name text, scopes jsonb, budget bigint, expires_at timestamptz,
    last_used_at timestamptz, created_at timestamptz)
language plpgsql as $$
#variable_conflict use_column
begin
    return query
    select id, handle, name, to_jsonb(scopes), budget, expires_at, last_used_at, created_at from api_keys
    where bucket = p_bucket and agent_id = p_agent and revoked_at is null and (expires_at is null or expires_at > p_now)
    order by id;
end $$;

-- apikey_revoke: ends a key for good.  Fails: key_not_found (also: revoked before).
create or replace function apikey_revoke(p_bucket int, p_agent uuid, p_key uuid, p_now timestamptz) returns void
language plpgsql as $$
begin
    update api_keys set revoked_at = p_now
    where bucket = p_bucket and id = p_key and agent_id = p_agent and revoked_at is null;
    if not found then
        perform refuse('key_not_found');
    end if;
end $$;
