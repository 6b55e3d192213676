-- Cluster roles.  humanops_owner owns every object and never logs in by itself; migrations run as a superuser or a member of
-- it.  humanops_app is what the programs log in as: it may execute the functions of grants.sql and nothing else.
-- The statement timeout lies below nginx's read timeout, so that a client never waits on work that nobody will answer for.
do $$
begin
    if not exists (select from pg_roles where rolname = 'humanops_owner') then
        create role humanops_owner nologin;
    end if;
    if not exists (select from pg_roles where rolname = 'humanops_app') then
        create role humanops_app login;
    end if;
end $$;
alter role humanops_app set statement_timeout = '8s';
alter role humanops_app set lock_timeout = '5s';
alter role humanops_app set idle_in_transaction_session_timeout = '30s';
alter role humanops_app set timezone = 'UTC';
do $$
begin
    execute format('revoke temporary, create on database %I from public', current_database());
end $$;
grant usage, create on schema public to humanops_owner;
grant usage on schema public to humanops_app;
-- From here on everything is made by, and belongs to, the owner: a function that runs with its owner's rights must not be
-- a superuser's.
grant humanops_owner to current_user;
alter table if exists public.schema_migrations owner to humanops_owner;
set role humanops_owner;
