use half::f16;

use super::super::fixture::Fixture;
use super::*;

fn file_of<T: FromFile>(path: &Path) -> Result<VectorFile<T>, FileError> {
    VectorFile::open(&Input::new(path, Role::Vectors))
}

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
    file_of::<f32>(file.path()).unwrap().read_all().unwrap()
}

/// The error of a file that does not open, without its name.
fn refusal(file: &Fixture) -> String {
    let message = file_of::<f32>(file.path()).unwrap_err().to_string();
    let name = format!("{}: ", file.path().display());
    message.strip_prefix(&name).unwrap_or_else(|| panic!("{message} begins with {name}")).to_owned()
}

#[test]
fn rows_are_read_one_by_one_then_all() {
    for file in every_format() {
        let mut vectors = file_of::<f32>(file.path()).unwrap();
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
        let mut vectors = file_of::<f32>(file.path()).unwrap();
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
    let rows = open(&Input::new(file.path(), Role::Vectors)).unwrap();
    assert_eq!(element(rows.shape().stored), Element::I8);
    assert_eq!(read(&file), Matrix::new(1, 3, vec![-128.0, 0.0, 127.0]));
    let signed = file_of::<i8>(file.path()).unwrap().read_all().unwrap();
    assert_eq!(VectorFile::<i8>::of(rows).unwrap().read_all().unwrap(), signed);
    assert_eq!(signed, Matrix::new(1, 3, vec![-128, 0, 127]));
    let error = file_of::<u8>(file.path()).unwrap_err().problem.to_string();
    assert_eq!(error, "expected elements of u8, found i8");
    let floats = Fixture::new("vectors.fbin", &fbin(3, 2, &f32s(&VALUES)));
    let error = file_of::<i8>(floats.path()).unwrap_err().problem.to_string();
    assert_eq!(error, "expected elements of i8, found f32");
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
        let bits = file_of::<u64>(file.path()).unwrap();
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
            assert_eq!(file_of::<f32>(cut.path()).is_ok(), whole_rows, "{name} at {len}");
        }
        let long = Fixture::new(name, &[&bytes[..], b"\n"].concat());
        assert!(file_of::<f32>(long.path()).is_err(), "{name} with a byte more");
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
        assert!(file_of::<f32>(Fixture::new(name, text).path()).is_err(), "{name}");
    }
    let expected = "expected an npy file, which begins with \\x93NUMPY";
    assert_eq!(refusal(&Fixture::new("a.npy", text)), expected);
}

#[test]
fn other_dtypes_are_named() {
    for (descr, found) in
        [("'<c8'", "<c8"), ("'|O'", "|O"), ("'\x1b[2J'", "\u{fffd}[2J"), ("[('a', '<f4')]", "[('a', '<f4')]")]
    {
        let expected =
            format!("expected a dtype of numbers (f2, f4, f8, b1, i1 to i8, u1 to u8), found {found}");
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
        let error = file_of::<f32>(file.path()).unwrap().read_all().unwrap_err();
        assert_eq!(error.path, file.path());
        let expected = format!("expected dimension 2 as in row 0, found {dim} in row 1");
        assert_eq!(error.problem.to_string(), expected);
    }
}

#[test]
fn file_that_shrinks_while_being_read_is_an_error() {
    // The other formats would still have these few bytes in the buffer.
    let file = Fixture::new("a.fvecs", &fvecs(&[(2, &[0.0, 1.0])]));
    let vectors = file_of::<f32>(file.path()).unwrap();
    std::fs::write(file.path(), b"").unwrap();
    let error = vectors.read_all().unwrap_err();
    assert!(matches!(error.problem, Problem::Read(_)), "{error}");
}

#[test]
fn numbers_that_are_no_vectors_are_named() {
    let types = "f32, f16, f64, i8, u8, i16 or u16";
    for (name, bytes, found) in [
        ("a.ivecs", &[1, 0, 0, 0, 7, 0, 0, 0][..], "i32"),
        ("a.ibin", &[1, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0], "i32"),
    ] {
        assert_eq!(
            refusal(&Fixture::new(name, bytes)),
            format!("expected elements of {types}, found {found}")
        );
    }
    let bools = npy("'|b1'", "False", "(1, 3)", &[1, 0, 1]);
    assert_eq!(refusal(&bools), format!("expected elements of {types}, found bool"));
    let wide = npy("'<i8'", "False", "(1, 1)", &[0; 8]);
    assert_eq!(refusal(&wide), format!("expected elements of {types}, found i64"));
}

#[test]
fn float64_is_rounded() {
    let values = [0.1_f64, -1e-50, 3.0];
    let little: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let big: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
    for (descr, bytes) in [("'<f8'", little), ("'>f8'", big)] {
        let rows = read(&npy(descr, "True", "(1, 3)", &bytes));
        assert_eq!(rows, Matrix::new(1, 3, vec![0.1, -0.0, 3.0]));
    }
}

#[test]
fn bools_are_bits() {
    let bools: Vec<u8> = (0..70).map(|bit| u8::from(bit % 3 == 0)).collect();
    let bits = file_of::<u64>(npy("'|b1'", "False", "(1, 70)", &bools).path()).unwrap();
    assert_eq!((bits.rows(), bits.dim(), bits.scalars()), (1, 70, 2));
    // numpy.packbits of the same bools.
    let packed = [0x92, 0x49, 0x24, 0x92, 0x49, 0x24, 0x92, 0x49, 0x24];
    let packed = file_of::<u64>(npy("'|u1'", "False", "(1, 9)", &packed).path()).unwrap();
    assert_eq!(bits.read_all().unwrap(), packed.read_all().unwrap());
}

#[test]
fn one_axis_is_one_query() {
    let file = npy("'<f4'", "False", "(3,)", &f32s(&VALUES[..3]));
    let queries = VectorFile::<f32>::open(&Input::new(file.path(), Role::Queries)).unwrap();
    assert_eq!(queries.read_all().unwrap(), Matrix::new(1, 3, VALUES[..3].to_vec()));
}

#[test]
fn rows_are_read_again_after_a_rewind() {
    let columns = npy("'<f4'", "True", "(3, 2)", &f32s(&[0.0, 2.0, 4.25, -1.5, 3.0, f32::INFINITY]));
    for file in every_format().into_iter().chain([columns]) {
        let mut vectors = file_of::<f32>(file.path()).unwrap();
        let mut row = [f32::NAN; 2];
        for _ in 0..2 {
            vectors.read_row(&mut row).unwrap();
        }
        vectors.rewind().unwrap();
        assert_eq!(vectors.read_all().unwrap(), expected());
    }
}

#[test]
fn file_without_a_known_extension_needs_a_format() {
    let file = Fixture::new("vectors.bin", &fbin(3, 2, &f32s(&VALUES)));
    assert!(refusal(&file).starts_with("unknown extension: expected --format, or one of .npy, .fvecs, "));
    let input = Input { format: Some(Format::Fbin), ..Input::new(file.path(), Role::Vectors) };
    assert_eq!(VectorFile::<f32>::open(&input).unwrap().read_all().unwrap(), expected());
}

#[test]
fn missing_file_has_an_error_of_its_own() {
    let file = Fixture::new("other", b"");
    let error = file_of::<f32>(&file.path().with_file_name("vectors.npy")).unwrap_err();
    assert!(matches!(error.problem, Problem::Open(_)), "{error}");
}
