//! Fine-tuning a sequence classifier, and the small vocabulary and random start that a model made
//! from nothing needs. Plain examples in, a Hugging Face folder and a report out.
//!
//! Not here: where rows come from, SQL, cells (lanes turn a `train` cell into [`TrainOptions`] and
//! [`Example`]s). Training is single precision, one device, one thread of control.
//!
//! ```text
//! start folder --start--> Params -> vars -> Trainer.step(batch): loss -> backward -> clip -> AdamW
//! examples --encode--> batches (shuffled, length-bucketed)    per epoch: figures on dev, best kept
//! best Params --folder--> config.json, tokenizer, model.safetensors, training.json (one rename)
//! ```

mod adamw;
mod batches;
mod evaluation;
mod examples;
mod figures;
mod folder;
mod losses;
mod options;
mod report;
mod run;
mod schedule;
mod start;
mod trainer;
pub mod vocabulary;

pub use adamw::{AdamW, AdamWOptions, Decay};
pub use examples::{Encoded, Example, Objective};
pub use figures::{ClassFigures, Figures};
pub use losses::Loss;
pub use options::TrainOptions;
pub use report::{Epoch, Stop, TrainEvent, TrainReport};
pub use run::{TrainJob, train};
pub use schedule::Schedule;
pub use start::{Start, random_params};
pub use trainer::{Step, Trainer};
