-- Files of proof that nobody hands in go in the end.  The row comes before its files and goes after them, so that no file lies in
-- the store that no row names.
alter table uploads
    add column stored_at timestamptz,           -- both files are in the store; before, the upload is nobody's to use
    add column due_at timestamptz,              -- to be looked at again, and gone unless its task is at hand; null: in a proof, for ever
    add column is_discarded boolean not null default false;    -- its files are being removed, then this row
update uploads set stored_at = created_at, due_at = created_at + interval '7 days';
update uploads u set due_at = null
from tasks t cross join lateral jsonb_array_elements(t.proof -> 'files') f
where jsonb_typeof(t.proof -> 'files') = 'array' and u.stored = f ->> 'stored';
alter table uploads add check (due_at is not null or (stored_at is not null and not is_discarded));
create index uploads_due on uploads (due_at, bucket) where due_at is not null;
