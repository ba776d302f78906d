//! Is a metric worse for some group than for the rest, beyond chance? Any metric of the catalogue,
//! any slice columns and their intersections. No connection and no thread here.

mod audit;
mod exchange;
mod request;
mod table;

pub use audit::audit;
pub use request::FairnessRequest;
pub use table::{FairnessTable, GroupLine, Status};
