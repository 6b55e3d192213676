-- The queue: who gets a job, for how long, and what becomes of it.
begin;
\ir shared/fixtures.sql
select no_plan();

create function fixture.make_job(p_bucket int, p_name text, p_run_at timestamptz default t0(), p_kind text default 'webhook',
    p_max int default 3) returns uuid
language sql as $$ select name_id(p_name, job_add(p_bucket, p_kind, gen_random_uuid(), '{}', p_run_at, p_max, t0())) $$;
create function fixture.take(p_bucket int, p_now timestamptz default t0(), p_kinds jsonb default '{"webhook": 60}') returns jobs
language sql as $$ select j from job_take(p_bucket, p_kinds, p_now) j $$;
create function fixture.job(p_name text) returns jobs
language sql as $$ select j from jobs j where j.id = id(p_name) $$;

-- Due, and in which order.
select make_job(7, 'first', t0() - interval '2 minutes');
select make_job(7, 'second', t0() - interval '1 minute');
select make_job(7, 'not yet', t0() + interval '1 millisecond');
select make_job(7, 'of another kind', t0() - interval '1 hour', 'mail');
select make_job(8, 'elsewhere', t0() - interval '3 minutes');
select is((take(7)).id, id('first'), 'the job that has waited longest is taken first');
select is((job('first')).attempts, 1, 'that was its first attempt');
select is((job('first')).run_at, t0() + interval '60 seconds', 'it is due again when its lease ends');
select is((take(7)).id, id('second'), 'then the next');
select is((take(7)).id, null, 'then none: another kind, another time and another bucket are left alone');
select is((take(7, t0() + interval '1 millisecond')).id, id('not yet'), 'a job is due at its time to the millisecond');
select is((take(7, t0(), '{"mail": 5, "sandbox": 30, "webhook": 60}')).id, id('of another kind'), 'several kinds may be asked for');
select is((job('of another kind')).run_at, t0() + interval '5 seconds', 'and each is taken for its own lease');
select results_eq($$select bucket from job_due_everywhere('["webhook", "mail"]', t0() + interval '1 minute')$$,
    'values (8), (7)', 'buckets with something due are told, the longest waiting first');
select is_empty($$select bucket from job_due_everywhere('["sandbox"]', t0() + interval '1 year')$$, 'but only for the kinds asked for');

-- Lease and ticket.
select is((take(7, t0() + interval '60 seconds')).id, id('first'), 'a job whose lease has ended is taken up again');
select is((job('first')).attempts, 2, 'as its second attempt');
select is(job_finish(7, id('first'), 1), false, 'the slower worker can no longer finish it');
select is(job_retry(7, id('first'), 1, t0(), 'late'), false, 'nor give it back');
select is(job_next(7, id('first'), 1, t0()), false, 'nor go on to its next step');
select is(job_finish(8, id('first'), 2), false, 'nor anyone in another bucket');
select is(job_finish(7, id('first'), 2), true, 'the present holder can');
select is((job('first')).id, null, 'and then it is gone');
select is(job_finish(7, id('first'), 2), false, 'once');

-- The same ticket never comes twice, even over the steps of one job: a worker that was given up on long ago stays out.
select make_job(9, 'steps', p_max => 2);
select is((take(9)).attempts, 1, 'a first worker takes ticket 1 and falls asleep');
select is((take(9, t0() + interval '1 minute')).attempts, 2, 'a second takes ticket 2');
select is(job_next(9, id('steps'), 2, t0() + interval '2 minutes'), true, 'and goes on to the next step');
select isnt((take(9, t0() + interval '2 minutes')).attempts, 1, 'whoever takes that has a ticket of its own');
select is(job_finish(9, id('steps'), 1), false, 'so that the first worker, awake again, cannot end what another does');
select make_job(9, 'many steps', t0() + interval '1 hour', p_max => 2);
do $$
declare j jobs;
begin
    for i in 1..20 loop
        j := take(9, t0() + i * interval '1 day');
        perform job_next(9, j.id, j.attempts, t0() + (i + 1) * interval '1 day');
    end loop;
