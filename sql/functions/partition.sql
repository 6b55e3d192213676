-- Monthly partitions of the lists that grow for ever (database.md R13).  A row that comes before its month has a partition
-- lies in …_rest, and stays there: that month then gets none.

-- partition_add_everywhere: the month of p_now and the two after it; safe to repeat and to run twice at once.
create or replace function partition_add_everywhere(p_now timestamptz) returns int
language plpgsql as $$
declare
    v_table text;
    v_month date;
    v_name text;
    v_stray boolean;
    v_made int := 0;
begin
    perform pg_advisory_xact_lock(hashtextextended('partition_add', 0));
    foreach v_table in array array['postings', 'events', 'deliveries', 'delivery_attempts', 'messages',
        'staff_acts'] loop
        for v_month in select generate_series(date_trunc('month', p_now at time zone 'UTC'),
            date_trunc('month', p_now at time zone 'UTC') + interval '2 months', interval '1 month') loop
            v_name := v_table || to_char(v_month, '_YYYY_MM');
            continue when to_regclass('public.' || v_name) is not null;
            execute format('select exists (select from %I where at >= %L and at < %L)', v_table || '_rest',
                v_month || ' 00:00Z', (v_month + interval '1 month')::date || ' 00:00Z') into v_stray;
            continue when v_stray;
            execute format('create table %I partition of %I for values from (%L) to (%L)', v_name, v_table,
                v_month || ' 00:00Z', (v_month + interval '1 month')::date || ' 00:00Z');
            v_made := v_made + 1;
        end loop;
    end loop;
    return v_made;
end $$;
