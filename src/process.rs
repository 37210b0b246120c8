//! The processes of this host, by what the kernel says about them.

use std::fs;
use std::io::ErrorKind;

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
        let start = match start_time(pid) {
            Running::Since(start) => start,
            Running::No | Running::Unknown => String::new(),
        };
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
        match start_time(pid) {
            Running::Since(it) => it != start,
            Running::No => true,
            Running::Unknown => false,
        }
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

/// What the kernel says of a process.
#[derive(Debug, PartialEq, Eq)]
enum Running {
    /// It runs, and began at this tick.
    Since(String),
    /// It does not.
    No,
    /// It did not say: out of descriptors or memory, or in words that this program does not know.
    Unknown,
}

/// Field 22 of `/proc/PID/stat`; the name in field 2 may hold anything, so counting starts behind its last parenthesis. A
/// process that has ended but was not collected yet (`Z`, `X`) no longer works on anything.
fn start_time(pid: u32) -> Running {
    /// What reading answers when the process ends meanwhile.
    const NO_SUCH_PROCESS: i32 = 3;
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => began(&stat),
        Err(error) if error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(NO_SUCH_PROCESS) => Running::No,
        Err(_) => Running::Unknown,
    }
}

fn began(stat: &str) -> Running {
    let mut fields = stat.rsplit_once(')').map(|(_, fields)| fields.split_whitespace()).into_iter().flatten();
    match (fields.next(), fields.nth(18)) {
        (Some("Z" | "X"), _) => Running::No,
        (Some(_), Some(since)) => Running::Since(since.to_owned()),
        _ => Running::Unknown,
    }
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
    fn only_what_the_kernel_says_counts() {
        let line = |state: &str| format!("7 (a) b) {state} {}", (4..60).map(|it| it.to_string()).collect::<Vec<_>>().join(" "));
        assert_eq!(began(&line("S")), Running::Since("22".into()));
        assert_eq!(began(&line("Z")), Running::No);
        for odd in ["", "7 (a", "7 (a) S 1 2"] {
            assert_eq!(began(odd), Running::Unknown, "{odd}");
        }
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
