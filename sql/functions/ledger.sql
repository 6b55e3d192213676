-- The ledger (spec 5).  Unit: usd_micros.

-- ledger_post(bucket, kind, ref, now, party, lines): books one transaction of a party and returns its id.
-- The lines add up to zero, name different accounts of the party, and leave no balance below zero (a check of accounts).
-- Locks the accounts in the order of their kind, whatever the order of the lines; callers lock the task or agent first.
-- The same kind and ref twice is an error of the caller, and a unique key refuses it.
-- A booking that had to wait for the accounts may come with an earlier time than the one before it; it then stands a millisecond
-- behind that, so that a party's statement, read by time, shows its balances as they followed each other.
create or replace function ledger_post(p_bucket int, p_kind text, p_ref uuid, p_now timestamptz, p_party uuid,
    p_lines posting_line[]) returns uuid
language plpgsql as $$
declare
    v_id uuid;
    v_at timestamptz;
    v_sum numeric;
    v_lines int;
    v_booked int;
begin
    select sum(amount), count(*) into v_sum, v_lines from unnest(p_lines) where amount <> 0;
    if v_lines < 2 or v_sum <> 0 then
        raise exception 'ledger: % lines of % add up to %', v_lines, p_kind, v_sum using errcode = 'assert_failure';
    end if;
    perform 1 from accounts a
    where a.bucket = p_bucket and a.party_id = p_party
        and a.kind in (select account from unnest(p_lines) where amount <> 0)
    order by a.kind for update;
    select greatest(p_now, max(at) + interval '1 millisecond') into v_at from ledger_transactions
    where bucket = p_bucket and party_id = p_party and at >= p_now;
    v_id := id_new(p_bucket, v_at);
    insert into ledger_transactions (bucket, id, party_id, kind, ref, at)
    values (p_bucket, v_id, p_party, p_kind, p_ref, v_at);
    with moved as (
        update accounts a set balance = a.balance + l.amount from unnest(p_lines) l
        where a.bucket = p_bucket and a.party_id = p_party and a.kind = l.account and l.amount <> 0
        returning a.kind, l.amount, a.balance
    )
    insert into postings (bucket, at, transaction_id, party_id, account, amount, balance)
    select p_bucket, v_at, v_id, p_party, kind, amount, balance from moved;
    get diagnostics v_booked = row_count;
    if v_booked <> v_lines then
        raise exception 'ledger: % of % lines of % met an account', v_booked, v_lines, p_kind using errcode = 'assert_failure';
    end if;
    return v_id;
end $$;

-- ledger_balance: an agent's deposit and escrow, what is on its way back to it, and what it owes (zero or negative).
create or replace function ledger_balance(p_bucket int, p_party uuid)
returns table (deposit bigint, escrow bigint, in_flight bigint, receivable bigint)
language plpgsql as $$
begin
    return query
    select coalesce(sum(balance) filter (where kind = 'deposit'), 0)::bigint,
        coalesce(sum(balance) filter (where kind = 'escrow'), 0)::bigint,
        coalesce(sum(balance) filter (where kind = 'in_flight'), 0)::bigint,
        coalesce(sum(balance) filter (where kind = 'receivable'), 0)::bigint
    from accounts where bucket = p_bucket and party_id = p_party;
end $$;

-- ledger_statement: what moved an agent's deposit or escrow, newest first, from before transaction p_before on.
create or replace function ledger_statement(p_bucket int, p_party uuid, p_before uuid, p_limit int)
returns table (id uuid, kind text, ref uuid, at timestamptz, deposit_change bigint, escrow_change bigint,
    deposit_balance bigint, escrow_balance bigint)
language plpgsql as $$
#variable_conflict use_column
declare v_at timestamptz := timestamptz 'infinity';
begin
    if p_before is not null then
        select t.at into v_at from ledger_transactions t
        where t.bucket = p_bucket and t.id = p_before and t.party_id = p_party;
        if not found then
            perform refuse('cursor_invalid');
        end if;
    end if;
    return query
    select t.id, t.kind, t.ref, t.at,
        coalesce(sum(p.amount) filter (where p.account = 'deposit'), 0)::bigint,
        coalesce(sum(p.amount) filter (where p.account = 'escrow'), 0)::bigint,
        max(p.balance) filter (where p.account = 'deposit'),
        max(p.balance) filter (where p.account = 'escrow')
    from (
        select * from ledger_transactions l
        where l.bucket = p_bucket and l.party_id = p_party and l.kind <> 'payout_completed'
            and (p_before is null or (l.at, l.id) < (v_at, p_before))
        order by l.at desc, l.id desc limit p_limit
    ) t
    join postings p on p.bucket = p_bucket and p.at = t.at and p.transaction_id = t.id
    group by t.id, t.kind, t.ref, t.at
    order by t.at desc, t.id desc;
