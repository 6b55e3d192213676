-- The calls of GET /tasks/:id.
\set n :n + 1
\set a (:n * :clients + :client_id) % :agents
\set b :a % 1024
select * from apikey_find(:b, substr('0123456789abcdefghjkmnpqrstvwxyz', (:b::int >> 5) + 1, 1) || substr('0123456789abcdefghjkmnpqrstvwxyz', (:b::int & 31) + 1, 1) || lpad(:a::text, 10, '0'));
select * from task_show(:b, ('01990000-0000-7' || lpad(to_hex(:b::int << 2), 3, '0') || '-8000-' || lpad(to_hex(:a::int), 12, '0'))::uuid, ('01990000-0000-7' || lpad(to_hex(:b::int << 2), 3, '0') || '-8002-' || lpad(to_hex(:a::int), 12, '0'))::uuid);
select * from message_list(:b, ('01990000-0000-7' || lpad(to_hex(:b::int << 2), 3, '0') || '-8002-' || lpad(to_hex(:a::int), 12, '0'))::uuid, 200);
select * from task_events(:b, ('01990000-0000-7' || lpad(to_hex(:b::int << 2), 3, '0') || '-8002-' || lpad(to_hex(:a::int), 12, '0'))::uuid);
