-- Ids: UUID version 7 with the bucket in it (the first 10 bits of rand_a), as the programs make them.  The C
-- library's own tests are tests/unit/test_id.c.
begin;
\ir shared/fixtures.sql
select no_plan();

-- bits: the number in some bits of an id, counted from its first.
create function fixture.bits(p_id uuid, p_from int, p_count int) returns bigint
language sql immutable as $$
    select substr(('x' || replace(p_id::text, '-', ''))::bit(128)::text, p_from + 1, p_count)::bit(48)::bigint >> (48 - p_count)
$$;

create temporary table instants (at timestamptz) on commit drop;
insert into instants values ('1970-01-01 00:00:00Z'), ('1970-01-01 00:00:00.001Z'), ('2026-02-06 14:00:00.999Z'), ('2026-02-28 23:59:59.999Z'),
    ('2028-02-29 12:00:00.5Z'), ('2099-12-31 23:59:59.999Z'), ('2200-01-01 00:00:00.007Z');
create temporary table ids on commit drop as
select b as bucket, at, id_new(b, at) as id from instants, unnest(array[0, 1, 3, 4, 511, 512, 1023]) b;

select is_empty('select * from ids where id_time(id) <> at', 'an id gives its time back to the millisecond');
select is_empty('select * from ids where bits(id, 48, 4) <> 7 or bits(id, 64, 2) <> 2', 'it is of version 7 and variant 2');
select is_empty('select * from ids where bits(id, 52, 10) <> bucket', 'the ten bits behind the version are the bucket');
select is_empty('select * from ids where id_bucket(id) <> bucket', 'and read from it again');
select is((select count(distinct id_new(5, t0())) from generate_series(1, 20000)), 20000::bigint, 'twenty thousand of one millisecond differ');
select is_empty($$select ms from generate_series(0, 999) ms
    where id_time(id_new(1, t0() + ms * interval '1 millisecond')) <> t0() + ms * interval '1 millisecond'$$, 'no millisecond of a second is rounded');
select is(id_time(id_new(1, t0() + interval '1.999 milliseconds')), t0() + interval '1 millisecond', 'less than a millisecond is cut off');
select ok(max(a.id::text) < min(b.id::text), 'a later id is greater, whatever its bucket')
from (select id_new(b, t0()) id from generate_series(0, 1023) b) a,
    (select id_new(b, t0() + interval '1 millisecond') id from generate_series(0, 1023) b) b;
select is((select array_agg(n order by id) from (select n, id_new(7, t0(), n) id from generate_series(0, 16383) n) i),
    (select array_agg(n) from generate_series(0, 16383) n), 'ids of one instant stand in the order that was asked for');

-- Ids made by the C library (id_new of 7, 1023 and 0 at a known time), in hexadecimal: both sides read the same from them.
create temporary table made_in_c (bucket int, at timestamptz, id uuid) on commit drop;
insert into made_in_c values
    (0, '2026-02-06 14:00:00.000Z', '019c3340-a300-7001-a250-4705c59f28dd'),
    (7, '2026-02-06 14:00:00.001Z', '019c3340-a301-701c-bb4d-e624494842fa'),
    (512, '2026-02-06 14:00:00.999Z', '019c3340-a6e7-7801-8cf0-7f6e8c50ef32'),
    (1023, '2099-12-31 23:59:59.999Z', '03bb2cc3-d7ff-7ffc-8120-7271315d8ec4');
select is_empty('select * from made_in_c where id_time(id) <> at or bits(id, 52, 10) <> bucket or bits(id, 48, 4) <> 7 or bits(id, 64, 2) <> 2',
    'C and SQL agree about time and bucket');
select results_eq($$select id_text('x_', id) from made_in_c order by id$$, $$values
    ('x_01kgsm18r0e00t4m270q2sya6x'), ('x_01kgsm18r1e0ebpkf64h4mggqt'), ('x_01kgsm19q7f00rsw3zdt651vsj'), ('x_03qcpc7nzzfzy8283je4rnv3p4')$$,
    'and write it alike');
select * from finish();
rollback;
