-- Disputes and staff's three resolutions, before and after the operator was paid: both legs, nothing between them, once.
begin;
\ir shared/fixtures.sql
select no_plan();
select fixture_agent(7, 'agent', 'STANDARD', 10000000000);
select fixture_agent(7, 'stranger', 'STANDARD', 0);
select fixture_operator(9, 'operator');

-- Raising one.
select fixture_work(7, 'done', 'COMPLETED');
select is(refusal_of($$select dispute_raise(7, id('stranger'), id('done'), 'no', t0())$$), 'task_not_found', 'only the task''s agent objects');
select is(refusal_of($$select dispute_raise(8, id('agent'), id('done'), 'no', t0())$$), 'task_not_found', 'in its own bucket');
select results_eq($$select status, dispute_reason, disputed_at, due_at from dispute_raise(7, id('agent'), id('done'), 'not what I asked for', t0() + interval '1 day')$$,
    $$values ('DISPUTED', 'not what I asked for', t0() + interval '1 day', null::timestamptz)$$, 'a completed task is disputed');
select is(refusal_of($$select dispute_raise(7, id('agent'), id('done'), 'again', t0())$$), 'task_state_conflict {"status": "DISPUTED", "allowed": []}', 'once');
select is((task(7, 'done')).dispute_reason, 'not what I asked for', 'and keeps its reason');
select fixture_work(7, 'begun', 'IN_PROGRESS');
select is(refusal_of($$select dispute_raise(7, id('agent'), id('begun'), 'x', t0())$$), 'task_state_conflict {"status": "IN_PROGRESS", "allowed": []}', 'work in progress is not disputed');
select is((select array_agg(n.name) from dispute_list_everywhere(10, 0) d join fixture.names n using (id)), '{done}', 'staff sees it');

-- What is refused.
select is(refusal_of(format('select dispute_resolve(7, id(%L), %L, %s, null, t0())', task, resolution, split)), want, format('%s of %s: %s', resolution, split, want)) from (values
    ('begun', 'PAY_OPERATOR', 'null', 'task_state_conflict {"status": "IN_PROGRESS", "allowed": []}'),
    ('done', 'SPLIT', '0', 'split_invalid {"reward_usd": 25}'),
    ('done', 'SPLIT', '25000000', 'split_invalid {"reward_usd": 25}'),
    ('done', 'SPLIT', '25000001', 'split_invalid {"reward_usd": 25}'),
    ('done', 'SPLIT', '-1', 'split_invalid {"reward_usd": 25}')) r(task, resolution, split, want);
select is(refusal_of($$select dispute_resolve(8, id('done'), 'PAY_OPERATOR', null, null, t0())$$), 'task_not_found', 'nor in another bucket');
select fixture_task(7, 'simulated', 'DISPUTED', p_is_sandbox => true, p_reward => 10000);
select is(refusal_of($$select dispute_resolve(7, id('simulated'), 'PAY_OPERATOR', null, null, t0())$$), 'task_not_found', 'staff has nothing to do with simulated tasks');

-- resolved: what a resolution makes of a fresh dispute, all undone: status, the agent's and the operator's change, what is left.
create function fixture.resolved(p_was_paid boolean, p_resolution text, p_split bigint) returns text
language plpgsql as $$
declare
    v_deposit bigint;
    v_text text;
    r record;
begin
    perform fixture_work(7, 'case', case when p_was_paid then 'COMPLETED' else 'SUBMITTED' end);
    v_deposit := balance(7, 'agent', 'deposit');
    if p_was_paid then
        perform dispute_raise(7, id('agent'), id('case'), 'x', t0() + interval '1 day');
        perform earning_freeze(9, id('case'), t0() + interval '1 day');
    else
        perform verdict_guardian(7, id('case'), 'fail', '{}', 1, t0() + interval '1 hour');
    end if;
    select * into r from dispute_resolve(7, id('case'), p_resolution, p_split, 'note', t0() + interval '2 days');
    if r.was_paid then
        perform earning_resolve(9, id('case'), r.keep, t0() + interval '2 days');
    elsif r.keep > 0 then
        perform earning_credit(9, r.operator_id, id('case'), r.keep, t0() + interval '2 days', t0() + interval '2 days');
        perform earning_settle(9, t0() + interval '2 days', 10);
    end if;
    v_text := format('%s agent %s operator %s pending %s revenue %s clearing %s; %s; %s', r.status, balance(7, 'agent', 'deposit') - v_deposit,
        balance(9, 'operator', 'available'), balance(9, 'operator', 'pending') - 25000000, balance(7, 'agent', 'revenue') - 2500000, clearing(),
        coalesce(findings(), 'whole'), refusal_of(format('select dispute_resolve(7, %L, %L, null, null, %L)', id('case'), 'PAY_OPERATOR', t0())));
    raise exception using errcode = 'ZZ001', message = v_text;
exception when sqlstate 'ZZ001' then
    return sqlerrm;
end $$;
select is(resolved(was_paid, resolution, split), format('%s agent %s operator %s pending 0 revenue %s clearing 0; whole; '
    'task_state_conflict {"status": "%s", "allowed": []}', status, agent, operator, revenue, status),
    format('%s %s', resolution, case when was_paid then 'of frozen pay' else 'out of escrow' end)) from (values
    (false, 'PAY_OPERATOR', null::bigint, 'COMPLETED', 0, 25000000, 2500000),
    (false, 'REFUND_AGENT', null, 'CANCELLED', 27500000, 0, 0),
    (false, 'SPLIT', 10000000, 'COMPLETED', 15000000, 10000000, 2500000),
    (false, 'SPLIT', 1, 'COMPLETED', 24999999, 1, 2500000),
    (true, 'PAY_OPERATOR', null, 'COMPLETED', 0, 25000000, 2500000),
    (true, 'REFUND_AGENT', null, 'CANCELLED', 27500000, 0, 0),
    (true, 'SPLIT', 10000000, 'COMPLETED', 15000000, 10000000, 2500000),
    (true, 'SPLIT', 24999999, 'COMPLETED', 1, 24999999, 2500000)) r(was_paid, resolution, split, status, agent, operator, revenue);

-- What staff has paid out cannot be disputed again.
select dispute_resolve(7, id('done'), 'PAY_OPERATOR', null, 'fine', t0() + interval '2 days');
select earning_freeze(9, id('done'), t0() + interval '2 days');
select earning_resolve(9, id('done'), 25000000, t0() + interval '2 days');
select is(refusal_of($$select earning_freeze(9, id('done'), t0() + interval '2 days')$$), 'hold_over', 'a resolution is the end of it');
select is((task(7, 'done')).resolution, '{"resolution": "PAY_OPERATOR", "operator_usd": 25, "note": "fine"}'::jsonb, 'and is kept');
select is(findings(), null, 'the ledger is whole');
select * from finish();
rollback;
