-- The agent's list of events, by cursor: in the order of their transactions, each once, and none missed that commits late.
-- Two sessions of their own write and commit; nothing here stands in a transaction, which would hold the list back.
create schema if not exists tap;
create extension if not exists pgtap schema tap;
create extension if not exists dblink schema tap;
set search_path = public, tap;
select no_plan();
create temporary table me as select gen_random_uuid() as agent, gen_random_uuid() as stranger;
select dblink_connect(name, format('host=%s dbname=%s user=%s', split_part(current_setting('unix_socket_directories'), ',', 1),
    current_database(), current_user)) from unnest(array['early', 'late', 'idle']) name;

create function pg_temp.write(p_session text, p_name text, p_at timestamptz, p_who text default 'agent', p_bucket int default 7) returns text
language sql as $$
    select dblink_exec(p_session, format('insert into events (bucket, at, id, agent_id, type, actor) values (%s, %L, %L, %L, %L, %L)',
        p_bucket, p_at, id_new(p_bucket, p_at), (select case p_who when 'agent' then agent else stranger end from me), p_name, 'test'))
$$;

-- read_on: goes on from where the last page ended, until so many are read in all, or for two seconds: another session of the
-- server may hold the list back for a moment.
create temporary table reader (xid text, id uuid, seen text[]);
insert into reader values ('0', '00000000-0000-0000-0000-000000000000', '{}');
create function pg_temp.read_on(p_page int, p_count int) returns text[]
language plpgsql as $$
declare
    r record;
    v reader;
begin
    select * into v from reader;
    for i in 1..200 loop
        for r in select * from event_list(7, (select agent from me), v.xid, v.id, p_page) loop
            v.xid := r.xid;
            v.id := r.id;
            v.seen := v.seen || r.type;
        end loop;
        exit when cardinality(v.seen) >= p_count;
        perform pg_sleep(0.01);
    end loop;
    update reader set xid = v.xid, id = v.id, seen = v.seen;
    return v.seen;
end $$;

-- One after the other.
select pg_temp.write('early', 'one', '2026-02-06 14:00Z'), pg_temp.write('early', 'two', '2026-02-06 13:00Z');
select is(pg_temp.read_on(1, 2), '{one,two}', 'in the order of their transactions, whatever their times say');
select pg_temp.write('early', 'stranger''s', '2026-02-06 14:00Z', 'stranger'), pg_temp.write('early', 'elsewhere', '2026-02-06 14:00Z', p_bucket => 8);
select is(pg_temp.read_on(10, 3), '{one,two}', 'of one''s own bucket and agent alone');

-- One that began first commits last.
select dblink_exec('late', 'begin');
select pg_temp.write('late', 'late', '2026-02-06 14:01Z');
select pg_temp.write('early', 'overtakes', '2026-02-06 14:02Z');
select is(pg_temp.read_on(10, 3), '{one,two}', 'what has overtaken an open transaction waits for it');
select dblink_exec('late', 'commit');
select is(pg_temp.read_on(10, 4), '{one,two,late,overtakes}', 'and then both are read, neither is missed');

-- The same, undone: nobody waits for ever.
select dblink_exec('late', 'begin');
select pg_temp.write('late', 'undone', '2026-02-06 14:03Z');
select pg_temp.write('early', 'stays', '2026-02-06 14:04Z');
select dblink_exec('late', 'rollback');
select is(pg_temp.read_on(1, 5), '{one,two,late,overtakes,stays}', 'what is undone was never there');

-- A reader's own transaction, and one that writes nothing, hold nothing back.
select dblink_exec('idle', 'begin'), dblink_exec('idle', 'set transaction read only');
select * from dblink('idle', 'select 1') d(x int);
select pg_temp.write('early', 'beside', '2026-02-06 14:05Z');
select is(pg_temp.read_on(10, 6), '{one,two,late,overtakes,stays,beside}', 'who only reads holds nothing back');
select dblink_exec('idle', 'rollback');

-- Several events of one transaction are in the order of their ids, and a page may end between them.
select dblink_exec('early', 'begin');
select pg_temp.write('early', 'a' || n, timestamptz '2026-02-06 14:06Z' + n * interval '1 second') from generate_series(1, 3) n;
select dblink_exec('early', 'commit');
select is(pg_temp.read_on(2, 9), '{one,two,late,overtakes,stays,beside,a1,a2,a3}', 'events of one transaction follow their ids');

-- Writers at once, and a reader all the while: the same set in the end, without a gap or a repeat.
select dblink_send_query(name, format('do $do$ begin for i in 1..60 loop
    insert into events (bucket, at, id, agent_id, type, actor) values (7, %L, id_new(7, %L), %L, %L || i, %L); perform pg_sleep(0.001); commit; end loop; end $do$',
    '2026-02-06 15:00Z', '2026-02-06 15:00Z', (select agent from me), name, 'test')) from unnest(array['early', 'late', 'idle']) name;
select is((select count(distinct name) from unnest(pg_temp.read_on(7, 189)) name), 189::bigint, 'three writers and a reader at once: none is missed');
select is((select cardinality(seen) from reader), 189, 'and none read twice');
select count(*) from unnest(array['early', 'late', 'idle']) name, dblink_get_result(name) d(x text);
select dblink_disconnect(name) from unnest(array['early', 'late', 'idle']) name;
delete from events where agent_id in (select agent from me union select stranger from me);
select * from finish();
drop extension dblink;
