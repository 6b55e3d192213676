-- Wallets: the challenge whose signature binds one, and the one that is bound (spec 6).  That a wallet is one agent's alone
-- is registry_claim's doing (kind wallet), in the transaction of the binding; the wallet before it is given up by
-- registry_release.

-- wallet_challenge: a nonce that the agent's wallet may sign within ten minutes.  Ten may be open; one more ends the oldest.
create or replace function wallet_challenge(p_bucket int, p_agent uuid, p_nonce uuid, p_now timestamptz) returns void
language plpgsql as $$
begin
    perform 1 from agents where bucket = p_bucket and id = p_agent for update;
    insert into wallet_challenges (bucket, agent_id, nonce, issued_at) values (p_bucket, p_agent, p_nonce, p_now);
    delete from wallet_challenges where bucket = p_bucket and agent_id = p_agent
        and (issued_at <= p_now - interval '10 minutes' or nonce in (
            select nonce from wallet_challenges where bucket = p_bucket and agent_id = p_agent
            order by issued_at desc, nonce desc offset 10));
end $$;

-- wallet_challenge_find: when a nonce was issued, which stands in the text that was signed.  Holds the agent from here on,
-- so that of two bindings at once the second begins when the first is over.  Fails: challenge_invalid.
create or replace function wallet_challenge_find(p_bucket int, p_agent uuid, p_nonce uuid, p_now timestamptz)
returns table (issued_at timestamptz)
language plpgsql as $$
#variable_conflict use_column
begin
    perform 1 from agents where bucket = p_bucket and id = p_agent for update;
    return query select issued_at from wallet_challenges
    where bucket = p_bucket and agent_id = p_agent and nonce = p_nonce and issued_at > p_now - interval '10 minutes';
    if not found then
        perform refuse('challenge_invalid');
    end if;
end $$;

-- wallet_bind: the agent's wallet from now on; spends the nonce, so the caller has checked the signature.  previous: the
-- wallet before it, null if there was none, which may be the same.  Fails: challenge_invalid (unknown, used, older than ten
-- minutes).
create or replace function wallet_bind(p_bucket int, p_agent uuid, p_nonce uuid, p_wallet text, p_now timestamptz)
returns table (previous text, verified_at timestamptz)
language plpgsql as $$
declare v_previous text;
begin
    select wallet into v_previous from agents where bucket = p_bucket and id = p_agent for update;
    delete from wallet_challenges where bucket = p_bucket and agent_id = p_agent and nonce = p_nonce
        and issued_at > p_now - interval '10 minutes';
    if not found then
        perform refuse('challenge_invalid');
    end if;
    update agents set wallet = p_wallet, wallet_at = p_now where bucket = p_bucket and id = p_agent;
    return query select v_previous, p_now;
end $$;

-- wallet_show: the agent's wallet, if one is bound, and whether its withdrawals are frozen.
create or replace function wallet_show(p_bucket int, p_agent uuid)
returns table (wallet text, wallet_at timestamptz, payouts_frozen_at timestamptz, payouts_frozen_reason text)
language plpgsql as $$
#variable_conflict use_column
begin
    return query select wallet, wallet_at, payouts_frozen_at, payouts_frozen_reason from agents
    where bucket = p_bucket and id = p_agent;
end $$;

-- payouts_freeze: ends or allows an agent's withdrawals.  Fails: agent_not_found.
create or replace function payouts_freeze(p_bucket int, p_agent uuid, p_is_frozen boolean, p_reason text, p_now timestamptz)
returns void
language plpgsql as $$
begin
    update agents set payouts_frozen_at = case when p_is_frozen then coalesce(payouts_frozen_at, p_now) end,
        payouts_frozen_reason = case when p_is_frozen then coalesce(payouts_frozen_reason, p_reason) end
    where bucket = p_bucket and id = p_agent;
    if not found then
        perform refuse('agent_not_found');
    end if;
end $$;
