//! How long the C library keeps memory that was freed. Its allocator gives large pieces back at once, and
//! work that takes and frees the same large pieces all the time then waits for the system to clear their
//! pages again.

/// Freed pieces up to this size stay with the process while a [`Kept`] lives.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_BYTES: libc::c_int = 1 << 30;
/// glibc's own thresholds to begin with.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const USUAL_BYTES: libc::c_int = 128 << 10;

/// While it lives, freed memory stays with the process; afterwards what is free goes back. Does nothing
/// where the C library is not glibc. Two at once are one: the first that ends, ends it.
#[derive(Debug)]
pub struct Kept(());

impl Kept {
    pub fn begin() -> Self {
        set(true);
        Self(())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        set(false);
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn set(keep: bool) {
    let bytes = if keep { KEPT_BYTES } else { USUAL_BYTES };
    // SAFETY: both only set numbers of the allocator, under its own lock; a refused value changes nothing.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, bytes);
        libc::mallopt(libc::M_TRIM_THRESHOLD, bytes);
        if !keep {
            libc::malloc_trim(0);
        }
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn set(_: bool) {}