end $$;
select is((select count(*) from jobs where bucket = 9 and (is_dead or attempts > max_attempts)), 0::bigint,
    'a job with more steps than attempts does not run out of them');

-- Retry, give up, dead letter.
select make_job(10, 'retried');
select take(10);
select is(job_retry(10, id('retried'), 1, t0() + interval '5 seconds', 'why'), true, 'a job can be tried again');
select is((job('retried')).last_error, 'why', 'with the reason');
select is((take(10, t0() + interval '4.999 seconds')).id, null, 'not before its time');
select is((take(10, t0() + interval '5 seconds')).attempts, 2, 'and then it is');
select job_retry(10, id('retried'), 2, t0() + interval '6 seconds', 'why');
select is((job('retried')).is_dead, false, 'two of three attempts leave it alive');
select take(10, t0() + interval '6 seconds');
select job_retry(10, id('retried'), 3, t0() + interval '7 seconds', 'at last');
select is((job('retried')).is_dead, true, 'the last attempt makes a dead letter of it');
select is((take(10, t0() + interval '1 year')).id, null, 'which nobody takes');
select is_empty($$select 1 from job_due_everywhere('["webhook"]', t0() + interval '1 year') where bucket = 10$$, 'and nobody is told of');
select make_job(10, 'hopeless');
select take(10);
select is(job_retry(10, id('hopeless'), 1, null, 'never'), true, 'a job can be given up at once');
select is((job('hopeless')).is_dead, true, 'and is a dead letter then');
select make_job(10, 'deadly', p_max => 2);
select take(10), take(10, t0() + interval '1 hour'), take(10, t0() + interval '2 hours');
select is((job('deadly')).attempts, 3, 'a job that kills its workers comes once more, so that it can be given up');

-- Many of one bucket hide no other.
select job_add(11, 'webhook', gen_random_uuid(), '{}', t0() - interval '1 day', 3, t0()) from generate_series(1, 600);
select make_job(12, 'a neighbour''s', t0() - interval '1 minute');
select results_eq($$select bucket from job_due_everywhere('["webhook"]', t0()) where bucket in (11, 12)$$, 'values (11), (12)',
    'a bucket with hundreds of jobs due hides no other');
select is((select count(*) from job_due_everywhere('["webhook"]', t0())), (select count(distinct bucket) from jobs
    where run_at <= t0() and not is_dead and kind = 'webhook'), 'each bucket is told once');
select * from finish();
rollback;

-- Two workers at once, by two connections.  What they see has to be committed, so it is removed again.
begin;
\ir shared/fixtures.sql
create extension if not exists dblink schema tap;
select no_plan();
select dblink_connect(name, format('host=%s dbname=%s user=%s', split_part(current_setting('unix_socket_directories'), ',', 1),
    current_database(), current_user)) from unnest(array['one', 'two']) name;
select dblink_exec('one', 'delete from jobs where bucket = 1000 and kind = ''test''');
select count(*) from dblink('one', $$select job_add(1000, 'test', gen_random_uuid(), '{}', '2026-02-06 14:00Z', 3, '2026-02-06 14:00Z')
    from generate_series(1, 2)$$) d(id uuid);
select dblink_exec(name, 'begin') from unnest(array['one', 'two']) name;
create function fixture.take_by(p_name text) returns uuid
language sql as $$
    select id from dblink(p_name, $d$select id from job_take(1000, '{"test": 60}', '2026-02-06 14:00Z')$d$) d(id uuid)
$$;
select name_id('by one', take_by('one'));
select name_id('by two', take_by('two'));
select isnt(id('by one'), id('by two'), 'two workers at the same instant take different jobs, and neither waits');
select is(take_by('two'), null, 'a job that another is taking is not there for a third');
select dblink_exec('one', 'rollback');
select is(take_by('two'), id('by one'), 'until that one fails');
select dblink_exec('two', 'rollback');
select dblink_exec('one', 'delete from jobs where bucket = 1000 and kind = ''test''');
select dblink_disconnect(name) from unnest(array['one', 'two']) name;
select * from finish();
rollback;
