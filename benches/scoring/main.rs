//! How fast recscope puts BERT scores on real texts, beside its peers in the same run.
//!
//! ```text
//! cargo bench --profile dev --bench scoring                     ours and stock candle (make bench)
//! cargo bench --profile dev --bench scoring -- --peers          and ONNX Runtime, PyTorch (make bench-scoring)
//! cargo bench --profile dev --bench scoring -- --rows 10k,100k  cost against the number of rows
//! cargo bench --features cuda --bench scoring -- --device cuda:0 --peers      on a GPU (`card.rs`)
//! ```
//!
//! Every contestant is a process of its own (its peak memory is its own), told when to run, so that they
//! take turns and drift hits all alike. All get the same texts, or the same token ids. Figures are per
//! second of wall clock and per CPU second, so that a busy machine can be told from a slow program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod agreement;
mod card;
mod contestants;
mod gradients;
mod linear;
mod measure;
mod peers;
mod rival;
mod stock;
mod table;
mod workload;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use recscope::engine::model::{DeviceChoice, Dtype};

#[derive(Parser)]
struct Arguments {
    /// Measure the peers too; installs them into the cache folder the first time.
    #[arg(long)]
    peers: bool,
    /// Only models whose name contains this; may be repeated.
    #[arg(long)]
    model: Vec<String>,
    /// Only contestants whose name contains this; may be repeated.
    #[arg(long)]
    only: Vec<String>,
    /// A GPU instead of the CPU's cores: ours beside PyTorch, both in `--dtype`.
    #[arg(long, default_value = "cpu")]
    device: DeviceChoice,
    /// Number type on a GPU.
    #[arg(long, default_value = "f16")]
    dtype: Dtype,
    /// How often the texts are taken, each time with another number behind; 8 on a GPU if not given.
    #[arg(long)]
    copies: Option<usize>,
    /// An interpreter that has the peers already; nothing is installed then.
    #[arg(long)]
    python: Option<PathBuf>,
    /// How often each contestant runs; figures are medians.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Show instead how the cost grows with the number of rows, e.g. 10k,100k,1M.
    #[arg(long, value_delimiter = ',')]
    rows: Vec<String>,
    /// What cargo bench passes.
    #[arg(long, hide = true)]
    bench: bool,
    /// Used by the bench itself: be one contestant.
    #[arg(long, hide = true, num_args = 2)]
    serve: Vec<String>,
    /// Used by the bench itself: one model, one number of rows.
    #[arg(long, hide = true, num_args = 2)]
    linear: Vec<String>,
}

impl Arguments {
    fn wants_model(&self, name: &str) -> bool {
        self.model.is_empty() || self.model.iter().any(|m| name.contains(m))
    }

    fn on_card(&self) -> bool {
        self.device != DeviceChoice::Cpu
    }

    fn wants(&self, contestant: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|o| contestant.contains(o))
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let [name, job] = &arguments.serve[..] {
        contestants::serve(name, job.as_ref());
    } else if let [model, rows] = &arguments.linear[..] {
        linear::one(model.as_ref(), rows.parse().unwrap());
    } else if !arguments.rows.is_empty() {
        linear::all(&arguments);
    } else if !compare(&arguments) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn shared() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared")
}

/// Whether all that were timed computed the same thing.
fn compare(arguments: &Arguments) -> bool {
    let place = if arguments.on_card() { format!("{}, ", arguments.device) } else { String::new() };
    println!("scoring: {place}{} cores, {}", measure::cores(), measure::load());
    let install = || peers::install(arguments.on_card());
    let environment = arguments.peers.then(|| arguments.python.clone().or_else(install)).flatten();
    let mut agree = true;
    let copies = arguments.copies.unwrap_or(if arguments.on_card() { 8 } else { 1 });
    for workload in workload::all(&shared(), copies, arguments.on_card(), |name| arguments.wants_model(name))
    {
        agree &= table::race(&workload, arguments, environment.as_deref());
    }
    if !arguments.peers && !arguments.on_card() && arguments.wants("gradients") {
        gradients::measure(&shared());
    }
    agree
}
