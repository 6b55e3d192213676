-- Double entry (spec 5).  Amounts are usd_micros.  What we owe is positive: an agent's deposit and escrow, an operator's pending,
-- available and in-flight money, fee revenue, gas set aside.  What we hold (custody) is the other side and runs negative;
-- clearing is money between two buckets.  Only ledger_post writes here.

create table accounts (
    bucket int not null check (bucket between 0 and 1023),
    party_id uuid not null,
    kind text not null,
    balance bigint not null default 0,
    primary key (bucket, party_id, kind),
    check (kind in ('deposit', 'escrow', 'pending', 'available', 'in_flight', 'revenue', 'gas', 'clearing',
        'usdc_custody', 'fiat_custody')),
    check (balance >= 0 or kind in ('clearing', 'usdc_custody', 'fiat_custody'))
);

-- kind and ref name the cause (escrow_hold of a task); a cause is booked once.
create table ledger_transactions (
    bucket int not null check (bucket between 0 and 1023),
    id uuid not null,
    party_id uuid not null,
    kind text not null,
    ref uuid not null,
    at timestamptz not null,
    primary key (bucket, id),
    unique (bucket, kind, ref)
);
create index ledger_transactions_party on ledger_transactions (bucket, party_id, at, id);

-- One line of a transaction; balance is the account's after it.
create table postings (
    bucket int not null check (bucket between 0 and 1023),
    at timestamptz not null,
    transaction_id uuid not null,
    party_id uuid not null,
    account text not null,
    amount bigint not null check (amount <> 0),
    balance bigint not null,
    primary key (bucket, at, transaction_id, account),
    foreign key (bucket, transaction_id) references ledger_transactions (bucket, id),
    foreign key (bucket, party_id, account) references accounts (bucket, party_id, kind)
) partition by range (at);
create table postings_rest partition of postings default;

create type posting_line as (account text, amount bigint);
