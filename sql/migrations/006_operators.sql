-- People: operators, what they upload and earn, what both sides say to each other, and what staff does.

create table operators (
    bucket int not null check (bucket between 0 and 1023),
    id uuid not null,
    subject text,                               -- issuer and subject of the token that signs this operator in
    name text not null,
    email text not null,
    phone text,
    city text,
    country text,
    lat float8,
    lng float8,
    skills jsonb not null default '[]',
    kyc_status text not null check (kyc_status in ('PENDING', 'VERIFIED', 'REJECTED')),
    kyc_note text,
    kyc_at timestamptz,
    suspended_at timestamptz,
    rating_sum bigint not null default 0,
    rating_count int not null default 0,
    created_at timestamptz not null,
    primary key (bucket, id)
);
create index operators_kyc on operators (kyc_status, created_at);
create index operators_place on operators (lat, lng) where kyc_status = 'VERIFIED' and suspended_at is null;

-- What an operator is paid for a task.  pending until available_at, then available; frozen while a dispute is open.
create table earnings (
    bucket int not null check (bucket between 0 and 1023),
    task_id uuid not null,
    operator_id uuid not null,
    amount bigint not null check (amount >= 0),
    state text not null check (state in ('pending', 'frozen', 'available', 'returned')),
    available_at timestamptz,
    created_at timestamptz not null,
    primary key (bucket, task_id),
    foreign key (bucket, operator_id) references operators (bucket, id)
);
create index earnings_operator on earnings (bucket, operator_id, created_at);
create index earnings_due on earnings (available_at, bucket) where state = 'pending';

-- Files of proof.  stored is the name in the store of what is served, original that of the private original.
create table uploads (
    bucket int not null check (bucket between 0 and 1023),
    id uuid not null,
    operator_id uuid not null,
    task_id uuid,
    stored text not null,
    original text not null,
    media_type text not null,
    size bigint not null,
    sha256 bytea not null,
    dhash bigint,
    evidence jsonb not null default '{}',
    created_at timestamptz not null,
    primary key (bucket, id),
    unique (bucket, stored),
    foreign key (bucket, operator_id) references operators (bucket, id)
);
create index uploads_sha256 on uploads (sha256);
create index uploads_dhash on uploads (dhash) where dhash is not null;

create table messages (
    bucket int not null check (bucket between 0 and 1023),
    at timestamptz not null,
    id uuid not null,
    task_id uuid not null,
    sender text not null check (sender in ('agent', 'operator', 'staff')),
    sender_id uuid,
    text text not null,
    primary key (bucket, at, id)
) partition by range (at);
create table messages_rest partition of messages default;
create index messages_task on messages (bucket, task_id, at, id);

alter table tasks
    add column claim_rejection text,            -- why the agent sent the last claim back
    add column encrypted_credential jsonb,      -- ciphertext; the server has no key to it
    add column rating int check (rating between 1 and 5),
    add column rating_comment text,
    add column rated_at timestamptz,
    add column dispute_reason text,
    add column disputed_at timestamptz,
    add column resolution jsonb,
    add column is_paid boolean not null default false;  -- the reward has left escrow for the operator
create index tasks_operator on tasks (operator_id, created_at) where operator_id is not null;
create index tasks_open on tasks (created_at) where status = 'PENDING' and not is_sandbox;
create index tasks_disputed on tasks (disputed_at) where status = 'DISPUTED' and not is_sandbox;

-- Events are read by cursor in the order of their transactions: whatever commits later has a greater xid than all that was
-- shown before (sql/functions/event.sql), so that no reader misses one.
alter table events add column xid xid8 not null default pg_current_xact_id();
create index events_order on events (bucket, agent_id, xid, id);

-- Everything staff has done; rows are only ever added.
create table staff_acts (
    bucket int not null check (bucket between 0 and 1023),
    at timestamptz not null,
    id uuid not null,
    act text not null,
    target text not null,
    data jsonb not null default '{}',
    primary key (bucket, at, id)
) partition by range (at);
create table staff_acts_rest partition of staff_acts default;
