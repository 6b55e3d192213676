-- USDC that goes out (spec 6): an operator's earnings, an agent's unused deposit.

-- reserved: the money is in flight, nothing is signed (any more).  signed: one of its transactions is to be mined, all at one
-- nonce.  stuck: the same or not yet signed, and staff has to look.  completed and failed are for ever.
create table payouts (
    bucket int not null check (bucket between 0 and 1023),
    id uuid not null,
    party_id uuid not null,
    party_kind text not null check (party_kind in ('agent', 'operator')),
    amount bigint not null check (amount > 0),  -- usd_micros; the fee is part of it, the rest is sent
    gas_fee bigint not null check (gas_fee >= 0),
    to_address text not null check (to_address ~ '^0x[0-9a-f]{40}$'),
    chain_id bigint not null,
    status text not null check (status in ('reserved', 'signed', 'stuck', 'completed', 'failed')),
    nonce bigint check (nonce >= 0),            -- of the account that pays
    sender text check (sender ~ '^0x[0-9a-f]{40}$'),
    is_cancelled boolean not null default false,    -- staff wants it ended
    problem text,                               -- why it does not get on
    tx_hash text check (tx_hash ~ '^0x[0-9a-f]{64}$'),  -- of the last transfer signed, in the end of the one mined
    block_number bigint check (block_number >= 0),
    created_at timestamptz not null,
    signed_at timestamptz,
    retried_at timestamptz,                     -- staff has said to go on, since it was stuck
    settled_at timestamptz,
    primary key (bucket, id),
    check (gas_fee < amount),
    check ((nonce is null) = (sender is null)),
    check (status <> 'reserved' or nonce is null),
    check (status <> 'signed' or nonce is not null),
    check ((status in ('completed', 'failed')) = (settled_at is not null))
);
create index payouts_party on payouts (bucket, party_id, id);
create index payouts_open on payouts (chain_id, bucket) where status in ('reserved', 'signed', 'stuck');
create index payouts_newest on payouts (id);

-- Every transaction that was ever signed for a payout, byte for byte; stored before it is sent.  Fees are wei for a unit of gas.
-- cancel: nothing to ourselves, at the same nonce.
create table payout_transactions (
    bucket int not null check (bucket between 0 and 1023),
    payout_id uuid not null,
    attempt int not null check (attempt > 0),
    kind text not null check (kind in ('transfer', 'cancel')),
    nonce bigint not null check (nonce >= 0),
    hash text not null check (hash ~ '^0x[0-9a-f]{64}$'),
    raw bytea not null check (length(raw) > 0),
    max_fee numeric(78) not null check (max_fee >= 0),
    tip numeric(78) not null check (tip >= 0),
    gas_limit bigint not null check (gas_limit > 0),
    created_at timestamptz not null,
    sent_at timestamptz,
    primary key (bucket, payout_id, attempt),
    unique (bucket, hash),
    foreign key (bucket, payout_id) references payouts (bucket, id)
);

-- The next nonce of an account that pays, in the bucket of chain and address.
create table nonces (
    bucket int not null check (bucket between 0 and 1023),
    chain_id bigint not null,
    address text not null check (address ~ '^0x[0-9a-f]{40}$'),
    next_nonce bigint not null check (next_nonce >= 0),
    primary key (bucket, chain_id, address)
);
