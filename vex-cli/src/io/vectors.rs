//! Files of vectors.

use std::path::Path;

use vex::{Element, Scalar};

use super::encoding::Encoding;
use super::error::{FileError, Problem};
use super::matrix::Matrix;
use super::reader::RowReader;
use super::source::Source;
use super::{bin, npy, vecs};

/// A file of vectors, read row by row.
///
/// `.npy`, `.fvecs`, `.bvecs` or `.fbin`. NaN is not refused here, since the index checks values.
#[derive(Debug)]
pub(crate) struct VectorFile<T = f32> {
    reader: RowReader<T>,
}

/// A scalar type as which vectors can be read.
pub(crate) trait FromFile: Scalar {
    /// The dtypes of an `.npy` file.
    const NPY: &'static [npy::Dtype<Self>];
    /// The encoding of `f32`, if it can be read as this type.
    const F32: Option<Encoding<Self>>;
    /// The encoding of `u8`, if it can be read as this type.
    const U8: Option<Encoding<Self>>;
}

/// Numbers of every type can be read as `f32`.
impl FromFile for f32 {
    const NPY: &'static [npy::Dtype<f32>] = &[
        ("<f4", Encoding::F32_LE),
        ("<f2", Encoding::F16_LE),
        (">f4", Encoding::F32_BE),
        (">f2", Encoding::F16_BE),
        ("|i1", Encoding::WIDE_I8),
        ("|u1", Encoding::WIDE_U8),
    ];
    const F32: Option<Encoding<f32>> = Some(Encoding::F32_LE);
    const U8: Option<Encoding<f32>> = Some(Encoding::WIDE_U8);
}

impl FromFile for i8 {
    const NPY: &'static [npy::Dtype<i8>] = &[("|i1", Encoding::I8)];
    const F32: Option<Encoding<i8>> = None;
    const U8: Option<Encoding<i8>> = None;
}

impl FromFile for u8 {
    const NPY: &'static [npy::Dtype<u8>] = &[("|u1", Encoding::U8)];
    const F32: Option<Encoding<u8>> = None;
    const U8: Option<Encoding<u8>> = Some(Encoding::U8);
}

/// Bits, as `numpy.packbits` packs them.
impl FromFile for u64 {
    const NPY: &'static [npy::Dtype<u64>] = &[("|u1", Encoding::BITS)];
    const F32: Option<Encoding<u64>> = None;
    const U8: Option<Encoding<u64>> = Some(Encoding::BITS);
}

impl<T: FromFile> VectorFile<T> {
    /// Opens a file in the format that its extension names.
    ///
    /// # Errors
    /// If the header is malformed, the elements cannot be read as `T`, or the length of the file is
    /// not the one in the header. So truncation shows before hours of work. The exception is a
    /// `.fvecs` or `.bvecs` file that ends after a whole row: it only looks shorter.
    pub(crate) fn open(path: &Path) -> Result<Self, FileError> {
        let format = Format::of(path)?;
        Self::of(Source::open(path)?, format)
    }

    /// The file with its elements read as another type. None of them was read yet.
    ///
    /// # Errors
    /// If the elements cannot be read as `U`.
    pub(crate) fn typed<U: FromFile>(self) -> Result<VectorFile<U>, FileError> {
        let mut source = self.reader.into_source();
        source.rewind()?;
        let format = Format::of(source.path())?;
        VectorFile::of(source, format)
    }

    /// Reads the header.
    fn of(mut source: Source, format: Format) -> Result<Self, FileError> {
        let path = source.path().to_owned();
        let readable = |encoding: Option<Encoding<T>>, found: &str| {
            let accepted = || T::NPY.iter().map(|(descr, _)| *descr).collect();
            let dtype = || Problem::Dtype { found: found.to_owned(), accepted: accepted() };
            encoding.ok_or_else(|| FileError::new(&path, dtype()))
        };
        let layout = match format {
            Format::Npy => npy::layout(&mut source, 2, T::NPY)?,
            Format::Fvecs => vecs::layout(&mut source, readable(T::F32, "<f4")?)?,
            Format::Bvecs => vecs::layout(&mut source, readable(T::U8, "|u1")?)?,
            Format::Fbin => bin::layout(&mut source, readable(T::F32, "<f4")?)?,
        };
        Ok(Self { reader: RowReader::new(source, layout)? })
    }

    /// Number of vectors, at least 1.
    pub(crate) fn rows(&self) -> usize {
        self.reader.layout().rows
    }

