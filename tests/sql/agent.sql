-- Agents: sign-up, tokens, tiers in both orders, keys, and what may exist once.
begin;
\ir shared/fixtures.sql
select no_plan();

-- Sign-up.
select fixture_agent(7, 'new', 'SANDBOX');
select results_eq($$select tier, email_verified_at, suspended_at, created_at from agents where bucket = 7 and id = id('new')$$,
    $$values ('SANDBOX', null::timestamptz, null::timestamptz, t0())$$, 'an agent begins in the sandbox');
select results_eq($$select kind, balance from accounts where bucket = 7 and party_id = id('new') order by kind$$,
    $$values ('clearing', 0::bigint), ('deposit', 0), ('escrow', 0), ('fiat_custody', 0), ('gas', 0), ('in_flight', 0), ('receivable', 0),
        ('revenue', 0), ('usdc_custody', 0)$$,
    'with every account it will need, all empty');
select results_eq($$select kind, run_at, max_attempts from jobs where bucket = 7 and ref = id('new')$$,
    $$values ('mail', t0(), 12)$$, 'and one mail to send');
select throws_ok($$select fixture_agent(7, 'odd', 'PLATINUM')$$, '23503', null, 'there is no other tier than those of the table');

-- What may exist once (R3).
create function fixture.claim(p_kind text, p_value text, p_bucket int default 3) returns text
language sql as $$
    select refusal_of(format('select registry_claim(%s, %L, %L, %L, ''email_taken'', %L)', p_bucket, p_kind, p_value,
        gen_random_uuid(), t0()))
$$;
select is(claim('email', 'a@example.com'), null, 'a value can be claimed');
select is(claim('email', 'a@example.com'), 'email_taken', 'once');
select is(claim('email', 'b@example.com'), null, 'another value can');
select registry_claim(3, 'wallet', 'mine', id('new'), 'wallet_taken', t0());
select is(refusal_of($$select registry_claim(3, 'wallet', 'mine', id('new'), 'wallet_taken', t0())$$), null, 'whoever has it may claim it again');
select registry_release(3, 'wallet', 'mine', gen_random_uuid()), registry_release(3, 'email', 'mine', id('new')), registry_release(4, 'wallet', 'mine', id('new'));
select is((select party_id from registry_find(3, 'wallet', 'mine')), id('new'), 'nobody else gives it up');
select is(claim('wallet', 'mine'), 'email_taken', 'or takes it');
select registry_release(3, 'wallet', 'mine', id('new'));
select is(claim('wallet', 'mine'), null, 'once it was given up, others may');
select is(claim('wallet', 'a@example.com'), null, 'another kind of the same text too');

-- Tokens: 24 hours, once, and only the newest.
create function fixture.verify(p_token text, p_now timestamptz, p_bucket int default 7) returns text
language plpgsql as $$
declare r record;
begin
    select * into r from email_verify(p_bucket, sha256(p_token::bytea), p_now);
    return r.tier || case when r.was_used then ' again' else '' end;
exception when sqlstate 'UX001' then
    return sqlerrm;
end $$;
select is(verify('unknown', t0()), 'token_invalid', 'an unknown token is refused');
select is(verify('new', t0(), 8), 'token_invalid', 'in another bucket it is unknown');
select is(verify('new', t0() + interval '24 hours'), 'token_expired', 'a token ends after 24 hours');
select is((select email_verified_at from agents where bucket = 7 and id = id('new')), null, 'an ended one verifies nothing');
select is(verify('new', t0() + interval '23:59:59.999'), 'VERIFIED', 'until its last millisecond it is good');
select is(verify('new', t0() + interval '24 hours'), 'VERIFIED again', 'opened twice it says so');
select is(verify('new', t0() + interval '20 days'), 'VERIFIED again', 'also long after it would have ended');
select is((select email_verified_at from agents where bucket = 7 and id = id('new')), t0() + interval '23:59:59.999', 'and changes nothing');
select is(refusal_of($$select email_resend(7, id('new'), 'x', '{}', t0())$$), 'already_verified', 'a verified agent gets no other token');
select fixture_agent(7, 'forgetful', 'SANDBOX');
select email_resend(7, id('forgetful'), sha256('newer'), '{}', t0() + interval '1 hour');
select is(verify('forgetful', t0() + interval '1 hour'), 'token_invalid', 'a newer token ends the older one');
select is((select count(*) from jobs where bucket = 7 and ref = id('forgetful')), 2::bigint, 'and is mailed');
select is(verify('newer', t0() + interval '25 hours' - interval '1 millisecond'), 'VERIFIED', 'its own day begins with it');

