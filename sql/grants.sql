-- What each program may do: execute the functions in whose rows it stands, and nothing else.  Each runs with its owner's rights
-- and a fixed search path; no table can be read or written by a program in any other way, so postings can only be added
-- (database.md R7).  A program's role may execute exactly what its binary can name: tests/ops/privileges.test.mjs compares both
-- ways.  humanops_app may do what all of them may.  A function that only an earlier release calls stands here with the word app.
-- With one role for all (roles.sql) there is nobody to grant to.
select current_user = 'humanops_owner' as has_roles \gset
\if :has_roles
revoke all on all tables in schema public from humanops_app;
revoke all on all functions in schema public from humanops_app;
\endif
revoke all on all tables in schema public from public;
revoke all on all functions in schema public from public;
alter default privileges in schema public revoke all on tables from public;
alter default privileges in schema public revoke execute on functions from public;
do $$
declare
    g record;
    v_function regprocedure;
    v_is_there boolean;
begin
    for g in
        select * from (values
        ('agent_register',                  'agents mcp'),
        ('agent_show',                      'agents'),
        ('agent_suspend',                   'admin'),
        ('apikey_create',                   'agents'),
        ('apikey_find',                     'agents tasks mcp'),
        ('apikey_list',                     'agents'),
        ('apikey_revoke',                   'agents'),
        ('apikey_touch',                    'agents tasks mcp'),
        ('chain_begin',                     'worker'),
        ('chain_frozen',                    'admin'),
        ('chain_quote',                     'worker'),
        ('chain_reserves',                  'worker'),
        ('chain_scanned',                   'worker'),
        ('chain_state',                     'agents operator admin mcp worker'),
        ('claim_abort',                     'operator'),
        ('claim_approve',                   'tasks mcp'),
        ('claim_make',                      'operator'),
        ('claim_reject',                    'tasks mcp'),
        ('claim_start',                     'operator'),
        ('claim_submit',                    'operator'),
        ('claim_withdraw',                  'operator'),
        ('custody_everywhere',              'worker'),
        ('delivery_failed_everywhere',      'admin'),
        ('delivery_list',                   'tasks'),
        ('delivery_load',                   'worker'),
        ('delivery_redeliver',              'tasks'),
        ('delivery_result',                 'worker'),
        ('dispute_list_everywhere',         'admin'),
        ('dispute_raise',                   'tasks mcp'),
        ('dispute_resolve',                 'admin'),
        ('earning_credit',                  'tasks admin mcp worker sweeper'),
        ('earning_due_everywhere',          'sweeper'),
        ('earning_freeze',                  'tasks mcp'),
        ('earning_list',                    'operator'),
        ('earning_resolve',                 'admin'),
        ('earning_settle',                  'sweeper'),
        ('earning_summary',                 'operator'),
        ('doctor_everywhere',               'doctor'),
        ('email_resend',                    'agents'),
        ('email_verify',                    'agents'),
        ('event_list',                      'agents'),
        ('feed_mine_everywhere',            'operator'),
        ('feed_open_everywhere',            'operator'),
        ('feed_show',                       'operator'),
        ('fiat_begin',                      'agents'),
        ('fiat_called',                     'agents'),
        ('fiat_find',                       'agents worker'),
        ('fiat_find_order',                 'agents webhooks worker'),
        ('fiat_settle',                     'agents webhooks worker'),
        ('heartbeat_begin',                 'sweeper'),
        ('heartbeat_list_everywhere',       'doctor'),
        ('heartbeat_set',                   'worker sweeper'),
        ('job_add',                         'agents tasks operator webhooks admin mcp worker sweeper'),
        ('job_due_everywhere',              'worker'),
        ('job_finish',                      'worker'),
        ('job_next',                        'worker'),
        ('job_retry',                       'worker'),
        ('job_take',                        'worker'),
        ('job_wake_everywhere',             'agents tasks operator webhooks admin mcp sweeper'),
        ('ledger_audit_everywhere',         'admin sweeper'),
        ('ledger_balance',                  'agents mcp'),
        ('ledger_statement',                'agents'),
        ('ledger_trial_balance_everywhere', 'admin'),
        ('message_add',                     'tasks operator mcp'),
        ('message_list',                    'tasks operator admin mcp'),
        ('metrics_everywhere',              'admin doctor'),
        ('nonce_take',                      'worker'),
        ('operator_find',                   'operator mcp'),
        ('operator_kyc',                    'admin'),
        ('operator_kyc_call',               'webhooks'),
        ('operator_list_everywhere',        'admin'),
        ('operator_rate',                   'tasks'),
        ('operator_register',               'operator'),
        ('operator_search_everywhere',      'tasks mcp'),
        ('operator_suspend',                'admin'),
        ('operator_update',                 'operator'),
        ('partition_add_everywhere',        'sweeper'),
        ('party_email',                     'worker'),
        ('payout_cancel',                   'admin'),
        ('payout_complete',                 'worker'),
        ('payout_fail',                     'worker'),
        ('payout_find',                     'agents operator'),
        ('payout_list',                     'agents operator'),
        ('payout_load',                     'agents operator mcp worker'),
        ('payout_problem',                  'worker'),
        ('payout_renonce',                  'worker'),
        ('payout_request',                  'agents operator mcp'),
        ('payout_retry',                    'admin'),
        ('payout_sent',                     'worker'),
        ('payout_sign',                     'worker'),
        ('payout_stuck',                    'worker'),
        ('payout_tries',                    'worker'),
        ('payouts_everywhere',              'admin'),
        ('payouts_freeze',                  'admin'),
        ('payouts_signed_everywhere',       'worker'),
        ('registry_claim',                  'agents operator mcp worker'),
        ('registry_find',                   'agents operator mcp worker'),
        ('registry_release',                'agents'),
        ('replay_begin',                    'agents tasks operator mcp'),
        ('replay_store',                    'agents tasks operator mcp'),
        ('sandbox_load',                    'worker'),
        ('sandbox_step',                    'worker'),
        ('schema_version_everywhere',       'agents tasks operator webhooks admin mcp worker doctor'),
        ('screening_appeal',                'tasks'),
        ('screening_appeals_everywhere',    'admin'),
        ('screening_block',                 'tasks mcp'),
        ('screening_decide',                'admin'),
        ('screening_find',                  'tasks mcp'),
        ('staff_act',                       'webhooks admin worker'),
        ('staff_log_everywhere',            'admin'),
        ('subscription_add',                'operator'),
        ('subscription_load',               'worker'),
        ('subscription_remove',             'operator'),
        ('subscription_result',             'worker'),
        ('subscription_tell',               'tasks operator webhooks admin mcp worker sweeper'),
        ('sweep_due_everywhere',            'sweeper'),
        ('sweep_expired_everywhere',        'sweeper'),
        ('sweep_task',                      'sweeper'),
        ('task_any',                        'admin worker'),
        ('task_cancel',                     'tasks mcp'),
        ('task_count',                      'tasks mcp'),
        ('task_create',                     'tasks mcp'),
        ('task_events',                     'tasks admin mcp'),
        ('task_list',                       'tasks mcp'),
        ('task_rate',                       'tasks'),
        ('task_show',                       'tasks mcp'),
        ('upload_add',                      'operator'),
        ('upload_bind',                     'operator'),
        ('upload_discard',                  'sweeper'),
        ('upload_due_everywhere',           'sweeper'),
        ('upload_find',                     'operator'),
        ('upload_forget',                   'worker'),
        ('upload_hold',                     'sweeper'),
        ('upload_judge_everywhere',         'operator'),
        ('upload_same',                     'operator'),
        ('upload_stored',                   'operator'),
        ('usdc_checked',                    'worker'),
        ('usdc_confirm',                    'agents mcp worker'),
        ('usdc_final',                      'worker'),
        ('usdc_of_transaction',             'agents mcp worker'),
        ('usdc_open_everywhere',            'worker'),
        ('usdc_reverse',                    'agents mcp worker'),
        ('usdc_seen',                       'agents mcp worker'),
        ('verdict_agent',                   'tasks mcp'),
        ('verdict_guardian',                'worker'),
        ('wallet_bind',                     'agents'),
        ('wallet_challenge',                'agents'),
        ('wallet_challenge_find',           'agents'),
        ('wallet_show',                     'agents mcp worker')
        ) as granted(name, programs)
    loop
        v_is_there := false;
        -- More than one where the release before calls it otherwise: sql/functions/previous.sql.
        for v_function in select oid::regprocedure from pg_proc
            where proname = g.name and pronamespace = 'public'::regnamespace loop
            execute format('alter function %s security definer set search_path = public, pg_temp', v_function);
            if current_user = 'humanops_owner' then
                execute format('grant execute on function %s to humanops_%s', v_function,
                    replace(g.programs, ' ', ', humanops_'));
            end if;
            v_is_there := true;
        end loop;
        if not v_is_there then
            raise exception 'grants: there is no function %', g.name;
        end if;
    end loop;
end $$;
do $$
begin
    while partition_add_everywhere(now()) > 0 loop    -- a table at a time
    end loop;
end $$;
