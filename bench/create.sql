-- The calls of POST /tasks with an Idempotency-Key, by the second half of the agents: the first is wrk's.
\set n :n + 1
\set a :agents / 2 + (:n * :clients + :client_id) % (:agents / 2)
\set b :a % 1024
select * from apikey_find(:b, substr('0123456789abcdefghjkmnpqrstvwxyz', (:b::int >> 5) + 1, 1) || substr('0123456789abcdefghjkmnpqrstvwxyz', (:b::int & 31) + 1, 1) || lpad(:a::text, 10, '0'));
begin;
select * from replay_begin(:b, ('01990000-0000-7' || lpad(to_hex(:b::int << 2), 3, '0') || '-8000-' || lpad(to_hex(:a::int), 12, '0'))::uuid, '/tasks', 'pgbench-' || :run::text || '-' || :client_id::text || '-' || :n, '\x00'::bytea, now());
select * from screening_find(:b, ('01990000-0000-7' || lpad(to_hex(:b::int << 2), 3, '0') || '-8000-' || lpad(to_hex(:a::int), 12, '0'))::uuid, sha256(('pgbench-' || :n::text)::bytea), now());
select * from task_create(:b, ('01990000-0000-7' || lpad(to_hex(:b::int << 2), 3, '0') || '-8000-' || lpad(to_hex(:a::int), 12, '0'))::uuid, ('01990000-0000-7' || lpad(to_hex(:b::int << 2), 3, '0') || '-8001-' || lpad(to_hex(:a::int), 12, '0'))::uuid, ('0199000' || :run::text || '-0001-7' || lpad(to_hex(:b::int << 2), 3, '0') || '-9' || lpad(to_hex(:client_id::int), 3, '0') || '-' || lpad(to_hex(:n::int), 12, '0'))::uuid, false, null, 'Verify storefront signage', 'Take a clear photo of the sign at 123 Main St', 40.7128, -74.006, '123 Main St, New York, NY', 10000000, now() + interval '1 day', 86400, '["Photo of storefront sign", "GPS-stamped image"]', 'VERIFICATION', 'PHYSICAL', 'PHOTO', null, null, null, null, now());
select * from replay_store(:b, ('01990000-0000-7' || lpad(to_hex(:b::int << 2), 3, '0') || '-8000-' || lpad(to_hex(:a::int), 12, '0'))::uuid, '/tasks', 'pgbench-' || :run::text || '-' || :client_id::text || '-' || :n, '\x00'::bytea, 201, '{"task_id":"task_01990000000000000000000000","status":"PENDING","reward_usd":10,"platform_fee":1,"total_escrow":11,"deadline":"2026-02-10T00:00:00.000Z","created_at":"2026-02-05T12:00:00.000Z"}', now() + interval '30 days', now());
commit;
