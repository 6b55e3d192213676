-- What the programs may do: execute these functions, and nothing else.  Each runs with its owner's rights and a fixed search
-- path; no table can be read or written by a program in any other way, so postings can only be added (database.md R7).
revoke all on all tables in schema public from public, humanops_app;
revoke all on all functions in schema public from public, humanops_app;
alter default privileges in schema public revoke all on tables from public;
alter default privileges in schema public revoke execute on functions from public;
do $$
declare
    v_name text;
    v_function regprocedure;
    v_is_there boolean;
begin
    foreach v_name in array array[
        'agent_register', 'agent_show', 'agent_suspend', 'apikey_create', 'apikey_find', 'apikey_list',
        'apikey_revoke', 'apikey_touch', 'chain_begin', 'chain_frozen', 'chain_quote', 'chain_reserves',
        'chain_scanned', 'chain_state', 'claim_abort', 'claim_approve', 'claim_make', 'claim_reject', 'claim_start', 'claim_submit',
        'claim_withdraw', 'custody_everywhere', 'delivery_failed_everywhere', 'delivery_list', 'delivery_load',
        'delivery_redeliver', 'delivery_result', 'dispute_list_everywhere', 'dispute_raise', 'dispute_resolve',
        'earning_credit', 'earning_due_everywhere', 'earning_freeze', 'earning_list', 'earning_resolve',
        'earning_settle', 'earning_summary', 'email_resend', 'email_verify', 'event_list', 'feed_mine_everywhere',
        'feed_open_everywhere', 'feed_show', 'fiat_begin', 'fiat_called', 'fiat_find', 'fiat_find_order',
        'fiat_settle', 'job_add', 'job_due_everywhere', 'job_finish', 'job_next', 'job_retry', 'job_take',
        'job_wake_everywhere', 'ledger_audit_everywhere', 'ledger_balance', 'ledger_statement',
        'ledger_trial_balance_everywhere', 'message_add', 'message_list', 'nonce_take', 'operator_find',
        'operator_kyc', 'operator_kyc_call', 'operator_list_everywhere', 'operator_rate', 'operator_register',
        'operator_search_everywhere', 'operator_suspend', 'operator_update', 'partition_add_everywhere',
        'party_email', 'payout_cancel', 'payout_complete', 'payout_fail', 'payout_find', 'payout_list', 'payout_load',
        'payout_problem', 'payout_renonce', 'payout_request', 'payout_retry', 'payout_sent', 'payout_sign',
        'payout_stuck', 'payout_tries', 'payouts_everywhere', 'payouts_freeze', 'payouts_signed_everywhere',
        'registry_claim', 'registry_find', 'registry_release', 'replay_begin', 'replay_store', 'sandbox_load',
        'sandbox_step', 'schema_version_everywhere', 'screening_appeal', 'screening_appeals_everywhere',
        'screening_block', 'screening_decide', 'screening_find', 'staff_act', 'staff_log_everywhere',
        'subscription_add', 'subscription_load', 'subscription_remove', 'subscription_result', 'subscription_tell',
        'sweep_due_everywhere', 'sweep_expired_everywhere', 'sweep_task', 'task_any', 'task_cancel', 'task_count',
        'task_create', 'task_events', 'task_list', 'task_rate', 'task_show', 'upload_add', 'upload_bind',
        'upload_discard', 'upload_due_everywhere', 'upload_find', 'upload_forget', 'upload_hold',
        'upload_judge_everywhere', 'upload_same', 'upload_stored', 'usdc_checked', 'usdc_confirm', 'usdc_final', 'usdc_of_transaction',
        'usdc_open_everywhere', 'usdc_reverse', 'usdc_seen', 'verdict_agent', 'verdict_guardian', 'wallet_bind',
        'wallet_challenge', 'wallet_challenge_find', 'wallet_show']
    loop
        v_is_there := false;
        -- More than one where the release before calls it otherwise: sql/functions/previous.sql.
        for v_function in select oid::regprocedure from pg_proc
            where proname = v_name and pronamespace = 'public'::regnamespace loop
            execute format('alter function %s security definer set search_path = public, pg_temp', v_function);
            execute format('grant execute on function %s to humanops_app', v_function);
            v_is_there := true;
        end loop;
        if not v_is_there then
            raise exception 'grants: there is no function %', v_name;
        end if;
    end loop;
end $$;
do $$
begin
    while partition_add_everywhere(now()) > 0 loop    -- a table at a time
    end loop;
end $$;
