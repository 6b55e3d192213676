-- USDC that comes in (spec 6): bound wallets, deposits seen on the chain, and what is known of the chain itself.

-- What an agent owes when a deposit vanished that was spent already; runs below zero, never above.  in_flight is money on its
-- way out, as operators have it.
alter table accounts drop constraint accounts_kind_check;
alter table accounts drop constraint accounts_check;
alter table accounts add constraint accounts_kind_check check (kind in ('deposit', 'escrow', 'pending', 'available',
    'in_flight', 'receivable', 'revenue', 'gas', 'clearing', 'usdc_custody', 'fiat_custody'));
alter table accounts add constraint accounts_check check (case
    when kind in ('clearing', 'usdc_custody', 'fiat_custody') then true
    when kind = 'receivable' then balance <= 0
    else balance >= 0 end);
insert into accounts (bucket, party_id, kind)
select a.bucket, a.id, k.kind from agents a cross join unnest(array['in_flight', 'receivable']) k(kind);

-- The one wallet that an agent's deposits come from and its money goes back to; that it is nobody else's, the registry tells.
alter table agents
    add column wallet text check (wallet ~ '^0x[0-9a-f]{40}$'),
    add column wallet_at timestamptz,
    add column payouts_frozen_at timestamptz,   -- no withdrawal until staff has looked
    add column payouts_frozen_reason text,
    add check ((wallet is null) = (wallet_at is null));

-- Nonces that a wallet's owner is asked to sign, good for ten minutes; the one that was used goes.
create table wallet_challenges (
    bucket int not null check (bucket between 0 and 1023),
    agent_id uuid not null,
    nonce uuid not null,
    issued_at timestamptz not null,             -- to the millisecond: it stands in the text that is signed
    primary key (bucket, agent_id, nonce),
    foreign key (bucket, agent_id) references agents (bucket, id)
);
create index wallet_challenges_expiry on wallet_challenges (issued_at, bucket);

-- One transfer of USDC to us each.  Credited as long as its block is the chain's own; looked at until that block is final.
create table usdc_deposits (
    bucket int not null check (bucket between 0 and 1023),
    id uuid not null,
    agent_id uuid not null,
    chain_id bigint not null,
    tx_hash text not null check (tx_hash ~ '^0x[0-9a-f]{64}$'),
    log_index bigint not null check (log_index >= 0),
    wallet text check (wallet ~ '^0x[0-9a-f]{40}$'),    -- the sender; null in test mode, as are the block's two
    amount bigint not null check (amount > 0),  -- usd_micros; what the chain says
    block_number bigint check (block_number >= 0),
    block_hash text check (block_hash ~ '^0x[0-9a-f]{64}$'),
    status text not null check (status in ('pending', 'confirmed', 'reversed')),
    credit_ref uuid,                            -- the credit's cause in the ledger: a new one for each credit
    transaction_id uuid,                        -- the credit in the ledger
    is_final boolean not null default false,
    confirmed_at timestamptz,
    reversed_at timestamptz,
    created_at timestamptz not null,
    checked_at timestamptz not null,
    primary key (bucket, id),
    unique (bucket, chain_id, tx_hash, log_index),
    foreign key (bucket, agent_id) references agents (bucket, id),
    check ((block_number is null) = (block_hash is null)),
    check ((credit_ref is null) = (transaction_id is null)),
    check (status <> 'confirmed' or credit_ref is not null),
    check (status <> 'pending' or credit_ref is null),
    check (status = 'confirmed' or not is_final)
);
create index usdc_deposits_agent on usdc_deposits (bucket, agent_id, status);
create index usdc_deposits_open on usdc_deposits (chain_id, checked_at, bucket)
    where status = 'pending' or (status = 'confirmed' and not is_final);

-- A row for each chain, in the bucket of the chain's number.
create table chain_states (
    bucket int not null check (bucket between 0 and 1023),
    chain_id bigint not null,
    scanned_block bigint,                       -- up to it, transfers were looked for
    head bigint,
    quote jsonb,                                -- what sending costs
    quoted_at timestamptz,
    is_frozen boolean not null default false,   -- nobody is paid until staff has looked
    frozen_reason text,
    reserves jsonb,                             -- the last comparison of the chain with the ledger
    reserves_at timestamptz,
    payout_address text check (payout_address ~ '^0x[0-9a-f]{40}$'),  -- of the key that a worker holds; null: none has run yet
    updated_at timestamptz not null,
    primary key (bucket, chain_id)
);
