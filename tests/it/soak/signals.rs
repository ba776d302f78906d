//! Signals and dropped lines: what was typed is kept, the terminal given back, the exit code tells.

use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::stage::{Stage, TEXT, ends, send, type_marker, until};

pub fn ending(seed: u64) -> Result<bool, String> {
    let all = [libc::SIGTERM, libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGABRT];
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let signal = all[seed as usize % all.len()];
    let stage = Stage::new(TEXT);
    let marker = format!("kept_{seed}_跑鞋");
    let mut pty = stage.open();
    type_marker(&mut pty, &marker);
    std::thread::sleep(Duration::from_millis(random.random_range(0..700)));
    pty.signal(signal);
    let code = pty.wait_exit();
    pty.assert_sane();
    stage.notebook_is_whole()?;
    if stage.holding(&marker).is_empty() {
        return Err(format!("signal {signal}: what was typed is lost"));
    }
    if code != 128 + signal as u32 { Err(format!("signal {signal}: exit code {code}")) } else { Ok(true) }
}

pub fn stopped(seed: u64) -> Result<bool, String> {
    let stage = Stage::new(TEXT);
    let mut pty = stage.open();
    let marker = format!("kept_{seed}_跑鞋");
    type_marker(&mut pty, &marker);
    pty.signal(libc::SIGXFSZ);
    std::thread::sleep(Duration::from_millis(200));
    if !pty.is_alive() {
        return Err("SIGXFSZ ends it".into());
    }
    pty.signal(libc::SIGTSTP);
    pty.wait_state('T');
    pty.settle(Duration::from_millis(150));
    pty.assert_sane();
    pty.signal(libc::SIGCONT);
    pty.wait("the screen again", |text| text.contains(&marker));
    pty.signal(libc::SIGTERM);
    let code = pty.wait_exit();
    pty.assert_sane();
    if stage.holding(&marker).is_empty() {
        return Err("what was typed is lost".into());
    }
    if code != 143 { Err(format!("exit code {code}")) } else { Ok(true) }
}

pub fn dropped(seed: u64) -> Result<bool, String> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let stage = Stage::new(TEXT);
    let marker = format!("kept_{seed}_跑鞋");
    let mut pty = stage.open();
    type_marker(&mut pty, &marker);
    std::thread::sleep(Duration::from_millis(random.random_range(0..700)));
    pty.hang_up();
    pty.wait_exit();
    stage.notebook_is_whole()?;
    if stage.holding(&marker).is_empty() { Err("what was typed is lost".into()) } else { Ok(true) }
}

/// `run` over a query that can be interrupted or not ends within seconds, and says by what.
pub fn headless(seed: u64) -> Result<bool, String> {
    let all = [libc::SIGTERM, libc::SIGHUP, libc::SIGINT, libc::SIGQUIT];
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let signal = all[seed as usize % all.len()];
    let busy = "SELECT count(*) AS n FROM range(900000) a, range(900000) b WHERE a.range % 7 > b.range % 5";
    let stuck = "SELECT levenshtein(repeat('a', 100000), repeat('b', 100000)) AS n";
    let sql = if random.random_bool(0.5) { busy } else { stuck };
    let stage = Stage::new(&format!("```sql quick\nSELECT 42 AS answer\n```\n\n```sql first\n{sql}\n```\n"));
    let mut child = stage.command(&["run", "shoes.md"]).spawn().map_err(|e| e.to_string())?;
    // Spill folders are made when the database opens: from then on it is at work.
    let at_work = || std::fs::read_dir(stage.root.path().join("tmp")).ok()?.next().map(|_| ());
    until("the run to begin", 20, at_work)?;
    std::thread::sleep(Duration::from_millis(300 + random.random_range(0..700)));
    send(child.id() as i32, signal);
    let code = ends(&mut child, 15)?;
    let said = child.wait_with_output().map_err(|e| e.to_string())?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
    if code != 128 + signal {
        return Err(format!("signal {signal}: exit code {code}: {said}"));
    }
    if said.contains("panicked") { Err(said) } else { Ok(true) }
}
