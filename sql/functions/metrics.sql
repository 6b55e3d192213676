-- What is asked of the database at each scrape: by indexes alone, and never more rows than what is open at the moment.

-- metrics_everywhere: a row for each value: the metric's name, the value of its label (null: it has none), and the value.
-- p_chain: the chain that is watched; null: none.  Names, labels and sentences are lib/core/metrics.c's.
create or replace function metrics_everywhere(p_chain bigint, p_now timestamptz)
returns table (metric text, label text, value numeric)
language plpgsql as $$
#variable_conflict use_column
begin
    return query select 'humanops_schema_version', null::text, max(number)::numeric from schema_migrations;
    return query
    select m.metric, h.name, extract(epoch from h.at)
    from heartbeats h cross join (values ('humanops_heartbeat_timestamp_seconds')) m(metric) where h.at is not null
    union all
    select 'humanops_ledger_audit_findings', null, (h.data ->> 'findings')::numeric
    from heartbeats h where h.name = 'ledger_audit' and h.at is not null;
    return query select * from metrics_queue_everywhere(p_now);
    return query
    select 'humanops_webhook_deliveries_failed', null::text, count(*)::numeric
    from deliveries d where d.state = 'failed' and d.at > p_now - interval '4 days';
    return query select * from metrics_money_everywhere(p_now);
    return query
    select m.metric, s.chain_id::text, m.value from chain_states s
    cross join lateral (values
        ('humanops_chain_head_block', s.head::numeric),
        ('humanops_chain_scanned_block', s.scanned_block::numeric),
        ('humanops_chain_scanned_timestamp_seconds', extract(epoch from s.scanned_at)),
        ('humanops_chain_quoted_timestamp_seconds', extract(epoch from s.quoted_at)),
        ('humanops_reserves_difference_usd', usd((s.reserves ->> 'difference')::bigint)),
        ('humanops_reserves_timestamp_seconds', extract(epoch from s.reserves_at)),
        ('humanops_payouts_frozen', s.is_frozen::int::numeric)) m(metric, value)
    where s.chain_id = p_chain and m.value is not null;
end $$;

-- metrics_queue_everywhere: jobs that wait for a worker and jobs given up, by kind.  More than 10,000 are not counted: that
-- many are too many.  Kinds that every installation has are there at zero too, since a series that appears is no rise.
create or replace function metrics_queue_everywhere(p_now timestamptz)
returns table (metric text, label text, value numeric)
language plpgsql as $$
#variable_conflict use_column
begin
    return query
    with kinds as (
        select unnest(array['sandbox', 'mail', 'push', 'guardian', 'webhook', 'fiat', 'chain', 'payout', 'discard']) kind
    ), due as (
        select d.kind, count(*) jobs, extract(epoch from p_now - min(d.run_at)) age
        from (select j.kind, j.run_at from jobs j where not j.is_dead and j.run_at <= p_now order by j.run_at limit 10000) d
        group by d.kind
    ), dead as (
        select d.kind, count(*) jobs
        from (select j.kind from jobs j where j.is_dead order by j.created_at limit 10000) d
        group by d.kind
    )
    select m.metric, kind, m.value
    from kinds full join due using (kind) full join dead using (kind)
    cross join lateral (values
        ('humanops_queue_jobs', coalesce(due.jobs, 0)::numeric),
        ('humanops_queue_oldest_age_seconds', coalesce(due.age, 0)),
        ('humanops_queue_dead_jobs', coalesce(dead.jobs, 0)::numeric)) m(metric, value)
    order by kind;
end $$;

-- metrics_money_everywhere: deposits that are not final yet, and payouts that have not ended.
create or replace function metrics_money_everywhere(p_now timestamptz)
returns table (metric text, label text, value numeric)
language plpgsql as $$
#variable_conflict use_column
begin
    return query
    select m.metric, s.status, m.value
    from unnest(array['pending', 'confirmed']) s(status)
    cross join lateral (
        select count(*) deposits, coalesce(sum(d.amount), 0)::bigint amount, min(d.created_at) oldest from usdc_deposits d
        where d.status = s.status and (d.status = 'pending' or (d.status = 'confirmed' and not d.is_final))) d
    cross join lateral (values
        ('humanops_usdc_deposits_open', d.deposits::numeric),
        ('humanops_usdc_deposits_open_usd', usd(d.amount)),
        ('humanops_usdc_deposits_oldest_age_seconds', coalesce(extract(epoch from p_now - d.oldest), 0))) m(metric, value);
    return query
    select m.metric, s.status, m.value
    from unnest(array['reserved', 'signed', 'stuck']) s(status)
    left join (
        select p.status, count(*) payouts, sum(p.amount)::bigint amount, min(p.created_at) oldest from payouts p
        where p.status in ('reserved', 'signed', 'stuck') group by p.status) p using (status)
    cross join lateral (values
        ('humanops_payouts_open', coalesce(p.payouts, 0)::numeric),
        ('humanops_payouts_open_usd', usd(coalesce(p.amount, 0))),
        ('humanops_payouts_oldest_age_seconds', coalesce(extract(epoch from p_now - p.oldest), 0))) m(metric, value);
end $$;
