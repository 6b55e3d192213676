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

-- upload_bind: the uploads that are handed in for a task are that task's from now on, and prove nothing else; nor do copies
-- that were uploaded for no task.
create or replace function upload_bind(p_bucket int, p_operator uuid, p_stored jsonb, p_task uuid) returns void
language plpgsql as $$
declare v_bytes bytea[] := array(select distinct sha256 from upload_find(p_bucket, p_operator, p_stored));
begin
    update uploads set task_id = p_task
    where bucket = p_bucket and operator_id = p_operator and task_id is null and sha256 = any (v_bytes);
end $$;

-- upload_judge_everywhere: whether the same bytes, or a picture like it (perceptual hashes at most 10 bits apart, as
-- image_distance has it), came in before this upload of p_at: from anybody else, or from this operator for another task.  One's
-- own upload counts only where both tasks are known, since a first try is no fraud.  A hash with hardly an edge, or with
-- hardly anything else, is that of a plain surface, resembles all of its kind and tells nothing.
create or replace function upload_judge_everywhere(p_upload uuid, p_operator uuid, p_sha256 bytea, p_dhash bigint,
    p_task uuid, p_at timestamptz) returns table (is_reused boolean, is_similar boolean)
language plpgsql as $$
declare v_is_telling boolean := coalesce(bit_count(p_dhash::bit(64)) between 11 and 53, false);
begin
    return query select
        exists (select from uploads u where u.sha256 = p_sha256 and (u.created_at, u.id) < (p_at, p_upload)
            and (u.operator_id <> p_operator or u.task_id <> p_task)),
        -- Counted, since a planner that looks for only one row would rather read them all than ask four indexes.
        v_is_telling and (select count(*) from uploads u where u.dhash is not null
            and (u.dhash >> 48 & 65535 = p_dhash >> 48 & 65535 or u.dhash >> 32 & 65535 = p_dhash >> 32 & 65535
                or u.dhash >> 16 & 65535 = p_dhash >> 16 & 65535 or u.dhash & 65535 = p_dhash & 65535)
            and bit_count((u.dhash # p_dhash)::bit(64)) <= 10
            and (u.created_at, u.id) < (p_at, p_upload) and (u.operator_id <> p_operator or u.task_id <> p_task)) > 0;
end $$;
