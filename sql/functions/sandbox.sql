-- The simulated lifecycle (spec 4, sandbox): moves of a simulated task, made by the worker's sandbox job.

-- sandbox_step: one move of the simulation with what belongs to it, and the job's next run, in one step.  Does nothing to a
-- task that has left p_status meanwhile (an agent cancelled it).  p_next null: the simulation is over.
create or replace function sandbox_step(p_bucket int, p_task uuid, p_status text, p_event text, p_operator uuid,
    p_data jsonb, p_deadline timestamptz, p_job uuid, p_attempts int, p_next timestamptz, p_now timestamptz) returns void
language plpgsql as $$
declare t tasks;
begin
    select * into t from tasks where bucket = p_bucket and id = p_task and is_sandbox for update;
    if found and t.status = p_status and p_event is not null then
        update tasks set
            operator_id = coalesce(p_operator, operator_id),
            operator_name = coalesce(p_data ->> 'operator_name', operator_name),
            operator_rating = coalesce((p_data ->> 'operator_rating')::numeric, operator_rating),
            estimate_minutes = coalesce((p_data ->> 'estimate_minutes')::int, estimate_minutes),
            estimate_note = coalesce(p_data ->> 'estimate_note', estimate_note),
            approval_deadline = case when p_event = 'accept' then p_deadline else approval_deadline end,
            review_deadline = case when p_event = 'review' then p_deadline else review_deadline end,
            proof = coalesce(p_data -> 'proof', proof),
            encrypted_credential = coalesce(p_data -> 'credential', encrypted_credential),
            guardian_result = coalesce(p_data -> 'guardian_result', guardian_result)
        where bucket = p_bucket and id = p_task;
        perform task_move(p_bucket, p_task, p_event, 'sandbox', p_operator, p_data - 'proof' - 'credential', p_now);
        if p_event = 'pass' then
            perform task_move(p_bucket, p_task, 'complete', 'sandbox', p_operator, p_data - 'proof' - 'credential', p_now);
        end if;
    end if;
    if p_next is null then
        perform job_finish(p_bucket, p_job, p_attempts);
    else
        perform job_next(p_bucket, p_job, p_attempts, p_next);
    end if;
end $$;

-- sandbox_load: the simulated task of a sandbox job.
create or replace function sandbox_load(p_bucket int, p_task uuid) returns setof tasks
language plpgsql as $$
begin
    return query select * from tasks where bucket = p_bucket and id = p_task and is_sandbox;
end $$;
