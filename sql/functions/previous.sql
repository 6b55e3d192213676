-- What programs of the release before this one call otherwise than those of this one (docs/upgrade.md): they serve while an upgrade
-- goes on, and again if it is taken back.  Empty after the next release.

-- upload_add, of 0.1.0: both files are in the store already; a leftover after seven days.
create or replace function upload_add(p_bucket int, p_operator uuid, p_upload uuid, p_task uuid, p_stored text,
    p_original text, p_type text, p_size bigint, p_sha256 bytea, p_dhash bigint, p_evidence jsonb, p_now timestamptz)
returns void
language plpgsql as $$
begin
    perform upload_add(p_bucket, p_operator, p_upload, p_task, p_stored, p_original, p_type, p_size, p_sha256, p_dhash,
        p_evidence, p_now + interval '7 days', p_now);
    update uploads set stored_at = p_now where bucket = p_bucket and id = p_upload;
end $$;
