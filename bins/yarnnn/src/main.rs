//! The `yarnnn` command line: parse, connect, run one command, say how it went by exit code.

mod cli;
mod commands;
mod exit;
mod output;
mod session;
mod telemetry;
mod work;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match cli::parse() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let output = output::Output::new(arguments.json, arguments.no_color);
    telemetry::init();
    match Box::pin(commands::dispatch(arguments, &output)).await {
        Ok(_) if !output.is_complete() => exit::incomplete(&output),
        Ok(code) => code,
        Err(error) => exit::report(&error, &output),
    }
}
