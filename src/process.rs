//! The processes of this host, by what the kernel says about them.

use std::fs;

use yarnnn_core::pipeline::{Holder, Liveness};

/// Knows the processes that share this one's kernel boot and process namespace: those it would see if they ran. Where the
/// kernel does not tell (no `/proc`, or one that hides other users' processes), nothing is ever known to be gone, and a dead
/// process's work is taken over when its hold ends.
#[derive(Debug, Clone)]
pub struct HostProcesses {
    place: Option<String>,
    me: Holder,
}

impl Default for HostProcesses {
    fn default() -> Self {
        let place = place();
        let pid = std::process::id();
        let start = start_time(pid).unwrap_or_default();
        let me = Holder::new(format!("{}/{pid}/{start}", place.as_deref().unwrap_or("unknown")));
        Self { place, me }
    }
}

impl Liveness for HostProcesses {
    fn me(&self) -> Holder {
        self.me.clone()
    }

    fn is_gone(&self, other: &Holder) -> bool {
        let mut parts = other.process().rsplitn(3, '/');
        let (Some(start), Some(pid), Some(place)) = (parts.next(), parts.next(), parts.next()) else { return false };
        let (Ok(pid), true) = (pid.parse::<u32>(), self.place.as_deref() == Some(place)) else { return false };
        start_time(pid).is_none_or(|it| it != start)
    }
}

/// Host name, boot and process namespace; none where another process's entry could be missing although it runs.
fn place() -> Option<String> {
    let host = read("/proc/sys/kernel/hostname")?;
    let boot = read("/proc/sys/kernel/random/boot_id")?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let hides = |line: &str| line.split(' ').nth(1) == Some("/proc") && line.contains("hidepid=") && !line.contains("hidepid=0");
    let visible = !mounts.lines().any(hides);
    visible.then(|| format!("{host}/{boot}/{}", namespace.display()))
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
        assert!(!host.is_gone(&host.me().of_run(uuid::Uuid::nil())), "a run of a living process");
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        let place = host.place.clone().unwrap();
        assert!(host.is_gone(&Holder::new(format!("{place}/{pid}/1"))));
        assert!(host.is_gone(&Holder::new(format!("{place}/{}/1#run", std::process::id()))), "another start time");
    }

    #[test]
    fn what_cannot_be_known_is_not_gone() {
        let host = HostProcesses::default();
        let elsewhere = host.place.clone().unwrap().replace("pid:[", "pid:[9");
        let rebooted = format!("{}/4/1", host.place.clone().unwrap().replacen('-', "0", 1));
        for other in ["elsewhere/b/n/1/1", "", "x", "a/b/c/d/e", &format!("{elsewhere}/1/0"), &rebooted] {
            assert!(!host.is_gone(&Holder::new(other)), "{other}");
        }
    }
}
