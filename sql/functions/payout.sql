-- Payouts (spec 6): an operator's earnings, or an agent's unused deposit, as USDC.  Reserved in the ledger, signed and
-- stored, sent, watched; ended once, one way or the other.  A request locks the party, a step of the worker the payout,
-- then accounts.

-- payout_request: takes the money off the balance and queues the payout; p_is_test: there is no chain, and it is paid at
-- once.  An agent gets back no more than came in as USDC that is final, less what it had back or is on its way: card money
-- never leaves as USDC.  What an agent owes (receivable) is not there to be withdrawn.
-- Fails: agent_suspended, payouts_frozen, operator_suspended, kyc_required, payout_balance (details available_usd, for an
-- agent also withdrawable_usd).
create or replace function payout_request(p_bucket int, p_party uuid, p_kind text, p_id uuid, p_amount bigint, p_gas_fee bigint,
    p_to text, p_chain bigint, p_is_test boolean, p_now timestamptz) returns setof payouts
language plpgsql as $$
declare
    v_from text := case p_kind when 'agent' then 'deposit' when 'operator' then 'available' end;
    v_available bigint;
    v_withdrawable bigint;
    p payouts;
begin
    perform payout_check_party(p_bucket, p_party, p_kind);
    -- In test mode a second booking follows: all its accounts now, in the order of every booking.
    perform 1 from accounts
    where bucket = p_bucket and party_id = p_party
        and (kind in (v_from, 'in_flight', 'receivable') or (p_is_test and kind in ('gas', 'usdc_custody')))
    order by kind for update;
    select sum(balance) into v_available from accounts
    where bucket = p_bucket and party_id = p_party and kind in (v_from, 'receivable');
    v_withdrawable := case p_kind when 'agent' then least(v_available, payout_limit(p_bucket, p_party)) else v_available end;
    if p_amount > v_withdrawable then
        perform refuse('payout_balance', jsonb_strip_nulls(jsonb_build_object('available_usd', usd(greatest(v_available, 0)),
            'withdrawable_usd', case p_kind when 'agent' then usd(greatest(v_withdrawable, 0)) end)));
    end if;
    insert into payouts (bucket, id, party_id, party_kind, amount, gas_fee, to_address, chain_id, status, created_at)
    values (p_bucket, p_id, p_party, p_kind, p_amount, p_gas_fee, p_to, p_chain, 'reserved', p_now) returning * into p;
    perform ledger_post(p_bucket, 'payout', p_id, p_now, p_party, array[
        (v_from, -p_amount), ('in_flight', p_amount)]::posting_line[]);
    perform payout_event(p_bucket, p, 'pending', 'agent', p_now);
    if p_is_test then
        p := payout_end(p_bucket, p, 'completed', 'system', p_now);
    else
        perform job_add(p_bucket, 'payout', p_id, '{}', p_now, 1000000, p_now);
    end if;
    return next p;
end $$;

-- payout_check_party: locks agent or operator, and refuses one who may not be paid.
create or replace function payout_check_party(p_bucket int, p_party uuid, p_kind text) returns void
language plpgsql as $$
declare
    a agents;
    o operators;
begin
    if p_kind = 'agent' then
        select * into strict a from agents where bucket = p_bucket and id = p_party for update;
        if a.suspended_at is not null then
            perform refuse('agent_suspended');
        elsif a.payouts_frozen_at is not null then
            perform refuse('payouts_frozen');
        end if;
        return;
    end if;
    select * into strict o from operators where bucket = p_bucket and id = p_party for update;
    if o.suspended_at is not null then
        perform refuse('operator_suspended');
    elsif o.kyc_status <> 'VERIFIED' then
        perform refuse('kyc_required', jsonb_build_object('kyc_status', o.kyc_status));
    end if;
end $$;

-- payout_limit: what of an agent's final USDC has not gone back yet.
create or replace function payout_limit(p_bucket int, p_agent uuid) returns bigint
language plpgsql as $$
declare
    v_in bigint;
    v_out bigint;
begin
    select coalesce(sum(amount), 0) into v_in from usdc_deposits
    where bucket = p_bucket and agent_id = p_agent and status = 'confirmed' and is_final;
    select coalesce(sum(amount), 0) into v_out from payouts
    where bucket = p_bucket and party_id = p_agent and status <> 'failed';
    return v_in - v_out;
end $$;

