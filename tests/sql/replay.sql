-- Idempotency keys: the first answer again, another body refused, and of two at once only one works.
begin;
\ir shared/fixtures.sql
create extension if not exists dblink schema tap;
select no_plan();
select name_id('principal', id_new(7, t0())), name_id('stranger', id_new(7, t0()));

create function fixture.begins(p_key text default 'k', p_body text default 'body', p_path text default '/tasks',
    p_now timestamptz default t0(), p_who text default 'principal', p_bucket int default 7) returns text
language sql as $$
    select coalesce(refusal_of(format('select replay_begin(%s, %L, %L, %L, sha256(%L), %L)', p_bucket, id(p_who), p_path, p_key, p_body, p_now)),
        (select r.status || ' ' || r.body from replay_begin(p_bucket, id(p_who), p_path, p_key, sha256(p_body::bytea), p_now) r), 'new')
$$;
select is(begins(), 'new', 'a key that nobody used is new');
select is(begins(), 'new', 'to its own transaction it stays so until there is an answer');
select replay_store(7, id('principal'), '/tasks', 'k', sha256('body'), 201, '{"task_id": "t"}', t0() + interval '30 days', t0());
select is(begins(), '201 {"task_id": "t"}', 'then the answer is given again, to the letter');
select is(begins(p_body => 'Body'), 'idempotency_mismatch', 'another body is refused');
select is(begins(p_key => 'K'), 'new', 'another key is another request');
select is(begins(p_path => '/tasks/x/cancel'), 'new', 'the same key elsewhere too');
select is(begins(p_who => 'stranger'), 'new', 'and the same key of somebody else');
select is(begins(p_bucket => 8), 'new', 'or in another bucket');
select is(begins(p_now => t0() + interval '30 days' - interval '1 millisecond'), '201 {"task_id": "t"}', 'it is kept for 30 days');
select is(begins(p_now => t0() + interval '30 days'), 'new', 'and no longer');
select is(begins(p_now => t0() + interval '30 days', p_body => 'Body'), 'new', 'whatever the body then');
select replay_store(7, id('principal'), '/tasks', 'k', sha256('Body'), 200, 'newer', t0() + interval '60 days', t0() + interval '30 days');
select is(begins(p_now => t0() + interval '31 days', p_body => 'Body'), '200 newer', 'an ended key takes a new answer');
select replay_store(7, id('principal'), '/operator/payout', 'p', sha256('body'), 201, 'first', null, t0());
select replay_store(7, id('principal'), '/operator/payout', 'p', sha256('body'), 201, 'fuller', null, t0());
select is(begins(p_key => 'p', p_path => '/operator/payout', p_now => t0() + interval '100 years'), '201 fuller', 'an answer without an end is kept for ever');
select sweep_expired_everywhere(t0() + interval '100 years');
select is(begins(p_key => 'p', p_path => '/operator/payout'), '201 fuller', 'whatever is swept');

-- At once: another connection holds a key in a transaction under way.
select dblink_connect('one', format('host=%s dbname=%s user=%s', split_part(current_setting('unix_socket_directories'), ',', 1),
    current_database(), current_user));
create function fixture.far(p_sql text) returns text
language sql as $$ select r from dblink('one', format('select (%s)::text', p_sql)) d(r text) $$;
create function fixture.begin_far(p_key text) returns text
language sql as $$
    select far(format('select count(*) from replay_begin(7, %L, %L, %L, %L, %L)', id('principal'), '/tasks', p_key, sha256('body'), t0()))
$$;
select dblink_exec('one', 'begin');
select is(begin_far('at once'), '0', 'the first of two takes the key');
select is(begins(p_key => 'at once'), 'idempotency_in_progress', 'the second is told that it is in use, and does not wait');
select is(begins(p_key => 'at once', p_body => 'other'), 'idempotency_in_progress', 'whatever its body');
select is(begins(p_key => 'another'), 'new', 'another key is free');
select dblink_exec('one', 'rollback');
select is(begins(p_key => 'at once'), 'new', 'a first that fails leaves the key to the second');
-- Beyond this the other connection's answer would have to be committed: it is stored under a key of its own and removed.
select name_id('answered', gen_random_uuid());
select dblink_exec('one', 'begin');
select begin_far(id('answered')::text);
select far(format('select count(*) from replay_store(7, %L, %L, %L, %L, 201, %L, %L, %L)', id('principal'), '/tasks', id('answered'), sha256('body'), 'done',
    t0() + interval '30 days', t0()));
select is(begins(p_key => id('answered')::text), 'idempotency_in_progress', 'up to the commit it is in progress');
select dblink_exec('one', 'commit');
select is(begins(p_key => id('answered')::text), '201 done', 'from then on it is answered');
select dblink_exec('one', format('delete from idempotency_keys where key = %L', id('answered')));
select dblink_disconnect('one');
select * from finish();
rollback;
