-- Files of proof.

create or replace function upload_add(p_bucket int, p_operator uuid, p_upload uuid, p_task uuid, p_stored text,
    p_original text, p_type text, p_size bigint, p_sha256 bytea, p_dhash bigint, p_evidence jsonb, p_now timestamptz)
returns void
language plpgsql as $$
begin
    insert into uploads (bucket, id, operator_id, task_id, stored, original, media_type, size, sha256, dhash, evidence,
        created_at)
    values (p_bucket, p_upload, p_operator, p_task, p_stored, p_original, p_type, p_size, p_sha256, p_dhash, p_evidence,
        p_now);
end $$;

-- upload_find: those of an operator's uploads that bear these stored names.
create or replace function upload_find(p_bucket int, p_operator uuid, p_stored jsonb) returns setof uploads
language plpgsql as $$
begin
    return query select * from uploads
    where bucket = p_bucket and operator_id = p_operator and p_stored ? stored;
end $$;

-- upload_seen_everywhere: whether the same bytes, or the same picture (perceptual hash), were uploaded for another task.
create or replace function upload_seen_everywhere(p_upload uuid, p_sha256 bytea, p_dhash bigint, p_task uuid)
returns table (is_reused boolean, is_similar boolean)
language plpgsql as $$
begin
    return query select
        exists (select from uploads where sha256 = p_sha256 and id <> p_upload and task_id is distinct from p_task),
        exists (select from uploads where dhash = p_dhash and id <> p_upload and task_id is distinct from p_task);
end $$;
