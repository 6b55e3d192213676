-- event_list: an agent's events after p_xid and p_after, oldest first.  Only those of transactions that are surely past
-- are shown: whatever commits later bears a greater xid, so that a reader who goes on from the last one misses nothing.
create or replace function event_list(p_bucket int, p_agent uuid, p_xid text, p_after uuid, p_limit int)
returns table (xid text, id uuid, task_id uuid, type text, actor text, from_status text, to_status text, at timestamptz,
    data jsonb)
language plpgsql as $$
#variable_conflict use_column
begin
    return query
    select e.xid::text, e.id, e.task_id, e.type, e.actor, e.from_status, e.to_status, e.at, e.data from events e
    where e.bucket = p_bucket and e.agent_id = p_agent
        and (e.xid, e.id) > (p_xid::xid8, p_after)
        and e.xid < pg_snapshot_xmin(pg_current_snapshot())
    order by e.xid, e.id limit p_limit;
end $$;

-- event_note: tells an agent's event list of what is no task's; p_order puts those of one instant in their order.
create or replace function event_note(p_bucket int, p_agent uuid, p_type text, p_actor text, p_actor_id uuid, p_from text,
    p_to text, p_data jsonb, p_order int, p_now timestamptz) returns void
language plpgsql as $$
declare v_id uuid := id_new(p_bucket, p_now, p_order);
begin
    insert into events (bucket, at, id, agent_id, type, actor, actor_id, from_status, to_status, data)
    values (p_bucket, id_time(v_id), v_id, p_agent, p_type, p_actor, p_actor_id, p_from, p_to, p_data);
end $$;
