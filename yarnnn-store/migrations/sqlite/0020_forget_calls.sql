-- What a version's models were asked and answered goes with it. Its costs stay in the sums.

create trigger model_calls_forget after update of version_id on model_calls when new.version_id is null begin
    update model_calls set request = null, response = null where id = new.id;
end;

-- A pass that has not ended still needs what it was answered; its end forgets it.
update model_calls set request = null, response = null
    where version_id is null and pass_id is null and (request is not null or response is not null);