-- Tiers: both conditions, in either order; $50 to the cent; only USDC counts; never down again.
create function fixture.tier(p_name text) returns text
language sql as $$ select tier from agents where bucket = 7 and id = id(p_name) $$;
create function fixture.pay(p_name text, p_dollars numeric, p_kind text default 'deposit_usdc') returns text
language plpgsql as $$
begin
    if p_kind = 'deposit_usdc' then
        perform fixture_usdc(7, 'usdc ' || gen_random_uuid(), p_name, (p_dollars * 1000000)::bigint);
    else
        perform deposit_credit(7, id(p_name), p_kind, gen_random_uuid(), (p_dollars * 1000000)::bigint, t0());
    end if;
    return tier(p_name);
end $$;
select fixture_agent(7, 'first mail', 'SANDBOX'), fixture_agent(7, 'first money', 'SANDBOX'), fixture_agent(7, 'fiat', 'SANDBOX');
select is(verify('first mail', t0()), 'VERIFIED', 'a verified address makes VERIFIED');
select is(pay('first mail', 49.99), 'VERIFIED', 'a cent less than $50 does not change that');
select is(pay('first mail', 0.01), 'STANDARD', 'deposits add up to STANDARD');
select is(pay('first money', 49.999999), 'SANDBOX', 'money alone lifts nobody');
select is(pay('first money', 1000), 'SANDBOX', 'however much');
select is(verify('first money', t0()), 'STANDARD', 'the address then makes STANDARD at once');
select is(pay('fiat', 1000, 'deposit_fiat'), 'SANDBOX', 'fiat is money');
select is(verify('fiat', t0()), 'VERIFIED', 'but does not count for STANDARD');
select is(verify('first mail', t0()), 'STANDARD again', 'an old link lowers nobody');
select is(balance(7, 'first mail', 'deposit') || ' ' || balance(7, 'first mail', 'usdc_custody'), '50000000 -50000000',
    'what was paid in stands against its custody');
select throws_ok($$select pay('fiat', 1, 'deposit_gold')$$, 'P0004', null, 'there is no other way to pay');
select name_id('payment', gen_random_uuid());
select deposit_credit(7, id('fiat'), 'deposit_fiat', id('payment'), 5000000, t0());
select throws_ok($$select deposit_credit(7, id('fiat'), 'deposit_fiat', id('payment'), 5000000, t0())$$, '23505', null,
    'a payment is credited once');

-- What an agent sees of itself.
select results_eq($$select tier, max_daily_tasks, max_task_value, tasks_today, spend_30_days, fee_tier, basis_points
    from agent_show(7, id('first mail'), id('key of first mail'), t0())$$,
    $$values ('STANDARD', 100, 10000000000::bigint, 0::bigint, 0::bigint, 'STANDARD', 1000)$$, 'tier, limits, use and fee');
select is_empty($$select 1 from agent_show(8, id('first mail'), id('key of first mail'), t0())$$, 'in another bucket there is nothing');

-- Keys: none hands out more than it holds.
create temporary table makers (name text, scopes text[], budget bigint, expires timestamptz) on commit drop;
insert into makers values ('reader', '{read,keys}', null, null), ('spender', '{read,tasks,keys}', 1000000, null),
    ('brief', '{read,tasks,funds,keys}', null, t0() + interval '1 day');
insert into api_keys (bucket, id, agent_id, handle, hash, name, scopes, budget, expires_at, created_at)
select 7, name_id(name, id_new(7, t0())), id('first mail'), 'handle ' || name, 'x', name, scopes, budget, expires, t0() from makers;
create temporary table asked (maker text, scopes text, budget bigint, expires timestamptz, want text) on commit drop;
insert into asked values
    ('key of first mail', '["read","tasks","funds","keys"]', null, null, null), ('key of first mail', '["tasks"]', 5, null, null),
    ('reader', '["read"]', null, null, null), ('reader', '["tasks"]', null, null, 'scope_too_wide'),
    ('reader', '["read","tasks"]', 0, null, 'scope_too_wide'), ('spender', '["read"]', null, null, null),
    ('spender', '["tasks"]', 1000000, null, 'scope_too_wide'), ('spender', '["tasks"]', null, null, 'scope_too_wide'),
    ('brief', '["read"]', null, null, 'scope_too_wide'), ('brief', '["read"]', null, t0() + interval '1 day', null),
    ('brief', '["read"]', null, t0() + interval '1 day 0.001 seconds', 'scope_too_wide');
create function fixture.make_key(p_maker text, p_scopes jsonb, p_budget bigint, p_expires timestamptz, p_now timestamptz default t0())
returns text
language sql as $$
    select split_part(refusal_of(format('select apikey_create(7, %L, %L, %L, %L, %L, %L, %L, %L, %L, %L)', id('first mail'), id(p_maker),
        id_new(7, p_now), gen_random_uuid(), 'x', 'made', p_scopes, p_budget, p_expires, p_now)), ' ', 1)
