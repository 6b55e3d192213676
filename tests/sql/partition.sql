-- Monthly partitions of the lists that grow for ever.
begin;
\ir shared/fixtures.sql
select no_plan();

create temporary view months as
select p.relname::text as parent, c.relname::text as name from pg_inherits i
join pg_class p on p.oid = i.inhparent
join pg_class c on c.oid = i.inhrelid
where p.relkind = 'p';
-- A month far from the one that the migration has prepared.
create function fixture.add(p_now timestamptz) returns int[]
language plpgsql as $$
declare v_made int[] := '{}';
begin
    for i in 1..8 loop
        v_made := v_made || partition_add_everywhere(p_now);
    end loop;
    return v_made;
end $$;
select is((select count(*) from months where name !~ '_rest$'), 18::bigint, 'the migration has made this month and two more of each list');
select is(partition_add_everywhere(now()), 0, 'so that nothing is left to do');
select is(partition_add_everywhere('2031-12-15 12:00Z'), 3, 'one list at a time gets its months');
select is(add('2031-12-15 12:00Z'), '{3,3,3,3,3,0,0,0}', 'each call goes on, and then nothing is left');
select set_eq($$select name from months where name ~ '_203[12]_'$$, $$select t || m from unnest(array['postings', 'events', 'deliveries', 'delivery_attempts', 'messages',
    'staff_acts']) t,
    unnest(array['_2031_12', '_2032_01', '_2032_02']) m$$, 'over the turn of the year');
select is(add('2032-02-29 23:59:59.999Z'), '{2,2,2,2,2,2,0,0}', 'later only those that are missing');
select is(add('9999-12-31 00:00Z'), '{3,3,3,3,3,3,0,0}', 'the year ten thousand comes too');
set local timezone = 'Pacific/Kiritimati';
set local datestyle = 'SQL, DMY';
select is(partition_add_everywhere('2040-01-31 23:00Z'), 3, 'whatever the session''s time zone');
reset timezone;
reset datestyle;
select is((select pg_get_expr(relpartbound, oid) from pg_class where relname = 'postings_2040_01'),
    'FOR VALUES FROM (''2040-01-01 00:00:00+00'') TO (''2040-02-01 00:00:00+00'')', 'months begin at midnight UTC');

-- Rows fall into their month.
select fixture_agent(7, 'agent', 'STANDARD', 100000000, at) from unnest(array['2031-12-31 23:59:59.999Z'::timestamptz]) at;
select fixture_agent(7, 'next', 'STANDARD', 100000000, '2032-01-01 00:00Z');
create function fixture.home(p_agent text) returns text[]
language sql as $$ select array_agg(distinct tableoid::regclass::text) from postings where bucket = 7 and party_id = id(p_agent) $$;
select is(home('agent'), '{postings_2031_12}', 'the last millisecond of a year falls into its month');
select is(home('next'), '{postings_2032_01}', 'the first of the next into the next');
select fixture_agent(7, 'early', 'STANDARD', 100000000, '2050-05-05 05:05Z');
select is(home('early'), '{postings_rest}', 'what comes before its month has a partition is kept all the same');
select is(partition_add_everywhere('2050-05-06 00:00Z'), 2, 'that month then gets none, the others do');
select is((select count(*) from months where name = 'postings_2050_05'), 0::bigint, 'and the row stays where it is');
select fixture_agent(7, 'after', 'STANDARD', 100000000, '2050-05-06 05:05Z');
select is(home('after'), '{postings_rest}', 'with those that follow in that month');
select is((select sum(amount) from postings where bucket = 7), 0::numeric, 'nothing is lost or twice');
select is((select count(*) from ledger_audit_everywhere('2050-06-01 00:00Z')), 0::bigint, 'the ledger is whole over all partitions');
select is_empty($$select name from months where has_table_privilege('humanops_app', name, 'select, insert, update, delete, truncate')$$,
    'a program may do nothing on a new partition');
select is_empty($$select name from months m join pg_class c on c.relname = m.name where c.relowner <> 'humanops_owner'::regrole$$,
    'which belongs to the owner');
select * from finish();
rollback;

-- Beside a booking that is under way, by two connections: neither waits for what the other holds.  Both are undone.
begin;
\ir shared/fixtures.sql
create extension if not exists dblink schema tap;
select no_plan();
select dblink_connect(name, format('host=%s dbname=%s user=%s', split_part(current_setting('unix_socket_directories'), ',', 1),
    current_database(), current_user)) from unnest(array['booking', 'months']) name;
create function fixture.waits(p_pid int) returns boolean
language plpgsql as $$
begin
    for i in 1..40 loop
        perform pg_sleep(0.02), pg_stat_clear_snapshot();
        if exists (select from pg_locks where pid = p_pid and not granted) then
            return true;
        end if;
    end loop;
    return false;
end $$;
create temporary table pids (name text, pid int) on commit drop;
insert into pids select name, pid from unnest(array['booking', 'months']) name, dblink(name, 'select pg_backend_pid()') d(pid int);
select dblink_exec(name, 'begin') from pids;
-- A booking has written its transaction and not yet its postings …
select dblink_exec('booking', 'lock table ledger_transactions, accounts in row exclusive mode');
select dblink_send_query('months', 'select partition_add_everywhere(''2061-01-01 00:00Z'')');
select ok(waits(pid), 'new months wait for a booking') from pids where name = 'months';
-- … which it then does, before the wait is over.
select is(dblink_exec('booking', 'lock table postings in row exclusive mode'), 'LOCK TABLE', 'the booking waits for no month');
select dblink_exec('booking', 'rollback');
select is((select made from dblink_get_result('months') d(made int)), 3, 'and then the months are made');
select count(*) from dblink_get_result('months') d(made int);
select dblink_exec('months', 'rollback');
-- A booking that takes long is not waited for.
select dblink_exec(name, 'begin') from pids;
select dblink_exec('booking', 'lock table postings in row exclusive mode');
select is((select made from dblink('months', 'select partition_add_everywhere(''2061-01-01 00:00Z'')') d(made int)), 0,
    'what cannot be had within a second is left to the next sweep');
select dblink_exec(name, 'rollback') from pids;
select dblink_disconnect(name) from pids;
select * from finish();
rollback;
