//! Is a metric worse for some group than for the rest, beyond chance? Any metric of the catalogue,
//! any slice columns and their intersections. No connection and no thread here.

mod audit;
mod disparity;
mod exchange;
mod figures;
mod request;
mod sentence;
mod side;
mod slice;
mod table;

pub use audit::audit;
pub use disparity::Disparity;
pub use figures::FIGURES;
pub use request::FairnessRequest;
pub use side::{Side, SideFigure};
pub use table::{FairnessTable, GroupLine, Status};