$$;
select is(make_key(maker, scopes::jsonb, budget, expires), want,
    format('%s asks for %s, budget %s, until %s: %s', maker, scopes, budget, expires, coalesce(want, 'made'))) from asked;
select throws_ok($$select make_key('key of first mail', '[]', null, null)$$, '23514', null, 'a key without a scope cannot be');
do $$ begin perform make_key('key of first mail', '["read"]', null, null)
    from generate_series(1, 100 - (select count(*)::int from apikey_list(7, id('first mail'), t0()))); end $$;
select is((select count(*) from apikey_list(7, id('first mail'), t0())), 100::bigint, 'an agent may have a hundred keys');
select is(make_key('key of first mail', '["read"]', null, null), 'key_limit_reached', 'and no more');
select is(make_key('key of first mail', '["read"]', null, null, t0() + interval '1 day'), null, 'keys that have ended do not count');
select lives_ok($$select apikey_revoke(7, id('first mail'), id('reader'), t0())$$, 'a key can be revoked');
select is(refusal_of($$select apikey_revoke(7, id('first mail'), id('reader'), t0())$$), 'key_not_found', 'once');
select is(refusal_of($$select apikey_revoke(7, id('new'), id('spender'), t0())$$), 'key_not_found', 'not by another agent');
select is_empty($$select id from apikey_list(7, id('first mail'), t0()) where id = id('reader')$$, 'and is listed no more');
select isnt((select revoked_at from apikey_find(7, 'handle reader')), null, 'whoever finds it sees that it is dead');
select is_empty($$select 1 from apikey_find(8, 'handle reader')$$, 'in another bucket nobody finds it');
select apikey_touch(7, id('spender'), t0() + interval '2 hours'), apikey_touch(7, id('spender'), t0() + interval '1 hour');
select is((select last_used_at from api_keys where id = id('spender')), t0() + interval '2 hours', 'the last use never goes back');
select is((select count(*) from ledger_audit_everywhere(t0() + interval '1 hour')), 0::bigint, 'the ledger is whole');
select * from finish();
rollback;

-- Opening the link while another is being asked for: whoever waits, waits for the agent and holds nothing, so the two never
-- wait for each other.  Two connections; what they see has to be committed, so it is removed again.
begin;
\ir shared/fixtures.sql
create extension if not exists dblink schema tap;
select no_plan();
select dblink_connect(name, format('host=%s dbname=%s user=%s', split_part(current_setting('unix_socket_directories'), ',', 1),
    current_database(), current_user)) from unnest(array['resend', 'verify']) name;
create function fixture.clean() returns text
language sql as $$
    select dblink_exec('resend', $d$do $b$ begin
        delete from jobs where bucket = 1000; delete from email_tokens where bucket = 1000; delete from api_keys where bucket = 1000;
        delete from accounts where bucket = 1000; delete from agents where bucket = 1000; end $b$ $d$)
$$;
select clean();
select name_id('agent', id_new(1000, t0()));
select count(*) from dblink('resend', format($$select name from agent_register(1000, %L, 'name', 'e', null, %L, 'h', 'x', %L, '{}', %L)$$,
    id('agent'), id_new(1000, t0()), sha256('old'), t0())) d(name text);
select dblink_exec('resend', 'begin');
select dblink_exec('resend', format('do $b$ begin perform 1 from agents where bucket = 1000 and id = %L for update; end $b$', id('agent')));
-- The link is opened now, and waits …
select dblink_send_query('verify', format('select tier from email_verify(1000, %L, %L)', sha256('old'), t0()));
do $$ begin
    for i in 1..200 loop
        exit when exists (select from pg_stat_activity where wait_event_type = 'Lock' and query like '%email_verify(1000%' and pid <> pg_backend_pid());
        perform pg_sleep(0.02), pg_stat_clear_snapshot();
    end loop;
end $$;
-- … while the other, holding the agent, replaces the token.
select is((select n from dblink('resend', format('select 1 from email_resend(1000, %L, %L, %L, %L)', id('agent'), sha256('newer'), '{}',
    t0())) d(n int)), 1, 'asking for another link waits for nobody');
select dblink_exec('resend', 'commit');
select throws_ok($$select * from dblink_get_result('verify') d(tier text)$$, 'UX001', null, 'the old link is then refused by name, not by a deadlock');
select dblink_disconnect('verify');
select clean();
select dblink_disconnect('resend');
select * from finish();
rollback;
