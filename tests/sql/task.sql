-- Posting and taking back tasks: tier limits, fee, budget, money.  Amounts are usd_micros.
begin;
\ir shared/fixtures.sql
select no_plan();

-- The fee (spec 4): by trailing 30-day spend, half up to the cent, at least a dollar.
create temporary table fees (spend numeric, reward numeric, fee numeric) on commit drop;
insert into fees values
    (0, 25, 2.50), (0, 10, 1.00), (0, 10.04, 1.00), (0, 10.05, 1.01), (0, 10.14, 1.01), (0, 10.15, 1.02), (0, 9.99, 1.00), (0, 0.01, 1.00),
    (0, 10000, 1000), (4999.99, 25, 2.50), (5000, 25, 2.00), (5000, 12.49, 1.00), (5000, 12.56, 1.00), (5000, 12.57, 1.01),
    (5000, 10.00, 1.00), (24999.99, 100, 8), (25000, 100, 8), (25000.01, 100, 5), (25000.01, 20, 1), (25000.01, 20.09, 1.00),
    (25000.01, 20.10, 1.01), (25000.01, 20.11, 1.01), (10000000, 10000, 500);
select is(fee_of((reward * 1000000)::bigint, (spend * 1000000)::bigint), (fee * 1000000)::bigint,
    format('a reward of %s after a spend of %s costs a fee of %s', reward, spend, fee)) from fees;
