//! Small tools that know nothing of the product: no product words, no imports of ours.

pub mod atomic;
pub mod cancel;
pub mod human;
pub mod sanitise;
