-- deposit_credit(bucket, agent, kind, ref, amount, now): books money that has come in (deposit_usdc, deposit_fiat) against
-- its custody, and lifts the tier if that earns it.  ref is the deposit's id: the same one twice is refused.
create or replace function deposit_credit(p_bucket int, p_agent uuid, p_kind text, p_ref uuid, p_amount bigint,
    p_now timestamptz) returns uuid
language plpgsql as $$
declare
    v_transaction uuid;
    v_custody text := case p_kind when 'deposit_usdc' then 'usdc_custody' when 'deposit_fiat' then 'fiat_custody' end;
begin
    perform 1 from agents where bucket = p_bucket and id = p_agent for update;
    v_transaction := ledger_post(p_bucket, p_kind, p_ref, p_now, p_agent, array[
        ('deposit', p_amount), (v_custody, -p_amount)]::posting_line[]);
    perform agent_upgrade(p_bucket, p_agent);
    return v_transaction;
end $$;
