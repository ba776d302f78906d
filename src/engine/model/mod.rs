//! BERT of our own on candle: loads Hugging Face folders, scores pairs, texts and embeddings,
//! gives gradients. The only user of candle, tokenizers and safetensors.
//!
//! Not here: SQL, cells, threads that outlive a call. Nothing of ours but `util` is imported.
//! `cache/` keeps scores on disk and knows nothing of models.
//!
//! ```text
//! folder --load--> Params (named weights) --> Bert (one definition) --> Head (cosine or logits)
//!                                              |- differentiable ops: training, attribution
//!                                              `- fused kernels on packed tokens: scoring on CPU
//! ```

mod batch;
mod bert;
pub mod cache;
mod config;
mod device;
mod dropout;
mod dtype;
mod error;
mod forward;
mod fused;
mod gradient;
mod hash;
mod heads;
mod load;
mod ops;
mod params;
mod pool;
mod recall;
mod score;
mod stream;
mod tokens;
pub mod train;
mod units;
mod weights_file;
mod workers;

pub use bert::{Bert, Padded, Path, Words};
pub use config::{Activation, Architecture, BertConfig};
pub use device::{DeviceChoice, device_name, open_device};
pub use dropout::Dropout;
pub use dtype::Dtype;
pub use error::{ModelError, ModelErrorKind};
pub use forward::Row;
pub use fused::{FusedBert, Isa, Scratch};
pub use gradient::PointGradient;
pub use hash::hash_folder;
pub use heads::{Head, cosine};
pub use load::{LoadOptions, Model, ModelInfo};
pub use params::Params;
pub use pool::{Pooling, PoolingMode};
pub use score::{ScoreChunk, ScoreInputs, ScoreOptions, ScoreProgress, ScoreReport};
pub use stream::{Chunk, RowKind, RowStream, Scored, StreamOptions, score_columns};
pub use tokens::{Encoded, Ids, Tokens};
