//! The engine process: lanes run cells by composing the store, the model and the analysis.

pub mod lanes;
pub mod model;
pub mod store;
