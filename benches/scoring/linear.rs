//! Cost against the number of rows, on generated inputs: distinct short titles made of real words. A job
//! whose tokens/s stay flat costs what its tokens cost. One process per figure, so that memory is its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use recscope::engine::model::{
    DeviceChoice, LoadOptions, Model, ScoreInputs, ScoreOptions, ScoreProgress, ScoreReport,
};
use recscope::util::cancel::Cancel;
use serde_json::json;

use crate::measure::timed;
use crate::rival::last_json;
use crate::{Arguments, shared, workload};

fn models() -> Vec<PathBuf> {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo-model");
    vec![own, shared().join("models/all-MiniLM-L6-v2")]
}

/// `10k`, `1M`, `2500`.
fn count(text: &str) -> usize {
    let (digits, unit) = match text.trim() {
        t if t.ends_with(['k', 'K']) => (&t[..t.len() - 1], 1000),
        t if t.ends_with(['m', 'M']) => (&t[..t.len() - 1], 1_000_000),
        t => (t, 1),
    };
    digits.parse::<usize>().expect("--rows wants numbers like 10k,100k,1M") * unit
}

pub fn all(arguments: &Arguments) {
    let here = std::env::current_exe().unwrap();
    for model in models() {
        let name = model.file_name().unwrap().to_string_lossy().into_owned();
        if !arguments.wants_model(&name) {
            continue;
        }
        if !model.exists() {
            println!("linear: skipped, {} is not here", model.display());
            continue;
        }
        println!("\n{name}: generated rows, all distinct, texts in, scores out");
        println!(
            "  {:>9}{:>12}{:>10}{:>10}{:>9}{:>10}{:>9}",
            "rows", "tokens", "seconds", "tokens/s", "/CPU s", "rows/s", "MiB"
        );
        for rows in &arguments.rows {
            let n = count(rows);
            match last_json(Command::new(&here).arg("--linear").arg(&model).arg(n.to_string())) {
                Ok(line) => {
                    let number = |key: &str| line[key].as_f64().unwrap_or(f64::NAN);
                    let (tokens, wall, cpu) = (number("tokens"), number("wall"), number("cpu"));
                    println!(
                        "  {n:>9}{tokens:>12}{wall:>10.1}{:>10.0}{:>9.0}{:>10.0}{:>9.0}",
                        tokens / wall,
                        tokens / cpu,
                        n as f64 / wall,
                        number("peak_kib") / 1024.0
                    );
                }
                Err(why) => println!("  {n:>9}  {why}"),
            }
        }
    }
}

/// One figure, as JSON on stdout.
pub fn one(model: &Path, rows: usize) {
    let model = Model::load(
        model,
        &LoadOptions { device: DeviceChoice::Cpu, max_tokens: Some(64), ..Default::default() },
    )
    .unwrap();
    let titles: Vec<Option<String>> = titles(rows).into_iter().map(Some).collect();
    let queries: Vec<Option<String>> = (0..rows).map(|i| Some(QUERIES[i % QUERIES.len()].into())).collect();
    let inputs = match model.info().pooling {
        Some(_) => ScoreInputs::Embed(&queries, &titles),
        None => ScoreInputs::Pair(&queries, &titles),
    };
    let mut scored = 0;
    let (report, spent): (ScoreReport, _) = timed(|| {
        let (options, progress) = (ScoreOptions::default(), ScoreProgress::default());
        let emit = |chunk: recscope::engine::model::ScoreChunk| {
            scored += chunk.scores.iter().flatten().count();
            Ok(())
        };
        model.score(&inputs, &options, &Cancel::new(), &progress, emit).unwrap()
    });
    assert_eq!(scored, rows, "every row has a score");
    let line = json!({
        "tokens": report.tokens, "wall": spent.wall, "cpu": spent.cpu, "peak_kib": spent.peak_kib,
    });
    println!("{line}");
}

const QUERIES: &[&str] = &["wireless mouse", "hdmi cable", "laptop bag 15 inch", "usb hub", "printer ink"];

/// Distinct titles of three to six words: the first two number the title, the others are drawn by it.
fn titles(count: usize) -> Vec<String> {
    let words = words();
    let n = words.len();
    assert!(n * n >= count, "{n} words make too few distinct titles");
    (0..count)
        .map(|i| {
            let mut draw = i as u64;
            let mut title = format!("{} {}", words[i % n], words[i / n % n]);
            for _ in 0..1 + i % 4 {
                draw = draw.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                title = title + " " + &words[(draw >> 33) as usize % n];
            }
            title
        })
        .collect()
}

fn words() -> Vec<String> {
    let data = shared().join("data/chorus-electronics/products.parquet");
    if !data.exists() {
        // Enough for a million titles, of plain syllables.
        let syllables = ["ka", "lo", "mi", "nu", "re", "so", "ta", "vi", "wo", "ze"];
        let word = |i: usize| [i / 100, i / 10 % 10, i % 10].map(|s| syllables[s]).concat();
        return (0..1000).map(word).collect();
    }
    let sql = "SELECT DISTINCT word, NULL FROM (SELECT unnest(regexp_extract_all(lower(title), '[a-z]{3,9}')) \
               AS word FROM '{}') ORDER BY md5(word) LIMIT 4000";
    workload::read(&sql.replace("{}", &data.display().to_string()))
        .into_iter()
        .map(|(word, _)| word)
        .collect()
}
