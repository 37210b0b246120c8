//! Prism, a mock server that is started from a specification: installed once, running as long as its value lives.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cargo;
use crate::supervisor::{self, Supervisor};

/// The version that the recorded run was made with.
pub(crate) const PACKAGE: &str = "@stoplight/prism-cli@5.14.2";

const NPM_HINT: &str = "npm is missing: install Node.js 20 or newer (Debian: apt-get install npm; macOS: brew install node)";

/// It reads the whole document before it listens, which takes a slow machine half a minute.
const PATIENCE: Duration = Duration::from_mins(2);

/// Arguments: node, the program, the document, its folder, the port.
const SCRIPT: &str = r#"
node=$1 program=$2 document=$3 home=$4 port=$5
"$node" "$program" mock --host 127.0.0.1 --port "$port" "$document" >"$home/log" 2>&1 &
server=$!
read -r _
kill -9 "$server" 2>/dev/null
wait "$server" 2>/dev/null
rm -rf "$home"
"#;

const YAML_TO_JSON: &str = r"
const [from, to] = process.argv.slice(1);
const fs = require('fs');
fs.writeFileSync(to, JSON.stringify(require('@stoplight/yaml').parse(fs.readFileSync(from, 'utf8'))));
";

/// The installed program.
pub(crate) struct Prism {
    node: PathBuf,
    program: PathBuf,
}

/// A running server; dropping it stops it.
pub(crate) struct Mock {
    supervisor: Supervisor,
    pub(crate) address: SocketAddr,
}

impl Prism {
    /// Installs it below `target/`, unless that was done before.
    pub(crate) fn install() -> Result<Self> {
        let home = cargo::root()?.join("target/conformance");
        let done = home.join("installed");
        let prism = Self { node: node()?, program: home.join("node_modules/@stoplight/prism-cli/dist/index.js") };
        if fs::read_to_string(&done).is_ok_and(|it| it == PACKAGE) {
            return Ok(prism);
        }
        fs::create_dir_all(&home)?;
        let quietly = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel", "error", "--prefix"];
        let status = Command::new("npm").args(quietly).arg(&home).arg(PACKAGE).current_dir(&home).status().context(NPM_HINT)?;
        if !status.success() {
            bail!("npm could not install {PACKAGE} ({status})");
        }
        fs::write(done, PACKAGE)?;
        Ok(prism)
    }

    /// The document as JSON: as it is, or read by the library with which Prism itself reads YAML.
    pub(crate) fn as_json(&self, document: &Path) -> Result<PathBuf> {
        if document.extension().is_none_or(|it| it != "yaml") {
            return Ok(document.to_owned());
        }
        let home = cargo::root()?.join("target/conformance");
        let json = home.join(document.with_extension("json").file_name().context("a document without a name")?);
        let mut command = Command::new(&self.node);
        command.args(["-e", YAML_TO_JSON]).arg(document).arg(&json).current_dir(&home);
        let status = command.status().context("node does not start")?;
        if !status.success() {
            bail!("{} cannot be read as YAML ({status})", document.display());
        }
        Ok(json)
    }

    /// Serves a document on a free port of the loopback.
    pub(crate) fn serve(&self, document: &Path) -> Result<Mock> {
        let home = supervisor::make_home("yarnnn-prism-", &std::env::temp_dir())?;
        let port = supervisor::free_port()?;
        let number = OsString::from(port.to_string());
        let arguments: [&OsStr; 5] =
            [self.node.as_ref(), self.program.as_ref(), document.as_ref(), home.as_ref(), number.as_ref()];
        let supervisor =
            Supervisor::start("Prism", SCRIPT, &arguments, &home, None).inspect_err(|_| _ = fs::remove_dir_all(&home))?;
        let mock = Mock { supervisor, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) };
        mock.wait_until_ready()?;
        Ok(mock)
    }
}

impl Mock {
    fn wait_until_ready(&self) -> Result<()> {
        let start = Instant::now();
        let log = || fs::read_to_string(self.supervisor.home().join("log")).unwrap_or_default();
        while start.elapsed() < PATIENCE {
            if log().contains("Prism is listening") {
                return Ok(());
            }
            sleep(Duration::from_millis(100));
        }
        bail!("Prism does not listen; its log:\n{}", log())
    }
}

/// Our servers get no environment, so they must be told where node is.
#[expect(clippy::disallowed_methods, reason = "PATH finds a developer's tool and is no configuration of the product")]
fn node() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut programs = std::env::split_paths(&path).map(|folder| folder.join("node"));
    programs.find(|it| it.is_file()).context(NPM_HINT)
}
