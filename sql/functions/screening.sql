-- Blocked tasks, and the appeals against that (spec 3, 7).

-- screening_find: what is known of a text: blocked within the last day, or allowed by staff.  No row: ask.
create or replace function screening_find(p_bucket int, p_agent uuid, p_fingerprint bytea, p_now timestamptz)
returns setof screenings
language plpgsql as $$
begin
    return query select * from screenings
    where bucket = p_bucket and agent_id = p_agent and fingerprint = p_fingerprint and expires_at > p_now;
end $$;

-- screening_block: keeps a block for a day and returns it; one that was appealed against keeps its id and its appeal.
create or replace function screening_block(p_bucket int, p_screening uuid, p_agent uuid, p_fingerprint bytea, p_title text,
    p_description text, p_instructions text, p_type text, p_category text, p_rule text, p_reason text, p_now timestamptz)
returns setof screenings
language plpgsql as $$
begin
    return query insert into screenings as s (bucket, id, agent_id, fingerprint, title, description, digital_instructions,
        task_type, category, rule, reason, expires_at, created_at)
    values (p_bucket, p_screening, p_agent, p_fingerprint, p_title, p_description, p_instructions, p_type, p_category, p_rule,
        p_reason, p_now + interval '1 day', p_now)
    on conflict (bucket, agent_id, fingerprint) do update
    set category = excluded.category, rule = excluded.rule, reason = excluded.reason,
        expires_at = greatest(s.expires_at, excluded.expires_at),
        decision = case when s.expires_at > p_now then s.decision end
    returning s.*;
end $$;

-- screening_appeal: puts a blocked text before staff, once.  Fails: screening_not_found, already_appealed.
create or replace function screening_appeal(p_bucket int, p_agent uuid, p_screening uuid, p_appeal text, p_now timestamptz)
returns setof screenings
language plpgsql as $$
declare s screenings;
begin
    select * into s from screenings where bucket = p_bucket and id = p_screening and agent_id = p_agent for update;
    if not found then
        perform refuse('screening_not_found');
    elsif s.appealed_at is not null then
        perform refuse('already_appealed');
    end if;
    return query update screenings set appeal = p_appeal, appealed_at = p_now, expires_at = p_now + interval '30 days'
    where bucket = p_bucket and id = p_screening returning *;
end $$;

-- screening_appeals_everywhere: appeals that wait for staff, the longest first.
create or replace function screening_appeals_everywhere(p_limit int, p_offset int) returns setof screenings
language plpgsql as $$
begin
    return query select * from screenings where appealed_at is not null and decision is null
    order by appealed_at, id limit p_limit offset p_offset;
end $$;

-- screening_decide: staff's word on an appeal.  Fails: screening_not_found (also: nobody appealed), already_decided.
create or replace function screening_decide(p_bucket int, p_screening uuid, p_decision text, p_note text, p_now timestamptz)
returns setof screenings
language plpgsql as $$
declare s screenings;
begin
    select * into s from screenings
    where bucket = p_bucket and id = p_screening and appealed_at is not null for update;
    if not found then
        perform refuse('screening_not_found');
    elsif s.decision is not null then
        perform refuse('already_decided');
    end if;
    return query update screenings set decision = p_decision, decision_note = p_note, decided_at = p_now,
        expires_at = p_now + interval '30 days'
    where bucket = p_bucket and id = p_screening returning *;
end $$;
