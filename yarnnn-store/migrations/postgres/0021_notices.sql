-- A run that ended before it had a version is told of too.
set local lock_timeout = '2s';

alter table outbox alter column version_id drop not null;
alter table outbox add constraint outbox_version_check check (version_id is not null or purpose = 'notice');
-- What was told is deleted by its age, of all users.
create index outbox_notices on outbox (updated_at) where purpose = 'notice';
