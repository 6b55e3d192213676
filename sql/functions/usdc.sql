-- USDC deposits (spec 6): seen on the chain, credited when they are confirmed, taken back when they vanish.  Each locks the
-- agent first, then the deposit, then accounts.  A transfer is known by chain, transaction and log; that only one agent
-- has it is registry_claim's doing (kind chain_log), in the transaction of usdc_seen.

-- usdc_seen: a transfer to us in a block; p_id is its id if it is new.  A known one whose block is another now takes the
-- new block and is looked at again; one that was reversed is pending again.  Should the transfer itself have become another
-- by that, what was credited for the old one is taken back.  A final one stays as it is, whatever is said.
-- Fails: wallet_required (a new one not from the agent's wallet; p_wallet null, in test mode: anybody's), deposit_taken.
create or replace function usdc_seen(p_bucket int, p_agent uuid, p_id uuid, p_chain bigint, p_tx text, p_log bigint,
    p_wallet text, p_amount bigint, p_block bigint, p_block_hash text, p_now timestamptz) returns setof usdc_deposits
language plpgsql as $$
declare
    a agents;
    d usdc_deposits;
begin
    select * into strict a from agents where bucket = p_bucket and id = p_agent for update;
    select * into d from usdc_deposits
    where bucket = p_bucket and chain_id = p_chain and tx_hash = p_tx and log_index = p_log for update;
    if found then
        return query select * from usdc_moved(p_bucket, p_agent, d, p_wallet, p_amount, p_block, p_block_hash, p_now);
        return;
    elsif p_wallet <> coalesce(a.wallet, '') then
        perform refuse('wallet_required');
    end if;
    insert into usdc_deposits (bucket, id, agent_id, chain_id, tx_hash, log_index, wallet, amount, block_number, block_hash,
        status, created_at, checked_at)
    values (p_bucket, p_id, p_agent, p_chain, p_tx, p_log, p_wallet, p_amount, p_block, p_block_hash, 'pending', p_now, p_now)
    returning * into d;
    perform usdc_event(p_bucket, d, null, p_now);
    return next d;
end $$;

-- usdc_moved: a known deposit, seen (again) in a block.  The caller holds agent and deposit.
create or replace function usdc_moved(p_bucket int, p_agent uuid, d usdc_deposits, p_wallet text, p_amount bigint,
    p_block bigint, p_block_hash text, p_now timestamptz) returns setof usdc_deposits
language plpgsql as $$
declare v_from text;
begin
    if d.agent_id <> p_agent then
        perform refuse('deposit_taken');
    elsif d.is_final or (d.block_hash is not distinct from p_block_hash and d.status <> 'reversed') then
        return next d;
        return;
    end if;
    if d.status = 'confirmed' and (d.amount, d.wallet) is distinct from (p_amount, p_wallet) then
        d := usdc_take_back(p_bucket, d, p_now);
    end if;
    v_from := d.status;
    if d.status = 'reversed' then
        d.status := 'pending';
        d.credit_ref := null;
        d.transaction_id := null;
    end if;
    update usdc_deposits set wallet = p_wallet, amount = p_amount, block_number = p_block, block_hash = p_block_hash,
        status = d.status, credit_ref = d.credit_ref, transaction_id = d.transaction_id, checked_at = p_now
    where bucket = p_bucket and id = d.id returning * into d;
    if v_from <> d.status then
        perform usdc_event(p_bucket, d, v_from, p_now);
    end if;
    return next d;
end $$;

-- usdc_confirm: credits a pending deposit if it still lies in the block that the caller has counted from; any other is left
-- as it is, and the row tells.  Not before what was credited for the same transaction in another block has been moved or
-- reversed: a transaction lies in one block alone.  In test mode there is no block, and the deposit final at once.
create or replace function usdc_confirm(p_bucket int, p_agent uuid, p_id uuid, p_block_hash text, p_now timestamptz)
returns setof usdc_deposits
language plpgsql as $$
declare
    d usdc_deposits;
    v_ref uuid := gen_random_uuid();
    v_transaction uuid;
begin
    d := usdc_lock(p_bucket, p_agent, p_id);
    perform 1 from usdc_deposits
    where bucket = p_bucket and chain_id = d.chain_id and tx_hash = d.tx_hash and status = 'confirmed'
        and block_hash is distinct from d.block_hash;
    if found or d.status <> 'pending' or d.block_hash is distinct from p_block_hash then
        return next d;
        return;
    end if;
    v_transaction := deposit_credit(p_bucket, p_agent, 'deposit_usdc', v_ref, d.amount, p_now);
    update usdc_deposits set status = 'confirmed', credit_ref = v_ref, transaction_id = v_transaction,
        confirmed_at = p_now, checked_at = p_now, is_final = d.block_hash is null
    where bucket = p_bucket and id = p_id returning * into d;
    perform usdc_event(p_bucket, d, 'pending', p_now);
    return next d;
end $$;

