//! Whether standard output was open when the program began.
//!
//! Before `main`, the standard library opens the null device in the place of a descriptor that is closed, so that no file that is
//! opened later is taken for it. What is printed then vanishes, and every write succeeds. So this asks before that: the linker
//! puts the function into the list of those that are called when the program is loaded.

use std::io;

/// Fails if standard output was closed: whatever is printed would be lost.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub(crate) fn check() -> io::Result<()> {
    match closed::found() {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

/// Elsewhere it cannot be asked.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(crate) fn check() -> io::Result<()> {
    Ok(())
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
#[allow(unsafe_code)]
mod closed {
    use std::sync::atomic::{AtomicI32, Ordering};

    /// The error of the system, or 0.
    static FOUND: AtomicI32 = AtomicI32::new(0);

    // SAFETY: these are the sections of pointers to functions that are called once each, without arguments that matter here, on
    // the one thread that there is, after the C library is ready. The function neither unwinds nor uses the standard library
    // beyond an atomic number.
    #[used]
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
    #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
    static ASK: extern "C" fn() = ask;

    extern "C" fn ask() {
        // SAFETY: reads the flags of a descriptor, which may be closed.
        if unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) } == -1 {
            FOUND.store(libc::EBADF, Ordering::Relaxed);
        }
    }

    pub(super) fn found() -> i32 {
        FOUND.load(Ordering::Relaxed)
    }
}
