//! Whether standard output was open when the program began.
//!
//! If a standard descriptor is closed, the standard library opens the null device in its place
//! before `main`. So no other file that is opened can take its number. But all output then
//! vanishes, and every write succeeds. So the question is asked earlier, when the program is
//! loaded.

use std::io;

/// Fails if standard output was closed, since everything printed would be lost.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub(crate) fn check() -> io::Result<()> {
    match closed::found() {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

/// On other systems this cannot be found out.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(crate) fn check() -> io::Result<()> {
    Ok(())
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
mod closed {
    use std::sync::atomic::{AtomicI32, Ordering};

    /// The error of the system, or 0 for none.
    static FOUND: AtomicI32 = AtomicI32::new(0);

    // The standard library is not ready yet. This uses no more of it than an atomic number.
    #[ctor::ctor]
    fn ask() {
        if let Err(error) = rustix::io::fcntl_getfd(rustix::stdio::stdout()) {
            FOUND.store(error.raw_os_error(), Ordering::Relaxed);
        }
    }

    pub(super) fn found() -> i32 {
        FOUND.load(Ordering::Relaxed)
    }
}
