-- Money by card or bank transfer, through a payment provider, and what an identity vendor has told us.

-- One payment each.  The provider knows it by its order id, agent and order_ms; it stands here before the provider hears of
-- it, so that whatever happens to the call, a payment finds its owner and its amount.
create table fiat_deposits (
    bucket int not null check (bucket between 0 and 1023),
    id uuid not null,
    agent_id uuid not null,
    order_ms bigint not null,                   -- milliseconds since 1970; unique for the agent
    amount bigint not null check (amount > 0),  -- usd_micros; the only amount that is ever credited
    method text not null check (method in ('card', 'bank_transfer')),
    status text not null check (status in ('pending', 'completed', 'failed')),
    replay_key text,                            -- the request's idempotency key
    calling_until timestamptz,                  -- the provider is being called; over then, even if the program died
    provider_id text,                           -- the provider's own id, once its answer came
    redirect_url text,
    transaction_id uuid,                        -- the ledger's
    created_at timestamptz not null,
    settled_at timestamptz,
    primary key (bucket, id),
    unique (bucket, agent_id, order_ms),
    foreign key (bucket, agent_id) references agents (bucket, id),
    check ((status = 'completed') = (transaction_id is not null))
);
create index fiat_deposits_replay on fiat_deposits (bucket, agent_id, replay_key) where replay_key is not null;

-- Signed calls of the identity vendor that were heeded: a call that is sent again, however late, changes nothing.
create table kyc_calls (
    bucket int not null check (bucket between 0 and 1023),
    operator_id uuid not null,
    body_hash bytea not null,
    at timestamptz not null,
    primary key (bucket, operator_id, body_hash),
    foreign key (bucket, operator_id) references operators (bucket, id)
);
