//! Scoring speed on real titles: tokens/s of our fused path against candle-transformers' BertModel in
//! the same run, and how far their embeddings lie apart. Figures are per process (CPU) second as well
//! as per second of wall clock, so that a busy machine can be told from a slow program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::{Duration, Instant};

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use recscope::engine::model::{DeviceChoice, LoadOptions, Model, ScoreOptions};
use recscope::util::cancel::Cancel;

const TITLES: usize = 1500;

fn main() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let (dir, data) =
        (shared.join("models/all-MiniLM-L6-v2"), shared.join("data/chorus-electronics/products.parquet"));
    for needed in [&dir, &data] {
        if !needed.exists() {
            println!("scoring: skipped, {} is not here", needed.display());
            return;
        }
    }
    let titles = titles(&data);
    let ours = Model::load(&dir, &LoadOptions { device: DeviceChoice::Cpu, max_tokens: Some(128) }).unwrap();
    let units: Vec<(&str, Option<&str>)> = titles.iter().map(|t| (t.as_str(), None)).collect();
    let ids: Vec<Vec<u32>> = titles.iter().map(|t| ours.tokens().ids(t, None).unwrap().ids).collect();
    let tokens: usize = ids.iter().map(Vec::len).sum();
    println!("scoring: {} titles, {tokens} tokens, {} cores", titles.len(), cores());

    // A first round each warms caches and packs weights.
    ours.outputs(&units[..64], &ScoreOptions::default(), &Cancel::new()).unwrap();
    let (fused, fused_time) =
        timed(|| ours.outputs(&units, &ScoreOptions::default(), &Cancel::new()).unwrap());
    report("recscope fused", tokens, &fused_time);

    let stock = stock_model(&dir);
    embed_stock(&stock, &ids[..64]);
    let (reference, stock_time) = timed(|| embed_stock(&stock, &ids));
    report("candle BertModel", tokens, &stock_time);

    let ratio = |f: fn(&Spent) -> Duration| f(&stock_time).as_secs_f64() / f(&fused_time).as_secs_f64();
    println!("ratio: {:.2}x by wall clock, {:.2}x by CPU time", ratio(|s| s.wall), ratio(|s| s.cpu));
    let apart = fused.iter().flatten().zip(reference.iter().flatten()).map(|(a, b)| (a - b).abs());
    println!("largest difference of an embedding's value: {:.1e}", apart.fold(0.0f32, f32::max));
    gradients(&shared);
}

/// How fast explanations get their gradients: 64 points of one pair on the 12-layer cross-encoder.
fn gradients(shared: &Path) {
    let dir = shared.join("models/ms-marco-MiniLM-L-12-v2");
    if !dir.exists() {
        println!("gradients: skipped, {} is not here", dir.display());
        return;
    }
    let model = Model::load(&dir, &LoadOptions { device: DeviceChoice::Cpu, ..Default::default() }).unwrap();
    let input = model.encode("touchscreen computer", Some("Kensington SmartFit TFT Stand Graphite")).unwrap();
    let points = vec![model.embeddings(&input.ids).unwrap(); 64];
    let (all, spent) = timed(|| model.gradients(&input, &points, 0, &Cancel::new()).unwrap());
    report("gradients", all.len() * input.ids.len(), &spent);
}

struct Spent {
    wall: Duration,
    cpu: Duration,
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Spent) {
    let (wall, cpu) = (Instant::now(), cpu_time());
    let value = work();
    (value, Spent { wall: wall.elapsed(), cpu: cpu_time() - cpu })
}

fn report(name: &str, tokens: usize, spent: &Spent) {
    let rate = |d: Duration| tokens as f64 / d.as_secs_f64();
    let per_core = rate(spent.cpu);
    println!("{name:18} {:7.0} tokens/s, {per_core:7.0} per core and CPU second", rate(spent.wall));
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// CPU time of this process, all threads.
fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a local.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn titles(data: &Path) -> Vec<String> {
    let connection = duckdb::Connection::open_in_memory().unwrap();
    let sql = format!(
        "SELECT DISTINCT title FROM '{}' WHERE trim(title) <> '' ORDER BY md5(title) LIMIT {TITLES}",
        data.display()
    );
    let mut statement = connection.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn stock_model(dir: &Path) -> BertModel {
    let config: Config = serde_json::from_slice(&std::fs::read(dir.join("config.json")).unwrap()).unwrap();
    // SAFETY: nothing changes the file while it is mapped.
    let weights = unsafe {
        VarBuilder::from_mmaped_safetensors(&[dir.join("model.safetensors")], DType::F32, &Device::Cpu)
            .unwrap()
    };
    BertModel::load(weights, &config).unwrap()
}

/// Length-sorted batches of 32 (bigger ones are slower), padded, mean-pooled, normalised; in order.
fn embed_stock(model: &BertModel, ids: &[Vec<u32>]) -> Vec<Vec<f32>> {
    let mut order: Vec<usize> = (0..ids.len()).collect();
    order.sort_by_key(|&i| ids[i].len());
    let mut all = vec![Vec::new(); ids.len()];
    for batch in order.chunks(32) {
        let length = batch.iter().map(|&i| ids[i].len()).max().unwrap();
        let padded = |f: &dyn Fn(&Vec<u32>, usize) -> u32| -> Tensor {
            let flat: Vec<u32> = batch
                .iter()
                .flat_map(|&i| (0..length).map(move |j| (i, j)))
                .map(|(i, j)| f(&ids[i], j))
                .collect();
            Tensor::from_vec(flat, (batch.len(), length), &Device::Cpu).unwrap()
        };
        let tokens = padded(&|row, j| row.get(j).copied().unwrap_or(0));
        let mask = padded(&|row, j| u32::from(j < row.len()));
        let states = model.forward(&tokens, &tokens.zeros_like().unwrap(), Some(&mask)).unwrap();
        let mask = mask.to_dtype(DType::F32).unwrap().unsqueeze(2).unwrap();
        let sum = states.broadcast_mul(&mask).unwrap().sum(1).unwrap();
        let length = sum.sqr().unwrap().sum_keepdim(1).unwrap().sqrt().unwrap();
        let rows: Vec<Vec<f32>> = sum.broadcast_div(&length).unwrap().to_vec2().unwrap();
        for (&i, row) in batch.iter().zip(rows) {
            all[i] = row;
        }
    }
    all
}
