-- registry_claim(bucket, kind, value, party, refusal, now): takes a value that may exist once, or fails with `refusal`.
-- Whoever has it already may take it again: of one party's two requests at once neither fails.  The first step of the
-- transaction that needs it.  From: database.md R3.
create or replace function registry_claim(p_bucket int, p_kind text, p_value text, p_party uuid, p_refusal text,
    p_now timestamptz) returns void
language plpgsql as $$
begin
    insert into registry (bucket, kind, value, party_id, created_at)
    values (p_bucket, p_kind, p_value, p_party, p_now)
    on conflict do nothing;
    if not found then
        perform 1 from registry where bucket = p_bucket and kind = p_kind and value = p_value and party_id = p_party;
        if not found then
            perform refuse(p_refusal);
        end if;
    end if;
end $$;

-- registry_find: the party that holds a value; no row if nobody does.
create or replace function registry_find(p_bucket int, p_kind text, p_value text) returns table (party_id uuid)
language plpgsql as $$
#variable_conflict use_column
begin
    return query select r.party_id from registry r where r.bucket = p_bucket and r.kind = p_kind and r.value = p_value;
end $$;

-- registry_release: the party gives a value up that it holds; others may take it then.
create or replace function registry_release(p_bucket int, p_kind text, p_value text, p_party uuid) returns void
language plpgsql as $$
begin
    delete from registry where bucket = p_bucket and kind = p_kind and value = p_value and party_id = p_party;
end $$;
