//! Statements that want to write, to read on, to eat the machine or to last for ever. Each ends within
//! seconds of a signal with a documented exit code, and leaves nothing outside the notebook's own folders.

use std::fs;
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::stage::{Stage, send, until};

const STATEMENTS: &[&str] = &[
    "COPY (SELECT 1) TO 'stolen.csv'",
    "SELECT 1; COPY (SELECT 1) TO 'stolen.csv'",
    "ATTACH 'stolen.db' AS x",
    "EXPORT DATABASE 'stolen'",
    "INSTALL httpfs",
    "LOAD 'stolen.so'",
    "SET temp_directory = '.'",
    "PRAGMA enable_profiling",
    "CREATE TABLE stolen AS SELECT 1",
    "DROP TABLE first",
    "CALL pragma_version()",
    "WITH x AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM x",
    "SELECT * FROM read_csv('/etc/shadow')",
    "SELECT * FROM glob('/**')",
    "SELECT content FROM read_text('/proc/self/environ')",
    "SELECT repeat('x', 2000000000)",
    "SELECT levenshtein(repeat('a', 100000), repeat('b', 100000))",
    "SELECT count(*) FROM range(1000000000000) a, range(1000000) b",
    "WITH RECURSIVE r(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r",
    "SELECT list(i) FROM range(500000000) t(i)",
    "SELECT string_agg(repeat('x', 100000), '') FROM range(1000000)",
    "SELECT * FROM range(100000) a ORDER BY random()",
    "SELECT regexp_matches(repeat('a', 100000), '(a*)*b')",
    "SELECT '\u{0}'",
    "SELECT chr(27) || '[2J' AS \"\u{202e}evil\"",
    "SELECT {{nothing}}",
    "SELECT 1 AS \"",
    "SELECT getenv('HOME')",
    "FROM first",
    "SELECT CAST('x' AS INTEGER)",
    "SELECT unnest(range(10000000000))",
    "/* never closed",
];

pub fn round(seed: u64) -> Result<bool, String> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let deep = "(".repeat(random.random_range(100..5000));
    let sql = match seed as usize % (STATEMENTS.len() + 2) {
        at if at < STATEMENTS.len() => STATEMENTS[at].to_owned(),
        at if at == STATEMENTS.len() => format!("SELECT {deep}1{}", ")".repeat(deep.len())),
        _ => format!("SELECT {}1", "1 + ".repeat(random.random_range(100..20_000))),
    };
    let stage = Stage::new(&format!("# x\n\n```sql first\n{sql}\n```\n"));
    let out = stage.root.path().join("said.txt");
    let to = fs::File::create(&out).map_err(|e| e.to_string())?;
    let also = to.try_clone().map_err(|e| e.to_string())?;
    let mut command = stage.command(&["run", "shoes.md", "--memory", "512MB"]);
    let mut child = command.stdout(to).stderr(also).spawn().map_err(|e| e.to_string())?;
    let pid = child.id() as i32;
    // What is still at it after a few seconds is told to stop, and must.
    if until("its end", 4, || child.try_wait().ok().flatten()).is_err() {
        send(pid, libc::SIGINT);
    }
    let code = super::stage::ends(&mut child, 15).map_err(|why| format!("{sql:.60}: {why}"))?;
    std::thread::sleep(Duration::from_millis(20));
    let said = String::from_utf8_lossy(&fs::read(out).unwrap_or_default()).into_owned();
    if !matches!(code, 0..=3 | 130) || said.contains("panicked at") || said.contains('\u{1b}') {
        return Err(format!("{sql:.60}: exit {code}: {}", said.chars().take(500).collect::<String>()));
    }
    let names = fs::read_dir(stage.work()).map_err(|e| e.to_string())?.flatten();
    let mut names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    match names.find(|name| !["shoes.md", ".shoes.cells"].contains(&name.as_str())) {
        Some(name) => Err(format!("{sql:.60}: it has made {name}")),
        None => Ok(true),
    }
}
