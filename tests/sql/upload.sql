-- Files of proof: whose they are, and whether the same was seen before.
begin;
\ir shared/fixtures.sql
select no_plan();
select fixture_operator(9, 'operator');
select fixture_operator(10, 'other');
select name_id('task', gen_random_uuid()), name_id('another', gen_random_uuid());
create function fixture.upload(p_bucket int, p_operator text, p_name text, p_task text, p_bytes text, p_dhash bigint) returns void
language sql as $$
    select upload_add(p_bucket, id(p_operator), name_id(p_name, id_new(p_bucket, t0())), case when p_task is not null then id(p_task) end, p_name, p_name || '.original',
        'image/jpeg', 1000, sha256(p_bytes::bytea), p_dhash, '{"is": "evidence"}', t0())
$$;
create function fixture.seen(p_upload text, p_operator text, p_bytes text, p_dhash bigint, p_task text,
    p_at timestamptz default t0() + interval '1 hour') returns text
language sql as $$
    select concat_ws(' ', case when is_reused then 'reused' end, case when is_similar then 'similar' end) from upload_judge_everywhere(id(p_upload),
        id(p_operator), sha256(p_bytes::bytea), p_dhash, case when p_task is not null then id(p_task) end, p_at)
$$;
select upload(9, 'operator', 'front', 'task', 'front', 1085102592571150095);
select upload(9, 'operator', 'back', null, 'back', null);
select upload(10, 'other', 'theirs', 'another', 'theirs', 71777214294589695);
select throws_ok($$select upload(9, 'operator', 'front', 'task', 'x', 1)$$, '23505', null, 'a name in the store is taken once');
select throws_ok($$select upload(10, 'operator', 'stray', 'task', 'x', 1)$$, '23503', null, 'a file lies with its operator');

select set_eq($$select stored, original, size, evidence from upload_find(9, id('operator'), '["front", "back", "missing"]')$$,
    $$values ('front', 'front.original', 1000::bigint, '{"is": "evidence"}'::jsonb), ('back', 'back.original', 1000, '{"is": "evidence"}')$$, 'found are those asked for that are there');
select is_empty($$select * from upload_find(10, id('other'), '["front"]')$$, 'another operator''s are not');
select is_empty($$select * from upload_find(9, id('other'), '["theirs"]')$$, 'nor one''s own in another bucket');
select is_empty($$select * from upload_find(9, id('operator'), '[]')$$, 'nothing asked, nothing found');

select is(seen('front', 'operator', 'front', 1085102592571150095, 'task'), '', 'a file was not seen before itself');
select upload(9, 'operator', 'again', 'task', 'front', 1085102592571150095);
select is(seen('again', 'operator', 'front', 1085102592571150095, 'task'), '', 'nor reused within its task');
select is(seen('again', 'operator', 'front', 1085102592571150095, null), '', 'nor by its operator for no task yet');
select is(seen('again', 'operator', 'front', 1085102592571150095, 'another'), 'reused similar', 'but for another task it is');
select upload(10, 'other', 'copy', 'task', 'front', 1085102592571150095);
select is(seen('copy', 'other', 'front', 1085102592571150095, 'task'), 'reused similar', 'and somebody else''s always, in whatever bucket');
select is(seen('copy', 'other', 'front', 1085102592571150095, 'task', t0() - interval '1 hour'), '', 'who was first has copied nobody');
select upload(10, 'other', 'recompressed', 'another', 'front, smaller', 1085102592571150095);
select is(seen('recompressed', 'other', 'front, smaller', 1085102592571150095, 'another'), 'similar', 'other bytes of the same picture are similar');
select is(seen('theirs', 'other', 'theirs', 3689348814741910323, 'another'), '', 'another picture is not');
select is(seen('theirs', 'other', 'near', 1085102592571150084, 'another'), 'similar', 'a few bits apart, as after another compression, it is similar');
select is(seen('theirs', 'other', 'edge', 1085102592571149552, 'another'), 'similar', 'ten bits apart still');
select is(seen('theirs', 'other', 'past', 1085102592571148528, 'another'), '', 'eleven are another picture');
select is(seen('theirs', 'other', 'pdf', null, 'another'), '', 'what is no picture is like none');
select upload(9, 'operator', 'wall', 'task', 'wall', 0), upload(9, 'operator', 'night', 'task', 'night', -1);
select is(seen('theirs', 'other', 'plain', 0, 'another') || seen('theirs', 'other', 'dark', -1, 'another'), '', 'nor is a plain surface');
select upload(9, 'operator', 'door', 'task', 'door', 1023);
select is(seen('theirs', 'other', 'gate', 1023, 'another'), '', 'nor one with hardly an edge');

-- Handed in, a file is its task's.
select upload_bind(10, id('other'), '["back"]', id('task'));
select upload_bind(9, id('other'), '["back"]', id('task'));
select is((select task_id from uploads where stored = 'back'), null, 'nobody else binds a file');
select upload_bind(9, id('operator'), '["back", "front"]', id('another'));
select is((select task_id from uploads where stored = 'back'), id('another'), 'its operator does');
select is((select task_id from uploads where stored = 'front'), id('task'), 'once');
select * from finish();
rollback;
