-- Messages whose arrival is not known are looked up before they are sent again; what nobody can find out waits for a person.
alter table outbox drop constraint outbox_state_check;
alter table outbox add constraint outbox_state_check check (state in ('pending', 'sending', 'sent', 'failed', 'unknown', 'held'));
-- Providers remember the key of a message for a time that begins with its first attempt.
alter table outbox add column first_attempt_at timestamptz;
update outbox set first_attempt_at = last_attempt_at;
