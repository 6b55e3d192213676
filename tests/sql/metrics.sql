-- What is asked of the database at each scrape: every value by a state of affairs made for it, zeros and gaps included, and
-- that none of it reads more than what is open.
begin;
\ir shared/fixtures.sql
select no_plan();
delete from heartbeats;
delete from jobs;
-- values_of: the values of a metric, by label.
create function fixture.values_of(p_metric text, p_now timestamptz default t0(), p_chain bigint default 8453) returns text
language sql as $$
    select string_agg(concat_ws(' ', label, trim_scale(value)), ', ' order by label)
    from metrics_everywhere(p_chain, p_now) where metric = 'humanops_' || p_metric
$$;
create function fixture.above_zero(p_metric text, p_now timestamptz default t0()) returns text
language sql as $$
    select string_agg(concat_ws(' ', label, trim_scale(value)), ', ' order by label)
    from metrics_everywhere(8453, p_now) where metric = 'humanops_' || p_metric and value <> 0
$$;

select is(values_of('schema_version'), (select max(number)::text from schema_migrations), 'the newest migration');
select is_empty($$select metric, label from metrics_everywhere(8453, t0()) group by metric, label having count(*) > 1$$, 'no value comes twice');
select is_empty($$select * from metrics_everywhere(8453, t0()) where value is null$$, 'and none is missing');

-- Heartbeats.
select is(values_of('heartbeat_timestamp_seconds'), null, 'before anything has run there is no sign of life');
select heartbeat_begin(0, 'ledger_audit', 3600, 600, t0());
select is(values_of('ledger_audit_findings'), null, 'nor a result of an audit that goes on');
select heartbeat_set(0, 'ledger_audit', '{"findings": 3, "seconds": 0.5}', t0() + interval '1.5 seconds');
select heartbeat_set(0, 'sweeper', '{}', t0());
select is(values_of('heartbeat_timestamp_seconds'), format('ledger_audit %s.5, sweeper %s', extract(epoch from t0())::bigint + 1,
    extract(epoch from t0())::bigint), 'each with its time');
select is(values_of('ledger_audit_findings'), '3', 'the audit with what it found');

-- The queue.
select is(values_of('queue_jobs'), 'chain 0, discard 0, fiat 0, guardian 0, mail 0, payout 0, push 0, sandbox 0, webhook 0',
    'an empty queue is zero for every kind');
select is(above_zero('queue_oldest_age_seconds'), null, 'and nothing waits');
select job_add(7, 'mail', gen_random_uuid(), '{}', t0() - d * interval '1 second', 3, t0()) from unnest(array[0, 30, 90]) d;
select job_add(8, 'tidying', gen_random_uuid(), '{}', t0() - interval '7 seconds', 3, t0());
select job_add(8, 'webhook', gen_random_uuid(), '{}', t0() + interval '1 millisecond', 3, t0());
select is(above_zero('queue_jobs'), 'mail 3, tidying 1', 'what is due is counted, of whatever kind; what is not is not');
select is(above_zero('queue_oldest_age_seconds'), 'mail 90, tidying 7', 'the age is that of the longest overdue');
select job_take(7, '{"mail": 60}', t0());
select is(above_zero('queue_jobs'), 'mail 2, tidying 1', 'what a worker has in hand does not wait');
select is(above_zero('queue_jobs', t0() + interval '60 seconds'), 'mail 3, tidying 1, webhook 1', 'until its lease ends');
select is(above_zero('queue_dead_jobs'), null, 'none is given up');
update jobs set is_dead = true where kind = 'tidying';
select is(above_zero('queue_jobs'), 'mail 2', 'one that is given up waits no more');
select is(above_zero('queue_dead_jobs'), 'tidying 1', 'and is counted as such');
insert into jobs (bucket, id, kind, ref, run_at, max_attempts, created_at)
select 9, id_new(9, t0()), 'push', gen_random_uuid(), t0() - interval '5 seconds', 3, t0() from generate_series(1, 10001);
select is(above_zero('queue_jobs'), 'mail 1, push 9999', 'more than ten thousand are not counted');
delete from jobs;

-- Webhooks given up.
select fixture_agent(7, 'agent', 'STANDARD', 500000000);
select fixture_task(7, 'task', 'ACCEPTED', p_callback => 'https://example.com/hook');
select fixture_task(7, 'old task', 'ESTIMATE_PENDING', p_callback => 'https://example.com/hook', p_at => t0() - interval '5 days');
select is(values_of('webhook_deliveries_failed'), '0', 'webhooks on their way are none that failed');
update deliveries set state = 'failed' where bucket = 7;
select is(values_of('webhook_deliveries_failed', t0() + interval '1 hour'), '1', 'those given up are counted for four days');

