-- Files of proof.  An upload's row is there before its files are, and goes after them: upload_add, upload_stored; upload_discard,
-- upload_forget.  Between these it is handed in (upload_find, upload_bind) and then kept for ever, or an orphan.

-- upload_same: what this operator uploaded for this task (or for none yet) with these very bytes before, kept until p_due at least;
-- no row if nothing was.  An answer that was lost on its way is so given again.
create or replace function upload_same(p_bucket int, p_operator uuid, p_task uuid, p_sha256 bytea, p_due timestamptz)
returns setof uploads
language plpgsql as $$
declare v_id uuid;
begin
    select id into v_id from uploads
    where bucket = p_bucket and operator_id = p_operator and task_id is not distinct from p_task and sha256 = p_sha256
        and stored_at is not null and not is_discarded
    order by created_at, id limit 1;
    return query update uploads set due_at = greatest(due_at, case when due_at is not null then p_due end)
    where bucket = p_bucket and id = v_id and not is_discarded returning *;
end $$;

-- upload_add: an upload whose files are about to be stored; a leftover from p_due on.
create or replace function upload_add(p_bucket int, p_operator uuid, p_upload uuid, p_task uuid, p_stored text,
    p_original text, p_type text, p_size bigint, p_sha256 bytea, p_dhash bigint, p_evidence jsonb, p_due timestamptz,
    p_now timestamptz) returns void
language plpgsql as $$
begin
    insert into uploads (bucket, id, operator_id, task_id, stored, original, media_type, size, sha256, dhash, evidence,
        due_at, created_at)
    values (p_bucket, p_upload, p_operator, p_task, p_stored, p_original, p_type, p_size, p_sha256, p_dhash, p_evidence,
        p_due, p_now);
end $$;

-- upload_stored: both files of an upload are in the store.  Gives what the operator has now: that upload, or one of the same bytes
-- for the same task that was faster, and then this one goes.
create or replace function upload_stored(p_bucket int, p_operator uuid, p_upload uuid, p_due timestamptz, p_now timestamptz)
returns setof uploads
language plpgsql as $$
declare
    u uploads;
    v_first uploads;
begin
    -- One after the other for each operator: else two at the same instant would not see each other.
    perform from operators where bucket = p_bucket and id = p_operator for no key update;
    select * into strict u from uploads where bucket = p_bucket and id = p_upload;
    select * into v_first from upload_same(p_bucket, p_operator, u.task_id, u.sha256, p_due);
    if found then
        update uploads set due_at = p_now where bucket = p_bucket and id = p_upload;
        perform upload_discard(p_bucket, p_upload, p_now);
        return next v_first;
        return;
    end if;
    return query update uploads set stored_at = p_now where bucket = p_bucket and id = p_upload returning *;
end $$;

-- upload_find: those of an operator's uploads that bear these stored names, locked, in the order of their ids.
create or replace function upload_find(p_bucket int, p_operator uuid, p_stored jsonb) returns setof uploads
language plpgsql as $$
declare v_stored text[] := array(select jsonb_array_elements_text(p_stored));
begin
    return query select * from uploads
    where bucket = p_bucket and operator_id = p_operator and stored = any (v_stored) and stored_at is not null and not is_discarded
    order by id for update;
end $$;

-- upload_bind: the uploads that are handed in for a task are that task's from now on, and prove nothing else; nor do copies
-- that were uploaded for no task.  What is handed in is kept.
create or replace function upload_bind(p_bucket int, p_operator uuid, p_stored jsonb, p_task uuid) returns void
language plpgsql as $$
declare
    v_ids uuid[];
    v_bytes bytea[];
begin
    select array_agg(id), array_agg(sha256) into v_ids, v_bytes from upload_find(p_bucket, p_operator, p_stored)
    where task_id is null or task_id = p_task;
    update uploads set task_id = coalesce(task_id, p_task), due_at = case when id = any (v_ids) then null else due_at end
    where bucket = p_bucket and operator_id = p_operator
        and (id = any (v_ids) or (task_id is null and sha256 = any (v_bytes)));
end $$;

-- upload_due_everywhere: up to p_limit uploads whose time has come, the longest overdue first, and whether they are still needed:
-- their operator has their task at hand, or had some task at hand before an upload that named none was seven days old.
create or replace function upload_due_everywhere(p_now timestamptz, p_limit int)
returns table (bucket int, id uuid, is_needed boolean)
language plpgsql as $$
#variable_conflict use_column
begin
    return query select u.bucket, u.id, not u.is_discarded and (
        exists (select from tasks t where t.bucket = id_bucket(u.task_id) and t.id = u.task_id and t.operator_id = u.operator_id
            and t.status in ('ESTIMATE_PENDING', 'ACCEPTED', 'IN_PROGRESS'))
        or u.task_id is null and exists (select from tasks t where t.operator_id = u.operator_id
            and t.status in ('ACCEPTED', 'IN_PROGRESS') and t.accepted_at <= u.created_at + interval '7 days'))
    from uploads u where u.due_at <= p_now order by u.due_at limit p_limit;
end $$;

-- upload_hold: an upload that is still needed is looked at again then.
create or replace function upload_hold(p_bucket int, p_upload uuid, p_until timestamptz, p_now timestamptz) returns void
language plpgsql as $$
begin
    update uploads set due_at = p_until where bucket = p_bucket and id = p_upload and due_at <= p_now and not is_discarded;
end $$;

-- upload_discard: an upload whose time has come is nobody's from now on, and a job removes its files and then the row; true if so.
-- One whose job has died comes again a day later.  An upload that is being handed in at this moment is left alone.
create or replace function upload_discard(p_bucket int, p_upload uuid, p_now timestamptz) returns boolean
language plpgsql as $$
declare u uploads;
begin
    select * into u from uploads where bucket = p_bucket and id = p_upload and due_at <= p_now for update skip locked;
    if not found then
        return false;
    end if;
    update uploads set is_discarded = true, due_at = p_now + interval '1 day' where bucket = p_bucket and id = p_upload;
    perform job_add(p_bucket, 'discard', p_upload, jsonb_build_object('stored', u.stored, 'original', u.original), p_now, 8, p_now);
    return true;
end $$;

-- upload_forget: the files of a discarded upload are gone.
create or replace function upload_forget(p_bucket int, p_upload uuid) returns void
language plpgsql as $$
begin
    delete from uploads where bucket = p_bucket and id = p_upload and is_discarded;
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