select is_empty('select r from generate_series(1000, 20000, 7) r, unnest(array[0, 5000000000, 25000000001]) s
    where fee_of(r * 10000, s) % 10000 <> 0', 'a fee has whole cents');

-- What the trailing spend counts: real tasks of the last 30 days that were not cancelled.
select fixture_agent(7, 'agent', 'STANDARD', 100000000000);
select fixture_task(7, 'month old', p_reward => 5000000000, p_at => t0() - interval '30 days', p_deadline => t0() + interval '1 day');
select fixture_task(7, 'at the edge');
select is((task(7, 'at the edge')).fee, 2500000::bigint, 'a task that is 30 days old to the millisecond counts no more');
select fixture_task(7, 'within', p_reward => 4975000000, p_at => t0() - interval '30 days' + interval '1 millisecond',
    p_deadline => t0() + interval '1 day');
select fixture_task(7, 'discounted');
select is((task(7, 'discounted')).fee, 2000000::bigint, 'one that is a millisecond younger does');
select task_cancel(7, id('agent'), id('within'), t0());
select fixture_task(7, 'full again');
select is((task(7, 'full again')).fee, 2500000::bigint, 'a cancelled one does not');

-- Limits by tier and UTC day: the limit itself, and one past it.
create function fixture.try(p_agent text, p_reward bigint, p_is_sandbox boolean default false, p_at timestamptz default t0(),
    p_key text default null) returns text
language sql as $$
    select refusal_of(format('select fixture_task(7, ''tried'', p_agent => %L, p_reward => %L, p_is_sandbox => %L, p_at => %L,
        p_deadline => %L, p_key => %L)', p_agent, p_reward, p_is_sandbox, p_at, p_at + interval '2 days', p_key))
$$;
create function fixture.exceeded(p_refusal text) returns text
language sql as $$
    select case when p_refusal like 'tier_limit_exceeded {%' then substr(p_refusal, 20)::jsonb ->> 'exceeded' else p_refusal end
$$;
select fixture_agent(7, 'sandbox', 'SANDBOX');
select fixture_agent(7, 'verified', 'VERIFIED', 10000000000);
select fixture_agent(7, 'standard', 'STANDARD', 100000000000);
select is(exceeded(try('sandbox', 10000000)), 'mode', 'a SANDBOX agent posts no real task');
select is(exceeded(try('sandbox', 10000001, true)), 'max_task_value_usd', 'a simulated reward ends at $10');
select is(exceeded(try('verified', 10000001, true)), 'max_task_value_usd', 'for any tier');
select is(exceeded(try('verified', 100000001)), 'max_task_value_usd', 'a VERIFIED agent''s at $100');
select is(exceeded(try('standard', 10000000001)), 'max_task_value_usd', 'a STANDARD agent''s at $10,000');
select is(try('standard', 10000000000), null, 'and not before');
select is(try('sandbox', 10000000, true), null, 'ten simulated dollars a day are allowed');
select is(exceeded(try('sandbox', 10000, true)), 'max_daily_spend_usd', 'a cent more is not');
select is(exceeded(try('sandbox', 10000, true, '2026-02-06 23:59:59.999Z')), 'max_daily_spend_usd', 'until its last millisecond, UTC');
select is(try('sandbox', 10000, true, '2026-02-07 00:00:00Z'), null, 'the next day begins anew');
select fixture_task(7, 'one of ten', p_agent => 'verified', p_reward => 20000000) from generate_series(1, 9);
select is(exceeded(try('verified', 20010000)), 'max_daily_spend_usd', 'a VERIFIED agent spends $200 a day');
select is(try('verified', 20000000), null, 'to the cent');
select is(exceeded(try('verified', 10000000)), 'max_daily_tasks', 'and posts ten tasks a day');
select task_cancel(7, id('verified'), id('one of ten'), t0());
select is(exceeded(try('verified', 10000000)), 'max_daily_tasks', 'a cancelled one has still been one of them');
select is(try('verified', 10000000, true), null, 'simulated ones count by themselves');
select fixture_agent(7, 'busy', 'SANDBOX');
do $$ begin perform fixture.fixture_task(7, 'many', p_agent => 'busy', p_reward => 10000, p_is_sandbox => true,
    p_at => '2026-02-08 10:00Z', p_deadline => '2026-02-12 10:00Z') from generate_series(1, 50); end $$;
select is(exceeded(try('busy', 10000, true, '2026-02-08 11:00Z')), 'max_daily_tasks', 'fifty simulated tasks are a day''s');
select is(substr(try('verified', 10000000), 20)::jsonb - 'how_to_upgrade', '{"exceeded": "max_daily_tasks", "tier": "VERIFIED", "sandbox": false,
    "limits": {"max_daily_tasks": 10, "max_task_value_usd": 100, "max_daily_spend_usd": 200},
    "used_today": {"tasks": 10, "spend_usd": 180}, "resets_at": "2026-02-07T00:00:00.000Z"}'::jsonb, 'the refusal tells limits, use and reset');
select ok(substr(try('verified', 10000000), 20)::jsonb ->> 'how_to_upgrade' like '%STANDARD%', 'and how to rise');

-- Suspension.
select fixture_agent(7, 'suspended', 'STANDARD', 100000000);
update agents set suspended_at = t0() where bucket = 7 and id = id('suspended');
select is(try('suspended', 10000000), 'agent_suspended', 'a suspended agent posts nothing');
select is(try('suspended', 10000, true), 'agent_suspended', 'not even in the sandbox');

-- Money: exactly enough, and a cent less.
select fixture_agent(7, 'exact', 'STANDARD', 27500000);
select fixture_agent(7, 'short', 'STANDARD', 27490000);
select is(try('short', 25000000), 'insufficient_balance {"reward_usd": 25, "platform_fee": 2.5, "required_usd": 27.5, "deposit_balance": 27.49}',
    'a cent too little is refused with all amounts');
select is(balance(7, 'short', 'deposit'), 27490000::bigint, 'and touches nothing');
select is((select count(*) from tasks where bucket = 7 and agent_id = id('short')), 0::bigint, 'no task is left');
select fixture_task(7, 'exact task', p_agent => 'exact', p_callback => 'https://example.com/');
select is(balance(7, 'exact', 'deposit'), 0::bigint, 'exactly enough leaves a deposit of zero');
select is(balance(7, 'exact', 'escrow'), 27500000::bigint, 'and reward and fee in escrow');
select is(try('exact', 10000, true), null, 'the sandbox needs no money');
select is(balance(7, 'exact', 'escrow'), 27500000::bigint, 'and holds none');
select results_eq($$select status, due_at, deadline, late_at, fee, moves from task_show(7, id('exact'), id('exact task'))$$,
    $$values ('PENDING', t0() + interval '2 days', t0() + interval '2 days', t0() + interval '3 days', 2500000::bigint, 0)$$,
    'a new task waits for its deadline');
select results_eq($$select type, actor, from_status, to_status, at from task_events(7, id('exact task'))$$,
    $$values ('task.created', 'agent', null, 'PENDING', t0())$$, 'its trail begins with its creation');
select is((select array_agg(kind) from jobs where ref = id('exact task')), null, 'a real task is no job of the simulation');

-- Cancelling.
select is(refusal_of($$select task_cancel(7, id('agent'), id('exact task'), t0())$$), 'task_not_found', 'another agent''s task is not there');
select is(refusal_of($$select task_cancel(8, id('exact'), id('exact task'), t0())$$), 'task_not_found', 'nor in another bucket');
select results_eq($$select * from task_cancel(7, id('exact'), id('exact task'), t0() + interval '1 minute')$$, 'values (27500000::bigint, false, null::uuid)',
    'cancelling gives reward and fee back');
select is(balance(7, 'exact', 'deposit') || ' ' || balance(7, 'exact', 'escrow'), '27500000 0', 'to the deposit');
select is(refusal_of($$select task_cancel(7, id('exact'), id('exact task'), t0())$$), 'task_state_conflict {"status": "CANCELLED", "allowed": []}',
    'twice is a conflict');
select is(balance(7, 'exact', 'deposit'), 27500000::bigint, 'and pays nothing twice');
select fixture_task(7, 'started', 'IN_PROGRESS', p_agent => 'exact');
select is(refusal_of($$select task_cancel(7, id('exact'), id('started'), t0())$$), 'task_state_conflict {"status": "IN_PROGRESS", "allowed": []}',
    'work that has begun cannot be cancelled');
select fixture_agent(7, 'tinkerer', 'SANDBOX');
select fixture_task(7, 'simulated', p_agent => 'tinkerer', p_is_sandbox => true, p_reward => 10000);
select results_eq($$select * from task_cancel(7, id('tinkerer'), id('simulated'), t0())$$, 'values (0::bigint, true, null::uuid)',
    'a simulated task has nothing to give back');

-- A key's daily budget: reward and fee of its real tasks.
select fixture_agent(7, 'thrifty', 'STANDARD', 1000000000);
select name_id('budget key', id_new(7, t0()));
select apikey_create(7, id('thrifty'), id('key of thrifty'), id('budget key'), 'budget handle', sha256('b'), 'budget',
    '["tasks"]', 55000000, null, t0());
select is(try('thrifty', 25000000, p_key => 'budget key'), null, 'a key spends its budget');
select is(try('thrifty', 25010000, p_key => 'budget key'),
    'key_budget_exceeded {"required_usd": 27.51, "spent_today_usd": 27.5, "max_daily_spend_usd": 55}', 'a cent more is refused');
select is(try('thrifty', 25000000, p_key => 'budget key'), null, 'the budget itself is not');
select is(try('thrifty', 10000, true, p_key => 'budget key'), null, 'the sandbox costs no budget');
select task_cancel(7, id('thrifty'), (select max(t.id::text)::uuid from tasks t where t.key_id = id('budget key') and not is_sandbox), t0());
select is(try('thrifty', 25000000, p_key => 'budget key'), null, 'what was cancelled is free again');
select is(try('thrifty', 250000000), null, 'another key of the agent does not care');
select is(try('thrifty', 50000000, p_at => '2026-02-07 00:00Z', p_key => 'budget key'), null, 'the next day brings a new one');

-- Lists.
select fixture_agent(7, 'lister', 'STANDARD', 1000000000);
select fixture_task(7, 'listed ' || n, case when n % 2 = 0 then 'CANCELLED' else 'PENDING' end, 'lister',
    p_at => t0() + n / 3 * interval '1 millisecond') from generate_series(1, 11) n;
create function fixture.pages(p_limit int, p_status text) returns uuid[]
language plpgsql as $$
declare
    v_all uuid[] := '{}';
    v_page uuid[];
begin
    loop
        v_page := array(select t.id from task_list(7, id('lister'), p_status, v_all[cardinality(v_all)], p_limit, 0) t);
        v_all := v_all || v_page;
        exit when cardinality(v_page) < p_limit;
    end loop;
    return v_all;
end $$;
select is(pages(n, s), array(select t.id from tasks t where bucket = 7 and agent_id = id('lister') and (s is null or status = s)
    order by created_at desc, t.id desc), format('pages of %s by cursor show each task once, newest first (%s)', n, coalesce(s, 'all')))
from unnest(array[1, 2, 3, 10, 11, 100]) n, unnest(array[null, 'PENDING', 'CANCELLED', 'COMPLETED']) s;
select is(array(select t.id from task_list(7, id('lister'), null, null, 4, 3) t), (pages(100, null))[4:7], 'an offset skips');
select is(task_count(7, id('lister'), s), cardinality(pages(100, s))::bigint, 'the count is of all pages')
from unnest(array[null, 'PENDING', 'CANCELLED', 'COMPLETED']) s;
select is(refusal_of($$select task_list(7, id('lister'), null, id('exact task'), 4, 0)$$), 'cursor_invalid', 'another agent''s task is no cursor');
select is_empty($$select * from task_show(7, id('agent'), id('exact task'))$$, 'nobody sees another agent''s task');
select is((select count(*) from ledger_audit_everywhere(t0() + interval '1 day') where what <> 'escrow'), 0::bigint, 'the ledger is whole');
select * from finish();
rollback;
