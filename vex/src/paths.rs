//! Functions on paths that return an error if memory runs out. Those of the standard library would
//! end the process.

use std::io;
use std::path::{Path, PathBuf};

/// A copy of a path.
pub(crate) fn copy(path: &Path) -> io::Result<PathBuf> {
    let mut copy = PathBuf::new();
    copy.try_reserve_exact(path.as_os_str().len())?;
    copy.push(path);
    Ok(copy)
}

/// The path of a name in a folder.
pub(crate) fn join(folder: &Path, name: &Path) -> io::Result<PathBuf> {
    let mut joined = PathBuf::new();
    // One more byte, for the separator.
    joined.try_reserve_exact(folder.as_os_str().len() + 1 + name.as_os_str().len())?;
    joined.push(folder);
    joined.push(name);
    Ok(joined)
}

#[cfg(unix)]
pub(crate) use unix::{canonicalize, read_link};

/// The absolute path without links.
#[cfg(not(unix))]
pub(crate) fn canonicalize(path: &Path) -> io::Result<PathBuf> {
    path.canonicalize()
}

/// The target of a link.
#[cfg(not(unix))]
pub(crate) fn read_link(path: &Path) -> io::Result<PathBuf> {
    std::fs::read_link(path)
}

#[cfg(unix)]
#[allow(unsafe_code)]
mod unix {
    use std::ffi::{CStr, CString, OsStr};
    use std::io;
    use std::os::unix::ffi::OsStrExt;
    use std::path::{Path, PathBuf};
    use std::ptr;

    /// The absolute path without links.
    pub(crate) fn canonicalize(path: &Path) -> io::Result<PathBuf> {
        /// Memory of the C library.
        struct Real(*mut libc::c_char);
        impl Drop for Real {
            fn drop(&mut self) {
                // SAFETY: `realpath` has allocated the string, if it is not null, and nothing else
                // frees it.
                unsafe { libc::free(self.0.cast()) };
            }
        }
        let path = terminated(path)?;
        // SAFETY: the path ends with a zero. Without a buffer, `realpath` allocates one.
        let real = Real(unsafe { libc::realpath(path.as_ptr(), ptr::null_mut()) });
        if real.0.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the pointer is not null, so it is a string that ends with a zero. It lives as
        // long as `real`.
        let name = unsafe { CStr::from_ptr(real.0) };
        super::copy(Path::new(OsStr::from_bytes(name.to_bytes())))
    }

    /// The target of a link.
    pub(crate) fn read_link(path: &Path) -> io::Result<PathBuf> {
        let path = terminated(path)?;
        let mut target = [0_u8; libc::PATH_MAX as usize];
        // SAFETY: the path ends with a zero, and the buffer has as many bytes as the call says.
        let len = unsafe { libc::readlink(path.as_ptr(), target.as_mut_ptr().cast(), target.len()) };
        let len = usize::try_from(len).map_err(|_| io::Error::last_os_error())?;
        // A target that fills the buffer may have been cut, so it is refused.
        match target.get(..len) {
            Some(target) if len < libc::PATH_MAX as usize => {
                super::copy(Path::new(OsStr::from_bytes(target)))
            }
            _ => Err(io::ErrorKind::InvalidFilename.into()),
        }
    }

    fn terminated(path: &Path) -> io::Result<CString> {
        let path = path.as_os_str().as_bytes();
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(path.len() + 1)?;
        bytes.extend_from_slice(path);
        bytes.push(0);
        CString::from_vec_with_nul(bytes).map_err(|_| io::ErrorKind::InvalidInput.into())
    }

    #[cfg(test)]
    mod tests {
        use std::fs;
        use std::os::unix::fs::symlink;

        use super::*;

        #[test]
        fn names_are_those_of_the_standard_library() {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            fs::create_dir(at("inside")).unwrap();
            fs::write(at("inside/file"), b"").unwrap();
            symlink("inside", at("link")).unwrap();
            symlink("../link/file", at("inside/other")).unwrap();
            symlink("nowhere", at("dangling")).unwrap();
            symlink("loop", at("loop")).unwrap();
            let long = "n".repeat(200) + "/" + &"m".repeat(250);
            symlink(&long, at("long")).unwrap();
            let names =
                ["", ".", "inside", "inside/../link/file", "inside/other", "dangling", "loop", "long"];
            for name in names.into_iter().chain(["missing", "inside/file/below", "a\0b", &long]) {
                let path = at(name);
                let kinds = |(real, link): (io::Result<PathBuf>, io::Result<PathBuf>)| {
                    [real, link].map(|result| result.map_err(|error| error.kind()))
                };
                let found = kinds((canonicalize(&path), read_link(&path)));
                assert_eq!(found, kinds((path.canonicalize(), path.read_link())), "{name:?}");
            }
            assert_eq!(canonicalize(Path::new(".")).unwrap(), Path::new(".").canonicalize().unwrap());
        }
    }
}
