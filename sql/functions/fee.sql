-- The platform fee (spec 4): percentage by the trailing 30 days' spend, rounded half up to the cent, at least $1.

-- fee_tier(spend): the step that a spend of the last 30 days has reached.
create or replace function fee_tier(p_spend bigint) returns setof fee_tiers
language sql stable as $$
    select * from fee_tiers where from_spend <= p_spend order by from_spend desc limit 1
$$;

-- plpgsql, whose plan is kept; a function in SQL that reads a table is planned anew at every call.
create or replace function fee_of(p_reward bigint, p_spend bigint) returns bigint
language plpgsql stable as $$
declare v_basis_points int;
begin
    select basis_points into strict v_basis_points from fee_tiers where from_spend <= p_spend order by from_spend desc limit 1;
    return greatest(1000000, (p_reward * v_basis_points / 10000 + 5000) / 10000 * 10000);
end $$;
