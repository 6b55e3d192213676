-- Cluster roles.  humanops_owner owns every object and never logs in by itself; migrations run as a superuser or a member of
-- it.  Each program logs in as a role of its own (humanops_tasks, …: DATABASE_URL with user=humanops_%p), which may execute the
-- functions that grants.sql gives it and nothing else, and is a member of none.  humanops_app may do what all of them may: one
-- role for hosts that allow no more.
-- A statement's time lies below nginx's read timeout where a client waits, so that it never waits on work that nobody will
-- answer for; a sweep may take longer, since nobody does.
-- Where a host gives one database and one role that can make no others, that role owns everything and is also what the programs
-- log in as (DATABASE_URL without %p): then the programs' own care is all that keeps them to their functions.
select rolsuper or rolcreaterole as makes_roles from pg_roles where rolname = current_user \gset
\if :makes_roles
do $$
declare
    r record;
begin
    if not exists (select from pg_roles where rolname = 'humanops_owner') then
        create role humanops_owner nologin;
    end if;
    for r in
        select * from (values
            ('humanops_agents',   '8s'),
            ('humanops_tasks',    '8s'),
            ('humanops_operator', '8s'),
            ('humanops_webhooks', '8s'),
            ('humanops_admin',    '8s'),
            ('humanops_mcp',      '8s'),
            ('humanops_worker',   '20s'),
            ('humanops_sweeper',  '5min'),
            ('humanops_doctor',   '1min'),
            ('humanops_app',      '8s')
        ) as program(name, statement_timeout)
    loop
        if not exists (select from pg_roles where rolname = r.name) then
            execute format('create role %I login', r.name);
        end if;
        -- Only what differs: roles are the whole cluster's, and two databases of it may be migrated at once.
        if not exists (select from pg_db_role_setting where setrole = r.name::regrole and setdatabase = 0
            and setconfig @> array['statement_timeout=' || r.statement_timeout, 'lock_timeout=5s',
                'idle_in_transaction_session_timeout=30s', 'TimeZone=UTC'])
        then
            execute format('alter role %I set statement_timeout = %L', r.name, r.statement_timeout);
            execute format('alter role %I set lock_timeout = %L', r.name, '5s');
            execute format('alter role %I set idle_in_transaction_session_timeout = %L', r.name, '30s');
            execute format('alter role %I set timezone = %L', r.name, 'UTC');
        end if;
        execute format('grant usage on schema public to %I', r.name);
        execute format('grant connect on database %I to %I', current_database(), r.name);
    end loop;
    execute format('grant connect on database %I to humanops_owner', current_database());
    execute format('revoke all on database %I from public', current_database());
end $$;
grant humanops_agents, humanops_tasks, humanops_operator, humanops_webhooks, humanops_admin, humanops_mcp, humanops_worker,
    humanops_sweeper, humanops_doctor to humanops_app;
grant usage, create on schema public to humanops_owner;
-- What PostgreSQL lets everybody do and no program does: fill the disk with large objects, keep migrations out by holding their
-- lock, run code of its own.  Only a superuser can take it away.
do $$
declare
    f regprocedure;
begin
    if not (select rolsuper from pg_roles where rolname = current_user) then
        return;
    end if;
    for f in
        select oid from pg_proc where pronamespace = 'pg_catalog'::regnamespace
            and proname ~ '^(lo_.*|lowrite|loread|pg_(try_)?advisory_.*)$'
            and (proacl is null or has_function_privilege('public', oid, 'execute'))
    loop
        execute format('revoke execute on function %s from public', f);
        if f::text ~ 'advisory' then
            execute format('grant execute on function %s to humanops_owner', f);
        end if;
    end loop;
    revoke usage on language plpgsql from public;
    grant usage on language plpgsql to humanops_owner;
end $$;
-- From here on everything is made by, and belongs to, the owner: a function that runs with its owner's rights must not be
-- a superuser's.
grant humanops_owner to current_user;
alter table if exists public.schema_migrations owner to humanops_owner;
set role humanops_owner;
\else
do $$
declare
    v_setting text;
begin
    foreach v_setting in array array['statement_timeout = ''20s''', 'lock_timeout = ''5s''',
        'idle_in_transaction_session_timeout = ''30s''', 'timezone = ''UTC''']
    loop
        execute format('alter role %I in database %I set %s', current_user, current_database(), v_setting);
    end loop;
end $$;
\endif
