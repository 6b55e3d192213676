-- Messages: between a task's agent and its operator alone, in order, with an event and, from the operator, a webhook.
begin;
\ir shared/fixtures.sql
select no_plan();
select fixture_agent(7, 'agent', 'STANDARD', 10000000000);
select fixture_agent(7, 'stranger', 'STANDARD', 0);
select fixture_operator(9, 'operator');
select fixture_operator(9, 'other');
select fixture_work(7, 'task', 'ACCEPTED', p_callback => 'https://example.com/');
select fixture_task(7, 'open');

create function fixture.say(p_sender text, p_who text, p_text text, p_at timestamptz, p_task text default 'task', p_bucket int default 7) returns text
language sql as $$ select (message_add(p_bucket, id(p_task), id_new(p_bucket, p_at), p_sender, id(p_who), p_text, p_at)).status $$;
select is(refusal_of(format('select say(%L, %L, %L, t0(), %L, %s)', sender, who, 'x', task, bucket)), want, what) from (values
    ('another agent has no say', 'agent', 'stranger', 'task', 7, 'task_not_found'),
    ('nor has another operator', 'operator', 'other', 'task', 7, 'task_not_found'),
    ('nor the agent in the operator''s name', 'operator', 'agent', 'task', 7, 'task_not_found'),
    ('nor the operator in the agent''s', 'agent', 'operator', 'task', 7, 'task_not_found'),
    ('nor anybody in another bucket', 'agent', 'agent', 'task', 8, 'task_not_found'),
    ('where no operator is, nobody reads', 'agent', 'agent', 'open', 7, 'no_operator'),
    ('an open task has no operator to write', 'operator', 'operator', 'open', 7, 'task_not_found')) r(what, sender, who, task, bucket, want);
select is((select count(*) from messages), 0::bigint, 'a refusal leaves nothing');

select is(say('agent', 'agent', 'Please ring twice.', t0() + interval '1 hour'), 'ACCEPTED', 'the agent writes');
select is((select count(*) from deliveries where task_id = id('task') and type = 'task.message'), 0::bigint, 'and is not told of it by webhook');
select say('operator', 'operator', 'Nobody is in 🙂', t0() + interval '2 hours');
select is((select count(*) from deliveries where task_id = id('task') and type = 'task.message'), 1::bigint, 'but of the answer');
select say('operator', 'operator', 'Now there is.', t0() + interval '3 hours');
select results_eq($$select sender, sender_id, text, at from message_list(7, id('task'), 10)$$, $$values ('agent', id('agent'), 'Please ring twice.', t0() + interval '1 hour'),
    ('operator', id('operator'), 'Nobody is in 🙂', t0() + interval '2 hours'), ('operator', id('operator'), 'Now there is.', t0() + interval '3 hours')$$, 'oldest first');
select results_eq($$select text from message_list(7, id('task'), 2)$$, $$values ('Nobody is in 🙂'), ('Now there is.')$$, 'of many the newest');
select is_empty($$select * from message_list(8, id('task'), 10)$$, 'none in another bucket');
select is_empty($$select * from message_list(7, id('open'), 10)$$, 'nor of another task');
select results_eq($$select actor, from_status, to_status, data -> 'message' ->> 'text' from task_events(7, id('task')) where type = 'task.message'$$,
    $$values ('agent', 'ACCEPTED', 'ACCEPTED', 'Please ring twice.'), ('operator', 'ACCEPTED', 'ACCEPTED', 'Nobody is in 🙂'), ('operator', 'ACCEPTED', 'ACCEPTED', 'Now there is.')$$,
    'each is an event, and no move');
select task_cancel(7, id('agent'), id('task'), t0() + interval '4 hours');
select is(say('operator', 'operator', 'Pity.', t0() + interval '5 hours'), 'CANCELLED', 'the two may go on when the task has ended');
select throws_ok($$insert into messages values (7, t0(), gen_random_uuid(), id('task'), 'stranger', null, 'x')$$, '23514', null, 'there are three kinds of sender');
select * from finish();
rollback;
