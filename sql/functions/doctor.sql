-- What the doctor asks of the database beyond what metrics_everywhere and heartbeat_list_everywhere tell.

-- doctor_everywhere: rows of what (clock: seconds since 1970; version: the server's; archive_mode, archive_failed: the file,
-- archive_age: seconds since the last; login: superuser, owner or plain, of who calls; role: a role of the programs and what it
-- can do beyond its functions), name and value.
create or replace function doctor_everywhere() returns table (what text, name text, value text)
language plpgsql as $$
#variable_conflict use_column
begin
    return query
    select 'clock', null::text, extract(epoch from clock_timestamp())::text
    union all select 'version', null, current_setting('server_version')
    union all select 'archive_mode', null, current_setting('archive_mode')
    union all
    select 'archive_failed', a.last_failed_wal, extract(epoch from clock_timestamp() - a.last_failed_time)::bigint::text
    from pg_stat_archiver a where a.last_failed_time > coalesce(a.last_archived_time, '-infinity')
    union all
    select 'archive_age', a.last_archived_wal, extract(epoch from clock_timestamp() - a.last_archived_time)::bigint::text
    from pg_stat_archiver a where a.last_archived_time is not null
    union all
    select 'login', r.rolname::text, case when r.rolsuper then 'superuser'
        when exists (select from pg_class c where c.oid = 'public.accounts'::regclass and c.relowner = r.oid) then 'owner'
        else 'plain' end
    from pg_roles r where r.rolname = session_user;
    return query select 'role', f.role, f.fault from doctor_roles_everywhere() f;
end $$;

-- doctor_roles_everywhere: what a role that programs log in as could do, were its program taken over, beyond executing the
-- functions of grants.sql; and what anybody could.  humanops_owner, which never logs in, owns everything.
create or replace function doctor_roles_everywhere() returns table (role text, fault text)
language plpgsql as $$
#variable_conflict use_column
begin
    return query
    with programs as (
        select r.oid, r.rolname, r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolreplication, r.rolbypassrls from pg_roles r
        where r.rolname ~ '^humanops_' and r.rolname <> 'humanops_owner' and r.rolcanlogin
    )
    select p.rolname::text, 'is a superuser' from programs p where p.rolsuper
    union all
    select p.rolname::text, 'may make roles or databases, replicate, or pass row-level security' from programs p
    where not p.rolsuper and (p.rolcreaterole or p.rolcreatedb or p.rolreplication or p.rolbypassrls)
    union all
    select p.rolname::text, 'may read or write the table ' || min(c.relname) || case when count(*) > 1 then
        ' and ' || count(*) - 1 || ' more' else '' end
    from programs p
    join pg_class c on c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
    where not p.rolsuper and (has_table_privilege(p.oid, c.oid, 'select, insert, update, delete, truncate'))
    group by p.rolname
    union all
    select p.rolname::text, 'may make objects in the schema public' from programs p
    where not p.rolsuper and has_schema_privilege(p.oid, 'public', 'create')
    union all
    select 'public', 'anybody who connects may execute ' || min(f.proname) || case when count(*) > 1 then
        ' and ' || count(*) - 1 || ' more' else '' end
    from pg_proc f where f.pronamespace = 'public'::regnamespace and f.proowner in (select oid from pg_roles where rolname = 'humanops_owner')
        and (f.proacl is null or exists (select from aclexplode(f.proacl) a where a.grantee = 0))
    having count(*) > 0
    union all
    select o.rolname::text, 'owns what runs with its rights, and is a superuser' from pg_roles o
    where o.rolsuper and o.oid in (select f.proowner from pg_proc f
        where f.pronamespace = 'public'::regnamespace and f.prosecdef);
end $$;
