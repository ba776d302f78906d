//! How much memory this process takes.

/// Memory of this process that is in RAM; `None` where the system does not tell.
pub fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    // SAFETY: sysconf reads no memory of ours.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    Some(pages * u64::try_from(page).ok()?)
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn memory_that_is_taken_is_counted() {
        let before = super::resident_bytes().unwrap();
        let taken = vec![1u8; 64 << 20];
        assert!(super::resident_bytes().unwrap() > before + (32 << 20), "{}", taken.len());
    }
}
