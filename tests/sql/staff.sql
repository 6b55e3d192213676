-- What staff does and sees: the record that is only added to, suspension, and the lists over everything.
begin;
\ir shared/fixtures.sql
select no_plan();
select fixture_agent(7, 'agent', 'STANDARD', 1000000000);
select fixture_operator(9, 'operator');

-- The record.
select staff_act(n, 'act ' || n, 'target', jsonb_build_object('n', n), t0() + n * interval '1 minute') from generate_series(1, 5) n;
select results_eq($$select act, bucket, data from staff_log_everywhere('infinity', 2)$$, $$values ('act 5', 5, '{"n": 5}'::jsonb), ('act 4', 4, '{"n": 4}')$$, 'newest first, from every bucket');
select results_eq($$select act from staff_log_everywhere(t0() + interval '4 minutes', 2)$$, $$values ('act 3'), ('act 2')$$, 'and on from a time');
set local role humanops_app;
select throws_ok($$update staff_acts set act = 'x'$$, '42501', null, 'a program changes nothing in it');
select throws_ok($$delete from staff_acts$$, '42501', null, 'removes nothing');
select throws_ok($$insert into staff_acts values (7, now(), gen_random_uuid(), 'x', 'y')$$, '42501', null, 'and adds by its function alone');
reset role;

-- Suspension.
create function fixture.post() returns text
language sql as $$
    select refusal_of(format('select task_create(7, %L, %L, gen_random_uuid(), false, null, ''t'', ''d'', null, null, ''a'', 10000000, %L, 60, ''[]'', ''PHOTO'', ''PHYSICAL'',
        ''PHOTO'', null, null, null, null, %L)', id('agent'), id('key of agent'), t0() + interval '1 day', t0()))
$$;
select is(post(), null, 'an agent posts');
select agent_suspend(7, id('agent'), true, t0());
select is(post(), 'agent_suspended', 'a suspended one does not');
select agent_suspend(7, id('agent'), true, t0() + interval '1 day');
select is((select suspended_at from agents where bucket = 7 and id = id('agent')), t0(), 'a second suspension leaves the time of the first');
select agent_suspend(7, id('agent'), false, t0());
select is(post(), null, 'one who is restored does again');
select is(refusal_of($$select agent_suspend(8, id('agent'), true, t0())$$), 'agent_not_found', 'in its own bucket alone');
select is(refusal_of($$select agent_suspend(7, gen_random_uuid(), true, t0())$$), 'agent_not_found', 'nobody is nobody');

-- The lists.
select fixture_work(7, 'done', 'COMPLETED', p_callback => 'https://example.com/');
select set_eq($$select kind, balance from ledger_trial_balance_everywhere() where balance <> 0$$, $$values ('deposit', 950500000::bigint), ('escrow', 22000000), ('fiat_custody', -1000000000), ('pending', 25000000),
    ('revenue', 2500000)$$, 'the trial balance names every kind of account');
select is((select sum(balance) from ledger_trial_balance_everywhere()), 0::numeric, 'and adds up to zero');
select is_empty($$select * from delivery_failed_everywhere(10)$$, 'no webhook has been given up');
update deliveries set state = 'failed' where task_id = id('done') and type in ('task.claimed', 'task.verified');
select results_eq($$select type from delivery_failed_everywhere(10)$$, $$values ('task.verified'), ('task.claimed')$$, 'those that were, newest first');
select is((select count(*) from delivery_failed_everywhere(1)), 1::bigint, 'no more than asked for');
select results_eq($$select email, kind from party_email(7, id('agent'))$$, $$values ('agent@example.com', 'agent')$$, 'where an agent''s mail goes');
select results_eq($$select email, kind from party_email(9, id('operator'))$$, $$values ('operator@example.com', 'operator')$$, 'and an operator''s');
select is_empty($$select * from party_email(8, id('agent'))$$, 'nowhere in another bucket');
select is(findings(), null, 'the ledger is whole');
select * from finish();
rollback;
