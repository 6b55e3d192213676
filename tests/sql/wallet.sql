-- Wallets: challenges that end, are spent and are the agent's own; what a new wallet does to the one before it.
begin;
\ir shared/fixtures.sql
select no_plan();
select fixture_agent(7, 'agent', 'VERIFIED');
select fixture_agent(7, 'other', 'VERIFIED');
create function fixture.challenge(p_name text, p_at timestamptz default t0(), p_agent text default 'agent') returns void
language sql as $$ select wallet_challenge(7, id(p_agent), name_id(p_name, gen_random_uuid()), p_at) $$;
create function fixture.bind(p_name text, p_wallet text, p_at timestamptz default t0(), p_agent text default 'agent',
    p_bucket int default 7) returns text
language plpgsql as $$
declare r record;
begin
    select * into r from wallet_bind(p_bucket, id(p_agent), id(p_name), address_of(p_wallet), p_at);
    return coalesce(r.previous, 'first') || case when r.verified_at = p_at then '' else ' at another time' end;
exception when sqlstate 'UX001' then
    return sqlerrm;
end $$;
-- find: what the nonce's text says, as far as it can be found.
create function fixture.find(p_name text, p_at timestamptz default t0(), p_agent text default 'agent', p_bucket int default 7)
returns text
language plpgsql as $$
begin
    return (select issued_at from wallet_challenge_find(p_bucket, id(p_agent), id(p_name), p_at))::text;
exception when sqlstate 'UX001' then
    return sqlerrm;
end $$;

-- A challenge's life.
select challenge('first', t0() + interval '0.123 seconds');
select is(find('first')::timestamptz, t0() + interval '0.123 seconds', 'the time that the signed text bears is kept to the millisecond');
select is(find('first', p_agent => 'other'), 'challenge_invalid', 'nobody finds another''s challenge');
select is(find('first', p_bucket => 8), 'challenge_invalid', 'nor one in another bucket');
select is(bind('first', 'a', p_agent => 'other'), 'challenge_invalid', 'nobody binds by another''s challenge');
select is((select wallet from wallet_show(7, id('agent'))), null, 'nothing is bound yet');
select is(find('first', t0() + interval '10 minutes 0.122 seconds') is distinct from 'challenge_invalid', true, 'it is good to its last millisecond');
select is(find('first', t0() + interval '10 minutes 0.123 seconds'), 'challenge_invalid', 'and no longer');
select is(bind('first', 'a', t0() + interval '10 minutes 0.123 seconds'), 'challenge_invalid', 'nor does it bind then');
select is(bind('first', 'a', t0() + interval '1 minute'), 'first', 'a wallet is bound');
select results_eq($$select wallet, wallet_at, payouts_frozen_at from wallet_show(7, id('agent'))$$,
    $$values (address_of('a'), t0() + interval '1 minute', null::timestamptz)$$, 'and shown');
select is(bind('first', 'b', t0() + interval '2 minutes'), 'challenge_invalid', 'a challenge that was used is spent');
select is((select wallet from wallet_show(7, id('agent'))), address_of('a'), 'and changes nothing');
select is_empty($$select * from wallet_show(8, id('agent'))$$, 'nobody is to be seen in another bucket');
select is((select wallet from wallet_show(7, id('other'))), null, 'nor is the wallet anybody else''s');

-- Replaced.
select challenge('second'), challenge('third'), challenge('fourth');
select is(bind('second', 'b', t0() + interval '3 minutes'), address_of('a'), 'a new one tells which it replaces');
select is(bind('third', 'b', t0() + interval '4 minutes'), address_of('b'), 'also itself');
select is((select wallet_at from wallet_show(7, id('agent'))), t0() + interval '4 minutes', 'which counts as verified anew');
select is(find('fourth') = 'challenge_invalid', false, 'other challenges are good still');

-- What may stand there.
create temporary table addresses (why text, address text) on commit drop;
insert into addresses values ('capitals', upper(address_of('a'))), ('no 0x', right(address_of('a'), 40)), ('a digit less', left(address_of('a'), 41)),
    ('a digit more', address_of('a') || '0'), ('a letter behind f', left(address_of('a'), 41) || 'g'), ('nothing', ''),
    ('a line end', address_of('a') || E'\n');
select throws_ok(format('select wallet_bind(7, %L, %L, %L, %L)', id('agent'), id('fourth'), address, t0()), '23514', null,
    'no address: ' || why) from addresses;

-- Ten may be open.
do $$ begin for n in 1..11 loop perform challenge('open ' || n, t0() + n * interval '1 second', 'other'); end loop; end $$;
select is(find('open 1', p_agent => 'other'), 'challenge_invalid', 'the eleventh ends the oldest');
select isnt(find('open 2', p_agent => 'other'), 'challenge_invalid', 'and no other');
select is((select count(*) from wallet_challenges where agent_id = id('other')), 10::bigint, 'so that ten are open');
select is(find('fourth') = 'challenge_invalid', false, 'each agent has ten');
select challenge('late', t0() + interval '10 minutes 5 seconds', 'other');
select is((select count(*) from wallet_challenges where agent_id = id('other')), 7::bigint, 'what is past its time goes when the next one comes');

-- Frozen by staff.
select payouts_freeze(7, id('agent'), true, 'a reason', t0());
select payouts_freeze(7, id('agent'), true, 'another reason', t0() + interval '1 hour');
select results_eq($$select payouts_frozen_at, payouts_frozen_reason from wallet_show(7, id('agent'))$$, $$values (t0(), 'a reason')$$,
    'a freeze keeps its first time and reason');
select payouts_freeze(7, id('agent'), false, 'looked at', t0() + interval '2 hours');
select results_eq($$select payouts_frozen_at, payouts_frozen_reason from wallet_show(7, id('agent'))$$, $$values (null::timestamptz, null::text)$$,
    'until it is ended');
select is(refusal_of($$select payouts_freeze(8, id('agent'), true, 'x', t0())$$), 'agent_not_found', 'in the agent''s own bucket alone');
select * from finish();
rollback;
