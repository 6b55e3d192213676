-- registry_claim(bucket, kind, value, party, refusal, now): takes a value that may exist once, or fails with `refusal`.
-- The first step of the transaction that needs it.  From: database.md R3.
create or replace function registry_claim(p_bucket int, p_kind text, p_value text, p_party uuid, p_refusal text,
    p_now timestamptz) returns void
language plpgsql as $$
begin
    insert into registry (bucket, kind, value, party_id, created_at)
    values (p_bucket, p_kind, p_value, p_party, p_now)
    on conflict do nothing;
    if not found then
        perform refuse(p_refusal);
    end if;
end $$;
