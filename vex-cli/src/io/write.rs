//! Rows into files: `vex convert`.

use std::io::{self, Write};

use vex::Output;

use super::encoding::FromFile;
use super::error::{FileError, Problem};
use super::format::Format;
use super::npy;
use super::rows::{Rows, Shape};
use super::stored::{ByteOrder, Stored};
use super::tables;

/// The type in which a format holds the numbers of a file.
///
/// # Errors
/// If the format cannot hold them, whatever their values.
pub(crate) fn target(format: Format, rows: &dyn Rows) -> Result<Stored, FileError> {
    let Shape { stored, is_text, .. } = rows.shape();
    let refuse = |expected| Err(FileError::new(rows.path(), Problem::Elements { expected, found: stored }));
    let is_small = <f32 as FromFile>::ACCEPTED.contains(&stored);
    match format.stored() {
        Some(target) if is_text || target == stored => Ok(target),
        Some(Stored::F32) if !is_small => refuse(<f32 as FromFile>::ACCEPTED),
        Some(Stored::I32) if stored.is_float() || stored == Stored::Bool => {
            refuse(<i128 as FromFile>::ACCEPTED)
        }
        Some(Stored::U8 | Stored::I8) if !is_small => refuse(<f32 as FromFile>::ACCEPTED),
        Some(target) => Ok(target),
        None => Ok(match stored {
            Stored::F64 | Stored::I16 | Stored::U16 => Stored::F32,
            stored => stored,
        }),
    }
}

/// How rows are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writing {
    pub(crate) format: Format,
    /// What [`target`] has chosen.
    pub(crate) target: Stored,
    /// Whether rows of one number are an array of one axis in `.npy`, such as keys.
    pub(crate) is_column: bool,
}

/// Writes all rows, and replaces a file of the same name. `wrote` is called after each row.
///
/// # Errors
/// If a row cannot be read, the format does not hold a number of it, or the file cannot be written.
pub(crate) fn write(
    output: Output,
    rows: &mut dyn Rows,
    writing: Writing,
    wrote: &mut dyn FnMut(),
) -> Result<(), FileError> {
    let mut problem = None;
    let written = output.write(|out| {
        write_to(out, rows, writing, wrote).map_err(|failed| match failed {
            Failed::Write(error) => error,
            Failed::File(error) => {
                problem = Some(error);
                io::Error::other("the rows cannot be read")
            }
        })
    });
    match problem {
        Some(error) => Err(error),
        None => Ok(written?),
    }
}

/// Why a file was not written.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The output takes no bytes.
    Write(io::Error),
    /// The input has a fault.
    File(FileError),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

impl From<FileError> for Failed {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

/// Writes all rows to a stream.
pub(crate) fn write_to(
    out: &mut dyn Write,
    rows: &mut dyn Rows,
    writing: Writing,
    wrote: &mut dyn FnMut(),
) -> Result<(), Failed> {
    let Writing { format, target, is_column } = writing;
    let Shape { rows: count, dim, .. } = rows.shape();
    let shape = [count as u64, dim as u64];
    let too_large = || {
        let [rows_of, dim] = shape;
        FileError::new(rows.path(), Problem::TooLarge { rows: rows_of, dim })
    };
    let mut prefix = None;
    match format {
        Format::Npy if is_column && dim == 1 => npy::write_header(&mut *out, target, &[count])?,
        Format::Npy => npy::write_header(&mut *out, target, &[count, dim])?,
        Format::Fvecs | Format::Bvecs | Format::Ivecs => {
            prefix = Some(i32::try_from(dim).map_err(|_| too_large())?.to_le_bytes());
        }
        Format::Fbin | Format::U8bin | Format::I8bin | Format::Ibin => {
            for length in shape {
                out.write_all(&u32::try_from(length).map_err(|_| too_large())?.to_le_bytes())?;
            }
        }
        Format::Parquet | Format::Arrow | Format::Hdf5 => {
            return tables::write(out, Converter::new(rows, format, target)?, format, wrote);
        }
        Format::Csv | Format::Jsonl => {}
    }
    let mut converter = Converter::new(rows, format, target)?;
    let mut line = String::new();
    for at in 0..count {
        let row = converter.next()?;
        match format {
            Format::Csv | Format::Jsonl => {
                line.clear();
                let spelled = spell(row, target, format, &mut line);
                spelled.map_err(|(position, found)| {
                    let expected = "finite numbers for jsonl".to_owned();
                    FileError::new(converter.path(), Problem::Number { row: at, expected, found, position })
                })?;
                out.write_all(line.as_bytes())?;
            }
            _ => {
                if let Some(prefix) = prefix {
                    out.write_all(&prefix)?;
                }
                out.write_all(row)?;
            }
        }
        wrote();
    }
    Ok(out.flush()?)
}

/// Rows whose numbers become little-endian ones of a type.
pub(crate) struct Converter<'r> {
    rows: &'r mut dyn Rows,
    shape: Shape,
    format: Format,
    pub(crate) target: Stored,
    row: Vec<u8>,
    converted: Vec<u8>,
    next: usize,
}

