-- The rules of the schema, read from the catalogue for every table, partition, index, key and function there is: one
-- database today, many tomorrow, without a rewrite.  R numbers are those of the rules for a sharded database.
-- What this file names by hand is what somebody must decide: reference tables, and what programs may call.
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

create temporary table callable (name text) on commit drop;
insert into callable values
    ('agent_register'), ('agent_show'), ('agent_suspend'), ('apikey_create'), ('apikey_find'), ('apikey_list'),
    ('apikey_revoke'), ('apikey_touch'), ('chain_begin'), ('chain_frozen'), ('chain_quote'), ('chain_reserves'),
    ('chain_scanned'), ('chain_state'), ('claim_abort'), ('claim_approve'), ('claim_make'), ('claim_reject'), ('claim_start'),
    ('claim_submit'), ('claim_withdraw'), ('custody_everywhere'), ('delivery_failed_everywhere'),
    ('delivery_list'), ('delivery_load'), ('delivery_redeliver'), ('delivery_result'),
    ('dispute_list_everywhere'), ('dispute_raise'), ('dispute_resolve'), ('earning_credit'),
    ('earning_due_everywhere'), ('earning_freeze'), ('earning_list'), ('earning_resolve'), ('earning_settle'),
    ('earning_summary'), ('email_resend'), ('email_verify'), ('event_list'), ('feed_mine_everywhere'),
    ('feed_open_everywhere'), ('feed_show'), ('fiat_begin'), ('fiat_called'), ('fiat_find'),
    ('fiat_find_order'), ('fiat_settle'), ('job_add'), ('job_due_everywhere'), ('job_finish'), ('job_next'),
    ('job_retry'), ('job_take'), ('job_wake_everywhere'), ('ledger_audit_everywhere'), ('ledger_balance'),
    ('ledger_statement'), ('ledger_trial_balance_everywhere'), ('message_add'), ('message_list'),
    ('nonce_take'), ('operator_find'), ('operator_kyc'), ('operator_kyc_call'), ('operator_list_everywhere'),
    ('operator_rate'), ('operator_register'), ('operator_search_everywhere'), ('operator_suspend'),
    ('operator_update'), ('partition_add_everywhere'), ('party_email'), ('payout_cancel'), ('payout_complete'),
    ('payout_fail'), ('payout_find'), ('payout_list'), ('payout_load'), ('payout_problem'), ('payout_renonce'),
    ('payout_request'), ('payout_retry'), ('payout_sent'), ('payout_sign'), ('payout_stuck'), ('payout_tries'),
    ('payouts_everywhere'), ('payouts_freeze'), ('payouts_signed_everywhere'), ('registry_claim'),
    ('registry_find'), ('registry_release'), ('replay_begin'), ('replay_store'), ('sandbox_load'),
    ('sandbox_step'), ('schema_version_everywhere'), ('screening_appeal'), ('screening_appeals_everywhere'),
    ('screening_block'), ('screening_decide'), ('screening_find'), ('staff_act'), ('staff_log_everywhere'),
    ('subscription_add'), ('subscription_load'), ('subscription_remove'), ('subscription_result'),
    ('subscription_tell'), ('sweep_due_everywhere'), ('sweep_expired_everywhere'), ('sweep_task'), ('task_any'),
    ('task_cancel'), ('task_count'), ('task_create'), ('task_events'), ('task_list'), ('task_rate'),
    ('task_show'), ('upload_add'), ('upload_bind'), ('upload_discard'), ('upload_due_everywhere'),
    ('upload_find'), ('upload_forget'), ('upload_hold'), ('upload_judge_everywhere'), ('upload_same'), ('upload_stored'),
    ('usdc_checked'), ('usdc_confirm'), ('usdc_final'), ('usdc_of_transaction'), ('usdc_open_everywhere'),
    ('usdc_reverse'), ('usdc_seen'), ('verdict_agent'), ('verdict_guardian'), ('wallet_bind'),
    ('wallet_challenge'), ('wallet_challenge_find'), ('wallet_show');

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
select is_empty($$select name from functions where source ~
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

-- What a program may do
select is_empty($$select t.name, p.privilege from tables t
    cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) p(privilege)
    where has_table_privilege('humanops_app', t.oid, p.privilege)$$, 'a program has no privilege on any table');
select is_empty($$select t.name from tables t cross join unnest(array['select', 'insert', 'update', 'references']) p(privilege)
    where has_any_column_privilege('humanops_app', t.oid, p.privilege)$$, 'nor on any column');
select is_empty($$with s as materialized (
        select oid from pg_class where relkind = 'S' and relnamespace = 'public'::regnamespace)
    select oid::regclass from s where has_sequence_privilege('humanops_app', oid, 'usage, select, update')$$, 'nor on any sequence');
select set_eq($$select name::text from functions where has_function_privilege('humanops_app', oid, 'execute')$$, 'select name from callable',
    'it may execute exactly the functions listed');
select is_empty($$select a.oid::regprocedure from functions f join pg_proc a using (oid) join pg_proc b using (proname, pronamespace)
    where a.oid <> b.oid and has_function_privilege('humanops_app', a.oid, 'execute')
        and int4range(a.pronargs - a.pronargdefaults, a.pronargs, '[]') && int4range(b.pronargs - b.pronargdefaults, b.pronargs, '[]')$$,
    'a call, whose arguments bear no types, means one of them');
select is_empty($$select name from functions where has_function_privilege('humanops_app', oid, 'execute') and not prosecdef$$,
    'each runs with its owner''s rights');
select is_empty($$select p.oid::regprocedure from pg_proc p join pg_roles r on r.oid = p.proowner
    where p.prosecdef and r.rolsuper and p.pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)$$,
    'and no such owner is a superuser');
select is_empty($$select signature from functions where prosecdef
    and not coalesce(array_to_string(proconfig, ';') ~ '(^|;)search_path=public, pg_temp(;|$)', false)$$,
    'each has a fixed search path');
select is_empty($$select name from tables t join pg_class c using (oid) where c.relowner <> 'humanops_owner'::regrole
    union all select name from functions where proowner <> 'humanops_owner'::regrole$$, 'humanops_owner owns everything');
select is_empty($$select r.rolname from pg_roles r where rolname in ('humanops_app', 'humanops_owner')
    and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)$$, 'neither role can do more');
select is_empty($$select from pg_auth_members where member = 'humanops_app'::regrole$$, 'the programs'' role is a member of none');
select ok(not has_schema_privilege('humanops_app', 'public', 'create'), 'it can make nothing in the schema');
select ok(not has_database_privilege('humanops_app', current_database(), 'create, temporary'), 'and nothing beside it');

-- The text of every function against the schema
select is_empty(format($$select * from plpgsql_check_function_tb(%L::regprocedure, security_warnings => true)
    where level in ('error', 'warning', 'security')$$, signature), 'plpgsql_check has no complaint about ' || name)
from functions where language = 'plpgsql' order by name;
select * from finish();
rollback;
