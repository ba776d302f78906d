//! Scoring a log that repeats itself, as logs do: a million generated impressions whose queries and
//! items follow Zipf's law. Row by row, then with equal inputs computed once, then again from the
//! score cache. Row by row is measured on a sample and multiplied, which is said in its line.
//!
//! Arguments (after `--`): rows of the log, default 1,000,000.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Zipf};
use recscope::engine::model::cache::{CacheOptions, Key, Memo, ScoreCache};
use recscope::engine::model::{
    DeviceChoice, LoadOptions, Model, ScoreInputs, ScoreOptions, ScoreProgress, ScoreReport,
};
use recscope::util::cancel::Cancel;

const ROWS: usize = 1_000_000;
/// Rows of the log for a model of real size, and rows measured one by one.
const ROWS_OF_REAL_MODEL: usize = 200_000;
const SAMPLE: usize = 4_000;
const SAMPLE_OF_REAL_MODEL: usize = 1_000;

fn main() {
    let asked = std::env::args().skip(1).find_map(|argument| argument.parse::<usize>().ok());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shop = Shop::default();
    let log = shop.log(asked.unwrap_or(ROWS));
    println!(
        "repetitive: {} impressions (pages of {}), queries Zipf({}) of {}, items Zipf({}) of {} per query, {} cores",
        log.queries.len(),
        shop.page,
        shop.query_exponent,
        shop.queries,
        shop.item_exponent,
        shop.candidates,
        std::thread::available_parallelism().map_or(1, usize::from)
    );
    hashing(&log);
    bench("demo-model, pairs", &root.join("fixtures/demo-model"), &log, false, SAMPLE);
    let real = shop.log(asked.map_or(ROWS_OF_REAL_MODEL, |rows| rows / 5).max(10));
    let shared = root.join("../shared/models/all-MiniLM-L6-v2");
    bench("all-MiniLM-L6-v2, cosine", &shared, &real, true, SAMPLE_OF_REAL_MODEL);
}

/// A shop's search log. Fixed seed: the same log for everybody.
struct Shop {
    /// Distinct queries that people might type, and how steeply their frequency falls.
    queries: usize,
    query_exponent: f64,
    /// Items that the engine may show for one query; the first of them most often.
    candidates: usize,
    item_exponent: f64,
    /// Items of the shop.
    items: usize,
    /// Impressions per search.
    page: usize,
}

impl Default for Shop {
    fn default() -> Self {
        Self {
            queries: 50_000,
            query_exponent: 1.0,
            candidates: 60,
            item_exponent: 1.0,
            items: 40_000,
            page: 10,
        }
    }
}

struct Log {
    queries: Vec<Option<String>>,
    titles: Vec<Option<String>>,
}

const WORDS: [&str; 48] = [
    "red",
    "blue",
    "black",
    "white",
    "running",
    "hiking",
    "trail",
    "wireless",
    "optical",
    "laser",
    "gaming",
    "mouse",
    "keyboard",
    "screen",
    "monitor",
    "stand",
    "cable",
    "usb",
    "charger",
    "case",
    "cover",
    "leather",
    "cotton",
    "wool",
    "shoes",
    "boots",
    "sandals",
    "jacket",
    "coat",
    "shirt",
    "dress",
    "men",
    "women",
    "kids",
    "waterproof",
    "light",
    "portable",
    "pro",
    "mini",
    "max",
    "kitchen",
    "steel",
    "knife",
    "pan",
    "lamp",
    "desk",
    "chair",
    "garden",
];

impl Shop {
    fn log(&self, rows: usize) -> Log {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let words = |rng: &mut ChaCha8Rng, n: usize| -> String {
            let picked: Vec<&str> = (0..n).map(|_| WORDS[rng.random_range(0..WORDS.len())]).collect();
            picked.join(" ")
        };
        // Numbers keep queries and titles apart where the words do not.
        let queries: Vec<String> = (0..self.queries)
            .map(|n| {
                let length = 1 + n % 3;
                format!("{} {n}", words(&mut rng, length))
            })
            .collect();
        let titles: Vec<String> = (0..self.items)
            .map(|n| {
                let length = 5 + n % 6;
                format!("{} {n}", words(&mut rng, length))
            })
            .collect();
        let by_query = Zipf::new(self.queries as f64, self.query_exponent).unwrap();
        let by_item = Zipf::new(self.candidates as f64, self.item_exponent).unwrap();
        let mut log = Log { queries: Vec::with_capacity(rows), titles: Vec::with_capacity(rows) };
        while log.queries.len() < rows {
            let query = by_query.sample(&mut rng) as usize - 1;
            for _ in 0..self.page.min(rows - log.queries.len()) {
                // Each query's candidates lie scattered over the shop.
                let rank = by_item.sample(&mut rng) as usize - 1;
                let item = (query * 7_919 + rank * 104_729) % self.items;
                log.queries.push(Some(queries[query].clone()));
                log.titles.push(Some(titles[item].clone()));
            }
        }
        log
    }
}

