//! `cargo xtask test --slurm`: the job array of `scripts/fleet/slurm.sh` on a controller and a node of its own, here.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::command::{self, cargo, target_dir};
use crate::setup;
use crate::step::{Outcome, Step};

/// Debian's and Ubuntu's packages.
const PACKAGES: [&str; 3] = ["slurmctld", "slurmd", "slurm-client"];
/// Where these put the daemons, which is not on everyone's PATH.
const DAEMONS: &str = "/usr/sbin";
/// Shards of the run.
const SHARDS: usize = 4;
/// Time between two questions, and most questions, whether a node is ready or the queue empty: ten minutes.
const PAUSE: Duration = Duration::from_millis(500);
const MOST_QUESTIONS: usize = 1200;

/// Runs the quick suite in shards and collects it; then once more with a shard that fails.
pub(super) fn steps() -> Vec<Step> {
    let name = "shards through Slurm";
    match install() {
        Err(why) => vec![Step::left_out(name, &why)],
        Ok(()) => {
            let mut build = cargo();
            let build = Step::command("release build", build.args(["build", "--release", "--package", "farthing"]));
            if !build.is_ok() {
                return vec![build];
            }
            vec![build, Step::take(name, || outcome(whole())), Step::take("a shard that fails", || outcome(broken()))]
        }
    }
}

fn outcome(result: anyhow::Result<()>) -> Outcome {
    result.map_or_else(|error| Outcome::Failed(format!("{error:#}")), |()| Outcome::Ok)
}

fn install() -> Result<(), String> {
    if !cfg!(target_os = "linux") {
        return Err("Slurm runs on Linux".into());
    }
    if !setup::is_root() {
        return Err("slurmd needs root to start jobs".into());
    }
    let is_there = || ["slurmctld", "slurmd"].iter().all(|daemon| Path::new(DAEMONS).join(daemon).exists());
    if !is_there() {
        setup::install("Slurm", &PACKAGES)?;
    }
    if is_there() {
        Ok(())
    } else {
        Err(format!("{} are installed, and yet there is no slurmctld", PACKAGES.join(", ")))
    }
}

/// The release binary of this workspace.
fn farthing() -> anyhow::Result<PathBuf> {
    fs::canonicalize(target_dir().join("release").join("farthing")).context("the release binary")
}

/// All shards come together into the cases of the plan.
fn whole() -> anyhow::Result<()> {
    let cluster = Cluster::start()?;
    let plan = cluster.plan(&["--suite", "quick", "--backend", "cpu", "--threads", "1", "--seconds", "0.5"])?;
    let said = cluster.submit(&plan, &farthing()?)?;
    let run = fs::read_to_string(cluster.dir.join("shards/run.jsonl"))
        .with_context(|| format!("no collected run; the collecting job said: {said}"))?;
    let whole = Command::new(farthing()?)
        .args(["run", "--suite", "quick", "--backend", "cpu", "--threads", "1", "--dry-run", "--format", "json"])
        .output()?;
    let cases = whole.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    let rows = run.lines().count() - 1;
    // That each of them is there `collect` has checked against the plan.
    ensure!(rows == cases, "{rows} rows of {cases} cases");
    println!("{SHARDS} shards through Slurm: {rows} rows of {cases} cases");
    Ok(())
}

/// A shard whose process dies is named, and nothing is kept as if it were whole.
fn broken() -> anyhow::Result<()> {
    let cluster = Cluster::start()?;
    let plan = cluster.plan(&["--suite", "smoke", "--backend", "cpu", "--threads", "1", "--seconds", "0.1"])?;
    let wrapper = cluster.dir.join("farthing");
    let text =
        format!("#!/bin/sh\n[ \"$SLURM_ARRAY_TASK_ID\" = 2 ] && exit 9\nexec \"{}\" \"$@\"\n", farthing()?.display());
    fs::write(&wrapper, text)?;
    ensure!(command::says_yes(Command::new("chmod").arg("+x").arg(&wrapper)), "chmod failed");
    let said = cluster.submit(&plan, &wrapper)?;
    ensure!(said.contains("shards missing: 2/4"), "the collecting job said: {said}");
    ensure!(!cluster.dir.join("shards/run.jsonl").exists(), "a run was kept that lacks a shard");
    println!("shard 2/4 failed, and the collecting job says so: {}", said.trim());
    Ok(())
}

