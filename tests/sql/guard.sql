-- The bucket guard of shared/guard.sql: that it covers every table and bites, and that every function a program may call does
-- its work with the one bucket named that it is given.  A program's role calls them, as in a running service.
begin;
\ir shared/fixtures.sql
select no_plan();
select fixture_agent(7, 'agent', 'STANDARD', 1000000000);
select fixture_agent(8, 'neighbour', 'STANDARD', 1000000000);
select fixture_task(7, 'task', 'PENDING', 'agent', p_callback => 'https://example.com/');
select fixture_task(8, 'neighbour''s', 'PENDING', 'neighbour', p_callback => 'https://example.com/');
select name_id('made here', id_new(7, t0()));
\ir shared/guard.sql

-- as: calls a function as a program does, with a bucket named (null: none); the number of rows, or the SQLSTATE.
create function fixture.as(p_named int, p_call text) returns text
language plpgsql as $$
declare v_rows bigint;
begin
    perform set_config('humanops.bucket', p_named::text, true);
    set local role humanops_app;
    execute 'select * from ' || p_call;
    get diagnostics v_rows = row_count;
    reset role;
    return v_rows::text;
exception when others then
    return sqlstate || case when sqlstate = 'UX001' then ' ' || sqlerrm else '' end;
end $$;

select is_empty($$select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'bucket'
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not (relrowsecurity and relforcerowsecurity)$$,
    'every table of a bucket is guarded');
select ok(count(*) >= 12, 'and there are such tables') from pg_policy where polname = 'bucket_guard';

-- It bites: the right bucket, another one, and none.
create temporary table calls (what text, named int, call text, want text) on commit drop;
insert into calls values
    ('reading under the right name', 7, format('task_show(7, %L, %L)', id('agent'), id('task')), '1'),
    ('reading under another name', 8, format('task_show(7, %L, %L)', id('agent'), id('task')), '0'),
    ('reading under no name', null, format('task_show(7, %L, %L)', id('agent'), id('task')), '22P02'),
    ('reading everything', -1, format('task_show(7, %L, %L)', id('agent'), id('task')), '1'),
    ('listing under another name', 8, format('task_list(7, %L, null, null, 10, 0)', id('agent')), '0'),
    ('an agent under another name', 8, format('agent_show(7, %L, null, %L)', id('agent'), t0()), '0'),
    ('writing under another name', 8, format('registry_claim(7, %L, %L, %L, %L, %L)', 'email', 'x', id('agent'), 'email_taken', t0()), '42501'),
    ('writing under the right name', 7, format('registry_claim(7, %L, %L, %L, %L, %L)', 'email', 'x', id('agent'), 'email_taken', t0()), '1'),
    ('cancelling under another name', 8, format('task_cancel(7, %L, %L, %L)', id('agent'), id('task'), t0()), 'UX001 task_not_found'),
    ('sweeping under another name', 8, format('sweep_task(7, %L, %L)', id('task'), t0() + interval '1 year'), '0');
select is(fixture.as(named, call), want, what) from calls;
select is((task(7, 'task')).status, 'PENDING', 'and nothing was done to the other bucket');

