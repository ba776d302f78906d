//! One model's race: starts the contestants, checks that they agree, lets them take turns, prints the
//! table.

use std::path::Path;
use std::process::Command;

use crate::Arguments;
use crate::agreement::{ALIKE, Apart, TOLERANCE, compare, read};
use crate::contestants::{self, Contestant, Job, Kind, ORT_F32, ORT_INT8, TORCH, TORCH_CARD};
use crate::measure::{Spent, cores, median, product_rate};
use crate::rival::Rival;
use crate::workload::Workload;
use crate::{card, peers};

/// Rows of the check before the race, which also warms caches and packs weights.
const CHECK_STRIDE: usize = 8;

type Seconds = fn(&Spent) -> f64;

struct Lane {
    who: Contestant,
    rival: Rival,
    apart: Option<Apart>,
    runs: Vec<Spent>,
}

/// Whether everybody computed the same thing.
pub fn race(workload: &Workload, arguments: &Arguments, python: Option<&Path>) -> bool {
    println!("\n{}", workload.describe());
    let folder = tempfile::tempdir().unwrap();
    let job = write_job(workload, arguments, folder.path(), python);
    let mut lanes = Vec::new();
    let all = match arguments.on_card() {
        true => contestants::on_card(arguments.dtype, python.is_some()),
        false => contestants::all(python.is_some()),
    };
    for who in all.into_iter().filter(|who| arguments.wants(who.name)) {
        match start(&who, &job, python) {
            Ok(rival) => lanes.push(Lane { who, rival, apart: None, runs: Vec::new() }),
            Err(why) => println!("  {}: left out, {why}", who.name),
        }
    }
    let started = lanes.len();
    let lanes = check(lanes, workload, folder.path());
    let agree = lanes.len() == started;
    let (lanes, peak) = take_turns(lanes, arguments);
    print(&lanes, workload, peak, arguments);
    agree
}

fn write_job(
    workload: &Workload,
    arguments: &Arguments,
    folder: &Path,
    python: Option<&Path>,
) -> std::path::PathBuf {
    let inputs = folder.join("workload.json");
    std::fs::write(&inputs, serde_json::to_vec(&workload.inputs).unwrap()).unwrap();
    // ONNX Runtime runs beside us on the CPU only.
    let exporting = python.filter(|_| !arguments.on_card());
    let graphs = exporting.map_or(serde_json::Value::Null, |python| peers::export(python, &workload.model));
    let model = workload.model.canonicalize().unwrap();
    let file = folder.join("job.json");
    let (device, dtype) = (arguments.device.to_string(), arguments.dtype.to_string());
    let job = Job { model, graphs, workload: inputs, cores: cores(), device, dtype };
    std::fs::write(&file, serde_json::to_vec(&job).unwrap()).unwrap();
    file
}

fn start(who: &Contestant, job: &Path, python: Option<&Path>) -> Result<Rival, String> {
    let command = match (&who.kind, python) {
        (Kind::Peer(kind), Some(python)) => peers::command(python, kind, job)?,
        (Kind::Peer(_), None) => return Err("no Python environment".into()),
        (Kind::Here, _) => {
            let mut command = Command::new(std::env::current_exe().map_err(|e| e.to_string())?);
            command.arg("--serve").arg(who.name).arg(job);
            command
        }
    };
    Rival::start(command)
}

/// Drops those whose outputs are not what they should be. The reference is PyTorch, or the next best.
fn check(lanes: Vec<Lane>, workload: &Workload, folder: &Path) -> Vec<Lane> {
    let rows = workload.rows(CHECK_STRIDE);
    let mut outputs = Vec::new();
    for mut lane in lanes {
        let file = folder.join("outputs");
        match lane.rival.run(CHECK_STRIDE, Some(&file)).and_then(|_| read(&file)) {
            Ok(values) => outputs.push((lane, values)),
            Err(why) => println!("  {}: left out, {why}", lane.who.name),
        }
    }
    let named = |name: &str| outputs.iter().find(|(lane, _)| lane.who.name == name);
    let Some((_, reference)) =
        named(TORCH).or_else(|| named(TORCH_CARD)).or_else(|| named(ORT_F32)).or(outputs.last())
    else {
        return Vec::new();
    };
    let reference = reference.clone();
    let mut agree = Vec::new();
    for (mut lane, values) in outputs {
        match compare(&values, &reference, rows, workload.is_encoder()) {
            Ok(apart) if apart.alike < ALIKE => {
                println!(
                    "  {}: left out, its outputs are others (likeness {:.4})",
                    lane.who.name, apart.alike
                );
            }
            Ok(apart) if !lane.who.exact || apart.max <= TOLERANCE => {
                lane.apart = Some(apart);
                agree.push(lane);
            }
            Ok(apart) => println!("  {}: left out, its outputs differ by {:.1e}", lane.who.name, apart.max),
            Err(why) => println!("  {}: left out, {why}", lane.who.name),
        }
    }
    agree
}

