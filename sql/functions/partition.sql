-- Monthly partitions of the lists that grow for ever (database.md R13).  A row that comes before its month has a partition
-- lies in …_rest, and stays there: that month then gets none.

-- partition_make_everywhere: the missing partitions of one table for the month of p_now and the two after it; how many.
create or replace function partition_make_everywhere(p_table text, p_now timestamptz) returns int
language plpgsql as $$
declare
    v_month timestamp;
    v_name text;
    v_from timestamptz;
    v_to timestamptz;
    v_has_strays boolean;
    v_made int := 0;
begin
    for i in 0..2 loop
        v_month := date_trunc('month', p_now at time zone 'UTC') + i * interval '1 month';
        v_name := p_table || to_char(v_month, '_YYYY_MM');
        continue when to_regclass('public.' || v_name) is not null;
        v_from := v_month at time zone 'UTC';
        v_to := (v_month + interval '1 month') at time zone 'UTC';
        execute format('select exists (select from %I where at >= $1 and at < $2)', p_table || '_rest')
            into v_has_strays using v_from, v_to;
        continue when v_has_strays;
        -- A partition of postings locks what its foreign keys refer to.  Locked only after postings, as the command does by
        -- itself, these would be a deadlock with any booking: ledger_post comes to them first.
        if p_table = 'postings' then
            lock table ledger_transactions, accounts in share row exclusive mode;
        end if;
        execute format('create table %I partition of %I for values from (%L) to (%L)', v_name, p_table, v_from, v_to);
        v_made := v_made + 1;
    end loop;
    return v_made;
end $$;

-- partition_add_everywhere: the partitions that are missing of the first table that lacks any; how many, 0 if none lacks
-- any.  One table a transaction, and no long wait for its lock: requests use the tables in more than one order, and stand
-- behind whoever waits.  Whatever could not be had now is asked for again by the next sweep, two months ahead of need.
create or replace function partition_add_everywhere(p_now timestamptz) returns int
language plpgsql set lock_timeout = '1s' as $$
declare
    v_table text;
    v_made int := 0;
begin
    perform pg_advisory_xact_lock(hashtextextended('partition_add', 0));
    foreach v_table in array array['postings', 'events', 'deliveries', 'delivery_attempts', 'messages',
        'staff_acts'] loop
        v_made := partition_make_everywhere(v_table, p_now);
        exit when v_made > 0;
    end loop;
    return v_made;
exception when lock_not_available or deadlock_detected then
    raise warning 'partition: % has to wait for the next sweep: %', v_table, sqlerrm;
    return 0;
end $$;
