-- deposit_credit(bucket, agent, kind, ref, amount, now): books money that has come in (deposit_usdc, deposit_fiat) against
-- its custody, and lifts the tier if that earns it.  What the agent owes for a deposit that vanished (receivable) is paid
-- first.  ref is the credit's cause: the same one twice is refused.
create or replace function deposit_credit(p_bucket int, p_agent uuid, p_kind text, p_ref uuid, p_amount bigint,
    p_now timestamptz) returns uuid
language plpgsql as $$
declare
    v_transaction uuid;
    v_custody text := case p_kind when 'deposit_usdc' then 'usdc_custody' when 'deposit_fiat' then 'fiat_custody' end;
    v_owed bigint;
begin
    perform 1 from agents where bucket = p_bucket and id = p_agent for update;
    -- Moves under the agent's lock alone, so it need not be locked before the accounts that come before it.
    select least(-balance, p_amount) into strict v_owed from accounts
    where bucket = p_bucket and party_id = p_agent and kind = 'receivable';
    v_transaction := ledger_post(p_bucket, p_kind, p_ref, p_now, p_agent, array[
        ('deposit', p_amount - v_owed), ('receivable', v_owed), (v_custody, -p_amount)]::posting_line[]);
    perform agent_upgrade(p_bucket, p_agent);
    return v_transaction;
end $$;