impl<'r> Converter<'r> {
    pub(crate) fn new(rows: &'r mut dyn Rows, format: Format, target: Stored) -> Result<Self, FileError> {
        // No text is read as another type than these.
        rows.read_text_as(match target {
            Stored::I8 | Stored::U8 | Stored::F32 => target,
            _ => Stored::I64,
        });
        let shape = rows.shape();
        let mut converter =
            Self { rows, shape, format, target, row: Vec::new(), converted: Vec::new(), next: 0 };
        let lengths = [shape.row_bytes(), shape.dim.saturating_mul(target.size())];
        for (bytes, len) in [&mut converter.row, &mut converter.converted].into_iter().zip(lengths) {
            bytes
                .try_reserve_exact(len)
                .map_err(|error| FileError::new(converter.rows.path(), error.into()))?;
            bytes.resize(len, 0);
        }
        Ok(converter)
    }

    /// The shape of the input.
    #[cfg(feature = "formats")]
    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// How many rows were not read.
    #[cfg(feature = "formats")]
    pub(crate) fn left(&self) -> usize {
        self.shape.rows - self.next
    }

    /// The name of the input, for messages.
    pub(crate) fn path(&self) -> &std::path::Path {
        self.rows.path()
    }

    /// The bytes of the next row.
    pub(crate) fn next(&mut self) -> Result<&[u8], FileError> {
        self.rows.read(&mut self.row)?;
        let Shape { stored, bytes, .. } = self.shape;
        let size = stored.size();
        if bytes == ByteOrder::Big {
            self.row.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        self.next += 1;
        if stored == self.target {
            return Ok(&self.row);
        }
        let target = self.target;
        let numbers = self.row.chunks_exact(size).zip(self.converted.chunks_exact_mut(target.size()));
        for (position, (number, out)) in numbers.enumerate() {
            let value = Value::of(number, stored);
            value.put(target, out).ok_or_else(|| {
                let expected = match (target, self.format) {
                    (Stored::F32, format) => format!("numbers for {format}"),
                    (target, format) => format!("whole numbers of {target} for {format}"),
                };
                let problem =
                    Problem::Number { row: self.next - 1, expected, found: value.to_string(), position };
                FileError::new(self.rows.path(), problem)
            })?;
        }
        Ok(&self.converted)
    }
}

/// A number of any type.
#[derive(Clone, Copy, Debug)]
enum Value {
    /// `f64` holds floats of all types.
    Float(f64),
    /// And `i128` all whole numbers.
    Whole(i128),
}

impl Value {
    /// Decodes a little-endian number.
    fn of(bytes: &[u8], stored: Stored) -> Self {
        let mut wide = [0; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        let bits = u64::from_le_bytes(wide);
        match stored {
            Stored::F16 => Self::Float(half::f16::from_bits(bits as u16).to_f64()),
            Stored::F32 => Self::Float(f32::from_bits(bits as u32).into()),
            Stored::F64 => Self::Float(f64::from_bits(bits)),
            Stored::I8 => Self::Whole((bits as i8).into()),
            Stored::I16 => Self::Whole((bits as i16).into()),
            Stored::I32 => Self::Whole((bits as i32).into()),
            Stored::I64 => Self::Whole((bits as i64).into()),
            Stored::Bool | Stored::U8 | Stored::U16 | Stored::U32 | Stored::U64 => Self::Whole(bits.into()),
        }
    }

    /// Writes the number as another type. `f64` is rounded to `f32`, and nothing else is.
    fn put(self, target: Stored, out: &mut [u8]) -> Option<()> {
        let whole = match self {
            Self::Whole(whole) => Some(whole),
            Self::Float(float) if float.fract() == 0.0 && float.abs() < 1e18 => Some(float as i128),
            Self::Float(_) => None,
        };
        match target {
            Stored::F32 => {
                let float = match self {
                    Self::Float(float) if float.is_finite() && (float as f32).is_infinite() => return None,
                    Self::Float(float) => float as f32,
                    Self::Whole(whole) => whole as f32,
                };
                out.copy_from_slice(&float.to_le_bytes());
            }
            Stored::I8 => out.copy_from_slice(&i8::try_from(whole?).ok()?.to_le_bytes()),
            Stored::U8 => out.copy_from_slice(&u8::try_from(whole?).ok()?.to_le_bytes()),
            Stored::I32 => out.copy_from_slice(&i32::try_from(whole?).ok()?.to_le_bytes()),
            // Other types are written as they are.
            _ => return None,
        }
        Some(())
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Float(float) => write!(f, "{float:?}"),
            Self::Whole(whole) => write!(f, "{whole}"),
        }
    }
}

/// Appends a line of numbers, each as short as it is read back. JSON has no numbers that are not
/// finite: the error is the position of the first, and the number.
fn spell(row: &[u8], stored: Stored, format: Format, line: &mut String) -> Result<(), (usize, String)> {
    use std::fmt::Write;
    let [open, close] = if format == Format::Jsonl { ["[", "]\n"] } else { ["", "\n"] };
    line.push_str(open);
    for (position, number) in row.chunks_exact(stored.size()).enumerate() {
        if position > 0 {
            line.push(',');
        }
        let value = Value::of(number, stored);
        if let (Format::Jsonl, Value::Float(float)) = (format, value)
            && !float.is_finite()
        {
            return Err((position, value.to_string()));
        }
        // Writing to a string does not fail.
        let _ = match value {
            // As the type that it has, since a wider one shows more digits.
            Value::Float(float) if stored != Stored::F64 => write!(line, "{:?}", float as f32),
            value => write!(line, "{value}"),
        };
    }
    line.push_str(close);
    Ok(())
}
