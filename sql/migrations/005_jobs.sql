-- Work to be done after a commit, and the webhooks among it.

-- A job is taken by moving run_at behind a lease: who dies with it gives it back.  attempts is also the taker's ticket.
create table jobs (
    bucket int not null check (bucket between 0 and 1023),
    id uuid not null,
    kind text not null,
    ref uuid not null,
    payload jsonb not null default '{}',
    is_dead boolean not null default false,
    run_at timestamptz not null,
    attempts int not null default 0,
    max_attempts int not null check (max_attempts > 0),
    last_error text,
    created_at timestamptz not null,
    primary key (bucket, id)
);
create index jobs_take on jobs (bucket, run_at) where not is_dead;
create index jobs_due on jobs (run_at, bucket) where not is_dead;
create index jobs_dead on jobs (created_at, bucket) where is_dead;

-- A webhook on its way.  `at` is the time in the id, so that an id alone leads to its partition (id_time).
create table deliveries (
    bucket int not null check (bucket between 0 and 1023),
    at timestamptz not null,
    id uuid not null,
    agent_id uuid not null,
    task_id uuid not null,
    event_id uuid not null,
    type text not null,
    state text not null check (state in ('pending', 'delivered', 'failed')),
    attempts int not null default 0,
    next_at timestamptz,
    last_status int,
    last_error text,
    delivered_at timestamptz,
    primary key (bucket, at, id)
) partition by range (at);
create table deliveries_rest partition of deliveries default;
create index deliveries_task on deliveries (bucket, task_id, at, id);

create table delivery_attempts (
    bucket int not null check (bucket between 0 and 1023),
    at timestamptz not null,
    id uuid not null,
    delivery_id uuid not null,
    attempt int not null,
    status int,
    error text,
    duration_ms int not null,
    primary key (bucket, at, id)
) partition by range (at);
create table delivery_attempts_rest partition of delivery_attempts default;
create index delivery_attempts_delivery on delivery_attempts (bucket, delivery_id, at, id);

-- The first answer to a money-moving request, replayed to its repeats (spec 5).
create table idempotency_keys (
    bucket int not null check (bucket between 0 and 1023),
    principal_id uuid not null,
    path text not null,
    key text not null,
    body_hash bytea not null,
    status int not null,
    body text not null,
    expires_at timestamptz not null,
    created_at timestamptz not null,
    primary key (bucket, principal_id, path, key)
);
create index idempotency_keys_expiry on idempotency_keys (expires_at, bucket);
