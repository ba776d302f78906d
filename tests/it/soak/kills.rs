//! kill -9 at random moments: of the screen, whose reader must find what it was told is kept; of the engine,
//! which the screen must replace; and of the screen over a busy engine, which must go with it.

use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::stage::{Stage, TEXT, children, lives, send, type_marker, until};

fn sleep(random: &mut ChaCha8Rng, most_ms: u64) {
    std::thread::sleep(Duration::from_millis(random.random_range(0..most_ms)));
}

/// Types, perhaps saves, and is killed. What was said to be saved is in the notebook, what had been
/// journaled is still there and offered, and the notebook is never torn.
pub fn screen(seed: u64) -> Result<bool, String> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let stage = Stage::new(TEXT);
    let marker = format!("kept_{seed}_跑鞋");
    let mut pty = stage.open();
    type_marker(&mut pty, &marker);
    let (mut saved, mut journaled) = (false, false);
    match random.random_range(0..3) {
        0 => {
            pty.keys("\u{1b}");
            std::thread::sleep(Duration::from_millis(100));
            pty.keys("\u{13}");
            // Killed at a random moment of the save, or when it was said to be done.
            if random.random_bool(0.5) {
                pty.wait("the save", |text| text.contains("saved") && !text.contains("not saved"));
                saved = true;
            } else {
                sleep(&mut random, 60);
            }
        }
        1 => {
            until("the journal", 20, || (!stage.holding(&marker).is_empty()).then_some(()))?;
            journaled = true;
            sleep(&mut random, 50);
        }
        _ => sleep(&mut random, 900),
    }
    pty.signal(libc::SIGKILL);
    pty.wait_exit();
    stage.notebook_is_whole()?;
    let kept = stage.holding(&marker);
    if saved && !std::fs::read_to_string(&stage.notebook).unwrap_or_default().contains(&marker) {
        return Err("said to be saved, and is not".into());
    }
    if journaled && kept.is_empty() {
        return Err("the journal had it, and lost it".into());
    }
    let mut again = stage.open();
    if journaled && !kept.contains(&stage.notebook) {
        let offered = |text: &str| text.to_lowercase().contains("recover") || text.contains("unsaved");
        again.wait("the offer to recover", offered);
    }
    again.signal(libc::SIGTERM);
    again.wait_exit();
    if journaled && stage.holding(&marker).is_empty() {
        return Err("looking at the offer has lost it".into());
    }
    Ok(true)
}

/// Ends the engine at a random moment of a run; the screen starts another that runs the cell.
pub fn engine(seed: u64) -> Result<bool, String> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let stage = Stage::new(TEXT);
    let mut pty = stage.open();
    let screen = pty.pid();
    let engine = until("the engine", 20, || children(screen).first().copied())?;
    pty.settle(Duration::from_millis(150));
    pty.keys("R");
    sleep(&mut random, 400);
    send(engine, libc::SIGKILL);
    let next = || children(screen).into_iter().find(|pid| *pid != engine && lives(*pid));
    until("another engine", 30, next)?;
    pty.settle(Duration::from_millis(300));
    let began = std::time::Instant::now();
    loop {
        pty.keys("R");
        std::thread::sleep(Duration::from_millis(500));
        let text = pty.text();
        if text.contains("5,000") || text.contains("5000") {
            break;
        }
        if began.elapsed() > Duration::from_secs(30) || !pty.is_alive() {
            return Err(format!("no result of the new engine:\n{text}"));
        }
    }
    pty.signal(libc::SIGTERM);
    pty.wait_exit();
    pty.assert_sane();
    Ok(true)
}

/// No engine outlives its screen, whatever it is doing.
pub fn orphan(seed: u64) -> Result<bool, String> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let busy = "SELECT count(*) AS n FROM range(900000) a, range(900000) b WHERE a.range % 7 > b.range % 5";
    let stuck = "SELECT levenshtein(repeat('a', 60000), repeat('b', 60000)) AS n";
    let sql = if random.random_bool(0.5) { busy } else { stuck };
    let stage = Stage::new(&format!("# x\n\n```sql first\n{sql}\n```\n"));
    let mut pty = stage.open();
    let engine = until("the engine", 20, || children(pty.pid()).first().copied())?;
    pty.settle(Duration::from_millis(150));
    pty.keys("R");
    sleep(&mut random, 1500);
    pty.signal(libc::SIGKILL);
    pty.wait_exit();
    until("the end of the engine", 20, || (!lives(engine)).then_some(())).inspect_err(|_| {
        send(engine, libc::SIGKILL);
    })?;
    Ok(true)
}
