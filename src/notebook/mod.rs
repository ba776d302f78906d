//! Text <-> document. Pure: no file, no clock, no database. Parsing never fails; what is wrong
//! becomes a [`Diagnostic`] with a line, and the text is kept byte for byte.

pub mod spec;
