-- What agent and operator say to each other about a task.

-- message_add: p_sender is agent or operator and must be the task's own.  An operator's message goes out as a webhook.
-- Fails: task_not_found, no_operator (nobody is there to read it).
create or replace function message_add(p_bucket int, p_task uuid, p_message uuid, p_sender text, p_sender_id uuid,
    p_text text, p_now timestamptz) returns setof tasks
language plpgsql as $$
declare t tasks;
begin
    select * into t from tasks where bucket = p_bucket and id = p_task
        and p_sender_id = case p_sender when 'agent' then agent_id else operator_id end for update;
    if not found then
        perform refuse('task_not_found');
    elsif t.operator_id is null then
        perform refuse('no_operator');
    end if;
    insert into messages (bucket, at, id, task_id, sender, sender_id, text, operator_id)
    values (p_bucket, p_now, p_message, p_task, p_sender, p_sender_id, p_text, t.operator_id);
    perform event_add(p_bucket, t, 'task.message', p_sender, p_sender_id, t.status, jsonb_build_object('message',
        jsonb_build_object('id', p_message, 'sender', p_sender, 'text', p_text)), p_now);
    if p_sender = 'operator' and t.callback_url is not null then
        perform delivery_add(p_bucket, t, 'task.message', p_now);
    end if;
    return next t;
end $$;

-- message_list: a task's messages, oldest first, those of one operator's conversation or (p_operator null) all; who may read
-- them is the caller's to have checked.
create or replace function message_list(p_bucket int, p_task uuid, p_limit int, p_operator uuid default null) returns setof messages
language plpgsql as $$
declare v_since timestamptz;
begin
    select created_at into v_since from tasks where bucket = p_bucket and id = p_task;
    return query select * from (
        select * from messages where bucket = p_bucket and task_id = p_task and at >= v_since
            and (p_operator is null or operator_id = p_operator)
        order by at desc, id desc limit p_limit) m
    order by m.at, m.id;
end $$;