-- payout_end: completed: the money has left, the fee stays for gas; failed: it goes back to where it came from.  The caller
-- holds the payout, which is still open, and has set what else there is to say of it.
create or replace function payout_end(p_bucket int, p payouts, p_status text, p_actor text, p_now timestamptz) returns payouts
language plpgsql as $$
begin
    if p_status = 'completed' then
        perform ledger_post(p_bucket, 'payout_completed', p.id, p_now, p.party_id, array[
            ('in_flight', -p.amount), ('usdc_custody', p.amount - p.gas_fee), ('gas', p.gas_fee)]::posting_line[]);
    else
        perform ledger_post(p_bucket, 'payout_failed', p.id, p_now, p.party_id, array[('in_flight', -p.amount),
            (case p.party_kind when 'agent' then 'deposit' else 'available' end, p.amount)]::posting_line[]);
    end if;
    update payouts set status = p_status, problem = p.problem, tx_hash = p.tx_hash, block_number = p.block_number,
        settled_at = p_now
    where bucket = p_bucket and id = p.id returning * into p;
    perform payout_event(p_bucket, p, p_status, p_actor, p_now);
    return p;
end $$;

-- payout_event: tells an agent's event list of a withdrawal: pending, stuck, completed, failed.  Statuses are those of
-- answers.
create or replace function payout_event(p_bucket int, p payouts, p_what text, p_actor text, p_now timestamptz) returns void
language plpgsql as $$
begin
    if p.party_kind = 'agent' then
        perform event_note(p_bucket, p.party_id, 'withdrawal.' || p_what, p_actor,
            case p_actor when 'agent' then p.party_id end, case p_what when 'pending' then null else 'PENDING_ONCHAIN' end,
            case when p_what in ('completed', 'failed') then upper(p_what) else 'PENDING_ONCHAIN' end,
            jsonb_build_object('payout', p.id, 'amount_usd', usd(p.amount), 'gas_fee_usd', usd(p.gas_fee), 'tx_hash', p.tx_hash),
            array_position(array['pending', 'stuck', 'completed', 'failed'], p_what), p_now);
    end if;
end $$;

-- payout_lock: holds a payout.  Fails: payout_not_found.
create or replace function payout_lock(p_bucket int, p_id uuid) returns payouts
language plpgsql as $$
declare p payouts;
begin
    select * into p from payouts where bucket = p_bucket and id = p_id for update;
    if not found then
        perform refuse('payout_not_found');
    end if;
    return p;
end $$;

-- payout_lock_open: the same, of one that is not over.  Fails: payout_not_found, payout_state_conflict.
create or replace function payout_lock_open(p_bucket int, p_id uuid) returns payouts
language plpgsql as $$
declare p payouts := payout_lock(p_bucket, p_id);
begin
    if p.status in ('completed', 'failed') then
        perform refuse('payout_state_conflict', jsonb_build_object('state', p.status));
    end if;
    return p;
end $$;

-- payout_find: a party's own.  Fails: payout_not_found.
create or replace function payout_find(p_bucket int, p_party uuid, p_id uuid) returns setof payouts
language plpgsql as $$
begin
    return query select * from payouts where bucket = p_bucket and party_id = p_party and id = p_id;
    if not found then
        perform refuse('payout_not_found');
    end if;
end $$;

-- payout_list: a party's own, newest first, those before one of them (null: from the newest).  Fails: cursor_invalid.
create or replace function payout_list(p_bucket int, p_party uuid, p_before uuid, p_limit int) returns setof payouts
language plpgsql as $$
begin
    perform 1 from payouts where bucket = p_bucket and party_id = p_party and id = p_before;
    if not found and p_before is not null then
        perform refuse('cursor_invalid');
    end if;
    return query select * from payouts
    where bucket = p_bucket and party_id = p_party and (p_before is null or id < p_before) order by id desc limit p_limit;
end $$;

-- payout_load: anybody's; no row if there is no such payout.
create or replace function payout_load(p_bucket int, p_id uuid) returns setof payouts
language plpgsql as $$
begin
    return query select * from payouts where bucket = p_bucket and id = p_id;
end $$;

-- payout_tries: what was signed for a payout, the first first.
create or replace function payout_tries(p_bucket int, p_id uuid) returns setof payout_transactions
language plpgsql as $$
begin
    return query select * from payout_transactions where bucket = p_bucket and payout_id = p_id order by attempt;
end $$;

-- nonce_take: the next nonce of an account, held to the end of the transaction, so that one that is rolled back leaves no
-- gap.  p_chain_nonce: the chain's own, below which all are used.
create or replace function nonce_take(p_bucket int, p_chain bigint, p_address text, p_chain_nonce bigint, p_now timestamptz)
returns bigint
language plpgsql as $$
declare v_next bigint;
begin
    insert into nonces as n (bucket, chain_id, address, next_nonce) values (p_bucket, p_chain, p_address, p_chain_nonce + 1)
    on conflict (bucket, chain_id, address) do update
    set next_nonce = greatest(n.next_nonce, p_chain_nonce) + 1
    returning n.next_nonce into v_next;
    return v_next - 1;
