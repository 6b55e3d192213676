-- Deposits by card or bank transfer (spec 3, POST /agents/deposit).  Each locks the agent first, then the payment.

-- fiat_begin: a payment that the provider is about to be called for; calls take at most p_call_s.
-- Two of one agent within a millisecond get different order ids.  Fails: idempotency_in_progress (the same key's call runs).
create or replace function fiat_begin(p_bucket int, p_agent uuid, p_id uuid, p_amount bigint, p_method text,
    p_replay_key text, p_call_s int, p_now timestamptz) returns setof fiat_deposits
language plpgsql as $$
declare v_order_ms bigint;
begin
    perform 1 from agents where bucket = p_bucket and id = p_agent for update;
    perform 1 from fiat_deposits where bucket = p_bucket and agent_id = p_agent and replay_key = p_replay_key
        and status = 'pending' and calling_until > p_now;
    if found then
        perform refuse('idempotency_in_progress');
    end if;
    select greatest(floor(extract(epoch from p_now) * 1000)::bigint, max(order_ms) + 1) into v_order_ms
    from fiat_deposits where bucket = p_bucket and agent_id = p_agent;
    return query
    insert into fiat_deposits (bucket, id, agent_id, order_ms, amount, method, status, replay_key, calling_until, created_at)
    values (p_bucket, p_id, p_agent, v_order_ms, p_amount, p_method, 'pending', p_replay_key,
        p_now + p_call_s * interval '1 second', p_now)
    returning *;
end $$;

-- fiat_called: the call is over; provider's id and page, null if no answer came.  What a webhook has settled meanwhile stays.
create or replace function fiat_called(p_bucket int, p_agent uuid, p_id uuid, p_provider_id text, p_redirect_url text)
returns setof fiat_deposits
language plpgsql as $$
begin
    return query update fiat_deposits set calling_until = null, provider_id = coalesce(provider_id, p_provider_id),
        redirect_url = coalesce(redirect_url, p_redirect_url)
    where bucket = p_bucket and agent_id = p_agent and id = p_id returning *;
end $$;

create or replace function fiat_find(p_bucket int, p_agent uuid, p_id uuid) returns setof fiat_deposits
language plpgsql as $$
begin
    return query select * from fiat_deposits where bucket = p_bucket and agent_id = p_agent and id = p_id;
    if not found then
        perform refuse('payment_not_found');
    end if;
end $$;

create or replace function fiat_find_order(p_bucket int, p_agent uuid, p_order_ms bigint) returns setof fiat_deposits
language plpgsql as $$
begin
    return query select * from fiat_deposits where bucket = p_bucket and agent_id = p_agent and order_ms = p_order_ms;
    if not found then
        perform refuse('payment_not_found');
    end if;
end $$;

-- fiat_settle: what became of a payment, completed or failed; the same again changes nothing.  What is credited is the amount
-- kept here; p_amount, what the provider says was paid, must be the same (null, in test mode: nobody says).  A payment that
-- comes after all, when it had been given up, is credited too: the money is there.  A completed one stays completed.
-- Fails: payment_not_found, amount_mismatch.
create or replace function fiat_settle(p_bucket int, p_agent uuid, p_order_ms bigint, p_status text, p_amount bigint,
    p_actor text, p_now timestamptz) returns setof fiat_deposits
language plpgsql as $$
declare
    d fiat_deposits;
    v_transaction uuid;
begin
    perform 1 from agents where bucket = p_bucket and id = p_agent for update;
    select * into d from fiat_deposits where bucket = p_bucket and agent_id = p_agent and order_ms = p_order_ms for update;
    if not found then
        perform refuse('payment_not_found');
    elsif p_status = 'completed' and p_amount <> d.amount then
        perform refuse('amount_mismatch', jsonb_build_object('expected_usd', usd(d.amount), 'paid_usd', usd(p_amount)));
    elsif d.status in ('completed', p_status) then
        return next d;
        return;
    end if;
    if p_status = 'completed' then
        v_transaction := deposit_credit(p_bucket, p_agent, 'deposit_fiat', d.id, d.amount, p_now);
    end if;
    perform event_note(p_bucket, p_agent, 'deposit.' || p_status, p_actor, null, d.status, p_status,
        jsonb_build_object('payment', d.id, 'amount_usd', usd(d.amount)), null, p_now);
    return query update fiat_deposits set status = p_status, transaction_id = v_transaction, settled_at = p_now
    where bucket = p_bucket and id = d.id returning *;
end $$;
