-- Tasks as operators see them.

-- feed_open_everywhere: what an operator can claim: open, real, in time; nearest first where a place is given, else newest.
create or replace function feed_open_everywhere(p_type text, p_domain text, p_lat float8, p_lng float8, p_radius_km float8,
    p_limit int, p_offset int, p_now timestamptz)
returns table (id uuid, title text, description text, task_type text, task_domain text, proof_type text, lat float8,
    lng float8, address text, reward bigint, deadline timestamptz, proof_requirements jsonb, digital_instructions text,
    created_at timestamptz, safety_stops int, distance_km float8, total bigint)
language plpgsql as $$
#variable_conflict use_column
begin
    return query
    select f.id, f.title, f.description, f.task_type, f.task_domain, f.proof_type, f.lat, f.lng, f.address, f.reward,
        f.deadline, f.proof_requirements, f.digital_instructions, f.created_at, f.safety_stops, f.d, count(*) over ()
    from (
        select t.*, case when p_lat is not null and t.lat is not null
            then distance_km(p_lat, p_lng, t.lat, t.lng) end d
        from tasks t
        where t.status = 'PENDING' and not t.is_sandbox and t.deadline > p_now
            and (p_type is null or t.task_type = p_type) and (p_domain is null or t.task_domain = p_domain)
    ) f
    where p_radius_km is null or f.task_domain = 'DIGITAL' or f.d <= p_radius_km
    order by f.d nulls last, f.created_at desc, f.id desc
    limit p_limit offset p_offset;
end $$;

-- feed_mine_everywhere: an operator's claims and work, newest first, with what each has earned.
create or replace function feed_mine_everywhere(p_operator uuid, p_status text, p_limit int, p_offset int)
returns setof tasks
language plpgsql as $$
begin
    return query select * from tasks
    where operator_id = p_operator and not is_sandbox and (p_status is null or status = p_status)
    order by created_at desc, id desc limit p_limit offset p_offset;
end $$;

-- feed_show: one task as an operator may see it: an open one, or the operator's own.
create or replace function feed_show(p_bucket int, p_task uuid, p_operator uuid, p_now timestamptz)
returns setof tasks
language plpgsql as $$
begin
    return query select * from tasks
    where bucket = p_bucket and id = p_task and not is_sandbox
        and (operator_id = p_operator or (status = 'PENDING' and deadline > p_now));
end $$;
