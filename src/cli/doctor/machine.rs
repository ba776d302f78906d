//! The machine: CPU features that our kernels use, cores, memory, disk for spills, GPU.

use std::process::{Command, Stdio};

use super::Finding;
use crate::util::figures;

const TOPIC: &str = "machine";

pub(super) fn findings() -> Vec<Finding> {
    vec![cpu(), memory(), scratch(), gpu()]
}

fn cpu() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let features = cpu_features();
    let names: Vec<&str> = features.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
    let list = if names.is_empty() { "no vector features known".to_string() } else { names.join(" ") };
    let detail = format!("{}{}, {list}", model_name(), figures::plural(cores as u64, "core", "cores"));
    let has = |wanted: &str| features.iter().any(|(name, on)| *name == wanted && *on);
    if cfg!(target_arch = "x86_64") && !has("avx2") {
        let remedy = "models run many times slower without AVX2: use a newer machine, or a GPU";
        return Finding::note(TOPIC, "cpu", detail, remedy);
    }
    Finding::ok(TOPIC, "cpu", detail)
}

#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<(&'static str, bool)> {
    let flags = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let flag = |name: &str| {
        let line = flags.lines().find(|line| line.starts_with("flags"));
        line.is_some_and(|line| line.split_whitespace().any(|word| word == name))
    };
    vec![
        ("avx2", std::is_x86_feature_detected!("avx2")),
        ("fma", std::is_x86_feature_detected!("fma")),
        ("avx512f", std::is_x86_feature_detected!("avx512f")),
        ("avx512_vnni", std::is_x86_feature_detected!("avx512vnni")),
        ("avx512_bf16", std::is_x86_feature_detected!("avx512bf16")),
        ("amx_tile", flag("amx_tile")),
        ("amx_bf16", flag("amx_bf16")),
        ("amx_int8", flag("amx_int8")),
    ]
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_features() -> Vec<(&'static str, bool)> {
    vec![("neon", cfg!(target_arch = "aarch64"))]
}

fn model_name() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split_once(':')).map_or(String::new(), |(_, name)| format!("{}, ", name.trim()))
}

/// `MemTotal` and `MemAvailable` in bytes, and the control group's limit if it is lower.
fn memory_bytes() -> Option<(u64, u64, Option<u64>)> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let field = |name: &str| -> Option<u64> {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
    };
    let total = field("MemTotal:")?;
    let limit = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        .iter()
        .find_map(|file| std::fs::read_to_string(file).ok()?.trim().parse::<u64>().ok())
        .filter(|limit| *limit < total);
    Some((total, field("MemAvailable:")?, limit))
}

fn memory() -> Finding {
    let Some((total, free, limit)) = memory_bytes() else {
        return Finding::ok(TOPIC, "memory", "not known on this system");
    };
    let limited = limit.map_or(String::new(), |limit| format!(", limited to {} here", figures::bytes(limit)));
    let detail = format!("{} free of {}{limited}", figures::bytes(free), figures::bytes(total));
    if free.min(limit.unwrap_or(u64::MAX)) < 1 << 30 {
        let remedy =
            "under 1 GB: set engine.memory in the settings, e.g. \"256MB\"; large results then spill to disk";
        return Finding::note(TOPIC, "memory", detail, remedy);
    }
    Finding::ok(TOPIC, "memory", detail)
}

/// Free bytes of the disk behind a path.
fn free_bytes(path: &std::path::Path) -> Option<u64> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).ok()?;
    // SAFETY: an all-zero statvfs is a valid value, and the call writes only to it.
    let mut stat: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: `path` ends in NUL and lives through the call.
    let answer = unsafe { libc::statvfs(path.as_ptr(), &mut stat) };
    (answer == 0).then(|| stat.f_bavail as u64 * stat.f_frsize as u64)
}

fn scratch() -> Finding {
    let folder = std::env::temp_dir();
    if let Err(error) = tempfile::tempfile_in(&folder) {
        let detail = format!("{} cannot be written: {error}", folder.display());
        return Finding::problem(TOPIC, "scratch", detail, "set TMPDIR to a folder that can");
    }
    let Some(free) = free_bytes(&folder) else {
        return Finding::ok(TOPIC, "scratch", folder.display().to_string());
    };
    let detail = format!("{} free in {}", figures::bytes(free), folder.display());
    if free < 2 << 30 {
        return Finding::note(
            TOPIC,
            "scratch",
            detail,
            "large results spill there: set TMPDIR to a roomier disk",
        );
    }
    Finding::ok(TOPIC, "scratch", detail)
}

fn gpu() -> Finding {
    let built = cfg!(feature = "cuda");
    match (nvidia(), built) {
        (Some(name), true) => Finding::ok(TOPIC, "gpu", name),
        (Some(name), false) => Finding::note(
            TOPIC,
            "gpu",
            format!("{name}, but this program was built without the cuda feature"),
            "build with `cargo build --release --features cuda` where nvcc is",
        ),
        (None, true) => Finding::note(
            TOPIC,
            "gpu",
            "none found; models run on the CPU",
            "install the NVIDIA driver, or use --device cpu",
        ),
        (None, false) => Finding::ok(TOPIC, "gpu", "none found; models run on the CPU"),
    }
}

/// Name, memory and driver by nvidia-smi, else by the driver's files.
fn nvidia() -> Option<String> {
    let asked = Command::new("nvidia-smi")
        .args(["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    if let Ok(output) = asked
        && output.status.success()
    {
        let text = String::from_utf8_lossy(&output.stdout);
        let names: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if !names.is_empty() {
            return Some(names.join("; "));
        }
    }
    let version = std::fs::read_to_string("/proc/driver/nvidia/version").ok()?;
    Some(format!("NVIDIA driver: {}", version.lines().next().unwrap_or_default().trim()))
}
