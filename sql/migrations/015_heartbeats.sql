-- What tells whoever watches that things go on.

-- Signs of life and the results of checks that nobody asked for: the last of each name, all of them in bucket 0.
create table heartbeats (
    bucket int not null check (bucket between 0 and 1023),
    name text not null,
    begun_at timestamptz,               -- a check that takes its time: when one last began
    at timestamptz,                     -- when it last came, or a check ended; null: never
    data jsonb not null default '{}',   -- what came of it then
    primary key (bucket, name)
);

-- When the search for deposits last came further: neither a restart of a worker nor staff moves it, as updated_at.
alter table chain_states add column scanned_at timestamptz;

-- Webhooks that were given up, which staff lists and alerts count.
create index deliveries_failed on deliveries (at, bucket) where state = 'failed';
