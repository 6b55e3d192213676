-- Functions as the programs of the release before this one call them (0.1.0): they run until they are renewed, and again when
-- somebody goes back (docs/upgrade.md).  The next release empties this file.

-- upload_add: its row came after its files.
create or replace function upload_add(p_bucket int, p_operator uuid, p_upload uuid, p_task uuid, p_stored text,
    p_original text, p_type text, p_size bigint, p_sha256 bytea, p_dhash bigint, p_evidence jsonb, p_now timestamptz) returns void
language plpgsql as $$
begin
    insert into uploads (bucket, id, operator_id, task_id, stored, original, media_type, size, sha256, dhash, evidence,
        due_at, stored_at, created_at)
    values (p_bucket, p_upload, p_operator, p_task, p_stored, p_original, p_type, p_size, p_sha256, p_dhash, p_evidence,
        p_now + interval '7 days', p_now, p_now);
end $$;
