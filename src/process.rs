//! The processes of this host, by what the kernel says about them.

use std::fs;

use yarnnn_core::pipeline::{Holder, Liveness};

/// Knows this host's processes by boot, process id and start time. Where the kernel does not tell (no `/proc`), nothing is
/// ever known to be gone, and a dead process's work is taken over when its hold ends.
#[derive(Debug, Clone)]
pub struct HostProcesses {
    host: String,
    boot: Option<String>,
    me: Holder,
}

impl Default for HostProcesses {
    fn default() -> Self {
        let host = read("/proc/sys/kernel/hostname").unwrap_or_else(|| "host".to_owned());
        let boot = read("/proc/sys/kernel/random/boot_id");
        let pid = std::process::id();
        let start = start_time(pid).unwrap_or_default();
        let me = Holder::new(format!("{host}/{}/{pid}/{start}", boot.as_deref().unwrap_or("unknown")));
        Self { host, boot, me }
    }
}

impl Liveness for HostProcesses {
    fn me(&self) -> Holder {
        self.me.clone()
    }

    fn is_gone(&self, other: &Holder) -> bool {
        let mut parts = other.as_str().rsplitn(4, '/');
        let (Some(start), Some(pid), Some(boot), Some(host)) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        let Some(my_boot) = self.boot.as_deref().filter(|_| host == self.host) else { return false };
        if boot != my_boot {
            return boot != "unknown";
        }
        let Ok(pid) = pid.parse::<u32>() else { return false };
        start_time(pid).is_none_or(|it| it != start)
    }
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|it| it.trim().to_owned()).filter(|it| !it.is_empty())
}

/// Field 22 of `/proc/PID/stat`; the name in field 2 may hold anything, so counting starts behind its last parenthesis. A
/// process that has ended but was not collected yet (`Z`) no longer works on anything.
fn start_time(pid: u32) -> Option<String> {
    let stat = read(&format!("/proc/{pid}/stat"))?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if fields.next()? == "Z" {
        return None;
    }
    fields.nth(18).map(str::to_owned)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_here_and_one_that_ended_is_gone() {
        let host = HostProcesses::default();
        assert!(!host.is_gone(&host.me()));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        let parts: Vec<_> = host.me().as_str().split('/').map(str::to_owned).collect();
        assert!(host.is_gone(&Holder::new(format!("{}/{}/{pid}/1", parts[0], parts[1]))));
        assert!(host.is_gone(&Holder::new(format!("{}/{}/{}/1", parts[0], parts[1], std::process::id()))), "another start time");
    }

    #[test]
    fn what_cannot_be_known_is_not_gone() {
        let host = HostProcesses::default();
        for other in ["elsewhere/b/1/1", "", "x", "a/b/c/d/e"] {
            assert!(!host.is_gone(&Holder::new(other)), "{other}");
        }
    }
}
