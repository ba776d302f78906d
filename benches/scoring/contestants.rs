//! Who is measured, and how our own contestants run. To add one of ours (another dtype, another path),
//! add a row to `OURS`.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use recscope::engine::model::{
    DeviceChoice, Dtype, LoadOptions, Model, Path as Route, ScoreOptions, Scratch, plan_batches,
};
use recscope::util::cancel::Cancel;
use serde::{Deserialize, Serialize};

use crate::measure::{cores, timed};
use crate::stock;
use crate::workload::Inputs;

/// What a contestant's process reads at its start. The peers' `contestant.py` reads the same.
#[derive(Serialize, Deserialize)]
pub struct Job {
    pub model: PathBuf,
    /// ONNX files by name; only peers use them.
    pub graphs: serde_json::Value,
    pub workload: PathBuf,
    pub cores: usize,
    /// `cpu`, or a GPU, and the number type of the products there.
    pub device: String,
    pub dtype: String,
}

pub struct Contestant {
    pub name: &'static str,
    pub kind: Kind,
    /// Every how manieth row it runs on: slow ones need not run on all.
    pub stride: usize,
    /// Whether it must give the f32 outputs within 1e-4; else the difference is only shown.
    pub exact: bool,
}

pub enum Kind {
    /// In this binary.
    Here,
    /// `contestant.py` of this kind.
    Peer(&'static str),
}

pub const ORT_F32: &str = "onnxruntime f32";
pub const ORT_INT8: &str = "onnxruntime int8";
pub const TORCH: &str = "torch f32";
pub const TORCH_CARD: &str = "torch SDPA, same type";

/// On a GPU: ours and PyTorch in the same number type, and nobody else.
pub fn on_card(dtype: Dtype, with_peers: bool) -> Vec<Contestant> {
    let exact = dtype == Dtype::F32;
    let ours = OURS.iter().filter(|ours| ours.dtype == dtype);
    let mut all: Vec<Contestant> =
        ours.map(|ours| Contestant { name: ours.name, kind: Kind::Here, stride: 1, exact }).collect();
    if with_peers {
        all.push(Contestant { name: TORCH_CARD, kind: Kind::Peer("torch-card"), stride: 1, exact });
    }
    all
}

pub fn all(with_peers: bool) -> Vec<Contestant> {
    let mut all: Vec<Contestant> = (OURS.iter().filter(|ours| ours.dtype.check(true).is_ok()))
        .map(|ours| Contestant {
            name: ours.name,
            kind: Kind::Here,
            stride: 1,
            exact: ours.dtype == Dtype::F32,
        })
        .collect();
    all.push(Contestant { name: CANDLE, kind: Kind::Here, stride: 4, exact: true });
    if with_peers {
        let peer = |name, kind, stride, exact| Contestant { name, kind: Kind::Peer(kind), stride, exact };
        all.push(peer(ORT_F32, "ort-f32", 1, true));
        all.push(peer(ORT_INT8, "ort-int8", 1, false));
        all.push(peer(TORCH, "torch-f32", 1, true));
        all.push(peer("torch, padded to 128", "torch-seed", 8, true));
    }
    all
}

/// One of our own ways to score. To measure another dtype, add a row.
struct Ours {
    name: &'static str,
    from: fn(&Model, &Inputs, usize, Dtype) -> Vec<Vec<f32>>,
    dtype: Dtype,
}

const OURS: &[Ours] = &[
    Ours { name: "recscope f32", from: from_texts, dtype: Dtype::F32 },
    Ours { name: "recscope f32, ids in", from: from_ids, dtype: Dtype::F32 },
    Ours { name: "recscope int8", from: from_texts, dtype: Dtype::Int8 },
    Ours { name: "recscope int8, ids in", from: from_ids, dtype: Dtype::Int8 },
    Ours { name: "recscope f16", from: from_texts, dtype: Dtype::F16 },
    Ours { name: "recscope f16, ids in", from: from_ids, dtype: Dtype::F16 },
    Ours { name: "recscope bf16", from: from_texts, dtype: Dtype::Bf16 },
    Ours { name: "recscope bf16, ids in", from: from_ids, dtype: Dtype::Bf16 },
];

const CANDLE: &str = "candle BertModel";

/// What a user gets: texts in, tokenising included.
fn from_texts(model: &Model, inputs: &Inputs, stride: usize, dtype: Dtype) -> Vec<Vec<f32>> {
    let units: Vec<(&str, Option<&str>)> =
        inputs.texts.iter().step_by(stride).map(|(a, b)| (a.as_str(), b.as_deref())).collect();
    let options = ScoreOptions { dtype, ..Default::default() };
    model.outputs(&units, &options, &Cancel::new()).unwrap()
}

/// What the peers are timed on: token ids in, in length-sorted batches, one core each; a GPU has one
/// thread, and batches that fill it.
fn from_ids(model: &Model, inputs: &Inputs, stride: usize, dtype: Dtype) -> Vec<Vec<f32>> {
    let (most, threads) = if model.info().device == "cpu" { (384, cores()) } else { (16_384, 1) };
    let rows: Vec<(&[u32], &[u32])> =
        inputs.rows.iter().step_by(stride).map(|(ids, types)| (&ids[..], &types[..])).collect();
    let lengths: Vec<usize> = rows.iter().map(|(ids, _)| ids.len()).collect();
    let batches = plan_batches(&lengths, most, model.token_step());
    let next = AtomicUsize::new(0);
    let worker = || {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let (mut scratch, mut done) = (Scratch::default(), Vec::new());
        pool.install(|| {
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                let batch_rows: Vec<_> = batch.iter().map(|&i| rows[i]).collect();
                let outputs =
                    model.forward(&batch_rows, (Route::Fused, dtype), &mut scratch, &Cancel::new()).unwrap();
                done.extend(batch.iter().copied().zip(outputs));
            }
        });
        done
    };
    let mut all = vec![Vec::new(); rows.len()];
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        for (i, output) in workers.into_iter().flat_map(|w| w.join().unwrap()) {
            all[i] = output;
        }
    });
    all
}

