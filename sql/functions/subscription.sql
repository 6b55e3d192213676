-- Browsers that an operator is told in, and the pushes to them.

-- subscription_add: a browser subscribes, or tells its keys anew.  An operator has p_max at most; one more takes the place
-- of the oldest, which is the likeliest to be forgotten.
create or replace function subscription_add(p_bucket int, p_subscription uuid, p_operator uuid, p_endpoint text,
    p_p256dh bytea, p_auth bytea, p_max int, p_now timestamptz) returns void
language plpgsql as $$
begin
    perform from operators where bucket = p_bucket and id = p_operator for update;
    insert into push_subscriptions (bucket, id, operator_id, endpoint, p256dh, auth, created_at)
    values (p_bucket, p_subscription, p_operator, p_endpoint, p_p256dh, p_auth, p_now)
    on conflict (bucket, operator_id, endpoint) do update
    set p256dh = excluded.p256dh, auth = excluded.auth, failures = 0, created_at = excluded.created_at;
    delete from push_subscriptions where bucket = p_bucket and id in (
        select id from push_subscriptions where bucket = p_bucket and operator_id = p_operator
        order by created_at desc, id desc offset p_max);
end $$;

-- subscription_remove: true if there was such a one.
create or replace function subscription_remove(p_bucket int, p_operator uuid, p_endpoint text) returns boolean
language plpgsql as $$
begin
    delete from push_subscriptions where bucket = p_bucket and operator_id = p_operator and endpoint = p_endpoint;
    return found;
end $$;

-- subscription_tell: queues a message for each browser of a party; an agent has none.
create or replace function subscription_tell(p_bucket int, p_party uuid, p_message jsonb, p_max_attempts int,
    p_now timestamptz) returns void
language plpgsql as $$
begin
    perform job_add(p_bucket, 'push', id, p_message, p_now, p_max_attempts, p_now)
    from push_subscriptions where bucket = p_bucket and operator_id = p_party;
end $$;

create or replace function subscription_load(p_bucket int, p_subscription uuid) returns setof push_subscriptions
language plpgsql as $$
begin
    return query select * from push_subscriptions where bucket = p_bucket and id = p_subscription;
end $$;

-- subscription_result: what came of a push: sent, failed, or gone (the browser has unsubscribed).
create or replace function subscription_result(p_bucket int, p_subscription uuid, p_outcome text) returns void
language plpgsql as $$
begin
    if p_outcome = 'gone' then
        delete from push_subscriptions where bucket = p_bucket and id = p_subscription;
    else
        update push_subscriptions set failures = case when p_outcome = 'failed' then failures + 1 else 0 end
        where bucket = p_bucket and id = p_subscription and (failures > 0 or p_outcome = 'failed');
    end if;
end $$;
