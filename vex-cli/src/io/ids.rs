//! Files of neighbor ids, such as ground truth and search results.

use std::io::Write;
use std::path::Path;

use vex::Output;

use super::error::{FileError, Problem};
use super::format::Input;
use super::matrix::Matrix;
use super::npy;
use super::stored::Stored;
use super::vectors::VectorFile;

/// The ids of each query's neighbors, nearest first, one row for each query.
pub(crate) type IdMatrix = Matrix<i64>;

/// Reads ids of any format, as whole numbers of 32 or 64 bits.
///
/// # Errors
/// If the file cannot be read, or an id is beyond those of `i64`.
pub(crate) fn read_ids(input: &Input<'_>) -> Result<IdMatrix, FileError> {
    let mut file = VectorFile::<i128>::open(input)?;
    let (rows, dim) = (file.rows(), file.dim());
    let mut ids: Vec<i64> = Vec::new();
    let memory = |file: &VectorFile<i128>, error| FileError::new(file.path(), Problem::Memory(error));
    ids.try_reserve_exact(rows.saturating_mul(dim)).map_err(|error| memory(&file, error))?;
    let mut row = Vec::new();
    row.try_reserve_exact(dim).map_err(|error| memory(&file, error))?;
    row.resize(dim, i128::default());
    for index in 0..rows {
        file.read_row(&mut row)?;
        for (position, id) in row.iter().enumerate() {
            ids.push(i64::try_from(*id).map_err(|_| {
                let expected = "ids of 64 bits with a sign".to_owned();
                let problem = Problem::Number { row: index, expected, found: id.to_string(), position };
                FileError::new(file.path(), problem)
            })?);
        }
    }
    Ok(Matrix::new(rows, dim, ids))
}

/// The largest id that [`write_ids`] can write into a file with the extension of `path`. Checked
/// before the ids are computed.
///
/// # Errors
/// If it can write no such file.
pub(crate) fn largest_id(path: &Path) -> Result<u64, FileError> {
    Ok(match Format::of(path)? {
        Format::Npy => i64::MAX as u64,
        Format::Ivecs | Format::Ibin => i32::MAX as u64,
    })
}

/// Writes an `.npy`, `.ivecs` or `.ibin` file, and replaces one of the same name. An `.npy` file has
/// ids of 64 bits if one needs them, and else of 32.
///
/// # Errors
/// If the extension is another, or the file cannot be written.
pub(crate) fn write_ids(output: Output, ids: &IdMatrix) -> Result<(), FileError> {
    let path = output.path();
    let format = Format::of(path)?;
    let (rows, dim) = (ids.rows() as u64, ids.dim() as u64);
    let too_large = || FileError::new(path, Problem::TooLarge { rows, dim });
    let wide = ids.iter().flatten().any(|id| i32::try_from(*id).is_err());

    let mut header = Vec::new();
    let mut prefix = None;
    match format {
        Format::Npy => {
            let stored = if wide { Stored::I64 } else { Stored::I32 };
            npy::write_header(&mut header, stored, &[ids.rows(), ids.dim()])
                .map_err(|error| FileError::new(path, Problem::Write(error)))?;
        }
        Format::Ivecs | Format::Ibin if wide => return Err(too_large()),
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
        write_rows(&mut out, prefix, ids, wide)
    })?;
    Ok(())
}

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
fn write_rows(
    out: &mut impl Write,
    prefix: Option<[u8; 4]>,
    ids: &IdMatrix,
    wide: bool,
) -> std::io::Result<()> {
    for row in ids.iter() {
        if let Some(prefix) = prefix {
            out.write_all(&prefix)?;
        }
        for id in row {
            // An id that is not wide has its sign in the lower half, too.
            let bytes = id.to_le_bytes();
            out.write_all(if wide { &bytes } else { &bytes[..4] })?;
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::super::format::Role;
    use super::super::output::open_output;
    use super::*;

    fn write(path: &Path, ids: &IdMatrix) -> Result<(), FileError> {
        write_ids(open_output(path, &[])?, ids)
    }

    fn read(path: &Path) -> Result<IdMatrix, FileError> {
        read_ids(&Input::new(path, Role::Ids))
    }

    fn ids() -> IdMatrix {
        Matrix::new(3, 2, vec![0, 1, -1, i32::MAX.into(), i32::MIN.into(), 7])
    }

    fn names() -> [&'static str; 4] {
        ["ids.npy", "ids.ivecs", "ids.ibin", "ids.NPY"]
    }

    #[test]
    fn written_ids_are_read_back() {
        for name in names() {
            let file = Fixture::new(name, b"something older");
            write(file.path(), &ids()).unwrap();
            assert_eq!(read(file.path()).unwrap(), ids(), "{name}");
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
                assert_eq!(read(cut.path()).ok().map(|ids| ids.rows()), expected, "{name} at {len}");
            }
            let long = Fixture::new(name, &[&bytes[..], b"\n"].concat());
            assert!(read(long.path()).is_err(), "{name}");
        }
    }

    #[test]
    fn ids_of_every_width_are_read() {
        let npy = |descr: &str, bytes: &[u8]| {
            let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1, 2), }}\n");
            read(Fixture::npy("ids.npy", &dict, bytes).path()).map_err(|error| error.problem.to_string())
        };
        let expected = Ok(Matrix::new(1, 2, vec![7, 258]));
        assert_eq!(npy("<i8", &[7, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0]), expected);
        assert_eq!(npy("<u8", &[7, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0]), expected);
        assert_eq!(npy("<u4", &[7, 0, 0, 0, 2, 1, 0, 0]), expected);
        assert_eq!(npy(">i4", &[0, 0, 0, 7, 0, 0, 1, 2]), expected);
        assert_eq!(
            npy("<u8", &[0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]),
            Err("row 0: expected ids of 64 bits with a sign, found 18446744073709551615 at position 1".into())
        );
        assert_eq!(npy("<f4", &[0; 8]), Err("expected elements of u64, i64, u32 or i32, found f32".into()));
    }

    #[test]
    fn wide_ids_are_written_where_there_is_room() {
        let wide = Matrix::new(1, 2, vec![i64::MAX, -1]);
        let file = Fixture::new("ids.npy", b"");
        write(file.path(), &wide).unwrap();
        assert_eq!(read(file.path()).unwrap(), wide);
        for name in ["ids.ivecs", "ids.ibin"] {
            let error = write(Fixture::new(name, b"").path(), &wide).unwrap_err();
            assert!(matches!(error.problem, Problem::TooLarge { .. }), "{error}");
        }
    }

    #[test]
    fn unknown_extension_lists_the_known_ones() {
        for path in ["ids.txt", "ids", ".npy", "ids.fvecs"] {
            let error = largest_id(Path::new(path)).unwrap_err().to_string();
            assert_eq!(error, format!("{path}: unknown extension, expected .npy, .ivecs or .ibin"));
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
