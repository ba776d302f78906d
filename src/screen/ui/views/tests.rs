//! Pictures of whole screens.
