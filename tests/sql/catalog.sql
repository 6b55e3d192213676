-- The rules of the schema, read from the catalogue for every table, partition, index, key and function there is: one
-- database today, many tomorrow, without a rewrite.  R numbers are those of the rules for a sharded database.
-- What this file names by hand is what somebody must decide, the reference tables; what each program may call is in grants.sql.
begin;
\ir shared/fixtures.sql
create extension if not exists plpgsql_check schema tap;
select no_plan();

create temporary table reference_tables (name text) on commit drop;
insert into reference_tables values ('tiers'), ('fee_tiers'), ('task_moves'), ('schema_migrations');

-- Indexes without a bucket, which only reads over all buckets (R11) use.
create temporary table crossing_indexes (name text) on commit drop;
insert into crossing_indexes values ('tasks_operator'), ('tasks_open'), ('tasks_disputed'), ('operators_kyc'), ('operators_place'),
    ('uploads_sha256'), ('uploads_part_0'), ('uploads_part_1'), ('uploads_part_2'),
    ('uploads_part_3'), ('screenings_appeals'), ('payouts_newest');

-- Our own relations and functions; those of extensions do not count.
create temporary view tables as
select c.oid, c.relname as name, c.relkind, c.relname in (select name from reference_tables) as is_reference
from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e');

create temporary view functions as
select p.oid, p.proname as name, p.prosecdef, p.proconfig, p.proowner, p.provolatile, l.lanname as language,
    coalesce(p.proargnames[1], '') as first_argument, p.oid::regprocedure::text as signature,
    -- without comments, and in lower case
    lower(regexp_replace(p.prosrc, '--[^\n]*', '', 'g')) as source
from pg_proc p
join pg_language l on l.oid = p.prolang
where p.pronamespace = 'public'::regnamespace
    and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e');

-- The statements of each function, and the bucket tables that they name after from, join, update and into.
create temporary view statements as
select f.oid, f.name, s.text, array(
    select m[2] from regexp_matches(s.text, '\m(from|join|update|into)\s+([a-z_]+)', 'g') m
    where m[2] in (select name from tables where not is_reference)) as named
from functions f
cross join lateral regexp_split_to_table(f.source, ';') s(text);

-- R1: the bucket comes first
select set_eq('select name from tables t where not exists (select from pg_attribute where attrelid = t.oid and attname = ''bucket'')',
    'select name from reference_tables', 'only the reference tables have no bucket');
select is_empty($$select t.name from tables t where not is_reference and not exists (
    select from pg_attribute a where a.attrelid = t.oid and a.attname = 'bucket' and a.atttypid = 'int'::regtype and a.attnotnull)$$,
    'every bucket is an int and not null');
select is_empty($$select t.name from tables t where not exists (
    select from pg_index i where i.indrelid = t.oid and i.indisprimary)$$, 'every table has a primary key');
select is_empty($$select i.indexrelid::regclass from tables t
    join pg_index i on i.indrelid = t.oid and i.indisunique
    join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
    where not t.is_reference and a.attname <> 'bucket'$$, 'every primary key and unique index begins with the bucket');
select set_eq($$select i.indexrelid::regclass::text from tables t
    join pg_index i on i.indrelid = t.oid
    where not t.is_reference and not exists (
        select from pg_attribute a where a.attrelid = t.oid and a.attname = 'bucket' and a.attnum = any (i.indkey))$$,
    'select name from crossing_indexes', 'every index holds the bucket, but for those of reads over all buckets');
select is_empty($$select conname from pg_constraint c join tables t on t.oid = c.conrelid where contype = 'x'$$,
    'there is no exclusion constraint');
select is_empty($$select t.name, a.attname from tables t join pg_attribute a on a.attrelid = t.oid
    where a.attidentity <> '' and a.atttypid <> 'bigint'::regtype$$, 'identity columns are bigint');
select is_empty($$select t.name, a.attname from tables t join pg_attribute a on a.attrelid = t.oid
    join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where pg_get_expr(d.adbin, d.adrelid) like 'nextval(%' and a.atttypid <> 'bigint'::regtype$$, 'and so are serial ones');
select is_empty($$select t.name, a.attname from tables t join pg_attribute a on a.attrelid = t.oid
    where a.attnum > 0 and not a.attisdropped and a.atttypid in ('timestamp'::regtype, 'time'::regtype, 'timetz'::regtype)$$,
    'times know their zone');
select is_empty($$select t.name, a.attname from tables t join pg_attribute a on a.attrelid = t.oid
    where a.atttypid in ('float4'::regtype, 'float8'::regtype, 'money'::regtype) and a.attname not in ('lat', 'lng')$$,
    'only places are floating point');

