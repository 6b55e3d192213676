-- Operators: sign-up, profile, identity, suspension, rating, and who is found from where.
begin;
\ir shared/fixtures.sql
select no_plan();

-- Sign-up.
select results_eq($$select name, email, kyc_status, kyc_at, rating_count from operator_register(9, id_new(9, t0()), 'issuer subject', 'Jane', 'j@example.com',
    null, 'Oslo', 'NO', 59.9, 10.7, '["PHOTO"]', 'PENDING', t0())$$, $$values ('Jane', 'j@example.com', 'PENDING', null::timestamptz, 0)$$,
    'an operator waits for the identity check');
select fixture_operator(9, 'operator', 'VERIFIED', 59.91234, 10.75678, '["PHOTO"]');
select is((select kyc_at from operator_find(9, id('operator'))), t0(), 'one who is verified at once has the time of it');
select set_eq($$select kind, balance from accounts where bucket = 9 and party_id = id('operator')$$, $$values ('available', 0::bigint), ('clearing', 0),
    ('gas', 0), ('in_flight', 0), ('pending', 0), ('usdc_custody', 0)$$, 'with the accounts of an operator, all empty');
select throws_ok($$select operator_register(9, id('operator'), null, 'n', 'e', null, null, null, null, null, '[]', 'PENDING', t0())$$, '23505', null,
    'an id is taken once');
select throws_ok($$select operator_register(9, id_new(9, t0()), null, 'n', 'e', null, null, null, null, null, '[]', 'MAYBE', t0())$$, '23514', null,
    'there are three identity statuses');
select is_empty($$select * from operator_find(8, id('operator'))$$, 'an operator is in one bucket alone');

-- Profile: null leaves a part as it was.
select results_eq($$select name, city, phone, lat, skills from operator_update(9, id('operator'), 'Jane D.', '+471', null, null, null, null, null)$$,
    $$values ('Jane D.', 'Town', '+471', 59.91234::float8, '["PHOTO"]'::jsonb)$$, 'a profile changes by its parts');
select is_empty($$select * from operator_update(8, id('operator'), 'X', null, null, null, null, null, null)$$, 'in its own bucket alone');

-- Identity and suspension.
select results_eq($$select kyc_status, kyc_note, kyc_at from operator_kyc(9, id('operator'), 'REJECTED', 'unreadable', t0() + interval '1 hour')$$,
    $$values ('REJECTED', 'unreadable', t0() + interval '1 hour')$$, 'a verdict changes the status, with note and time');
select results_eq($$select kyc_note, kyc_at from operator_kyc(9, id('operator'), 'REJECTED', 'again', t0() + interval '2 hours')$$,
    $$values ('unreadable', t0() + interval '1 hour')$$, 'the same again changes nothing');
select is(refusal_of($$select operator_kyc(9, gen_random_uuid(), 'VERIFIED', null, t0())$$), 'operator_not_found', 'nobody is nobody');
select is(refusal_of($$select operator_kyc(8, id('operator'), 'VERIFIED', null, t0())$$), 'operator_not_found', 'nor is one of another bucket');
select operator_kyc(9, id('operator'), 'VERIFIED', null, t0());
select is((select suspended_at from operator_suspend(9, id('operator'), true, t0())), t0(), 'a suspension has its time');
select is((select suspended_at from operator_suspend(9, id('operator'), true, t0() + interval '1 day')), t0(), 'which a second one leaves');
select is((select suspended_at from operator_suspend(9, id('operator'), false, t0())), null, 'and it can be lifted');
select is(refusal_of($$select operator_suspend(8, id('operator'), true, t0())$$), 'operator_not_found', 'in its own bucket alone');

-- Rating.
select operator_rate(9, id('operator'), 5), operator_rate(9, id('operator'), 4), operator_rate(8, id('operator'), 1);
select is((select rating_sum || ' of ' || rating_count from operator_find(9, id('operator'))), '9 of 2', 'ratings add up');

-- Distances on a sphere of 6371 km.
select is(round(distance_km(lat1, lng1, lat2, lng2)::numeric, 2), want, what) from (values
    ('a place is where it is', 40.7, -74.0, 40.7, -74.0, 0.00),
    ('a degree of latitude', 0, 0, 1, 0, 111.19),
    ('a degree of longitude on the equator', 0, 179.5, 0, -179.5, 111.19),
    ('and at 60 degrees half of it', 60, 0, 60, 1, 55.60),
    ('pole to equator', 90, 0, 0, 77, 10007.54),
    ('the other side of the world', 0, 0, 0, 180, 20015.09),
    ('pole to pole', 90, 0, -90, 0, 20015.09),
    ('London to Paris', 51.5074, -0.1278, 48.8566, 2.3522, 343.56),
    ('New York to Los Angeles', 40.7128, -74.0060, 34.0522, -118.2437, 3935.75)) d(what, lat1, lng1, lat2, lng2, want);

-- Search: verified, not suspended, near, able; and not to the metre.
select fixture_operator(10, 'pending', 'PENDING', 59.91, 10.75);
select fixture_operator(10, 'rejected', 'REJECTED', 59.91, 10.75);
select fixture_operator(10, 'suspended', 'VERIFIED', 59.91, 10.75);
select operator_suspend(10, id('suspended'), true, t0());
select fixture_operator(10, 'nowhere', 'VERIFIED');
select fixture_operator(10, 'bergen', 'VERIFIED', 60.39, 5.32);
select fixture_operator(10, 'driver', 'VERIFIED', 59.95, 10.75, '["DELIVERY"]');
select fixture_operator(10, 'anything', 'VERIFIED', 59.93, 10.75);
create function fixture.found(p_radius float8, p_type text, p_min float8, p_limit int default 10) returns text[]
language sql as $$
    select array_agg(n.name order by s.distance_km) from operator_search_everywhere(59.91, 10.76, p_radius, p_type, p_min, p_limit) s join fixture.names n using (id)
$$;
select is(found(50, null, null), '{operator,anything,driver}', 'those who may work and are near, nearest first');
select is(found(500, null, null), '{operator,anything,driver,bergen}', 'a wider circle finds more');
select is(found(50, 'PHOTO', null), '{operator,anything}', 'who names no skill takes any type');
select is(found(50, null, 4.5), '{operator}', 'a least rating is met by those who have one');
select is(found(50, null, 4.6), null, 'and reach it');
select is(found(50, null, null, 2), '{operator,anything}', 'no more than asked for');
select results_eq($$select lat, lng, distance_km from operator_search_everywhere(59.91, 10.76, 1, null, null, 1)$$,
    $$values (59.91::float8, 10.76::float8, 0::float8)$$, 'position and distance are those of the rounded place');

-- For staff: by identity, longest waiting first.
select is((select array_agg(name) from operator_list_everywhere('PENDING', 10, 0)), '{Jane,pending}', 'staff sees who waits');
select is((select count(*) from operator_list_everywhere(null, 3, 0)), 3::bigint, 'or everybody, by pages');
select * from finish();
rollback;
