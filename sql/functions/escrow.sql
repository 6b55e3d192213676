-- Escrow of a task (spec 5): deposit → escrow when it is posted, back when it ends without work.  Callers hold the task.

create or replace function escrow_hold(p_bucket int, t tasks, p_now timestamptz) returns uuid
language plpgsql as $$
begin
    return ledger_post(p_bucket, 'escrow_hold', t.id, p_now, t.agent_id, array[
        ('deposit', -(t.reward + t.fee)), ('escrow', t.reward + t.fee)]::posting_line[]);
end $$;

create or replace function escrow_refund(p_bucket int, t tasks, p_now timestamptz) returns uuid
language plpgsql as $$
begin
    return ledger_post(p_bucket, 'escrow_refund', t.id, p_now, t.agent_id, array[
        ('escrow', -(t.reward + t.fee)), ('deposit', t.reward + t.fee)]::posting_line[]);
end $$;
