-- party_email: where a mail to an agent or operator goes; no row if there is no such party.
create or replace function party_email(p_bucket int, p_party uuid) returns table (email text, kind text)
language plpgsql as $$
#variable_conflict use_column
begin
    return query select a.email, 'agent' from agents a where a.bucket = p_bucket and a.id = p_party;
    if not found then
        return query select o.email, 'operator' from operators o where o.bucket = p_bucket and o.id = p_party;
    end if;
end $$;
