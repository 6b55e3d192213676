-- Operators: sign-up, profile, identity check, search.

create or replace function operator_register(p_bucket int, p_operator uuid, p_subject text, p_name text, p_email text,
    p_phone text, p_city text, p_country text, p_lat float8, p_lng float8, p_skills jsonb, p_kyc text, p_now timestamptz)
returns setof operators
language plpgsql as $$
begin
    insert into operators (bucket, id, subject, name, email, phone, city, country, lat, lng, skills, kyc_status, kyc_at,
        created_at)
    values (p_bucket, p_operator, p_subject, p_name, p_email, p_phone, p_city, p_country, p_lat, p_lng, p_skills, p_kyc,
        case when p_kyc = 'VERIFIED' then p_now end, p_now);
    insert into accounts (bucket, party_id, kind)
    select p_bucket, p_operator, kind
    from unnest(array['available', 'clearing', 'gas', 'in_flight', 'pending', 'usdc_custody']) kind;
    return query select * from operators where bucket = p_bucket and id = p_operator;
end $$;

create or replace function operator_find(p_bucket int, p_operator uuid) returns setof operators
language plpgsql as $$
begin
    return query select * from operators where bucket = p_bucket and id = p_operator;
end $$;

-- operator_update: the profile's parts that are given (null: unchanged).
create or replace function operator_update(p_bucket int, p_operator uuid, p_name text, p_phone text, p_city text,
    p_country text, p_lat float8, p_lng float8, p_skills jsonb) returns setof operators
language plpgsql as $$
begin
    return query update operators set name = coalesce(p_name, name), phone = coalesce(p_phone, phone),
        city = coalesce(p_city, city), country = coalesce(p_country, country), lat = coalesce(p_lat, lat),
        lng = coalesce(p_lng, lng), skills = coalesce(p_skills, skills)
    where bucket = p_bucket and id = p_operator returning *;
end $$;

-- operator_kyc: the verdict on an operator's identity, by staff or by the vendor's signed call; the same again changes
-- nothing.  Fails: operator_not_found.
create or replace function operator_kyc(p_bucket int, p_operator uuid, p_status text, p_note text, p_now timestamptz)
returns setof operators
language plpgsql as $$
begin
    update operators set kyc_status = p_status, kyc_note = p_note, kyc_at = p_now
    where bucket = p_bucket and id = p_operator and kyc_status <> p_status;
    return query select * from operators where bucket = p_bucket and id = p_operator;
    if not found then
        perform refuse('operator_not_found');
    end if;
end $$;

-- operator_kyc_call: the vendor's signed call; p_body_hash tells it from others.  The operator if the verdict is news; no row
-- for a call heeded before and for a verdict that stands already.  Fails: operator_not_found.
create or replace function operator_kyc_call(p_bucket int, p_operator uuid, p_status text, p_note text, p_body_hash bytea,
    p_now timestamptz) returns setof operators
language plpgsql as $$
declare v_status text;
begin
    select kyc_status into v_status from operators where bucket = p_bucket and id = p_operator for update;
    if not found then
        perform refuse('operator_not_found');
    end if;
    insert into kyc_calls (bucket, operator_id, body_hash, at) values (p_bucket, p_operator, p_body_hash, p_now)
    on conflict (bucket, operator_id, body_hash) do nothing;
    if found and v_status <> p_status then
        return query select * from operator_kyc(p_bucket, p_operator, p_status, p_note, p_now);
    end if;
end $$;

create or replace function operator_suspend(p_bucket int, p_operator uuid, p_is_suspended boolean, p_now timestamptz)
returns setof operators
language plpgsql as $$
begin
    update operators set suspended_at = case when p_is_suspended then coalesce(suspended_at, p_now) end
    where bucket = p_bucket and id = p_operator;
    return query select * from operators where bucket = p_bucket and id = p_operator;
    if not found then
        perform refuse('operator_not_found');
    end if;
end $$;

-- operator_rate: adds one rating; the task has taken it once (task_rate, in the same transaction).
create or replace function operator_rate(p_bucket int, p_operator uuid, p_rating int) returns void
language plpgsql as $$
begin
    update operators set rating_sum = rating_sum + p_rating, rating_count = rating_count + 1
    where bucket = p_bucket and id = p_operator;
end $$;

-- distance_km: great circle on a sphere of 6371 km.
create or replace function distance_km(p_lat1 float8, p_lng1 float8, p_lat2 float8, p_lng2 float8) returns float8
language sql immutable as $$
    select 2 * 6371 * asin(sqrt(least(1, power(sind((p_lat2 - p_lat1) / 2), 2)
        + cosd(p_lat1) * cosd(p_lat2) * power(sind((p_lng2 - p_lng1) / 2), 2))))
$$;

-- operator_search_everywhere: verified operators near a place, nearest first.  Positions are rounded to about 1 km here
-- already, and the distance is that of the rounded position, so that asking from many places tells no more.
create or replace function operator_search_everywhere(p_lat float8, p_lng float8, p_radius_km float8, p_type text,
    p_min_rating float8, p_limit int)
returns table (id uuid, name text, skills jsonb, rating float8, rating_count int, lat float8, lng float8, distance_km float8)
language plpgsql as $$
#variable_conflict use_column
begin
    return query
    select o.id, o.name, o.skills, o.rating, o.rating_count, o.lat, o.lng, distance_km(p_lat, p_lng, o.lat, o.lng) d
    from (
        select id, name, skills, rating_count, round(lat::numeric, 2)::float8 lat, round(lng::numeric, 2)::float8 lng,
            case when rating_count > 0 then rating_sum::float8 / rating_count end rating
        from operators
        where kyc_status = 'VERIFIED' and suspended_at is null
            and lat between p_lat - p_radius_km / 111 - 0.01 and p_lat + p_radius_km / 111 + 0.01
    ) o
    where distance_km(p_lat, p_lng, o.lat, o.lng) <= p_radius_km
        and (p_type is null or o.skills ? p_type or o.skills = '[]')
        and (p_min_rating is null or o.rating >= p_min_rating)
    order by d, o.id limit p_limit;
end $$;

-- operator_list_everywhere: for staff, by identity status, longest waiting first.
create or replace function operator_list_everywhere(p_kyc text, p_limit int, p_offset int) returns setof operators
language plpgsql as $$
begin
    return query select * from operators where p_kyc is null or kyc_status = p_kyc
    order by created_at, id limit p_limit offset p_offset;
end $$;