-- usdc_reverse: the deposit's block, as the caller knows it, is none of the chain's any more and the transaction in no
-- other.  What was credited is taken back, the agent's withdrawals are frozen, staff is told.  Twice is once; a final one
-- stays.
create or replace function usdc_reverse(p_bucket int, p_agent uuid, p_id uuid, p_block_hash text, p_now timestamptz)
returns setof usdc_deposits
language plpgsql as $$
declare d usdc_deposits := usdc_lock(p_bucket, p_agent, p_id);
begin
    if d.status = 'confirmed' and not d.is_final and d.block_hash = p_block_hash then
        d := usdc_take_back(p_bucket, d, p_now);
    elsif d.status = 'pending' and d.block_hash = p_block_hash then
        update usdc_deposits set status = 'reversed', reversed_at = p_now, checked_at = p_now
        where bucket = p_bucket and id = p_id returning * into d;
        perform usdc_event(p_bucket, d, 'pending', p_now);
    end if;
    return next d;
end $$;

-- usdc_take_back: books a confirmed deposit back: from what is left of the agent's money, and the rest as a debt, which the
-- next deposit pays first.  The caller holds agent and deposit.
create or replace function usdc_take_back(p_bucket int, d usdc_deposits, p_now timestamptz) returns usdc_deposits
language plpgsql as $$
declare v_taken bigint;
begin
    -- All accounts of the booking, in the order of every booking, before one of them is looked at.
    perform 1 from accounts
    where bucket = p_bucket and party_id = d.agent_id and kind in ('deposit', 'receivable', 'usdc_custody')
    order by kind for update;
    select least(balance, d.amount) into strict v_taken from accounts
    where bucket = p_bucket and party_id = d.agent_id and kind = 'deposit';
    perform ledger_post(p_bucket, 'deposit_usdc_reversed', d.credit_ref, p_now, d.agent_id, array[
        ('usdc_custody', d.amount), ('deposit', -v_taken), ('receivable', v_taken - d.amount)]::posting_line[]);
    perform payouts_freeze(p_bucket, d.agent_id, true, 'a credited deposit vanished from the chain', p_now);
    perform staff_act(p_bucket, 'deposit.reversed', id_text('agent_', d.agent_id), jsonb_build_object('tx_hash', d.tx_hash,
        'amount_usd', usd(d.amount), 'owed_usd', usd(d.amount - v_taken)), p_now);
    update usdc_deposits set status = 'reversed', reversed_at = p_now, checked_at = p_now
    where bucket = p_bucket and id = d.id returning * into d;
    perform usdc_event(p_bucket, d, 'confirmed', p_now);
    return d;
end $$;

-- usdc_final: the deposit's block is finalized; nobody looks at it again.
create or replace function usdc_final(p_bucket int, p_agent uuid, p_id uuid, p_block_hash text) returns void
language plpgsql as $$
begin
    update usdc_deposits set is_final = true
    where bucket = p_bucket and agent_id = p_agent and id = p_id and status = 'confirmed'
        and block_hash is not distinct from p_block_hash;
end $$;

-- usdc_lock: agent, then deposit.
create or replace function usdc_lock(p_bucket int, p_agent uuid, p_id uuid) returns usdc_deposits
language plpgsql as $$
declare d usdc_deposits;
begin
    perform 1 from agents where bucket = p_bucket and id = p_agent for update;
    select * into strict d from usdc_deposits where bucket = p_bucket and agent_id = p_agent and id = p_id for update;
    return d;
end $$;

-- usdc_event: tells the agent's event list of a deposit's present status.  Those of one instant stand in the order in which
-- they can follow each other.
create or replace function usdc_event(p_bucket int, d usdc_deposits, p_from text, p_now timestamptz) returns void
language plpgsql as $$
begin
    perform event_note(p_bucket, d.agent_id, 'deposit.' || d.status, 'system', null, p_from, d.status,
        jsonb_build_object('deposit', d.id, 'transaction', d.transaction_id, 'amount_usd', usd(d.amount), 'tx_hash', d.tx_hash),
        array_position(array['reversed', 'pending', 'confirmed'], d.status), p_now);
end $$;

-- usdc_of_transaction: the agent's deposits by one transaction, in the order of its logs.
create or replace function usdc_of_transaction(p_bucket int, p_agent uuid, p_chain bigint, p_tx text)
returns setof usdc_deposits
language plpgsql as $$
begin
    return query select * from usdc_deposits
    where bucket = p_bucket and agent_id = p_agent and chain_id = p_chain and tx_hash = p_tx order by log_index;
end $$;

-- usdc_open_everywhere: deposits that the chain may still change, the one not looked at for longest first.
create or replace function usdc_open_everywhere(p_chain bigint, p_limit int) returns setof usdc_deposits
language plpgsql as $$
begin
    return query select * from usdc_deposits
    where chain_id = p_chain and (status = 'pending' or (status = 'confirmed' and not is_final))
    order by checked_at, id limit p_limit;
end $$;

-- usdc_checked: looked at; others come first now.
create or replace function usdc_checked(p_bucket int, p_id uuid, p_now timestamptz) returns void
language plpgsql as $$
begin
    update usdc_deposits set checked_at = p_now where bucket = p_bucket and id = p_id and checked_at < p_now;
end $$;