end $$;

-- payout_sign: stores a signed transaction before it is sent: transfer, or, of one that staff has ended, cancel.  A payout
-- that has a nonce gets no other (payout_renonce takes it away).  The same bytes again change nothing.  Nothing is signed
-- for the first time while the agent's withdrawals are frozen.
-- Fails: payout_not_found, payout_state_conflict (over, another nonce or sender, staff has ended it or not),
-- payouts_frozen.
create or replace function payout_sign(p_bucket int, p_id uuid, p_kind text, p_sender text, p_nonce bigint, p_hash text,
    p_raw bytea, p_max_fee numeric, p_tip numeric, p_gas_limit bigint, p_now timestamptz) returns setof payouts
language plpgsql as $$
declare
    p payouts;
    v_is_frozen boolean;
    v_attempt int;
begin
    -- The agent before the payout, as whoever freezes one holds it.
    select payouts_frozen_at is not null into v_is_frozen from agents
    where bucket = p_bucket and id = (select party_id from payouts where bucket = p_bucket and id = p_id) for share;
    p := payout_lock_open(p_bucket, p_id);
    perform 1 from payout_transactions where bucket = p_bucket and payout_id = p_id and hash = p_hash;
    if found then
        return next p;
        return;
    elsif (p_kind = 'cancel') <> p.is_cancelled or (p_nonce, p_sender) <> (p.nonce, p.sender) then
        perform refuse('payout_state_conflict', jsonb_build_object('state', p.status));
    elsif p.nonce is null and v_is_frozen then
        perform refuse('payouts_frozen');
    end if;
    select coalesce(max(attempt), 0) + 1 into v_attempt from payout_transactions where bucket = p_bucket and payout_id = p_id;
    insert into payout_transactions (bucket, payout_id, attempt, kind, nonce, hash, raw, max_fee, tip, gas_limit, created_at)
    values (p_bucket, p_id, v_attempt, p_kind, p_nonce, p_hash, p_raw, p_max_fee, p_tip, p_gas_limit, p_now);
    return query update payouts set status = 'signed', nonce = p_nonce, sender = p_sender, problem = null,
        tx_hash = case p_kind when 'transfer' then p_hash else tx_hash end, signed_at = coalesce(signed_at, p_now)
    where bucket = p_bucket and id = p_id returning *;
end $$;

-- payout_sent: an endpoint has taken it.
create or replace function payout_sent(p_bucket int, p_id uuid, p_attempt int, p_now timestamptz) returns void
language plpgsql as $$
begin
    update payout_transactions set sent_at = p_now
    where bucket = p_bucket and payout_id = p_id and attempt = p_attempt and sent_at is null;
end $$;

-- payout_problem: why an open payout does not get on at present; null: it does.
create or replace function payout_problem(p_bucket int, p_id uuid, p_problem text, p_now timestamptz) returns void
language plpgsql as $$
begin
    update payouts set problem = p_problem
    where bucket = p_bucket and id = p_id and settled_at is null and problem is distinct from p_problem;
end $$;

-- payout_stuck: staff has to look.  Fails: payout_not_found, payout_state_conflict.
create or replace function payout_stuck(p_bucket int, p_id uuid, p_problem text, p_now timestamptz) returns setof payouts
language plpgsql as $$
declare
    p payouts := payout_lock_open(p_bucket, p_id);
    v_from text := p.status;
begin
    update payouts set status = 'stuck', problem = p_problem, retried_at = null
    where bucket = p_bucket and id = p_id returning * into p;
    if v_from <> 'stuck' then
        perform payout_event(p_bucket, p, 'stuck', 'system', p_now);
    end if;
    return next p;
end $$;

-- payout_renonce: another transaction of the account has used the nonce up for good, so none of the payout's can be mined:
-- it is signed anew, at a new nonce; or, if staff has ended it, it has failed.  Fails: payout_not_found,
-- payout_state_conflict.
create or replace function payout_renonce(p_bucket int, p_id uuid, p_now timestamptz) returns setof payouts
language plpgsql as $$
declare p payouts := payout_lock_open(p_bucket, p_id);
begin
    update payouts set status = 'reserved', nonce = null, sender = null, tx_hash = null, problem = null, retried_at = null
    where bucket = p_bucket and id = p_id returning * into p;
    if p.is_cancelled then
        p.problem := 'ended by staff';
        p := payout_end(p_bucket, p, 'failed', 'staff', p_now);
    end if;
    return next p;
