//! Installs Debian packages where that is certain to be wanted: as root on Debian, when a server is missing.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

/// Installs a package; where that is not ours to do, or fails, the error is the hint on how to do it by hand.
pub(crate) fn install(package: &str, is_root: bool, hint: &str) -> Result<()> {
    if !is_root || !Path::new("/etc/debian_version").exists() {
        bail!("{hint}");
    }
    println!("installing {package} with apt-get");
    apt_get(&["update"], hint)?;
    apt_get(&["install", "-y", "--no-install-recommends", package], hint)
}

fn apt_get(arguments: &[&str], hint: &str) -> Result<()> {
    let status = Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
    if status.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    bail!("`apt-get {}` failed; {hint}", arguments.join(" "))
}
