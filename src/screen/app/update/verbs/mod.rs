//! One file per verb. Each function is a row of COMMANDS or the answer to an effect.

pub mod back;
pub mod cancel;
pub mod cells;
pub mod complete;
pub mod copy;
pub mod drill;
pub mod edit;
pub mod engine;
pub mod explain;
pub mod find;
pub mod go;
pub mod guesses;
pub mod help;
pub mod mark;
pub mod menu;
pub mod open;
pub mod palette;
pub mod pause;
pub mod quit;
pub mod rows;
pub mod run;
pub mod save;
pub mod score;
pub mod sort;
pub mod tick;
pub mod undo;
