//! Runs a program in between, so that its peak memory is its own: what a process held before `exec` is
//! counted to the program that it becomes, and this one makes and reads large files.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

/// The first argument of the process in between.
pub const FLAG: &str = "--apart";

/// Runs the rest of its arguments and waits; seconds and peak memory go to the file `report`.
pub fn command(report: &Path, program: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(FLAG).arg(report).arg(program);
    command
}

/// Seconds and bytes.
pub fn read(report: &Path) -> (f64, u64) {
    let text = std::fs::read_to_string(report).unwrap();
    let (seconds, bytes) = text.split_once(' ').unwrap();
    (seconds.parse().unwrap(), bytes.parse().unwrap())
}

/// The process in between.
#[expect(clippy::zombie_processes, reason = "`wait` reaps it, and reads its peak memory")]
pub fn main(arguments: &[String]) -> ExitCode {
    let [report, program, arguments @ ..] = arguments else { panic!("{FLAG} REPORT PROGRAM ...") };
    let began = Instant::now();
    let child = Command::new(program).args(arguments).spawn().unwrap();
    let (bytes, done) = wait(child.id());
    std::fs::write(report, format!("{} {bytes}", began.elapsed().as_secs_f64())).unwrap();
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Waits for a child; its peak memory, and whether it ended well.
fn wait(pid: u32) -> (u64, bool) {
    let mut status = 0;
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pid is a child's that nobody else waits for; both pointers are valid.
    let usage = unsafe {
        libc::wait4(pid as libc::pid_t, &raw mut status, 0, usage.as_mut_ptr());
        usage.assume_init()
    };
    (usage.ru_maxrss as u64 * 1024, libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0)
}