-- R2: keys stay inside a bucket
select is_empty($$select c.conname from pg_constraint c
    join tables t on t.oid = c.conrelid
    join tables r on r.oid = c.confrelid
    where c.contype = 'f' and not r.is_reference and (
        (select attname from pg_attribute where attrelid = c.conrelid and attnum = c.conkey[1]) <> 'bucket' or
        (select attname from pg_attribute where attrelid = c.confrelid and attnum = c.confkey[1]) <> 'bucket')$$,
    'every foreign key goes from bucket to bucket, or to a reference table');
select is_empty($$select c.conname from pg_constraint c join tables t on t.oid = c.conrelid
    where c.contype = 'f' and (c.confdeltype in ('n', 'd') or c.confupdtype <> 'a')$$,
    'no foreign key writes null, a default or a new value');
select is_empty($$select c.conname from pg_constraint c join tables t on t.oid = c.conrelid join tables r on r.oid = c.confrelid
    where c.contype = 'f' and t.name = 'tasks' and r.name like 'operator%'$$, 'none goes from a task to an operator');

-- R4, R5: functions
select is_empty($$select distinct f.signature from functions f join statements s using (oid)
    where cardinality(s.named) > 0 and f.name not like '%\_everywhere' and (f.first_argument <> 'p_bucket' or
        (select proargtypes[0] from pg_proc where oid = f.oid) <> 'int'::regtype)$$,
    'a function over bucket tables has p_bucket first, or is called _everywhere');
select is_empty($$select signature from functions where name like '%\_everywhere' and first_argument = 'p_bucket'$$,
    'and what is called _everywhere takes no bucket');
select is_empty($$select distinct f.signature from functions f join statements s using (oid)
    where cardinality(s.named) > 0 and f.language <> 'plpgsql'$$, 'a function over bucket tables is plpgsql');
select is_empty($$select s.name, s.text from statements s join functions f using (oid)
    where f.first_argument = 'p_bucket' and cardinality(s.named) > 0 and s.text !~ '\minsert into\M'
        and cardinality(s.named) > (select count(*) from regexp_matches(s.text, '\mbucket = ', 'g'))$$,
    'every statement says bucket = … for each table that it names');
select is_empty($$select s.name, s.text from statements s join functions f using (oid)
    where f.first_argument = 'p_bucket' and s.text ~ '\minsert into\M' and s.named <> '{}'
        and (s.text !~ 'insert into [a-z_]+( as [a-z]+)? \(bucket,' or s.text !~ '(values \(|select )p_bucket,')$$,
    'and every row inserted begins with p_bucket');
select is_empty($$select s.name, s.text from statements s join functions f using (oid)
    where s.text ~ '\mupdate [a-z_]+ ([a-z] )?set\M.*\mbucket = .*\mwhere\M' and s.text !~ 'on conflict'
        and regexp_replace(substring(s.text from '\mupdate\M.*'), '\mwhere\M.*', '') ~ '\mset\M.*\mbucket = '$$, 'the bucket is never updated');
-- The doctor compares the database's own clock with the host's: it alone asks for it.
select is_empty($$select name from functions where name <> 'doctor_everywhere' and source ~
    '\m(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\(|\mcurrent_(date|time|timestamp)\M|\mlocaltime'$$,
    'time is an argument');
select is_empty($$select f.signature from functions f join pg_proc p using (oid) cross join lateral unnest(p.proargtypes) a(type)
    where a.type in ('timestamp'::regtype, 'date'::regtype)$$, 'and knows its zone');
select is_empty($$select name, text from statements where text ~ '\mupdate\M.*\mset\M.*\m(id_new|random|gen_random_uuid)\s*\('$$,
    'no volatile call inside an update');
select is_empty($$select name from functions where source ~ '\mpg_(try_)?advisory_lock|\mcreate\s+temp|\mset\s+(session|local)\M|\mprepare\M'$$,
    'no session lock, temporary table, setting or prepared statement');

-- R7: nothing depends on triggers, and lists that grow are partitioned by time
select is_empty($$select tgname from pg_trigger g join tables t on t.oid = g.tgrelid where not g.tgisinternal$$, 'there is no trigger');
select is_empty($$select p.partrelid::regclass from pg_partitioned_table p
    join pg_index i on i.indrelid = p.partrelid and i.indisprimary
    where p.partstrat <> 'r' or p.partattrs[0] <> i.indkey[1]$$, 'partitions go by the time that follows the bucket in the key');
select set_eq('select name from tables where relkind = ''p''', $$values ('postings'), ('events'), ('deliveries'),
    ('delivery_attempts'), ('messages'), ('staff_acts')$$,
    'the lists that grow for ever are partitioned');
