//! The engine process: lanes run cells by composing the store, the model and the analysis.

#[cfg(feature = "notebook")]
pub mod lanes;
pub mod model;
#[cfg(feature = "notebook")]
pub mod store;
