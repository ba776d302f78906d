//! Clocks, memory, and the machine's peak product rate.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// What a piece of work took. Also what a contestant answers, so field names are part of a protocol.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Spent {
    /// Seconds by the clock.
    pub wall: f64,
    /// Seconds of processor time, all threads of the process.
    pub cpu: f64,
    /// The process's highest resident memory so far, KiB; 0 where the system does not say.
    pub peak_kib: u64,
}

pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Spent) {
    let (wall, cpu) = (Instant::now(), cpu_time());
    let value = work();
    let (wall, cpu) = (wall.elapsed(), cpu_time() - cpu);
    (value, Spent { wall: wall.as_secs_f64(), cpu: cpu.as_secs_f64(), peak_kib: peak_kib() })
}

pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What else is going on, for the reader of the figures.
pub fn load() -> String {
    match std::fs::read_to_string("/proc/loadavg") {
        Ok(text) => format!("load before the run {}", text.split(' ').next().unwrap_or("?")),
        Err(_) => "load unknown".into(),
    }
}

fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a local.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    match n {
        0 => f64::NAN,
        _ => (values[(n - 1) / 2] + values[n / 2]) / 2.0,
    }
}

/// Floating-point operations a second of one large f32 product (1536 x 1536 x 1536) on all cores, by
/// the gemm crate.
pub fn product_rate() -> f64 {
    const N: usize = 1536;
    let (a, b, mut c) = (vec![0.5f32; N * N], vec![0.25f32; N * N], vec![0f32; N * N]);
    let ((), spent) = timed(|| {
        let (row, column) = (N as isize, 1isize);
        // SAFETY: all three are N x N, row-major, and apart from each other.
        unsafe {
            gemm::gemm(
                N,
                N,
                N,
                c.as_mut_ptr(),
                column,
                row,
                false,
                a.as_ptr(),
                column,
                row,
                b.as_ptr(),
                column,
                row,
                0.0,
                1.0,
                false,
                false,
                false,
                gemm::Parallelism::Rayon(cores()),
            );
        }
    });
    assert!((c[N + 1] - 0.125 * N as f32).abs() < 1e-2, "the product came out wrong");
    2.0 * (N * N * N) as f64 / spent.wall
}
