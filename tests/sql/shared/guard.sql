-- The bucket guard: on every table of a bucket, row-level security lets a function see and write only the bucket that its
-- caller has named in the setting humanops.bucket (-1: all of them, for functions over everything).  For tests alone: applied
-- to a database that they own, whole suites then run with DATABASE_BUCKET_GUARD=true, and a function that goes beyond its
-- p_bucket finds nothing or fails, as it would where that bucket lies on another machine.  Forced, since the functions run as
-- the tables' owner; a superuser is bound by nothing.  May be applied again.
do $$
declare t regclass;
begin
    for t in
        select c.oid from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'bucket'
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    loop
        execute format('alter table %s enable row level security, force row level security', t);
        execute format('drop policy if exists bucket_guard on %s', t);
        execute format($policy$create policy bucket_guard on %s
            using (bucket = current_setting('humanops.bucket')::int or current_setting('humanops.bucket') = '-1')
            with check (bucket = current_setting('humanops.bucket')::int or current_setting('humanops.bucket') = '-1')$policy$, t);
    end loop;
end $$;