    /// Elements of a vector, at least 1.
    pub(crate) fn dim(&self) -> usize {
        let layout = self.reader.layout();
        // No overflow: a row is not longer than the file.
        layout.dim * layout.encoding.packs
    }

    /// The file's name.
    pub(crate) fn path(&self) -> &Path {
        self.reader.source().path()
    }

    /// Reads the next vector into `row`.
    ///
    /// A matrix stored by columns (`fortran_order`) is held in memory as a whole, from the first
    /// row on. No other file is.
    ///
    /// # Errors
    /// If reading fails, if the row claims another dimension than the first, or after the last row.
    ///
    /// # Panics
    /// If the length of `row` is not the scalars of [`dim`](Self::dim) elements.
    pub(crate) fn read_row(&mut self, row: &mut [T]) -> Result<(), FileError> {
        self.reader.read_row(row)
    }

    /// Reads all vectors that have not been read.
    pub(crate) fn read_all(self) -> Result<Matrix<T>, FileError> {
        self.reader.read_all()
    }
}

impl VectorFile {
    /// Opens an `.npy` file that is embedded in the program. `path` is its name for the errors.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    #[cfg(feature = "demo")]
    pub(crate) fn embedded_npy(path: &Path, bytes: &'static [u8]) -> Result<Self, FileError> {
        let mut source = Source::embedded(path, bytes);
        let layout = npy::layout(&mut source, 2, f32::NPY)?;
        Ok(Self { reader: RowReader::new(source, layout)? })
    }

    /// The type of the elements in the file, which are read as `f32` here.
    pub(crate) fn element(&self) -> Element {
        Element::from_name(self.reader.layout().encoding.name).unwrap_or_default()
    }
}

enum Format {
    Npy,
    Fvecs,
    Bvecs,
    Fbin,
}

