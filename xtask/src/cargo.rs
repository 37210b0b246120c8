//! Calls cargo: which program, which folder, and what to say when it fails. Reads none of its output's meaning.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

/// A cargo command that runs in the folder of the workspace.
pub(crate) fn command() -> Result<Command> {
    let mut command = Command::new(program());
    command.current_dir(root()?);
    Ok(command)
}

/// Runs to the end, with its output shown; the error names the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", line(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// Runs to the end and returns what it wrote to standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {}", line(command)))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", line(command), String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` did not write text", line(command)))
}

/// The folder of the workspace, asked once: tasks work from any folder below it.
pub(crate) fn root() -> Result<PathBuf> {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    if let Some(root) = ROOT.get() {
        return Ok(root.clone());
    }
    let manifest = output(Command::new(program()).args(["locate-project", "--workspace", "--message-format", "plain"]))?;
    let root = PathBuf::from(manifest.trim()).parent().context("the workspace has no folder")?.to_path_buf();
    Ok(ROOT.get_or_init(|| root).clone())
}

/// The cargo that started us, so that `cargo +nightly xtask` stays on its toolchain.
#[expect(clippy::disallowed_methods, reason = "CARGO is set by cargo itself and is no configuration of the product")]
fn program() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// A command as one would type it.
fn line(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_is_named_as_typed() {
        let error = run(Command::new("/bin/sh").args(["-c", "exit 3"])).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c exit 3` failed (exit status: 3)");
    }

    #[test]
    fn the_root_holds_the_workspace() {
        assert!(root().unwrap().join("deny.toml").is_file());
    }
}
