-- What a version's models were asked and answered goes with it. Its costs stay in the sums.

-- To alter a table is to wait for its readers, while everybody else waits behind: better to fail and be tried again.
set local lock_timeout = '2s';

create function model_calls_forget() returns trigger
language plpgsql as $$
begin
    new.request := null;
    new.response := null;
    return new;
end
$$;

revoke all on function model_calls_forget() from public;

create trigger model_calls_forget before update of version_id on model_calls
for each row when (new.version_id is null) execute function model_calls_forget();

-- A pass that has not ended still needs what it was answered; its end forgets it.
update model_calls set request = null, response = null
    where version_id is null and pass_id is null and (request is not null or response is not null);
