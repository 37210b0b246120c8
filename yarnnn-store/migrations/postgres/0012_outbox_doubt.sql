-- Messages whose arrival is not known are looked up before they are sent again; what nobody can find out waits for a person.

-- To alter a table is to wait for its readers, while everybody else waits behind: better to fail and be tried again.
set local lock_timeout = '2s';

alter table outbox drop constraint outbox_state_check;
alter table outbox add constraint outbox_state_check check (state in ('pending', 'sending', 'sent', 'failed', 'unknown', 'held'));
-- Providers remember the key of a message for a time that begins with its first attempt.
alter table outbox add column first_attempt_at timestamptz;
-- Of several attempts the last is known only, so the first is taken for as early as it can have been.
update outbox set first_attempt_at = case when attempts = 1 then last_attempt_at else created_at end where attempts > 0;
