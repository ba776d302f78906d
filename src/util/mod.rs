//! Small tools that know nothing of the product: no product words, no imports of ours.

pub mod arrow_text;
pub mod atomic;
pub mod cancel;
pub mod figures;
pub mod memory;
pub mod nearest;
pub mod sanitise;