end $$;

-- payout_complete: one of its transfers was mined and has its confirmations.  The same again changes nothing.
-- Fails: payout_not_found, payout_state_conflict (failed, or no transfer of this payout has this hash).
create or replace function payout_complete(p_bucket int, p_id uuid, p_hash text, p_block bigint, p_now timestamptz)
returns setof payouts
language plpgsql as $$
declare p payouts := payout_lock(p_bucket, p_id);
begin
    if p.status = 'completed' and p.tx_hash = p_hash then
        return next p;
        return;
    end if;
    perform 1 from payout_transactions
    where bucket = p_bucket and payout_id = p_id and hash = p_hash and kind = 'transfer';
    if not found or p.status in ('completed', 'failed') then
        perform refuse('payout_state_conflict', jsonb_build_object('state', p.status));
    end if;
    p.tx_hash := p_hash;
    p.block_number := p_block;
    p.problem := null;
    return next payout_end(p_bucket, p, 'completed', 'system', p_now);
end $$;

-- payout_fail: no transfer of it was mined, or ever will be.  The same again changes nothing.
-- Fails: payout_not_found, payout_state_conflict (completed).
create or replace function payout_fail(p_bucket int, p_id uuid, p_problem text, p_now timestamptz) returns setof payouts
language plpgsql as $$
declare p payouts := payout_lock(p_bucket, p_id);
begin
    if p.status = 'completed' then
        perform refuse('payout_state_conflict', jsonb_build_object('state', p.status));
    elsif p.status <> 'failed' then
        p.problem := p_problem;
        p := payout_end(p_bucket, p, 'failed', 'system', p_now);
    end if;
    return next p;
end $$;

-- payout_cancel: staff ends a payout: at once while nothing is signed that could be mined; else the worker puts a cancel at
-- its nonce, and whichever is mined decides.  The same again changes nothing.  Fails: payout_not_found,
-- payout_state_conflict (completed).
create or replace function payout_cancel(p_bucket int, p_id uuid, p_now timestamptz) returns setof payouts
language plpgsql as $$
declare p payouts := payout_lock(p_bucket, p_id);
begin
    if p.status = 'completed' then
        perform refuse('payout_state_conflict', jsonb_build_object('state', p.status));
    elsif p.status <> 'failed' then
        update payouts set is_cancelled = true where bucket = p_bucket and id = p_id returning * into p;
        if p.nonce is null then
            p.problem := 'ended by staff';
            p := payout_end(p_bucket, p, 'failed', 'staff', p_now);
        else
            perform job_revive(p_bucket, 'payout', p_id, 1000000, p_now);
        end if;
    end if;
    return next p;
end $$;

-- payout_retry: staff says to go on: the problem is forgotten, its job due now, revived if it was given up.
-- Fails: payout_not_found, payout_state_conflict.
create or replace function payout_retry(p_bucket int, p_id uuid, p_now timestamptz) returns setof payouts
language plpgsql as $$
begin
    perform payout_lock_open(p_bucket, p_id);
    perform job_revive(p_bucket, 'payout', p_id, 1000000, p_now);
    return query update payouts set problem = null, retried_at = p_now,
        status = case when nonce is null then 'reserved' else 'signed' end
    where bucket = p_bucket and id = p_id returning *;
end $$;

-- payouts_everywhere: for staff, those in some states, newest first, from before one of them on (null: from the newest).
create or replace function payouts_everywhere(p_states jsonb, p_before uuid, p_limit int) returns setof payouts
language plpgsql as $$
begin
    -- Open ones are few among all there ever were, and have an index of their own.
    if not p_states ?| array['completed', 'failed'] then
        return query select * from payouts
        where status in ('reserved', 'signed', 'stuck') and p_states ? status and (p_before is null or id < p_before)
        order by id desc limit p_limit;
        return;
    end if;
    return query select * from payouts
    where p_states ? status and (p_before is null or id < p_before) order by id desc limit p_limit;
end $$;

-- payouts_signed_everywhere: what may be mined, or was and is not known to be.
create or replace function payouts_signed_everywhere(p_chain bigint)
returns table (bucket int, id uuid, nonce bigint, sender text, amount bigint, gas_fee bigint)
language plpgsql as $$
#variable_conflict use_column
begin
    return query select p.bucket, p.id, p.nonce, p.sender, p.amount, p.gas_fee from payouts p
    where p.chain_id = p_chain and p.status in ('reserved', 'signed', 'stuck') and p.nonce is not null;
end $$;
