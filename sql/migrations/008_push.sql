-- Browsers that an operator is told in.

create table push_subscriptions (
    bucket int not null check (bucket between 0 and 1023),
    id uuid not null,
    operator_id uuid not null,
    endpoint text not null,
    p256dh bytea not null,
    auth bytea not null,
    failures int not null default 0,            -- since the last push that went through
    created_at timestamptz not null,
    primary key (bucket, id),
    unique (bucket, operator_id, endpoint),
    foreign key (bucket, operator_id) references operators (bucket, id)
);