/// What finding equal inputs costs by itself.
fn hashing(log: &Log) {
    let rows = || log.queries.iter().flatten().zip(log.titles.iter().flatten());
    let began = Instant::now();
    let folded = rows().fold(0u8, |folded, (query, title)| folded ^ Key::of(query, Some(title)).0[0]);
    let took = began.elapsed();
    println!("keys of all rows: {:.2} s (SHA-256, {folded:02x})", took.as_secs_f64());
}

fn bench(name: &str, dir: &Path, log: &Log, embed: bool, sample: usize) {
    if !dir.join("config.json").exists() {
        println!("\n{name}: skipped, {} is not here", dir.display());
        return;
    }
    let model =
        Model::load(dir, &LoadOptions { device: DeviceChoice::Cpu, max_tokens: None, ..Default::default() })
            .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let rows = log.queries.len();
    println!("\n{name}: {rows} rows");

    let alone = row_by_row(&model, log, embed, sample);
    let whole = alone.as_secs_f64() * rows as f64 / sample as f64;
    println!(
        "  every row computed         {whole:8.1} s  (measured on {sample} rows: {:.2} s, multiplied)",
        alone.as_secs_f64()
    );
    let (first_scores, first) = score(&model, log, embed, folder.path());
    say("first run, equal ones once", &first, whole);
    let (second_scores, second) = score(&model, log, embed, folder.path());
    say("second run, from the cache", &second, whole);
    let same = first_scores.iter().zip(&second_scores).all(|(a, b)| a.to_bits() == b.to_bits());
    println!("  scores of both runs are equal to the bit: {same}");
    println!(
        "  cache on disk {:.1} MB; peak memory of this process so far {:.0} MB",
        size(folder.path()),
        peak()
    );
}

/// The sample's inputs as they come, equal ones computed again each time.
fn row_by_row(model: &Model, log: &Log, embed: bool, sample: usize) -> Duration {
    let step = (log.queries.len() / sample).max(1);
    let rows = log.queries.iter().flatten().zip(log.titles.iter().flatten()).step_by(step).take(sample);
    let units: Vec<(&str, Option<&str>)> = match embed {
        true => rows.flat_map(|(query, title)| [(query.as_str(), None), (title.as_str(), None)]).collect(),
        false => rows.map(|(query, title)| (query.as_str(), Some(title.as_str()))).collect(),
    };
    // Packs the weights.
    model.outputs(&units[..16.min(units.len())], &ScoreOptions::default(), &Cancel::new()).unwrap();
    let began = Instant::now();
    model.outputs(&units, &ScoreOptions::default(), &Cancel::new()).unwrap();
    began.elapsed()
}

/// One run as a process of its own would do it: the cache is opened anew.
fn score(model: &Model, log: &Log, embed: bool, folder: &Path) -> (Vec<f64>, ScoreReport) {
    let options = CacheOptions { folder: Some(folder.to_path_buf()), ..CacheOptions::default() };
    let memo: Arc<Memo> = Memo::new(&ScoreCache::new(options));
    let options = ScoreOptions { memo: Some(memo), ..ScoreOptions::default() };
    let inputs = match embed {
        true => ScoreInputs::Embed(&log.queries, &log.titles),
        false => ScoreInputs::Pair(&log.queries, &log.titles),
    };
    let mut scores = vec![f64::NAN; log.queries.len()];
    let report = model
        .score(&inputs, &options, &Cancel::new(), &ScoreProgress::default(), |chunk| {
            for (row, score) in chunk.rows.iter().zip(&chunk.scores) {
                scores[*row] = score.unwrap();
            }
            Ok(())
        })
        .unwrap();
    (scores, report)
}

fn say(name: &str, report: &ScoreReport, whole: f64) {
    println!(
        "  {name} {:8.1} s  {:6.1}x  {} different, {} of them and {} rows from the cache ({:.1} % of rows), {} tokens",
        report.seconds,
        whole / report.seconds,
        report.unique_inputs,
        report.cached_inputs,
        report.cached_rows,
        100.0 * report.cached_rows as f64 / report.rows as f64,
        report.tokens
    );
}

/// Megabytes of the files in a folder.
fn size(folder: &Path) -> f64 {
    let entries = |dir: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let files = entries(folder).into_iter().filter(|path| path.is_dir()).flat_map(|dir| entries(&dir));
    files.map(|file| file.metadata().unwrap().len()).sum::<u64>() as f64 / f64::from(1 << 20)
}

/// Megabytes that this process held at most.
fn peak() -> f64 {
    // SAFETY: the call writes only to `usage`, which is plain numbers.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    usage.ru_maxrss as f64 / 1024.0
}