-- Every function that a program may call, with its own bucket named: none needs another.
create temporary table uses (place int generated always as identity, call text, want text default '1') on commit drop;
insert into uses (call, want)
select format(c.call, variadic array[id('agent'), id('task'), id('key of agent'), t0(), id('made here')]::text[]), c.want from (values
    ('agent_register(7, gen_random_uuid(), ''n'', ''e'', null, gen_random_uuid(), ''h'', ''x'', ''t'', ''{}'', %4$L)', '1'),
    ('email_verify(7, ''t'', %4$L)', '1'),
    ('agent_show(7, %1$L, %3$L, %4$L)', '1'),
    ('email_resend(7, %1$L, ''u'', ''{}'', %4$L)', 'UX001 already_verified'),
    ('apikey_find(7, ''h'')', '1'),
    ('apikey_touch(7, %3$L, %4$L)', '1'),
    ('apikey_create(7, %1$L, %3$L, %5$L, ''i'', ''x'', ''n'', ''["read"]'', null, null, %4$L)', '1'),
    ('apikey_list(7, %1$L, %4$L)', '2'),
    ('apikey_revoke(7, %1$L, %5$L, %4$L)', '1'),
    ('ledger_balance(7, %1$L)', '1'),
    ('ledger_statement(7, %1$L, null, 10)', '2'),
    ('replay_begin(7, %1$L, ''/p'', ''k'', ''b'', %4$L)', '0'),
    ('replay_store(7, %1$L, ''/p'', ''k'', ''b'', 201, ''{}'', %4$L, %4$L)', '1'),
    ('task_create(7, %1$L, %3$L, %5$L, false, null, ''t'', ''d'', 1, 1, ''a'', 10000000, ''2026-02-08'', 60, ''[]'', ''PHOTO'', ''PHYSICAL'',
        ''PHOTO'', null, ''https://example.com/'', null, null, %4$L)', '1'),
    ('task_show(7, %1$L, %5$L)', '1'),
    ('task_events(7, %5$L)', '1'),
    ('task_list(7, %1$L, null, null, 10, 0)', '2'),
    ('task_count(7, %1$L, null)', '1'),
    ('task_cancel(7, %1$L, %5$L, %4$L)', '1'),
    ('delivery_list(7, %1$L, %5$L)', '1'),
    ('sweep_task(7, %2$L, ''2027-01-01'')', '1'),
    ('job_take(7, ''{"webhook": 60}'', %4$L)', '1')) c(call, want);
select is(fixture.as(7, call), want, 'with its bucket named: ' || split_part(call, '(', 1)) from (select * from uses order by place) u;
select is((task(7, 'task')).status, 'CANCELLED', 'the sweep has done its work');
select is((task(8, 'neighbour''s')).status, 'PENDING', 'and left the neighbour alone');

create temporary table later_uses (place int generated always as identity, call text, want text default '1') on commit drop;
insert into later_uses (call, want)
select format(c.call, variadic array[id('agent'), j.ref, j.id, t0(), d.task_id]::text[]), c.want
from jobs j join deliveries d on d.bucket = 7 and d.id = j.ref, (values
    ('delivery_load(7, %2$L)', '1'),
    ('delivery_result(7, %2$L, %3$L, 1, ''pending'', %4$L, 500, ''no'', 10, %4$L)', '1'),
    ('job_take(7, ''{"webhook": 60}'', %4$L)', '1'),
    ('delivery_result(7, %2$L, %3$L, 2, ''failed'', null, 410, ''no'', 10, %4$L)', '1'),
    ('delivery_redeliver(7, %1$L, %5$L, %2$L, %4$L)', '1'),
    ('delivery_list(7, %1$L, %5$L)', '1')) c(call, want)
where j.bucket = 7 and j.kind = 'webhook' and j.attempts = 1;
select is(fixture.as(7, call), want, 'with its bucket named: ' || split_part(call, '(', 1)) from (select * from later_uses order by place) u;

-- The chain: wallets, USDC in and out, and what is known of the chain itself.
create temporary table chain_uses (place int generated always as identity, call text, want text default '1') on commit drop;
insert into chain_uses (call, want)
select format(c.call, variadic array[id('agent')::text, id('made here')::text, t0()::text, hash_of('h'), address_of('a')]), c.want from (values
    ('wallet_challenge(7, %1$L, %2$L, %3$L)', '1'),
    ('wallet_challenge_find(7, %1$L, %2$L, %3$L)', '1'),
    ('wallet_bind(7, %1$L, %2$L, %5$L, %3$L)', '1'),
    ('wallet_show(7, %1$L)', '1'),
    ('registry_claim(7, ''wallet'', %5$L, %1$L, ''wallet_taken'', %3$L)', '1'),
    ('registry_release(7, ''wallet'', %5$L, %1$L)', '1'),
    ('registry_find(7, ''wallet'', %5$L)', '0'),
    ('usdc_seen(7, %1$L, %2$L, 8453, %4$L, 0, %5$L, 50000000, 1, %4$L, %3$L)', '1'),
    ('usdc_confirm(7, %1$L, %2$L, %4$L, %3$L)', '1'),
    ('usdc_reverse(7, %1$L, %2$L, %4$L, %3$L)', '1'),
    ('usdc_seen(7, %1$L, %2$L, 8453, %4$L, 0, %5$L, 50000000, 1, %4$L, %3$L)', '1'),
    ('usdc_confirm(7, %1$L, %2$L, %4$L, %3$L)', '1'),
    ('usdc_final(7, %1$L, %2$L, %4$L)', '1'),
    ('usdc_checked(7, %2$L, %3$L)', '1'),
    ('usdc_of_transaction(7, %1$L, 8453, %4$L)', '1'),
    ('payout_request(7, %1$L, ''agent'', %2$L, 10000000, 10000, %5$L, 8453, false, %3$L)', 'UX001 payouts_frozen'),
    ('payouts_freeze(7, %1$L, false, null, %3$L)', '1'),
    ('payout_request(7, %1$L, ''agent'', %2$L, 10000000, 10000, %5$L, 8453, false, %3$L)', '1'),
    ('payout_sign(7, %2$L, ''transfer'', %5$L, 1, %4$L, ''x'', 1, 1, 1, %3$L)', '1'),
    ('payout_sent(7, %2$L, 1, %3$L)', '1'),
    ('payout_problem(7, %2$L, ''p'', %3$L)', '1'),
    ('payout_stuck(7, %2$L, ''p'', %3$L)', '1'),
    ('payout_retry(7, %2$L, %3$L)', '1'),
    ('payout_renonce(7, %2$L, %3$L)', '1'),
    ('payout_complete(7, %2$L, %4$L, 1, %3$L)', '1'),
    ('payout_fail(7, %2$L, ''p'', %3$L)', 'UX001 payout_state_conflict'),
    ('payout_cancel(7, %2$L, %3$L)', 'UX001 payout_state_conflict'),
    ('payout_find(7, %1$L, %2$L)', '1'),
    ('payout_load(7, %2$L)', '1'),
    ('payout_list(7, %1$L, null, 10)', '1'),
    ('payout_tries(7, %2$L)', '1'),
    ('nonce_take(7, 8453, %5$L, 1, %3$L)', '1'),
    ('chain_begin(7, 8453, %2$L, %5$L, %3$L)', '1'),
    ('chain_scanned(7, 8453, 1, 2, 2, %3$L)', '1'),
    ('chain_quote(7, 8453, ''{}'', %3$L)', '1'),
    ('chain_reserves(7, 8453, ''{}'', true, ''r'', %3$L)', '1'),
    ('chain_frozen(7, 8453, false, null, %3$L)', '1'),
    ('chain_state(7, 8453)', '1')) c(call, want);
select is(fixture.as(7, call), want, 'with its bucket named: ' || split_part(call, '(', 1)) from (select * from chain_uses order by place) u;
select is(balance(7, 'agent', 'usdc_custody'), -40010000::bigint, 'which moved the money');

-- The simulation.
select name_id('simulated', id_new(7, t0()));
select is(fixture.as(7, format('task_create(7, %L, %L, %L, true, ''approve'', ''t'', ''d'', 1, 1, ''a'', 10000, ''2026-02-08'', 60, ''[]'', ''PHOTO'', ''PHYSICAL'',
    ''PHOTO'', null, null, null, null, %L)', id('agent'), id('key of agent'), id('simulated'), t0())), '1', 'with its bucket named: a simulated task_create');
select is(fixture.as(7, format('sandbox_load(7, %L)', id('simulated'))), '1', 'with its bucket named: sandbox_load');
select is(fixture.as(7, format('sandbox_step(7, %L, ''PENDING'', ''accept'', %L, ''{"operator_name": "R"}'', %L, %L, 0, %L, %L)', id('simulated'),
    id_new(99, t0()), t0(), (select id from jobs where ref = id('simulated')), t0(), t0())), '1', 'with its bucket named: sandbox_step');
select is((task(7, 'simulated')).status, 'ESTIMATE_PENDING', 'which moved the task');
select is(fixture.as(7, format('job_next(7, %L, 0, %L)', (select id from jobs where ref = id('simulated')), t0())), '1', 'with its bucket named: job_next');
select is(fixture.as(7, format('job_retry(7, %L, 0, null, ''no'')', (select id from jobs where ref = id('simulated')))), '1', 'with its bucket named: job_retry');
select is(fixture.as(7, format('job_finish(7, %L, 0)', (select id from jobs where ref = id('simulated')))), '1', 'with its bucket named: job_finish');
select is_empty($$select 1 from jobs where ref = id('simulated')$$, 'which ended the job');

-- Functions over everything name -1.
select is(fixture.as(-1, call), want, 'with every bucket named: ' || split_part(call, '(', 1)) from (values
    ('job_due_everywhere(''["webhook"]'', ''2027-01-01'')', '1'), ('sweep_due_everywhere(''2027-01-01'')', '2'),
    ('ledger_audit_everywhere(''2026-02-06 14:01'')', '0'), ('sweep_expired_everywhere(''2027-01-01'')', '1'),
    ('partition_add_everywhere(''2031-01-01'')', '1'), ('job_wake_everywhere()', '1'), ('schema_version_everywhere()', '1'),
    ('custody_everywhere()', '1'), ('usdc_open_everywhere(8453, 10)', '0'), ('payouts_everywhere(''["completed"]'', null, 10)', '1'),
    ('payouts_signed_everywhere(8453)', '0')) e(call, want);
select is(fixture.as(7, 'sweep_due_everywhere(''2027-01-01'')'), '1', 'under one name they see only that');
select * from finish();
rollback;
