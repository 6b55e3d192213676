-- schema_version_everywhere: the newest migration applied; a program is ready when it is at least its own.
create or replace function schema_version_everywhere() returns int
language plpgsql as $$
declare v_number int;
begin
    select max(number) into v_number from schema_migrations;
    return coalesce(v_number, 0);
end $$;