/// A B C, A B C ...; also the machine's peak product rate, the best of all rounds.
fn take_turns(mut lanes: Vec<Lane>, arguments: &Arguments) -> (Vec<Lane>, f64) {
    let mut peak: f64 = 0.0;
    for _ in 0..arguments.rounds {
        for _ in 0..3 {
            peak = peak.max(match arguments.on_card() {
                true => card::product_rate(arguments.device, arguments.dtype),
                false => product_rate(),
            });
        }
        lanes.retain_mut(|lane| match lane.rival.run(lane.who.stride, None) {
            Ok(spent) => {
                lane.runs.push(spent);
                true
            }
            Err(why) => {
                println!("  {}: left out, {why}", lane.who.name);
                false
            }
        });
    }
    (lanes, peak)
}

impl Lane {
    fn median(&self, of: Seconds) -> f64 {
        median(self.runs.iter().map(of).collect())
    }
}

fn print(lanes: &[Lane], workload: &Workload, peak: f64, arguments: &Arguments) {
    let of = match arguments.on_card() {
        true => format!("large {} products on {}", arguments.dtype, arguments.device),
        false => "one f32 product on all cores".to_string(),
    };
    println!("  medians of {} rounds; peak: {:.0} GFLOP/s, {of}", arguments.rounds, peak / 1e9);
    let against = if arguments.on_card() { [TORCH_CARD, ""] } else { [ORT_F32, ORT_INT8] };
    let headers = if arguments.on_card() { ["x torch", ""] } else { ["x ORT f32", "x ORT int8"] };
    let rate = |lane: &Lane, of| workload.tokens(lane.who.stride) as f64 / lane.median(of);
    let (wall, cpu): (Seconds, Seconds) = (|s| s.wall, |s| s.cpu);
    println!(
        "  {:22}{:>9}{:>9}{:>9}{:>7}{:>8}{:>8}   {:14}{:14}{:>8}{:>8}  alike",
        "",
        "tokens/s",
        format!("{}/s", workload.unit),
        "/CPU s",
        "cores",
        "of peak",
        "MiB",
        headers[0],
        headers[1],
        "max diff",
        "mean"
    );
    for lane in lanes {
        let ratio = |name: &str| match lanes.iter().find(|other| other.who.name == name) {
            Some(other) => format!(
                "{:.2} ({:.2} CPU)",
                rate(lane, wall) / rate(other, wall),
                rate(lane, cpu) / rate(other, cpu)
            ),
            None if name.is_empty() => String::new(),
            None => "n/a".to_string(),
        };
        let apart = lane.apart.as_ref().unwrap();
        println!(
            "  {:22}{:>9.0}{:>9.0}{:>9.0}{:>7.2}{:>7.0}%{:>8}   {:14}{:14}{:>8.0e}{:>8.0e}  {:.4}",
            lane.who.name,
            rate(lane, wall),
            workload.rows(lane.who.stride) as f64 / lane.median(wall),
            rate(lane, cpu),
            lane.median(cpu) / lane.median(wall),
            100.0 * workload.operations(lane.who.stride) / lane.median(wall) / peak,
            lane.runs.iter().map(|s| s.peak_kib).max().unwrap_or(0) / 1024,
            ratio(against[0]),
            ratio(against[1]),
            apart.max,
            apart.mean,
            apart.alike,
        );
    }
    for lane in lanes.iter().filter(|lane| !lane.rival.words.is_empty()) {
        println!("  {}: {}", lane.who.name, lane.rival.words);
    }
}
