-- What is known of a chain, and what we hold on it against what we owe.

create or replace function chain_state(p_bucket int, p_chain bigint) returns setof chain_states
language plpgsql as $$
begin
    return query select * from chain_states where bucket = p_bucket and chain_id = p_chain;
end $$;

-- chain_begin: the row of a chain and the one job that watches it (p_ref), made unless they are there; a dead job is revived.
-- Every worker says this when it starts.  p_payout_address: of the key that it holds; null, from one without: unchanged.
create or replace function chain_begin(p_bucket int, p_chain bigint, p_ref uuid, p_payout_address text, p_now timestamptz)
returns void
language plpgsql as $$
begin
    insert into chain_states as s (bucket, chain_id, payout_address, updated_at)
    values (p_bucket, p_chain, p_payout_address, p_now)
    on conflict (bucket, chain_id) do update
    set payout_address = coalesce(excluded.payout_address, s.payout_address), updated_at = excluded.updated_at;
    -- The row is held from here on, so that of two workers one finds the other's job.
    perform 1 from jobs where bucket = p_bucket and kind = 'chain' and ref = p_ref and not is_dead;
    if not found then
        perform job_revive(p_bucket, 'chain', p_ref, 1000000, p_now);
    end if;
end $$;

-- chain_scanned: blocks p_from to p_to were searched for transfers.  False if another has gone on from p_from already.
create or replace function chain_scanned(p_bucket int, p_chain bigint, p_from bigint, p_to bigint, p_head bigint,
    p_now timestamptz) returns boolean
language plpgsql as $$
begin
    update chain_states set scanned_block = p_to, head = p_head, scanned_at = p_now, updated_at = p_now
    where bucket = p_bucket and chain_id = p_chain and coalesce(scanned_block, p_from - 1) = p_from - 1;
    return found;
end $$;

create or replace function chain_quote(p_bucket int, p_chain bigint, p_quote jsonb, p_now timestamptz) returns void
language plpgsql as $$
begin
    update chain_states set quote = p_quote, quoted_at = p_now, updated_at = p_now where bucket = p_bucket and chain_id = p_chain;
end $$;

-- chain_reserves: what a comparison of the chain with the ledger gave.  p_is_frozen freezes payouts; that none is wrong
-- this time ends no freeze: staff does (chain_frozen).  True if this froze them.
create or replace function chain_reserves(p_bucket int, p_chain bigint, p_reserves jsonb, p_is_frozen boolean, p_reason text,
    p_now timestamptz) returns boolean
language plpgsql as $$
declare s chain_states;
begin
    select * into strict s from chain_states where bucket = p_bucket and chain_id = p_chain for update;
    update chain_states set reserves = p_reserves, reserves_at = p_now, is_frozen = s.is_frozen or p_is_frozen,
        frozen_reason = case when p_is_frozen and not s.is_frozen then p_reason else s.frozen_reason end, updated_at = p_now
    where bucket = p_bucket and chain_id = p_chain;
    return p_is_frozen and not s.is_frozen;
end $$;

-- chain_frozen: staff freezes payouts, or allows them again.
create or replace function chain_frozen(p_bucket int, p_chain bigint, p_is_frozen boolean, p_reason text, p_now timestamptz)
returns void
language plpgsql as $$
begin
    update chain_states set is_frozen = p_is_frozen, frozen_reason = case when p_is_frozen then p_reason end, updated_at = p_now
    where bucket = p_bucket and chain_id = p_chain;
end $$;

-- custody_everywhere: what we should hold in USDC (custody, positive), what of it is on its way out, and what we owe to whom.
create or replace function custody_everywhere()
returns table (custody bigint, in_flight bigint, deposits bigint, escrow bigint, pending bigint, available bigint,
    revenue bigint, gas bigint, receivable bigint)
language plpgsql as $$
begin
    return query
    select coalesce(-sum(a.balance) filter (where a.kind = 'usdc_custody'), 0)::bigint,
        coalesce(sum(a.balance) filter (where a.kind = 'in_flight'), 0)::bigint,
        coalesce(sum(a.balance) filter (where a.kind = 'deposit'), 0)::bigint,
        coalesce(sum(a.balance) filter (where a.kind = 'escrow'), 0)::bigint,
        coalesce(sum(a.balance) filter (where a.kind = 'pending'), 0)::bigint,
        coalesce(sum(a.balance) filter (where a.kind = 'available'), 0)::bigint,
        coalesce(sum(a.balance) filter (where a.kind = 'revenue'), 0)::bigint,
        coalesce(sum(a.balance) filter (where a.kind = 'gas'), 0)::bigint,
        coalesce(sum(a.balance) filter (where a.kind = 'receivable'), 0)::bigint
    from accounts a;
end $$;
