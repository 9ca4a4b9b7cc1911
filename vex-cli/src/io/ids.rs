//! Files of neighbor ids, such as ground truth and search results.

use std::io::Write;
use std::path::Path;

use vex::Output;

use super::encoding::Encoding;
use super::error::{FileError, Problem};
use super::matrix::Matrix;
use super::reader::RowReader;
use super::source::Source;
use super::{bin, npy, vecs};

/// The ids of each query's neighbors, nearest first, one row for each query.
pub(crate) type IdMatrix = Matrix<i32>;

/// Reads an `.npy` file of `i32`, an `.ivecs` or an `.ibin` file.
///
/// # Errors
/// If the header is malformed, or the length of the file is not the one in the header.
pub(crate) fn read_ids(path: &Path) -> Result<IdMatrix, FileError> {
    let format = Format::of(path)?;
    let mut source = Source::open(path)?;
    let layout = match format {
        Format::Npy => npy::layout(&mut source, 2, NPY)?,
        Format::Ivecs => vecs::layout(&mut source, Encoding::I32_LE)?,
        Format::Ibin => bin::layout(&mut source, Encoding::I32_LE)?,
    };
    RowReader::new(source, layout)?.read_all()
}

/// Whether [`write_ids`] can write a file with the extension of `path`. Checked before the ids are
/// computed.
pub(crate) fn check_ids_extension(path: &Path) -> Result<(), FileError> {
    Format::of(path).map(drop)
}

/// Writes an `.npy`, `.ivecs` or `.ibin` file, and replaces one of the same name.
///
/// # Errors
/// If the extension is another, or the file cannot be written.
pub(crate) fn write_ids(output: Output, ids: &IdMatrix) -> Result<(), FileError> {
    let path = output.path();
    let format = Format::of(path)?;
    let (rows, dim) = (ids.rows() as u64, ids.dim() as u64);
    let too_large = || FileError::new(path, Problem::TooLarge { rows, dim });

    let mut header = Vec::new();
    let mut prefix = None;
    match format {
        Format::Npy => npy::write_header(&mut header, ids.rows(), ids.dim())
            .map_err(|error| FileError::new(path, Problem::Write(error)))?,
        Format::Ivecs => prefix = Some(i32::try_from(dim).map_err(|_| too_large())?.to_le_bytes()),
        Format::Ibin => {
            for length in [rows, dim] {
                let length = u32::try_from(length).map_err(|_| too_large())?;
                header.extend_from_slice(&length.to_le_bytes());
            }
        }
    }
    output.write(|mut out| {
        out.write_all(&header)?;
        write_rows(&mut out, prefix, ids)
    })?;
    Ok(())
}

/// The dtypes of an `.npy` file of ids.
const NPY: &[npy::Dtype<i32>] = &[("<i4", Encoding::I32_LE), (">i4", Encoding::I32_BE)];

enum Format {
    Npy,
    Ivecs,
    Ibin,
}

impl Format {
    fn of(path: &Path) -> Result<Self, FileError> {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        match extension.to_str() {
            Some("npy") => Ok(Self::Npy),
            Some("ivecs") => Ok(Self::Ivecs),
            Some("ibin") => Ok(Self::Ibin),
            _ => Err(FileError::new(path, Problem::Extension { accepted: ".npy, .ivecs or .ibin" })),
        }
    }
}

/// Writes the rows, each after `prefix` if there is one.
fn write_rows(out: &mut impl Write, prefix: Option<[u8; 4]>, ids: &IdMatrix) -> std::io::Result<()> {
    for row in ids.iter() {
        if let Some(prefix) = prefix {
            out.write_all(&prefix)?;
        }
        for id in row {
            out.write_all(&id.to_le_bytes())?;
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::super::output::open_output;
    use super::*;

    fn write(path: &Path, ids: &IdMatrix) -> Result<(), FileError> {
        write_ids(open_output(path, &[])?, ids)
    }

    fn ids() -> IdMatrix {
        Matrix::new(3, 2, vec![0, 1, -1, i32::MAX, i32::MIN, 7])
    }

    fn names() -> [&'static str; 4] {
        ["ids.npy", "ids.ivecs", "ids.ibin", "ids.NPY"]
    }

    #[test]
    fn written_ids_are_read_back() {
        for name in names() {
            let file = Fixture::new(name, b"something older");
            write(file.path(), &ids()).unwrap();
            assert_eq!(read_ids(file.path()).unwrap(), ids(), "{name}");
            assert_eq!(file.neighbors(), 0, "{name}: the temporary file is gone");
        }
    }

    #[test]
    fn every_truncation_and_any_trailing_byte_is_found() {
        for name in names() {
            let file = Fixture::new(name, b"");
            write(file.path(), &ids()).unwrap();
            let bytes = std::fs::read(file.path()).unwrap();
            for len in 0..bytes.len() {
                let cut = Fixture::new(name, &bytes[..len]);
                // If every row has its length, a missing row at the end leaves no trace.
                let expected =
                    if name == "ids.ivecs" && len > 0 && len % 12 == 0 { Some(len / 12) } else { None };
                assert_eq!(read_ids(cut.path()).ok().map(|ids| ids.rows()), expected, "{name} at {len}");
            }
            let long = Fixture::new(name, &[&bytes[..], b"\n"].concat());
            assert!(read_ids(long.path()).is_err(), "{name}");
        }
    }

    #[test]
    fn ids_of_another_width_are_refused() {
        let dict = "{'descr': '<i8', 'fortran_order': False, 'shape': (1, 1), }\n";
        let file = Fixture::npy("ids.npy", dict, &[0; 8]);
        let message = read_ids(file.path()).unwrap_err().to_string();
        assert!(message.ends_with("ids.npy: expected dtype <i4 or >i4, found <i8"), "{message}");
    }

    #[test]
    fn unknown_extension_lists_the_known_ones() {
        for path in ["ids.txt", "ids", ".npy", "ids.fvecs"] {
            let path = Path::new(path);
            let read = read_ids(path).unwrap_err().to_string();
            assert!(read.ends_with(": unknown extension, expected .npy, .ivecs or .ibin"), "{read}");
            assert_eq!(check_ids_extension(path).unwrap_err().to_string(), read);
        }
    }

    #[test]
    fn missing_folder_is_named_and_nothing_is_written() {
        let file = Fixture::new("other", b"");
        let folder = file.path().with_file_name("missing");
        let error = write(&folder.join("ids.npy"), &ids()).unwrap_err();
        assert!(
            matches!(&error.problem, Problem::Folder { folder: named, .. } if *named == folder),
            "{error}"
        );
        assert!(!folder.exists());
    }

    #[test]
    fn failed_rename_leaves_no_temporary_file() {
        let file = Fixture::new("other", b"");
        let taken = file.path().with_file_name("ids.npy");
        let output = open_output(&taken, &[]).unwrap();
        std::fs::create_dir(&taken).unwrap();
        let error = write_ids(output, &ids()).unwrap_err();
        assert!(matches!(error.problem, Problem::Output(_)), "{error}");
        assert_eq!(file.neighbors(), 1, "the folder alone");
    }

    #[test]
    #[cfg(unix)]
    fn written_file_has_the_permissions_of_any_other() {
        use std::os::unix::fs::PermissionsExt;
        let other = Fixture::new("other.npy", b"");
        let ordinary = std::fs::metadata(other.path()).unwrap().permissions().mode();
        write(other.path(), &ids()).unwrap();
        assert_eq!(std::fs::metadata(other.path()).unwrap().permissions().mode(), ordinary);
    }
}
