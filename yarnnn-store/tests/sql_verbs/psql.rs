//! The real `psql`, where there is one: enqueue, claim, beat, put off and complete from a script.
#![allow(clippy::print_stdout, reason = "says that there was nothing to run")]

use std::process::{Command, Stdio};

use super::bench::on_bench;

const SCRIPT: &str = r#"
\set ON_ERROR_STOP on
select job_id as job from enqueue_job_v3('report_generation', 'From psql', '{"report": 7}') \gset
select run_token as token from claim_next_job_v3('psql', array['report_generation']) \gset
select update_job_heartbeat(:'job', 'psql', :'token');
select reschedule_job(:'job', 0, 'later', false, 'psql', :'token');
select complete_job(:'job', 'psql', null, :'token');
select run_token as token from claim_next_job_v3('psql') \gset
select complete_job(:'job', 'stranger');
select complete_job(:'job', 'psql', '{"pages": 2}', :'token');
select status, attempt, job_result ->> 'pages' from job_queue where id = :'job';
select acquire_api_capacity('openai', 'gpt-4o-mini', 1000);
select release_api_capacity('openai', 'gpt-4o-mini', 1000, 900);
"#;

#[tokio::test]
async fn psql_alone_can_do_a_job() {
    on_bench(async |bench| {
        let exists = Command::new("psql").arg("--version").stdout(Stdio::null()).status().is_ok_and(|it| it.success());
        if !exists {
            println!("no psql on this machine: the script was not run");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("job.sql");
        std::fs::write(&file, SCRIPT).unwrap();
        let mut command = Command::new("psql");
        command.args([bench.url(), "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--file"]).arg(&file);
        let output = command.stdin(Stdio::null()).output().unwrap();
        let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{said}\n{errors}");
        let lines: Vec<_> = said.lines().filter(|it| !it.is_empty()).collect();
        assert_eq!(lines, ["t", "t", "f", "f", "t", "succeeded|1|2", "t"]);
    })
    .await;
}
