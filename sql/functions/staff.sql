-- What staff does and sees.

-- staff_act: the append-only record; written in the transaction of the act itself.
create or replace function staff_act(p_bucket int, p_act text, p_target text, p_data jsonb, p_now timestamptz)
returns void
language plpgsql as $$
declare v_id uuid := id_new(p_bucket, p_now);
begin
    insert into staff_acts (bucket, at, id, act, target, data) values (p_bucket, p_now, v_id, p_act, p_target, p_data);
end $$;

create or replace function staff_log_everywhere(p_before timestamptz, p_limit int) returns setof staff_acts
language plpgsql as $$
begin
    return query select * from staff_acts where at < p_before order by at desc, id desc limit p_limit;
end $$;

-- agent_suspend: ends or restores an agent's access.  Fails: agent_not_found.
create or replace function agent_suspend(p_bucket int, p_agent uuid, p_is_suspended boolean, p_now timestamptz)
returns void
language plpgsql as $$
begin
    update agents set suspended_at = case when p_is_suspended then coalesce(suspended_at, p_now) end
    where bucket = p_bucket and id = p_agent;
    if not found then
        perform refuse('agent_not_found');
    end if;
end $$;

-- ledger_trial_balance_everywhere: each kind of account with its sum; the sums add up to zero.
create or replace function ledger_trial_balance_everywhere() returns table (kind text, accounts bigint, balance bigint)
language plpgsql as $$
begin
    return query select a.kind, count(*), sum(a.balance)::bigint from accounts a group by a.kind order by a.kind;
end $$;

-- delivery_failed_everywhere: webhooks given up, newest first.
create or replace function delivery_failed_everywhere(p_limit int) returns setof deliveries
language plpgsql as $$
begin
    return query select * from deliveries where state = 'failed' order by at desc limit p_limit;
end $$;
