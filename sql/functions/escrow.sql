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

-- escrow_release: the agent's leg of paying a completed task.  The operator's leg (earning_credit) follows in the same
-- transaction, in the operator's bucket; both bear the task as their reference (database.md R8).
create or replace function escrow_release(p_bucket int, t tasks, p_now timestamptz) returns uuid
language plpgsql as $$
begin
    update tasks set is_paid = true where bucket = p_bucket and id = t.id;
    return ledger_post(p_bucket, 'escrow_release', t.id, p_now, t.agent_id, array[
        ('escrow', -(t.reward + t.fee)), ('clearing', t.reward), ('revenue', t.fee)]::posting_line[]);
end $$;
