-- An operator who has begun may stop (spec 4, issue 5): the task is open to others again, and whoever stops pays nothing for it.

-- give_up follows an abort in the same transaction: so many operators did not feel safe that nobody else is sent there.
insert into task_moves values
    ('ACCEPTED', 'abort', 'operator', 'PENDING', 'task.aborted', true),
    ('IN_PROGRESS', 'abort', 'operator', 'PENDING', 'task.aborted', true),
    ('PENDING', 'give_up', 'system', 'CANCELLED', 'task.cancelled', true);

-- How many operators have stopped because they did not feel safe.
alter table tasks add column safety_stops int not null default 0 check (safety_stops >= 0);

-- With whom the agent was speaking: an operator who comes later does not read what was said to the one before.
alter table messages add column operator_id uuid;
update messages m set operator_id = case m.sender when 'operator' then m.sender_id else (
    select e.actor_id from events e
    where e.bucket = m.bucket and e.task_id = m.task_id and e.type = 'task.claimed' and e.at <= m.at
    order by e.at desc, e.id desc limit 1) end;
