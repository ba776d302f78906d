//! recscope's own files, in `$XDG_STATE_HOME/recscope` (mode 0700): what must be out of reach of the
//! folders that people ship to each other, such as unsaved text, trust, and the key that results are
//! signed with. Nothing here knows what a notebook means, and nothing here is shown.

mod folder;
mod journal;
mod secret;
mod session;

pub use folder::{StateFolder, VARIABLE, real_path};
pub use journal::{Head, Kept, Listing, digest, old_place};
pub use secret::Secret;
pub use session::{Other, Record, Session};