/// Is the contestant `name` until standard input ends: answers each `run STRIDE [FILE]` with what it
/// took, and writes the outputs, f32 in row order, to FILE.
pub fn serve(name: &str, job: &Path) {
    let job: Job = serde_json::from_slice(&std::fs::read(job).unwrap()).unwrap();
    let inputs: Inputs = serde_json::from_slice(&std::fs::read(&job.workload).unwrap()).unwrap();
    let run: Box<dyn Fn(usize) -> Vec<Vec<f32>>> = match OURS.iter().find(|ours| ours.name == name) {
        Some(ours) => {
            let longest = inputs.rows.iter().map(|row| row.0.len()).max();
            let device: DeviceChoice = job.device.parse().unwrap();
            let options = LoadOptions { device, max_tokens: longest, ..Default::default() };
            let model = Model::load(&job.model, &options).unwrap();
            Box::new(move |stride| (ours.from)(&model, &inputs, stride, ours.dtype))
        }
        None => {
            assert_eq!(name, CANDLE);
            let model = stock::Stock::load(&job.model);
            Box::new(move |stride| model.outputs(&inputs, stride))
        }
    };
    println!("{{\"ready\": \"\"}}");
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let mut words = line.split(' ').skip(1);
        let stride = words.next().unwrap().parse().unwrap();
        let (outputs, spent) = timed(|| run(stride));
        if let Some(file) = words.next() {
            let bytes: Vec<u8> = outputs.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
            std::fs::write(file, bytes).unwrap();
        }
        println!("{}", serde_json::to_string(&spent).unwrap());
        std::io::stdout().flush().unwrap();
    }
}