impl Format {
    fn of(path: &Path) -> Result<Self, FileError> {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        match extension.to_str() {
            Some("npy") => Ok(Self::Npy),
            Some("fvecs") => Ok(Self::Fvecs),
            Some("bvecs") => Ok(Self::Bvecs),
            Some("fbin") => Ok(Self::Fbin),
            _ => {
                let accepted = ".npy, .fvecs, .bvecs or .fbin";
                Err(FileError::new(path, Problem::Extension { accepted }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::super::fixture::Fixture;
    use super::*;

    const VALUES: [f32; 6] = [0.0, -1.5, 2.0, 3.0, 4.25, f32::INFINITY];

    fn expected() -> Matrix<f32> {
        Matrix::new(3, 2, VALUES.to_vec())
    }

    fn f32s(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn npy(descr: &str, fortran_order: &str, shape: &str, elements: &[u8]) -> Fixture {
        let dict = format!("{{'descr': {descr}, 'fortran_order': {fortran_order}, 'shape': {shape}, }}\n");
        Fixture::npy("vectors.npy", &dict, elements)
    }

    fn fvecs(rows: &[(i32, &[f32])]) -> Vec<u8> {
        rows.iter().flat_map(|(dim, row)| [&dim.to_le_bytes()[..], &f32s(row)].concat()).collect()
    }

    fn fbin(rows: u32, dim: u32, elements: &[u8]) -> Vec<u8> {
        [&rows.to_le_bytes()[..], &dim.to_le_bytes(), elements].concat()
    }

    /// Three rows, in every format.
    fn every_format() -> Vec<Fixture> {
        let rows: Vec<(i32, &[f32])> = VALUES.chunks(2).map(|row| (2, row)).collect();
        vec![
            npy("'<f4'", "False", "(3, 2)", &f32s(&VALUES)),
            Fixture::new("vectors.fvecs", &fvecs(&rows)),
            Fixture::new("vectors.fbin", &fbin(3, 2, &f32s(&VALUES))),
        ]
    }

    fn read(file: &Fixture) -> Matrix<f32> {
        VectorFile::<f32>::open(file.path()).unwrap().read_all().unwrap()
    }

    /// The error of a file that does not open, without its name.
    fn refusal(file: &Fixture) -> String {
        let message = VectorFile::<f32>::open(file.path()).unwrap_err().to_string();
        let name = format!("{}: ", file.path().display());
        message.strip_prefix(&name).unwrap_or_else(|| panic!("{message} begins with {name}")).to_owned()
    }

    #[test]
    fn rows_are_read_one_by_one_then_all() {
        for file in every_format() {
            let mut vectors = VectorFile::<f32>::open(file.path()).unwrap();
            assert_eq!((vectors.rows(), vectors.dim(), vectors.path()), (3, 2, file.path()));
            let mut row = [f32::NAN; 2];
            vectors.read_row(&mut row).unwrap();
            assert_eq!(row, VALUES[..2]);
            assert_eq!(vectors.read_all().unwrap(), Matrix::new(2, 2, VALUES[2..].to_vec()));
        }
    }

    #[test]
    fn reading_past_the_end_is_an_error() {
        let columns = npy("'<f4'", "True", "(3, 2)", &f32s(&VALUES));
        for file in every_format().into_iter().chain([columns]) {
            let mut vectors = VectorFile::<f32>::open(file.path()).unwrap();
            let mut row = [0.0; 2];
            for _ in 0..3 {
                vectors.read_row(&mut row).unwrap();
            }
            let error = vectors.read_row(&mut row).unwrap_err();
            assert!(matches!(error.problem, Problem::PastEnd { rows: 3 }), "{error}");
            assert_eq!(vectors.read_all().unwrap().rows(), 0);
        }
    }

    #[test]
    fn npy_is_read_in_every_width_and_endianness() {
        let big: Vec<u8> = VALUES.iter().flat_map(|value| value.to_be_bytes()).collect();
        let half: Vec<u8> = VALUES.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect();
        let half_big: Vec<u8> = VALUES.iter().flat_map(|value| f16::from_f32(*value).to_be_bytes()).collect();
        for (descr, bytes) in [("'>f4'", big), ("'<f2'", half), ("'>f2'", half_big)] {
            assert_eq!(read(&npy(descr, "False", "(3, 2)", &bytes)), expected(), "{descr}");
        }
    }

    #[test]
    fn fortran_order_is_transposed() {
        let by_columns = [0.0, 2.0, 4.25, -1.5, 3.0, f32::INFINITY];
        assert_eq!(read(&npy("'<f4'", "True", "(3, 2)", &f32s(&by_columns))), expected());
        let half: Vec<u8> = by_columns.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect();
        assert_eq!(read(&npy("'<f2'", "True", "(3, 2)", &half)), expected());
    }

    #[test]
    fn later_npy_versions_have_a_longer_length() {
        let dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }\n";
        for version in [2, 3] {
            let len = (dict.len() as u32).to_le_bytes();
            let bytes = [b"\x93NUMPY", &[version, 0][..], &len, dict.as_bytes(), &f32s(&VALUES)].concat();
            assert_eq!(read(&Fixture::new("vectors.npy", &bytes)), expected());
        }
    }

    #[test]
    fn bvecs_hold_bytes() {
        let file = Fixture::new("vectors.bvecs", &[2, 0, 0, 0, 0, 255, 2, 0, 0, 0, 7, 128]);
        assert_eq!(read(&file), Matrix::new(2, 2, vec![0.0, 255.0, 7.0, 128.0]));
    }

    #[test]
    fn integers_are_read_as_what_they_are_and_as_f32() {
        let file = npy("'|i1'", "False", "(1, 3)", &[0x80, 0, 0x7F]);
        assert_eq!(VectorFile::<f32>::open(file.path()).unwrap().element(), Element::I8);
        assert_eq!(read(&file), Matrix::new(1, 3, vec![-128.0, 0.0, 127.0]));
        let signed = VectorFile::<i8>::open(file.path()).unwrap().read_all().unwrap();
        let typed = VectorFile::<f32>::open(file.path()).unwrap().typed::<i8>().unwrap();
        assert_eq!(typed.read_all().unwrap(), signed);
        assert_eq!(signed, Matrix::new(1, 3, vec![-128, 0, 127]));
        let error = VectorFile::<u8>::open(file.path()).unwrap_err().problem.to_string();
        assert_eq!(error, "expected dtype |u1, found |i1");
        let floats = Fixture::new("vectors.fbin", &fbin(3, 2, &f32s(&VALUES)));
        let error = VectorFile::<i8>::open(floats.path()).unwrap_err().problem.to_string();
        assert_eq!(error, "expected dtype |i1, found <f4");
    }

    #[test]
    fn bits_are_read_as_words() {
        let rows: [[u8; 9]; 2] = [[1, 0, 0, 0, 0, 0, 0, 0, 2], [0, 4, 0, 0, 0, 0, 0, 0, 8]];
        let by_rows = npy("'|u1'", "False", "(2, 9)", rows.as_flattened());
        let columns: Vec<u8> = (0..9).flat_map(|column| rows.map(|row| row[column])).collect();
        let by_columns = npy("'|u1'", "True", "(2, 9)", &columns);
        let prefix = 9_i32.to_le_bytes();
        let bvecs = rows.map(|row| [&prefix[..], &row].concat()).concat();
        for file in [by_rows, by_columns, Fixture::new("vectors.bvecs", &bvecs)] {
            let bits = VectorFile::<u64>::open(file.path()).unwrap();
            assert_eq!((bits.rows(), bits.dim()), (2, 72));
            assert_eq!(bits.read_all().unwrap(), Matrix::new(2, 2, vec![1, 2, 4 << 8, 8]));
        }
    }

    #[test]
    fn nan_is_passed_on() {
        let file = Fixture::new("vectors.fbin", &fbin(1, 1, &f32s(&[f32::NAN])));
        assert!(read(&file).row(0)[0].is_nan());
    }

    #[test]
    fn extension_may_be_in_capitals() {
        assert_eq!(read(&Fixture::new("vectors.FBIN", &fbin(3, 2, &f32s(&VALUES)))), expected());
    }

    #[test]
    fn every_truncation_is_found_on_opening() {
        for file in every_format() {
            let name = file.path().file_name().unwrap().to_str().unwrap();
            let bytes = std::fs::read(file.path()).unwrap();
            for len in 0..bytes.len() {
                // If every row has its length, a missing row at the end leaves no trace.
                let whole_rows = name == "vectors.fvecs" && len > 0 && len % 12 == 0;
                let cut = Fixture::new(name, &bytes[..len]);
                assert_eq!(VectorFile::<f32>::open(cut.path()).is_ok(), whole_rows, "{name} at {len}");
            }
            let long = Fixture::new(name, &[&bytes[..], b"\n"].concat());
            assert!(VectorFile::<f32>::open(long.path()).is_err(), "{name} with a byte more");
        }
    }

    #[test]
    fn wrong_length_is_reported_with_its_likely_reason() {
        let file = Fixture::new("vectors.fbin", &fbin(1000, 384, &[0; 692]));
        assert_eq!(refusal(&file), "expected 1536008 bytes for 1000 x 384 f32 rows, found 700 (truncated?)");
        let file = Fixture::new("vectors.fbin", &fbin(1, 1, &[0; 8]));
        assert_eq!(refusal(&file), "expected 12 bytes for 1 x 1 f32 rows, found 16 (trailing bytes?)");
        let file = Fixture::new("vectors.fvecs", &fvecs(&[(2, &[0.0])]));
        let expected = "expected a multiple of 12 bytes, for rows of 2 f32 elements, found 8 (truncated?)";
        assert_eq!(refusal(&file), expected);
    }

    #[test]
    fn empty_file_is_called_empty() {
        for (name, header) in [("a.npy", 6), ("a.fvecs", 4), ("a.bvecs", 4), ("a.fbin", 4)] {
            let expected = format!("expected a header of at least {header} bytes, found 0 bytes (empty)");
            assert_eq!(refusal(&Fixture::new(name, b"")), expected);
        }
    }

    #[test]
    fn text_is_refused_by_every_format() {
        let text = b"0.25,0.5,0.75\n1.0,2.0,3.0\n";
        for name in ["a.npy", "a.fvecs", "a.bvecs", "a.fbin"] {
            assert!(VectorFile::<f32>::open(Fixture::new(name, text).path()).is_err(), "{name}");
        }
        let expected = "expected an npy file, which begins with \\x93NUMPY";
        assert_eq!(refusal(&Fixture::new("a.npy", text)), expected);
    }

    #[test]
    fn other_dtypes_are_named() {
        for (descr, found) in [
            ("'<f8'", "<f8"),
            ("'|O'", "|O"),
            ("'\x1b[2J'", "\u{fffd}[2J"),
            ("[('a', '<f4')]", "[('a', '<f4')]"),
        ] {
            let expected = format!("expected dtype <f4 or <f2 or >f4 or >f2 or |i1 or |u1, found {found}");
            assert_eq!(refusal(&npy(descr, "False", "(1, 1)", &[0; 8])), expected);
        }
    }

    #[test]
    fn array_must_have_two_axes() {
        for (shape, axes) in [("()", 0), ("(2,)", 1), ("(1, 2, 1)", 3)] {
            let expected = format!("expected a 2-D array, found a {axes}-D array");
            assert_eq!(refusal(&npy("'<f4'", "False", shape, &[0; 8])), expected);
        }
    }

    #[test]
    fn matrix_without_elements_is_refused() {
        let expected = "expected at least one row and one column, found 0 x 3";
        assert_eq!(refusal(&npy("'<f4'", "False", "(0, 3)", &[])), expected);
        assert_eq!(refusal(&Fixture::new("a.fbin", &fbin(0, 3, &[]))), expected);
        let expected = "expected at least one row and one column, found 3 x 0";
        assert_eq!(refusal(&npy("'<f4'", "True", "(3, 0)", &[])), expected);
        for dim in [0, -1, i32::MIN] {
            let expected = format!("expected a positive dimension at the start of the file, found {dim}");
            assert_eq!(refusal(&Fixture::new("a.fvecs", &fvecs(&[(dim, &[])]))), expected);
        }
    }

    #[test]
    fn absurd_headers_are_refused_before_allocating() {
        let most = u32::MAX;
        let expected = format!("{most} x {most} elements are more than can be addressed");
        assert_eq!(refusal(&Fixture::new("a.fbin", &fbin(most, most, &[]))), expected);
        for shape in ["(9223372036854775807, 9223372036854775807)", "(18446744073709551615, 1)"] {
            let message = refusal(&npy("'<f4'", "True", shape, &[0; 4]));
            assert!(message.ends_with("elements are more than can be addressed"), "{message}");
        }
        assert!(refusal(&npy("'<f4'", "False", "(1000000000000, 1000)", &[])).ends_with("(truncated?)"));
        let file = Fixture::new("a.fvecs", &fvecs(&[(i32::MAX, &[0.0])]));
        assert!(refusal(&file).starts_with("expected a multiple of 8589934592 bytes"));
    }

    #[test]
    fn odd_npy_headers_are_refused() {
        for (bytes, expected) in [
            (&b"\x93NUMPY\x04\x00"[..], "expected npy version 1.0, 2.0 or 3.0, found 4.0"),
            (b"\x93NUMPY\x01\x00", "expected a header of at least 10 bytes, found 8 bytes (truncated?)"),
            (
                b"\x93NUMPY\x02\x00\xff\xff\xff\xff",
                "expected an npy header of at most 65535 bytes, found one of 4294967295",
            ),
            (
                b"\x93NUMPY\x01\x00\x02\x00{",
                "expected a header of at least 12 bytes, found 11 bytes (truncated?)",
            ),
            (
                b"\x93NUMPY\x01\x00\x02\x00{}",
                "expected an npy header with descr, fortran_order and shape, it is malformed at byte 2",
            ),
        ] {
            assert_eq!(refusal(&Fixture::new("a.npy", bytes)), expected);
        }
    }

    #[test]
    fn rows_must_agree_about_the_dimension() {
        for dim in [1, 3, 0, -2] {
            let rows: [(i32, &[f32]); 3] = [(2, &[0.0, 1.0]), (dim, &[2.0, 3.0]), (2, &[4.0, 5.0])];
            let file = Fixture::new("a.fvecs", &fvecs(&rows));
            let error = VectorFile::<f32>::open(file.path()).unwrap().read_all().unwrap_err();
            assert_eq!(error.path, file.path());
            let expected = format!("expected dimension 2 as in row 0, found {dim} in row 1");
            assert_eq!(error.problem.to_string(), expected);
        }
    }

    #[test]
    fn file_that_shrinks_while_being_read_is_an_error() {
        // The other formats would still have these few bytes in the buffer.
        let file = Fixture::new("a.fvecs", &fvecs(&[(2, &[0.0, 1.0])]));
        let vectors = VectorFile::<f32>::open(file.path()).unwrap();
        std::fs::write(file.path(), b"").unwrap();
        let error = vectors.read_all().unwrap_err();
        assert!(matches!(error.problem, Problem::Read(_)), "{error}");
    }

    #[test]
    fn unknown_extension_lists_the_known_ones() {
        for path in ["vectors.csv", "vectors", ".npy", "vectors.ivecs"] {
            let error = VectorFile::<f32>::open(Path::new(path)).unwrap_err().to_string();
            assert_eq!(error, format!("{path}: unknown extension, expected .npy, .fvecs, .bvecs or .fbin"));
        }
    }

    #[test]
    fn missing_file_and_folder_have_errors_of_their_own() {
        let file = Fixture::new("other", b"");
        let path = file.path().with_file_name("vectors.npy");
        let error = VectorFile::<f32>::open(&path).unwrap_err();
        assert!(matches!(error.problem, Problem::Open(_)), "{error}");
        std::fs::create_dir(&path).unwrap();
        let error = VectorFile::<f32>::open(&path).unwrap_err();
        assert!(matches!(error.problem, Problem::NotRegular), "{error}");
    }
}
