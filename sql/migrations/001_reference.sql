-- Small reference tables: the same on every machine, changed by migrations alone (database.md R1).

-- Limits by tier and UTC day (spec 4; usd_micros).
create table tiers (
    name text primary key,
    max_daily_tasks int not null,
    max_task_value bigint not null,
    max_daily_spend bigint not null,
    upgrade text not null
);
insert into tiers values
    ('SANDBOX', 50, 10000000, 10000000, 'Verify your e-mail address to reach VERIFIED and post real tasks.'),
    ('VERIFIED', 10, 100000000, 200000000, 'Deposit USDC worth $50 or more in all to reach STANDARD.'),
    ('STANDARD', 100, 10000000000, 50000000000, 'Write to us if you need more than the STANDARD limits.');

-- The platform fee by the trailing 30 days' spend (spec 4).  A step counts from `from_spend` on; basis points.
create table fee_tiers (
    name text primary key,
    from_spend bigint not null unique,
    basis_points int not null
);
insert into fee_tiers values
    ('STANDARD', 0, 1000),
    ('GROWTH', 5000000000, 800),
    ('ENTERPRISE', 25000000001, 500);

-- The lifecycle (spec 4): whatever is not a row here is refused.  notice is the event's public name; is_sent tells
-- whether a webhook goes out for it.
create table task_moves (
    from_status text not null,
    event text not null,
    actor text not null,
    to_status text not null,
    notice text not null,
    is_sent boolean not null,
    primary key (from_status, event, actor)
);
insert into task_moves values
    ('PENDING', 'accept', 'operator', 'ESTIMATE_PENDING', 'task.claimed', true),
    ('ESTIMATE_PENDING', 'approve', 'agent', 'ACCEPTED', 'task.estimate_approved', false),
    ('ESTIMATE_PENDING', 'reject', 'agent', 'PENDING', 'task.estimate_rejected', false),
    ('ESTIMATE_PENDING', 'withdraw', 'operator', 'PENDING', 'task.claim_withdrawn', false),
    ('ESTIMATE_PENDING', 'lapse', 'sweeper', 'PENDING', 'task.estimate_expired', false),
    ('ACCEPTED', 'start', 'operator', 'IN_PROGRESS', 'task.started', false),
    ('ACCEPTED', 'submit', 'operator', 'SUBMITTED', 'task.submitted', true),
    ('IN_PROGRESS', 'submit', 'operator', 'SUBMITTED', 'task.submitted', true),
    ('SUBMITTED', 'pass', 'guardian', 'VERIFIED', 'task.verified', true),
    ('SUBMITTED', 'review', 'guardian', 'SUBMITTED', 'task.manual_review', true),
    ('SUBMITTED', 'fail', 'guardian', 'DISPUTED', 'task.disputed', true),
    ('VERIFIED', 'complete', 'guardian', 'COMPLETED', 'task.completed', true),
    ('SUBMITTED', 'verify_approve', 'agent', 'COMPLETED', 'task.completed', true),
    ('VERIFIED', 'verify_approve', 'agent', 'COMPLETED', 'task.completed', true),
    ('SUBMITTED', 'verify_reject', 'agent', 'DISPUTED', 'task.disputed', true),
    ('VERIFIED', 'verify_reject', 'agent', 'DISPUTED', 'task.disputed', true),
    ('SUBMITTED', 'review_lapse', 'sweeper', 'COMPLETED', 'task.completed', true),
    ('PENDING', 'cancel', 'agent', 'CANCELLED', 'task.cancelled', true),
    ('ESTIMATE_PENDING', 'cancel', 'agent', 'CANCELLED', 'task.cancelled', true),
    ('ACCEPTED', 'cancel', 'agent', 'CANCELLED', 'task.cancelled', true),
    ('PENDING', 'expire', 'sweeper', 'CANCELLED', 'task.cancelled', true),
    ('ESTIMATE_PENDING', 'expire', 'sweeper', 'CANCELLED', 'task.cancelled', true),
    ('ACCEPTED', 'expire', 'sweeper', 'CANCELLED', 'task.cancelled', true),
    ('IN_PROGRESS', 'expire', 'sweeper', 'CANCELLED', 'task.cancelled', true),
    ('COMPLETED', 'dispute', 'agent', 'DISPUTED', 'task.disputed', true),
    ('DISPUTED', 'resolve_pay', 'staff', 'COMPLETED', 'task.completed', true),
    ('DISPUTED', 'resolve_split', 'staff', 'COMPLETED', 'task.completed', true),
    ('DISPUTED', 'resolve_refund', 'staff', 'CANCELLED', 'task.cancelled', true);
