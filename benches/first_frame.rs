//! exec -> first frame in a pseudo-terminal of 200x50, beside what else a person might start. Prints
//! p50 and p95 of twenty runs; the budget is 50 ms p95. Machine load moves these figures: read them
//! beside the peer's.
#![allow(clippy::expect_used, clippy::unwrap_used)] // A benchmark that cannot be set up may stop.

use std::io::Read;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const RUNS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(30);
/// End of a synchronised update: the frame is complete.
const FRAME_END: &[u8] = b"\x1b[?2026l";

const NOTEBOOK: &str = "\
# First frame

```sql numbers
SELECT range AS n, n * n AS square FROM range(1000)
```

```sql top
SELECT * FROM numbers ORDER BY square DESC LIMIT 10
```
";

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let notebook = folder.path().join("first.md");
    std::fs::write(&notebook, NOTEBOOK).expect("a notebook to open");
    let notebook = notebook.display().to_string();

    report("recscope NOTEBOOK", env!("CARGO_BIN_EXE_recscope"), &[&notebook], FRAME_END);
    report("python3 -c 'print()'", "python3", &["-c", "print('ready')"], b"ready");
    report("duckdb (prompt)", "duckdb", &[], b"D ");
}

/// One line: the label, p50 and p95 in milliseconds, bytes of the first frame.
fn report(label: &str, program: &str, args: &[&str], marker: &[u8]) {
    let mut times = Vec::with_capacity(RUNS);
    let mut bytes = 0;
    for _ in 0..RUNS {
        match first_frame(program, args, marker) {
            Ok(Some((elapsed, size))) => {
                times.push(elapsed.as_secs_f64() * 1e3);
                bytes = size;
            }
            Ok(None) => return println!("first_frame {label:<24} no frame within {} s", PATIENCE.as_secs()),
            Err(_) => return println!("first_frame {label:<24} not installed"),
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    println!("first_frame {label:<24} p50 {:6.1} ms   p95 {:6.1} ms   {bytes} bytes", at(0.5), at(0.95));
}

/// Time from exec until `marker` has arrived, and the bytes until then; `None` if it never does.
fn first_frame(program: &str, args: &[&str], marker: &[u8]) -> anyhow::Result<Option<(Duration, usize)>> {
    let size = PtySize { rows: 50, cols: 200, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size)?;
    let mut command = CommandBuilder::new(program);
    command.args(args);
    command.env("TERM", "xterm-256color");
    command.env("COLORTERM", "truecolor");
    let mut reader = pair.master.try_clone_reader()?;
    let began = Instant::now();
    let mut child = pair.slave.spawn_command(command)?;
    drop(pair.slave);
    let mut seen = Vec::new();
    let mut chunk = [0; 65_536];
    let mut found = None;
    while began.elapsed() < PATIENCE {
        match reader.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(n) => seen.extend_from_slice(&chunk[..n]),
        }
        if seen.windows(marker.len()).any(|window| window == marker) {
            found = Some((began.elapsed(), seen.len()));
            break;
        }
    }
    // Hanging up ends it, and its engine.
    drop(reader);
    drop(pair.master);
    let until = Instant::now() + Duration::from_secs(5);
    while child.try_wait()?.is_none() {
        if Instant::now() > until {
            child.kill()?;
            child.wait()?;
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(found)
}
