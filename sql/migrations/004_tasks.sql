-- Tasks and what happened to them.  The status is written by task_create and task_move alone.

create table tasks (
    bucket int not null check (bucket between 0 and 1023),
    id uuid not null,
    agent_id uuid not null,
    key_id uuid not null,
    status text not null,
    is_sandbox boolean not null,
    scenario text,
    title text not null,
    description text not null,
    lat float8,
    lng float8,
    address text not null,
    reward bigint not null check (reward > 0),
    fee bigint not null check (fee >= 0),
    deadline timestamptz not null,
    late_at timestamptz not null,               -- deadline and grace: accepted work ends then
    proof_requirements jsonb not null,
    task_type text not null,
    task_domain text not null,
    proof_type text not null,
    digital_instructions text,
    callback_url text,
    callback_secret bytea,                      -- sealed
    agent_public_key text,
    operator_id uuid,                           -- its bucket is in the id; name and rating are as they were at the claim
    operator_name text,
    operator_rating numeric(3, 2),
    estimate_minutes int,
    estimate_note text,
    approval_deadline timestamptz,
    review_deadline timestamptz,
    proof jsonb,
    guardian_result jsonb,
    cancel_reason text,
    moves int not null default 0,               -- how often the status moved: orders events of one instant
    due_at timestamptz,                         -- the present status's timer; null: someone else ends it
    created_at timestamptz not null,
    claimed_at timestamptz,
    accepted_at timestamptz,
    started_at timestamptz,
    submitted_at timestamptz,
    verified_at timestamptz,
    completed_at timestamptz,
    cancelled_at timestamptz,
    primary key (bucket, id),
    foreign key (bucket, agent_id) references agents (bucket, id),
    foreign key (bucket, key_id) references api_keys (bucket, id),
    check (status in ('PENDING', 'ESTIMATE_PENDING', 'ACCEPTED', 'IN_PROGRESS', 'SUBMITTED', 'VERIFIED', 'COMPLETED',
        'DISPUTED', 'CANCELLED')),
    check (task_domain in ('PHYSICAL', 'DIGITAL')),
    check (proof_type in ('PHOTO', 'SCREENSHOT', 'CONFIRMATION', 'ARTIFACT')),
    check (is_sandbox = (scenario is not null))
);
create index tasks_agent on tasks (bucket, agent_id, created_at, id);
create index tasks_agent_status on tasks (bucket, agent_id, status, created_at, id);
create index tasks_due on tasks (due_at, bucket) where due_at is not null;

-- The audit trail: one row for each move, in the transaction that makes it.
create table events (
    bucket int not null check (bucket between 0 and 1023),
    at timestamptz not null,
    id uuid not null,
    agent_id uuid not null,
    task_id uuid,
    type text not null,
    actor text not null,
    actor_id uuid,
    from_status text,
    to_status text,
    data jsonb not null default '{}',
    primary key (bucket, at, id)
) partition by range (at);
create table events_rest partition of events default;
create index events_task on events (bucket, task_id, at, id);
create index events_agent on events (bucket, agent_id, at, id);