-- Money that is on its way.
select is(above_zero('usdc_deposits_open'), null, 'no deposit is open');
select fixture_usdc(7, 'final');
select fixture_usdc(7, 'counted', p_amount => 50000000, p_is_final => false);
select usdc_seen(7, id('agent'), id_new(7, t0()), 8453, hash_of(n), 0, null, 2500000, 100, hash_of('b'), t0() + interval '10 seconds')
from unnest(array['x', 'y']) n;
select is(values_of('usdc_deposits_open', t0() + interval '70 seconds'), 'confirmed 1, pending 2', 'those not final yet by status');
select is(values_of('usdc_deposits_open_usd', t0() + interval '70 seconds'), 'confirmed 50, pending 5', 'with what they come to');
select is(values_of('usdc_deposits_oldest_age_seconds', t0() + interval '70 seconds'), 'confirmed 70, pending 60', 'and how long they wait');
select is(values_of('payouts_open'), 'reserved 0, signed 0, stuck 0', 'no payout is open');
select payout_request(7, id('agent'), 'agent', name_id(n, id_new(7, t0())), 20500000, 30000, address_of('payee'), 8453, false, t0())
from unnest(array['first', 'second']) n;
update payouts set status = 'stuck' where id = id('second');
select is(values_of('payouts_open', t0() + interval '9 seconds'), 'reserved 1, signed 0, stuck 1', 'payouts by state');
select is(values_of('payouts_open_usd', t0() + interval '9 seconds'), 'reserved 20.5, signed 0, stuck 20.5', 'with the money in flight');
select is(values_of('payouts_oldest_age_seconds', t0() + interval '9 seconds'), 'reserved 9, signed 0, stuck 9', 'and their age');
select payout_fail(7, id('first'), 'x', t0());
select is(above_zero('payouts_open'), 'stuck 1', 'one that has ended is open no more');

-- The chain.
select is(values_of('chain_head_block'), null, 'of a chain that no worker has begun with nothing is told');
select chain_begin(5, 8453, gen_random_uuid(), null, t0());
select is(values_of('payouts_frozen') || coalesce(values_of('chain_head_block'), ' -'), '8453 0 -', 'one begun has no head before the first look');
select chain_scanned(5, 8453, 900, 1000, 1007, t0() + interval '3 seconds');
select chain_reserves(5, 8453, '{"difference": -1500000}', true, 'short', t0() + interval '4 seconds');
select is(values_of('chain_head_block') || ', ' || values_of('chain_scanned_block'), '8453 1007, 8453 1000', 'head and search');
select is(values_of('chain_scanned_timestamp_seconds'), '8453 ' || extract(epoch from t0())::bigint + 3, 'when that was, whatever came after');
select is(values_of('reserves_difference_usd') || ', ' || values_of('payouts_frozen'), '8453 -1.5, 8453 1', 'money missing, and payouts frozen');
select is(values_of('payouts_frozen', p_chain => 1) is null and values_of('payouts_frozen', p_chain => null) is null, true,
    'of a chain that is not watched nothing is told');

-- Cost: no list that grows for ever is read from end to end.
create function fixture.plan_of(p_query text) returns text
language plpgsql as $$
declare
    v_line text;
    v_all text := '';
begin
    for v_line in execute 'explain ' || p_query loop
        v_all := v_all || v_line || chr(10);
    end loop;
    return v_all;
end $$;
set local enable_seqscan = off;
select ok(plan_of(q) not like '%Seq Scan%', what || ' are found by an index')
from (values ('webhooks given up', $$select count(*) from deliveries d where d.state = 'failed' and d.at > now() - interval '4 days'$$),
    ('open deposits', $$select count(*) from usdc_deposits d where d.status = 'pending'
        and (d.status = 'pending' or (d.status = 'confirmed' and not d.is_final))$$),
    ('open payouts', $$select status, count(*) from payouts p where p.status in ('reserved', 'signed', 'stuck') group by p.status$$),
    ('jobs due', $$select j.kind from jobs j where not j.is_dead and j.run_at <= now() order by j.run_at limit 10000$$),
    ('jobs given up', $$select j.kind from jobs j where j.is_dead order by j.created_at limit 10000$$)) v(what, q);
select * from finish();
rollback;
