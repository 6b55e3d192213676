-- Signs of life, and checks that are due once in a while: who makes them, how often, and what is kept of them.
begin;
\ir shared/fixtures.sql
select no_plan();
delete from heartbeats;
create function fixture.beats() returns text
language sql as $$
    select string_agg(format('%s %s %s', name, coalesce(extract(epoch from at - t0())::int::text, '-'), data), ', ' order by name)
    from heartbeat_list_everywhere()
$$;
-- due: whether the hourly check is to be made so long after t0(); one that breaks off may be made again after ten minutes.
create function fixture.due(p_after interval, p_name text default 'check') returns boolean
language sql as $$ select heartbeat_begin(0, p_name, 3600, 600, t0() + p_after) $$;

select is(beats(), null, 'at first there is nothing');
select heartbeat_set(0, 'worker', '{"n": 1}', t0());
select is(beats(), 'worker 0 {"n": 1}', 'a sign of life is kept with what goes with it');
select heartbeat_set(0, 'worker', '{}', t0() + interval '5 seconds');
select heartbeat_set(0, 'sweeper', '{}', t0() + interval '7 seconds');
select is(beats(), 'sweeper 7 {}, worker 5 {}', 'the next takes its place, and another''s leaves it alone');
delete from heartbeats;

select is(due('0'), true, 'the first who asks makes the check');
select is(beats(), 'check - {}', 'of which nothing is known yet');
select is(due('0'), false, 'another one at the same moment does not');
select is(due('599 seconds'), false, 'nor as long as it may still be going on');
select is(due('600 seconds'), true, 'one that has broken off is made again');
select heartbeat_set(0, 'check', '{"findings": 2}', t0() + interval '660 seconds');
select is(beats(), 'check 660 {"findings": 2}', 'its end and result are kept');
select is(due('660 seconds'), false, 'it is not due again at once');
select is(due('4259 seconds'), false, 'nor before its time');
select is(due('0', 'other'), true, 'another check has times of its own');
select is(due('4260 seconds'), true, 'and then it is');
select is(beats(), 'check 660 {"findings": 2}, other - {}', 'until it has ended, the last result stands');
select is(due('4860 seconds'), true, 'broken off once more, it is made after ten minutes again, not after an hour');
select heartbeat_set(0, 'check', '{}', t0() + interval '1 year');
select is(due('10 years', 'other') and due('2 hours'), true, 'a time that lies ahead keeps nobody waiting');
update heartbeats set at = null, begun_at = t0() + interval '1 year' where name = 'check';
select is(due('3 hours'), true, 'nor does a beginning that does');
select * from finish();
rollback;