end $$;

-- ledger_audit_everywhere: a row for each invariant of spec 5 that is broken; none is what one hopes for.
-- what: unbalanced (a transaction's postings), drift (an account against its postings), escrow (an agent's escrow account
-- against its open tasks), payout (an in-flight account against its open payouts), usdc (what an agent's confirmed USDC deposits
-- come to against what was booked for them), total (all accounts), clearing (money between buckets for more than a minute, by
-- what it is for: the two legs may bear different times).
create or replace function ledger_audit_everywhere(p_now timestamptz)
returns table (what text, bucket int, id uuid, account text, amount bigint)
language plpgsql as $$
#variable_conflict use_column
begin
    return query
    select 'unbalanced', t.bucket, t.id, null::text, coalesce(sum(p.amount), 0)::bigint
    from ledger_transactions t
    left join postings p on p.bucket = t.bucket and p.at = t.at and p.transaction_id = t.id
    group by t.bucket, t.id having coalesce(sum(p.amount), 0) <> 0 or count(p.amount) < 2
    union all
    select 'drift', a.bucket, a.party_id, a.kind, a.balance - coalesce(s.amount, 0)
    from accounts a
    left join (select p.bucket, p.party_id, p.account, sum(p.amount)::bigint amount from postings p
        group by p.bucket, p.party_id, p.account) s
        on s.bucket = a.bucket and s.party_id = a.party_id and s.account = a.kind
    where a.balance <> coalesce(s.amount, 0)
    union all
    select 'escrow', a.bucket, a.party_id, a.kind, a.balance - coalesce(o.amount, 0)
    from accounts a
    left join (select t.bucket, t.agent_id, sum(t.reward + t.fee)::bigint amount from tasks t
        where not t.is_sandbox and t.status not in ('COMPLETED', 'CANCELLED') and t.completed_at is null
        group by t.bucket, t.agent_id) o on o.bucket = a.bucket and o.agent_id = a.party_id
    where a.kind = 'escrow' and a.balance <> coalesce(o.amount, 0)
    union all
    select 'payout', a.bucket, a.party_id, a.kind, a.balance - coalesce(o.amount, 0)
    from accounts a
    left join (select p.bucket, p.party_id, sum(p.amount)::bigint amount from payouts p
        where p.settled_at is null group by p.bucket, p.party_id) o on o.bucket = a.bucket and o.party_id = a.party_id
    where a.kind = 'in_flight' and a.balance <> coalesce(o.amount, 0)
    union all
    select 'usdc', coalesce(b.bucket, d.bucket), coalesce(b.party_id, d.agent_id), 'usdc_custody',
        coalesce(b.amount, 0) - coalesce(d.amount, 0)
    from (select t.bucket, t.party_id, -sum(p.amount)::bigint amount from ledger_transactions t
        join postings p on p.bucket = t.bucket and p.at = t.at and p.transaction_id = t.id and p.account = 'usdc_custody'
        where t.kind in ('deposit_usdc', 'deposit_usdc_reversed') group by t.bucket, t.party_id) b
    full join (select u.bucket, u.agent_id, sum(u.amount)::bigint amount from usdc_deposits u
        where u.status = 'confirmed' group by u.bucket, u.agent_id) d on d.bucket = b.bucket and d.agent_id = b.party_id
    where coalesce(b.amount, 0) <> coalesce(d.amount, 0)
    union all
    select 'total', null::int, null::uuid, null::text, sum(balance)::bigint from accounts having sum(balance) <> 0
    union all
    select 'clearing', null::int, t.ref, 'clearing', sum(p.amount)::bigint
    from postings p join ledger_transactions t on t.bucket = p.bucket and t.id = p.transaction_id
    where p.account = 'clearing'
    group by t.ref having sum(p.amount) <> 0 and max(p.at) < p_now - interval '1 minute';
end $$;
