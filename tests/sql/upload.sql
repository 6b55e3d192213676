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
        'image/jpeg', 1000, sha256(p_bytes::bytea), p_dhash, '{"is": "evidence"}', t0() + interval '7 days', t0());
    select from upload_stored(p_bucket, id(p_operator), id(p_name), t0() + interval '7 days', t0())
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

-- The row is there before the files are.
select upload_add(9, id('operator'), name_id('half', id_new(9, t0())), id('task'), 'half', 'half.original', 'image/jpeg', 1, sha256('half'), null, '{}',
    t0() + interval '7 days', t0());
select is_empty($$select * from upload_find(9, id('operator'), '["half"]')$$, 'what is not in the store yet cannot be handed in');
select is_empty($$select * from upload_same(9, id('operator'), id('task'), sha256('half'), t0())$$, 'nor is it what was uploaded before');
select is((select id from upload_stored(9, id('operator'), id('half'), t0(), t0())), id('half'), 'then it is its operator''s');
select isnt_empty($$select * from upload_find(9, id('operator'), '["half"]')$$, 'and can be handed in');

-- The same bytes once more.
create function fixture.same(p_bucket int, p_operator text, p_task text, p_bytes text, p_due interval default '7 days') returns text
language sql as $$
    select stored from upload_same(p_bucket, id(p_operator), case when p_task is not null then id(p_task) end, sha256(p_bytes::bytea), t0() + p_due)
$$;
select is(same(9, 'operator', 'task', 'front'), 'front', 'the same for the same task is that upload');
select is(same(9, 'operator', null, 'back'), 'back', 'and so for none yet');
select is(same(9, 'operator', null, 'front'), null, 'for no task it is another');
select is(same(9, 'operator', 'another', 'front'), null, 'for another task, too');
select is(same(9, 'other', 'task', 'front') is null and same(10, 'other', 'task', 'front') is null, true, 'somebody else''s is never');
select is((select due_at from uploads where stored = 'front'), t0() + interval '7 days', 'asked for at the same time it is due as before');
select same(9, 'operator', 'task', 'front', '9 days');
select is((select due_at from uploads where stored = 'front'), t0() + interval '9 days', 'later, it stays longer');
select same(9, 'operator', 'task', 'front', '1 day');
select is((select due_at from uploads where stored = 'front'), t0() + interval '9 days', 'and never less');
select upload_add(9, id('operator'), name_id('twin', id_new(9, t0())), id('task'), 'twin', 'twin.original', 'image/jpeg', 1, sha256('front'), null, '{}',
    t0() + interval '7 days', t0());
select is((select stored from upload_stored(9, id('operator'), id('twin'), t0() + interval '7 days', t0())), 'front', 'of two at once there is the one that was stored first');
select is((select is_discarded and stored_at is null from uploads where stored = 'twin'), true, 'the other goes');
select results_eq($$select bucket, ref, payload from jobs where kind = 'discard'$$,
    $$values (9, id('twin'), '{"stored": "twin", "original": "twin.original"}'::jsonb)$$, 'with its files');
delete from jobs;

select set_eq($$select stored, original, size, evidence from upload_find(9, id('operator'), '["front", "back", "missing"]')$$,
    $$values ('front', 'front.original', 1000::bigint, '{"is": "evidence"}'::jsonb), ('back', 'back.original', 1000, '{"is": "evidence"}')$$, 'found are those asked for that are there');
select is_empty($$select * from upload_find(10, id('other'), '["front"]')$$, 'another operator''s are not');
select is_empty($$select * from upload_find(9, id('other'), '["theirs"]')$$, 'nor one''s own in another bucket');
select is_empty($$select * from upload_find(9, id('operator'), '[]')$$, 'nothing asked, nothing found');

select is(seen('front', 'operator', 'front', 1085102592571150095, 'task'), '', 'a file was not seen before itself');
-- As two uploads of one picture were, before the second was the first again.
select upload_add(9, id('operator'), name_id('again', id_new(9, t0())), id('task'), 'again', 'again.original', 'image/jpeg', 1000, sha256('front'),
    1085102592571150095, '{}', t0() + interval '7 days', t0());
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
select is((select due_at from uploads where stored = 'back'), null, 'and is never due again');
select is((select due_at from uploads where stored = 'front'), t0() + interval '9 days', 'what was not bound is');
select throws_ok($$update uploads set is_discarded = true where stored = 'back'$$, '23514', null, 'the database itself lets no proof go');

