-- Who asks: agents, their keys, and what must be unique over all buckets.

-- One row for each value that may exist once (e-mail, wallet …); the bucket is a hash of kind and value (database.md R3).
create table registry (
    bucket int not null check (bucket between 0 and 1023),
    kind text not null,
    value text not null,
    party_id uuid not null,
    created_at timestamptz not null,
    primary key (bucket, kind, value)
);

create table agents (
    bucket int not null check (bucket between 0 and 1023),
    id uuid not null,
    name text not null,
    email text not null,
    company text,
    tier text not null references tiers (name),
    email_verified_at timestamptz,
    suspended_at timestamptz,
    created_at timestamptz not null,
    primary key (bucket, id)
);

-- Mailed verification tokens; only a hash is kept.
create table email_tokens (
    bucket int not null check (bucket between 0 and 1023),
    token_hash bytea not null,
    agent_id uuid not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    created_at timestamptz not null,
    primary key (bucket, token_hash),
    foreign key (bucket, agent_id) references agents (bucket, id)
);
create index email_tokens_agent on email_tokens (bucket, agent_id);
create index email_tokens_expiry on email_tokens (expires_at, bucket);

-- API keys: handle is the public part that finds the row, hash the SHA-256 of the whole key.  budget: usd_micros a UTC day.
create table api_keys (
    bucket int not null check (bucket between 0 and 1023),
    id uuid not null,
    agent_id uuid not null,
    handle text not null,
    hash bytea not null,
    name text not null,
    scopes text[] not null,
    budget bigint check (budget >= 0),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz not null,
    primary key (bucket, id),
    unique (bucket, handle),
    foreign key (bucket, agent_id) references agents (bucket, id),
    check (scopes <@ array['read', 'tasks', 'funds', 'keys'] and cardinality(scopes) > 0)
);
create index api_keys_agent on api_keys (bucket, agent_id, id);
