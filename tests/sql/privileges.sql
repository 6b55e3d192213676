-- What a program that somebody else has taken over can do with its connection: its own functions, and no more.  Each attempt is
-- made as a session of the role itself, since what a superuser's session tries succeeds; those that a transaction does not allow
-- are in tests/ops/privileges.test.mjs.
begin;
\ir shared/fixtures.sql
select no_plan();

-- The statement's SQLSTATE, or done; pgTAP itself stays the superuser's.
create function pg_temp.attempt(p_role text, p_statement text) returns text
language plpgsql as $$
begin
    execute format('set local session authorization %I', p_role);
    begin
        execute p_statement;
    exception when others then
        execute 'set local session authorization postgres';
        return sqlstate;
    end;
    execute 'set local session authorization postgres';
    return 'done';
end $$;

create temporary table attempts (what text, statement text, sqlstate text) on commit drop;
insert into attempts values
    ('read a table', 'select * from agents', '42501'),
    ('count its rows', 'select count(*) from postings', '42501'),
    ('write a posting', 'insert into postings default values', '42501'),
    ('change a balance', 'update accounts set balance = 0', '42501'),
    ('delete the trail', 'delete from events', '42501'),
    ('empty a table', 'truncate staff_acts', '42501'),
    ('lock a table', 'lock table tasks', '42501'),
    ('become the owner', 'set role humanops_owner', '42501'),
    ('make a table', 'create table mine (a int)', '42501'),
    ('make a table for itself', 'create temporary table mine (a int)', '42501'),
    ('make a function', 'create function mine() returns int language sql as ''select 1''', '42501'),
    ('make a schema', 'create schema mine', '42501'),
    ('replace a function', 'create or replace function id_bucket(p uuid) returns int language sql as ''select 1''', '42501'),
    ('run code of its own', 'do ''begin perform 1; end''', '42501'),
    ('read a file', 'select pg_read_file(''/etc/passwd'')', '42501'),
    ('list a folder', 'select pg_ls_dir(''/'')', '42501'),
    ('read a file by copy', 'copy pg_temp.attempts from ''/etc/passwd''', '42501'),
    ('start a program', 'copy (select 1) to program ''true''', '42501'),
    ('make a large object', 'select lo_create(0)', '42501'),
    ('make one of bytes', 'select lo_from_bytea(0, ''\x00'')', '42501'),
    ('import one', 'select lo_import(''/etc/passwd'')', '42501'),
    ('hold the lock of migrations', 'select pg_advisory_lock(1752133747)', '42501'),
    ('try to', 'select pg_try_advisory_lock_shared(1752133747)', '42501'),
    ('read passwords', 'select * from pg_authid', '42501'),
    ('read settings of the server', 'select * from pg_file_settings', '42501'),
    ('end a session of another', 'select pg_terminate_backend(pg_backend_pid())', '42501'),
    ('post to the ledger past its callers', 'select ledger_post(0, ''x'', null, now(), null, null)', '42501'),
    ('load a library', 'load ''dblink''', '42501'),
    ('make an extension', 'create extension file_fdw', '42501'),
    ('give its rights away', 'grant humanops_worker to humanops_tasks', '42501');

select is(pg_temp.attempt(r.rolname, a.statement), a.sqlstate, format('%s cannot %s', r.rolname, a.what))
from pg_roles r cross join attempts a
where r.rolname like 'humanops\_%' and r.rolname <> 'humanops_owner' order by r.rolname, a.what;
select * from finish();
rollback;
