-- What the Guardian's screening blocked (spec 7): the same text asks no model again for a day, and an agent may put it before
-- staff.  decision: of staff, on an appeal; ALLOWED lets this agent post this text for 30 days.
create table screenings (
    bucket int not null check (bucket between 0 and 1023),
    id uuid not null,
    agent_id uuid not null,
    fingerprint bytea not null,
    title text not null,
    description text not null,
    digital_instructions text,
    task_type text not null,
    category text not null,
    rule text not null,
    reason text not null,
    expires_at timestamptz not null,
    appeal text,
    appealed_at timestamptz,
    decision text check (decision in ('ALLOWED', 'UPHELD')),
    decision_note text,
    decided_at timestamptz,
    created_at timestamptz not null,
    primary key (bucket, id),
    unique (bucket, agent_id, fingerprint),
    foreign key (bucket, agent_id) references agents (bucket, id)
);
create index screenings_appeals on screenings (appealed_at) where appealed_at is not null and decision is null;
create index screenings_expiry on screenings (expires_at, bucket);