-- Orphans.  Each upload is due a week after it came; this is what is to be done with it then.
create temporary table orphans (name text, task text, status text, operator text, accepted interval, is_needed boolean) on commit drop;
insert into orphans values
    ('of a claim', 'claimed', 'ESTIMATE_PENDING', 'operator', null, true),
    ('of accepted work', 'taken', 'ACCEPTED', 'operator', '1 hour', true),
    ('of begun work', 'begun', 'IN_PROGRESS', 'operator', '1 hour', true),
    ('left out of a proof', 'proved', 'SUBMITTED', 'operator', '1 hour', false),
    ('of finished work', 'done', 'COMPLETED', 'operator', '1 hour', false),
    ('of disputed work', 'disputed', 'DISPUTED', 'operator', '1 hour', false),
    ('of a task given back', 'open', 'PENDING', null, null, false),
    ('of a task that another has', 'theirs', 'IN_PROGRESS', 'other', '1 hour', false),
    ('of a task that ended', 'over', 'CANCELLED', 'operator', null, false);
select fixture_agent(7, 'agent', 'STANDARD', 10000000000);
select fixture_task(7, o.task, o.status) from orphans o;
update tasks t set operator_id = case when o.operator is not null then id(o.operator) end, accepted_at = t0() + o.accepted
from orphans o where t.bucket = 7 and t.id = id(o.task);
delete from jobs;
update uploads set due_at = null, stored_at = t0(), is_discarded = false;
select upload(9, 'operator', name, task, name, null) from orphans;
select upload(9, 'operator', 'of no task', null, 'of no task', null), upload(10, 'other', 'of nobody at work', null, 'x', null);
create function fixture.due(p_at interval default '7 days') returns table (name text, is_needed boolean)
language sql as $$ select u.stored, d.is_needed from upload_due_everywhere(t0() + p_at, 1000) d join uploads u using (bucket, id) $$;
select is_empty($$select * from due('7 days' - interval '1 millisecond')$$, 'nothing is due to the last millisecond of a week');
select set_eq($$select name, is_needed from due() where name like 'of a%' or name like '%work' or name like 'left%'$$,
    $$select name, is_needed from orphans union all values ('of nobody at work', true)$$, 'what is at hand is needed, the rest is not');
select is((select is_needed from due() where name = 'of no task'), true, 'what names no task is needed while its operator works');
update tasks set accepted_at = t0() + interval '7 days 1 second' where operator_id in (id('operator'), id('other')) and accepted_at is not null;
select is((select bool_or(is_needed) from due() where name in ('of no task', 'of nobody at work')), false, 'but not for work that was begun only after that week');
select is((select count(*) from upload_due_everywhere(t0() + interval '7 days', 3)), 3::bigint, 'no more than asked for at a time');

select upload_hold(9, id('of begun work'), t0() + interval '8 days', t0() + interval '7 days');
select is_empty($$select * from due() where name = 'of begun work'$$, 'what is needed waits');
select isnt_empty($$select * from due('8 days') where name = 'of begun work'$$, 'for a day');
select is(upload_discard(9, id('of begun work'), t0() + interval '7 days'), false, 'what is not due does not go');
select is(upload_discard(10, id('of a claim'), t0() + interval '7 days'), false, 'nor what lies elsewhere');
select is((select count(*) from jobs), 0::bigint, 'nothing has been asked of the worker');
select is(upload_discard(9, id('of finished work'), t0() + interval '7 days'), true, 'what is not needed goes');
select is_empty($$select * from upload_find(9, id('operator'), '["of finished work"]')$$, 'it cannot be handed in any more');
select is(same(9, 'operator', 'done', 'of finished work'), null, 'and the same bytes are a new upload');
select is(upload_discard(9, id('of finished work'), t0() + interval '7 days'), false, 'it goes once');
select is((select count(*) from jobs where kind = 'discard' and ref = id('of finished work') and bucket = 9), 1::bigint, 'by one job');
select upload_hold(9, id('of finished work'), t0() + interval '99 days', t0() + interval '99 days');
select isnt_empty($$select * from due('8 days') where name = 'of finished work' and not is_needed$$, 'a day later it comes up again, should that job have died');
select is(upload_discard(9, id('of finished work'), t0() + interval '8 days'), true, 'with another job');
select upload_forget(9, id('of a claim')), upload_forget(10, id('of finished work'));
select is((select count(*) from uploads where stored in ('of a claim', 'of finished work')), 2::bigint, 'no row goes but that of a discarded upload');
select upload_forget(9, id('of finished work'));
select is_empty($$select * from uploads where stored = 'of finished work'$$, 'which goes when its files are gone');
select is(seen('of a claim', 'operator', 'of finished work', null, 'task'), '', 'and was never seen');
select upload_bind(9, id('operator'), '["of a claim"]', id('claimed'));
select is(upload_discard(9, id('of a claim'), t0() + interval '99 days'), false, 'what was handed in stays for ever');
select * from finish();
rollback;
