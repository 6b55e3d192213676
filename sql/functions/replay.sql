-- Idempotency keys (spec 5).  The answer is stored in the transaction of the work itself: a kill leaves both or neither.

-- replay_begin: takes the key for this transaction; the first answer if there is one, no row if the work is to be done.
-- Fails: idempotency_in_progress (another request holds the key just now), idempotency_mismatch (another body).
create or replace function replay_begin(p_bucket int, p_principal uuid, p_path text, p_key text, p_body_hash bytea,
    p_now timestamptz) returns table (status int, body text)
language plpgsql as $$
#variable_conflict use_column
declare
    v_lock bigint := hashtextextended(p_principal::text || p_path || ' ' || p_key, p_bucket);
    r idempotency_keys;
begin
    if not pg_try_advisory_xact_lock(v_lock) then
        perform refuse('idempotency_in_progress');
    end if;
    select * into r from idempotency_keys k
    where k.bucket = p_bucket and k.principal_id = p_principal and k.path = p_path and k.key = p_key and k.expires_at > p_now;
    if not found then
        return;
    elsif r.body_hash <> p_body_hash then
        perform refuse('idempotency_mismatch');
    end if;
    return query select r.status, r.body;
end $$;

-- replay_store: keeps the answer for whoever asks again; p_expires null: for ever.
create or replace function replay_store(p_bucket int, p_principal uuid, p_path text, p_key text, p_body_hash bytea,
    p_status int, p_body text, p_expires timestamptz, p_now timestamptz) returns void
language plpgsql as $$
begin
    insert into idempotency_keys (bucket, principal_id, path, key, body_hash, status, body, expires_at, created_at)
    values (p_bucket, p_principal, p_path, p_key, p_body_hash, p_status, p_body,
        coalesce(p_expires, 'infinity'), p_now)
    on conflict (bucket, principal_id, path, key) do update
    set body_hash = excluded.body_hash, status = excluded.status, body = excluded.body, expires_at = excluded.expires_at,
        created_at = excluded.created_at;
end $$;