select is_empty($$select t.name from tables t where relkind = 'p' and not exists (
    select from pg_class c where c.relname = t.name || '_rest' and pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT')$$,
    'and each has a partition for the rest');

-- What a program may do; which functions each role has, tests/ops/privileges.test.mjs compares with the programs
create temporary view roles as
select oid, rolname as name from pg_roles where rolname like 'humanops\_%' and rolname <> 'humanops_owner';
select set_eq('select name::text from roles', $$values ('humanops_app'), ('humanops_agents'), ('humanops_tasks'), ('humanops_operator'),
    ('humanops_webhooks'), ('humanops_admin'), ('humanops_mcp'), ('humanops_worker'), ('humanops_sweeper'), ('humanops_doctor')$$,
    'there is a role for each program and one for hosts that allow no more');
select is_empty($$select r.name, t.name, p.privilege from roles r cross join tables t
    cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) p(privilege)
    where has_table_privilege(r.oid, t.oid, p.privilege)$$, 'none has a privilege on any table');
select is_empty($$select r.name, t.name from roles r cross join tables t
    cross join unnest(array['select', 'insert', 'update', 'references']) p(privilege)
    where has_any_column_privilege(r.oid, t.oid, p.privilege)$$, 'nor on any column');
select is_empty($$with s as materialized (
        select oid from pg_class where relkind = 'S' and relnamespace = 'public'::regnamespace)
    select r.name, s.oid::regclass from s cross join roles r
    where has_sequence_privilege(r.oid, s.oid, 'usage, select, update')$$, 'nor on any sequence');
select set_eq($$select f.oid from functions f where has_function_privilege('humanops_app', f.oid, 'execute')$$,
    $$select f.oid from functions f where f.prosecdef$$, 'what one of them may execute, and nothing else, runs with its owner''s rights');
select is_empty($$select f.name from functions f cross join roles r where has_function_privilege(r.oid, f.oid, 'execute')
    and not has_function_privilege('humanops_app', f.oid, 'execute')$$, 'humanops_app may do what any of them may');
select is_empty($$select f.name from functions f where has_function_privilege('public', f.oid, 'execute')$$, 'everybody may execute nothing');
select is_empty($$select a.oid::regprocedure from functions f join pg_proc a using (oid) join pg_proc b using (proname, pronamespace)
    where a.oid <> b.oid and has_function_privilege('humanops_app', a.oid, 'execute')
        and int4range(a.pronargs - a.pronargdefaults, a.pronargs, '[]') && int4range(b.pronargs - b.pronargdefaults, b.pronargs, '[]')$$,
    'a call, whose arguments bear no types, means one of them');
select is_empty($$select p.oid::regprocedure from pg_proc p join pg_roles r on r.oid = p.proowner
    where p.prosecdef and r.rolsuper and p.pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)$$,
    'and no such owner is a superuser');
select is_empty($$select signature from functions where prosecdef
    and not coalesce(array_to_string(proconfig, ';') ~ '(^|;)search_path=public, pg_temp(;|$)', false)$$,
    'each has a fixed search path');
select is_empty($$select name from tables t join pg_class c using (oid) where c.relowner <> 'humanops_owner'::regrole
    union all select name from functions where proowner <> 'humanops_owner'::regrole$$, 'humanops_owner owns everything');
select is_empty($$select rolname from pg_roles where rolname like 'humanops\_%'
    and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)$$, 'no role can do more');
select is_empty($$select rolname from pg_roles where rolname = 'humanops_owner' and rolcanlogin$$, 'and the owner does not log in');
select is_empty($$select r.name from pg_auth_members m join roles r on r.oid = m.member where r.name <> 'humanops_app'$$,
    'a program''s role is a member of none');
select is_empty($$select from pg_auth_members m where m.member = 'humanops_app'::regrole
    and (m.admin_option or m.roleid not in (select oid from roles))$$, 'humanops_app is one of the programs'' alone');
select is_empty($$select name from roles where has_schema_privilege(oid, 'public', 'create')$$, 'none can make anything in the schema');
select is_empty($$select name from roles where has_database_privilege(oid, current_database(), 'create, temporary')$$, 'nor beside it');
select ok(not has_database_privilege('public', current_database(), 'connect, create, temporary'), 'everybody else cannot even connect');
select is_empty($$select name, setting from roles cross join unnest(array['statement_timeout', 'lock_timeout',
        'idle_in_transaction_session_timeout']) t(setting)
    where not exists (select from pg_db_role_setting s where s.setrole = roles.oid and s.setdatabase = 0
        and array_to_string(s.setconfig, ' ') ~ (setting || '=[1-9]'))$$, 'no statement, lock or idle transaction lasts for ever');

-- The text of every function against the schema
select is_empty(format($$select * from plpgsql_check_function_tb(%L::regprocedure, security_warnings => true)
    where level in ('error', 'warning', 'security')$$, signature), 'plpgsql_check has no complaint about ' || name)
from functions where language = 'plpgsql' order by name;
select * from finish();
rollback;
