//! BERT and its relatives on candle: loads Hugging Face folders, scores pairs, texts and embeddings,
//! gives gradients. The only user of candle, tokenizers and safetensors.
//!
//! Not here: SQL, cells, threads that outlive a call. Nothing of ours but `util` is imported.
//! `cache/` keeps scores on disk and knows nothing of models.
//!
//! ```text
//! folder --FAMILIES--> Params (named weights) --> Encoder --> Head (cosine or logits)
//!                                                  |- Bert (one definition)
//!                                                  |   |- differentiable ops: training, attribution
//!                                                  |   |- fused kernels on packed tokens: scoring on CPU
//!                                                  |   `- packed tokens through candle: scoring on GPUs
//!                                                  `- Foreign: candle-transformers, forward only
//! ```

mod adapter;
mod batch;
mod bert;
pub mod cache;
mod check;
mod compute;
mod config;
mod deberta;
mod device;
mod dropout;
mod dtype;
mod encoder;
mod error;
mod family;
mod folder;
mod forecast;
mod foreign;
mod forward;
mod fused;
mod gradient;
mod hash;
mod heads;
mod labels;
mod layout;
mod load;
mod modern_bert;
mod new_folder;
mod ops;
mod params;
mod parts;
mod pool;
mod prefixes;
mod progress;
mod recall;
mod score;
mod shapes;
pub mod shrink;
mod similarity;
mod stored;
mod stream;
mod threads;
mod tokenizer_class;
mod tokenizer_file;
mod tokenizer_guard;
mod tokens;
pub mod train;
mod units;
mod weights;
mod weights_file;
mod workers;

#[cfg(test)]
pub(crate) use device::{testing as device_testing, tests::copy as copy_fixture};

pub use batch::plan as plan_batches;
pub use bert::{Bert, Padded, Path, Words};
pub use check::{check_small, check_weights};
pub use config::{Activation, Architecture, BertConfig};
pub use device::{DeviceChoice, DeviceNotes, Gpus, device_name, open_device};
pub use dropout::Dropout;
pub use dtype::Dtype;
pub use error::{ModelError, ModelErrorKind};
pub use family::{FAMILIES, Family, HeadActivation, Network};
pub use folder::weights_bytes;
pub use forecast::{Forecast, Meter, forecast};
pub use forward::Row;
pub use fused::{FusedBert, Isa, Scratch};
pub use gradient::PointGradient;
pub use hash::hash_folder;
pub use heads::{Head, Ranking};
pub use layout::Layout;
pub use load::{LoadOptions, Model, ModelInfo};
pub use new_folder::left_over;
pub use params::Params;
pub use parts::{CONFIG, Part, is_licence, is_pickle, parts, parts_on_disk};
pub use pool::{Pooling, PoolingMode};
pub use prefixes::Prefixes;
pub use progress::{Counted, ScoreProgress};
pub use score::{ScoreChunk, ScoreInputs, ScoreOptions, ScoreReport};
pub use similarity::{Similarity, cosine};
pub use stream::{Chunk, RowKind, RowStream, Scored, StreamOptions, score_columns};
pub use threads::leave_cores_to_us;
#[doc(hidden)]
pub use tokenizer_guard::check as check_tokenizer;
pub use tokens::{Encoded, Ids, Tokens};
pub use weights_file::pickle_error;