/// A controller and a node, in a folder of their own, on ports that were free.
struct Cluster {
    dir: PathBuf,
    daemons: Vec<Child>,
}

impl Cluster {
    fn start() -> anyhow::Result<Cluster> {
        let dir = std::env::temp_dir().join(format!("farthing-slurm-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("state"))?;
        fs::create_dir_all(dir.join("spool"))?;
        fs::write(dir.join("slurm.conf"), configuration(&dir)?)?;
        let mut cluster = Cluster { dir, daemons: Vec::new() };
        for daemon in ["slurmctld", "slurmd"] {
            let log = fs::File::create(cluster.dir.join(format!("{daemon}.log")))?;
            let mut command = cluster.command(&Path::new(DAEMONS).join(daemon));
            let command = command.arg("-D").arg("-f").arg(cluster.dir.join("slurm.conf"));
            let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn();
            cluster.daemons.push(child.with_context(|| format!("cannot start {daemon}"))?);
        }
        cluster.wait("a node that is idle", |c| {
            c.says("sinfo", &["-h", "-o", "%t"]).is_some_and(|s| s.trim() == "idle")
        })?;
        Ok(cluster)
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("SLURM_CONF", self.dir.join("slurm.conf")).env("FARTHING_SHARDS", self.dir.join("shards"));
        command
    }

    fn says(&self, program: &str, words: &[&str]) -> Option<String> {
        let output = self.command(Path::new(program)).args(words).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn wait(&self, what: &str, is_so: impl Fn(&Cluster) -> bool) -> anyhow::Result<()> {
        for _ in 0..MOST_QUESTIONS {
            if is_so(self) {
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
        let log = |name| fs::read_to_string(self.dir.join(name)).unwrap_or_default();
        bail!("waited in vain for {what}:\n{}{}", log("slurmctld.log"), log("slurmd.log"))
    }

    fn plan(&self, words: &[&str]) -> anyhow::Result<PathBuf> {
        let plan = self.dir.join("plan.json");
        let mut command = Command::new(farthing()?);
        command.args(["plan", "--shards", &SHARDS.to_string(), "--out"]).arg(&plan).arg("--").args(words);
        ensure!(command.stdout(Stdio::null()).status()?.success(), "farthing plan failed");
        Ok(plan)
    }

    /// Submits the template, waits for the queue to be empty, and returns what the collecting job said.
    fn submit(&self, plan: &Path, farthing: &Path) -> anyhow::Result<String> {
        let script = fs::canonicalize("scripts/fleet/slurm.sh")?;
        let status = self.command(&script).arg(plan).env("FARTHING", farthing).status()?;
        ensure!(status.success(), "{} failed", script.display());
        self.wait("an empty queue", |c| c.says("squeue", &["-h"]).is_some_and(|s| s.trim().is_empty()))?;
        Ok(fs::read_to_string(self.dir.join("shards/collect.log")).unwrap_or_default())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            // Ours, by its id; one that ended by itself needs no end.
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// One node on loopback without authentication, accounting or containers.
fn configuration(dir: &Path) -> anyhow::Result<String> {
    let host = Command::new("hostname").arg("-s").output().context("no hostname")?;
    let host = String::from_utf8_lossy(&host.stdout).trim().to_owned();
    let free = || Ok::<u16, std::io::Error>(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port());
    let (controller, node) = (free()?, free()?);
    let (cpus, dir) = (std::thread::available_parallelism().map_or(1, usize::from), dir.display());
    Ok(format!(
        "ClusterName=farthing\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={controller}\nSlurmdPort={node}\n\
         SlurmUser=root\nSlurmdUser=root\nAuthType=auth/none\nCredType=cred/none\n\
         CommunicationParameters=NoCtldInAddrAny,NoInAddrAny\nProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\n\
         SlurmdParameters=config_overrides\nSelectType=select/cons_tres\nSelectTypeParameters=CR_CPU\nReturnToService=2\n\
         StateSaveLocation={dir}/state\nSlurmdSpoolDir={dir}/spool\nSlurmctldPidFile={dir}/slurmctld.pid\n\
         SlurmdPidFile={dir}/slurmd.pid\nMpiDefault=none\nAccountingStorageType=accounting_storage/none\n\
         JobCompType=jobcomp/none\nJobAcctGatherType=jobacct_gather/none\nSwitchType=switch/none\n\
         NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN\n\
         PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP\n"
    ))
}
