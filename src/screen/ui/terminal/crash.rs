//! The terminal given back by a process that dies of itself: an abort (a failed allocation, a C library's
//! last resort) or a bad access. No message can be sent and nothing saved here: a signal handler may only
//! make plain system calls.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, Ordering};

use libc::{SIGABRT, SIGBUS, SIGSEGV, c_int, c_void, siginfo_t};

/// What [`super::restore`] writes, ready made: no paste mode, default colours, a cursor, the main screen.
const GIVE_BACK: &[u8] = b"\x1b[?2026l\x1b[?2004l\x1b[0m\x1b[?25h\x1b[?1049l";

const DEADLY: [c_int; 3] = [SIGABRT, SIGSEGV, SIGBUS];

/// Written once, by [`arm`], before any handler is in place.
struct Before {
    mode: UnsafeCell<Option<libc::termios>>,
    handlers: UnsafeCell<[Option<libc::sigaction>; DEADLY.len()]>,
}

// SAFETY: `arm` writes behind a flag that lets one caller through, and installs the handlers, the only
// readers, afterwards.
unsafe impl Sync for Before {}

static BEFORE: Before =
    Before { mode: UnsafeCell::new(None), handlers: UnsafeCell::new([None; DEADLY.len()]) };
static ARMED: AtomicBool = AtomicBool::new(false);

/// Remembers how the terminal is now, before raw mode, and gives it back so if the process crashes.
pub(super) fn arm() {
    if ARMED.swap(true, Ordering::SeqCst) {
        return;
    }
    // SAFETY: zeroed is a valid value of these C structures; the calls write only to what they are given;
    // nobody else touches BEFORE yet (see there). SA_ONSTACK: the stack itself may be what is exhausted.
    unsafe {
        let mut mode: libc::termios = std::mem::zeroed();
        if libc::tcgetattr(libc::STDIN_FILENO, &raw mut mode) == 0 {
            *BEFORE.mode.get() = Some(mode);
        }
        let handlers = &mut *BEFORE.handlers.get();
        for (place, signal) in handlers.iter_mut().zip(DEADLY) {
            let mut action: libc::sigaction = std::mem::zeroed();
            if libc::sigaction(signal, std::ptr::null(), &raw mut action) == 0 {
                *place = Some(action);
            }
        }
        for signal in DEADLY {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = died as extern "C" fn(c_int, *mut siginfo_t, *mut c_void) as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
}

extern "C" fn died(signal: c_int, info: *mut siginfo_t, _: *mut c_void) {
    // SAFETY: the kernel's own pointer; `write`, `tcsetattr`, `sigaction` and `raise` may be called in a
    // handler; BEFORE is written no more.
    unsafe {
        if signal == SIGABRT && (*info).si_code == libc::SI_USER {
            // Another process asks: the thread that listens to signals saves and ends the program.
            return;
        }
        if super::ENTERED.swap(false, Ordering::SeqCst) {
            libc::write(libc::STDOUT_FILENO, GIVE_BACK.as_ptr().cast(), GIVE_BACK.len());
            if let Some(mode) = &*BEFORE.mode.get() {
                libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, mode);
            }
        }
        // As it would have gone on without us: the fault happens again, or the abort goes on.
        let at = DEADLY.iter().position(|deadly| *deadly == signal);
        let handlers = &*BEFORE.handlers.get();
        let before = at.and_then(|at| handlers.get(at).copied().flatten());
        let mut action: libc::sigaction = before.unwrap_or_else(|| std::mem::zeroed());
        if signal == SIGABRT {
            action = std::mem::zeroed();
            action.sa_sigaction = libc::SIG_DFL;
        }
        libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        if signal == SIGABRT || (*info).si_code == libc::SI_USER {
            libc::raise(signal);
        }
    }
}
