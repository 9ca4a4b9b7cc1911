//! Datasets of HDF5 files, such as those of ann-benchmarks: `train`, `test`, `neighbors`.

use std::path::Path;
use std::sync::Arc;

use hdf5_reader::{Dataset, Datatype, FileStorage, H5Type, Hdf5File, OpenOptions, SliceInfo, SliceInfoElem};

use super::super::error::{FileError, Problem};
use super::super::format::{Input, Role};
use super::super::numbers::start;
use super::super::rows::{Rows, Shape};
use super::super::source::Source;
use super::super::stored::{ByteOrder, Stored};
use super::guard::guard;

/// Bytes that are read at a time, if a row is not longer.
const CHUNK: usize = 4 << 20;

/// The most bytes that the library may allocate for a read, or for a chunk of the file. A header may
/// claim more.
const MOST: usize = 1 << 30;

/// A number as the bytes that the file has. The library would decode numbers of some types alone.
#[derive(Clone, Copy, Debug)]
struct Raw<const N: usize>([u8; N]);

impl<const N: usize> H5Type for Raw<N> {
    fn hdf5_type() -> Datatype {
        let byte_order = hdf5_reader::ByteOrder::LittleEndian;
        Datatype::FixedPoint { size: N as u8, signed: false, byte_order }
    }

    fn from_bytes(bytes: &[u8], _: &Datatype) -> hdf5_reader::error::Result<Self> {
        let bytes = bytes.first_chunk().ok_or_else(|| {
            hdf5_reader::error::Error::InvalidData(format!("expected {N} bytes, found {}", bytes.len()))
        })?;
        Ok(Self(*bytes))
    }

    fn element_size(_: &Datatype) -> usize {
        N
    }
}

/// The rows of a dataset of two axes, or the one row of a dataset of one.
struct DatasetRows {
    source: Source,
    dataset: Dataset,
    shape: Shape,
    is_row: bool,
    /// Rows that were read, and the first of them that was not passed on.
    chunk: Vec<u8>,
    at: usize,
    /// The next row of the file.
    next: usize,
}

/// Opens a dataset: the one that was named, or else that with the name of the role.
pub(super) fn open(source: Source, input: &Input<'_>) -> Result<Box<dyn Rows>, FileError> {
    let path = source.path().to_owned();
    let file = source.shared_file()?;
    let found = guard(&path, || -> hdf5_reader::error::Result<_> {
        // Other files that this one names are not opened.
        let options = OpenOptions::default().with_max_chunk_bytes(MOST).with_max_read_bytes(MOST);
        let storage = FileStorage::from_file(file.try_clone()?)?;
        let file = Hdf5File::from_storage_with_options(Arc::new(storage), options)?;
        let (_, names) = file.root_group()?.member_names()?;
        let wanted = match input.column {
            Some(name) => Some(name.to_owned()),
            None => {
                let usual = input.role.names().iter().find(|name| names.iter().any(|found| found == *name));
                usual.map(|name| (*name).to_owned())
            }
        };
        // A dataset in a group has a path.
        Ok(match wanted {
            Some(name) if name.contains('/') || names.contains(&name) => {
                let dataset = file.dataset(&name)?;
                Ok((name, dataset))
            }
            wanted => Err((wanted, names)),
        })
    })?;
    let (name, dataset) = found.map_err(|(wanted, names)| {
        let expected = match wanted {
            Some(name) => format!("a dataset {name}"),
            None => format!("a dataset {}, or --column", input.role.names()[0]),
        };
        FileError::new(&path, Problem::Column { expected, found: start(&names.join(", ")) })
    })?;
    let column = |expected: &str, found: String| {
        let problem = Problem::Column { expected: format!("{expected} in the dataset {name}"), found };
        FileError::new(&path, problem)
    };
    let (stored, bytes) =
        number(dataset.dtype()).ok_or_else(|| column("numbers", start(&format!("{:?}", dataset.dtype()))))?;
    let ([rows, dim], is_row) = match *dataset.shape() {
        [rows, dim] => ([rows, dim], false),
        [dim] if input.role == Role::Queries => ([1, dim], true),
        ref axes => return Err(column("two axes", axes.len().to_string())),
    };
    if rows == 0 || dim == 0 {
        return Err(FileError::new(&path, Problem::NoElements { rows, dim }));
    }
    let row_bytes = dim.checked_mul(stored.size() as u64).filter(|bytes| *bytes <= MOST as u64);
    let (Ok(row_count), Some(row_bytes)) = (usize::try_from(rows), row_bytes) else {
        return Err(FileError::new(&path, Problem::TooLarge { rows, dim }));
    };
    let shape =
        Shape { rows: row_count, dim: row_bytes as usize / stored.size(), stored, bytes, is_text: false };
    Ok(Box::new(DatasetRows { source, dataset, shape, is_row, chunk: Vec::new(), at: 0, next: 0 }))
}

/// The type of a number. Bits in bytes of their own are an enumeration of two.
fn number(kind: &Datatype) -> Option<(Stored, ByteOrder)> {
    let order = |order: hdf5_reader::ByteOrder| match order {
        hdf5_reader::ByteOrder::LittleEndian => ByteOrder::Little,
        hdf5_reader::ByteOrder::BigEndian => ByteOrder::Big,
    };
    let (stored, bytes) = match kind {
        Datatype::FloatingPoint { size, byte_order } => {
            let stored = match size {
                2 => Stored::F16,
                4 => Stored::F32,
                8 => Stored::F64,
                _ => return None,
            };
            (stored, *byte_order)
        }
        Datatype::FixedPoint { size, signed, byte_order } => {
            let stored = match (size, signed) {
                (1, true) => Stored::I8,
                (1, false) => Stored::U8,
                (2, true) => Stored::I16,
                (2, false) => Stored::U16,
                (4, true) => Stored::I32,
                (4, false) => Stored::U32,
                (8, true) => Stored::I64,
                (8, false) => Stored::U64,
                _ => return None,
            };
            (stored, *byte_order)
        }
        Datatype::Enum { base, members } if members.len() == 2 => match **base {
            Datatype::FixedPoint { size: 1, .. } => return Some((Stored::Bool, ByteOrder::Little)),
            _ => return None,
        },
        _ => return None,
    };
    Some((stored, order(bytes)))
}

impl DatasetRows {
    /// Reads the rows from `next` on, as many as a chunk holds.
    fn fill(&mut self) -> Result<(), FileError> {
        let Shape { rows, stored, .. } = self.shape;
        let count = (CHUNK / self.shape.row_bytes()).max(1).min(rows - self.next);
        let all = SliceInfoElem::Slice { start: 0, end: u64::MAX, step: 1 };
        let (start, end) = (self.next as u64, (self.next + count) as u64);
        let selections = match self.is_row {
            true => vec![all],
            false => vec![SliceInfoElem::Slice { start, end, step: 1 }, all],
        };
        let (dataset, path) = (&self.dataset, self.source.path());
        let slice = SliceInfo { selections };
        self.chunk = guard(path, || match stored.size() {
            1 => raw::<1>(dataset, &slice),
            2 => raw::<2>(dataset, &slice),
            4 => raw::<4>(dataset, &slice),
            _ => raw::<8>(dataset, &slice),
        })?;
        self.at = 0;
        self.next += count;
        Ok(())
    }
}

fn raw<const N: usize>(dataset: &Dataset, slice: &SliceInfo) -> hdf5_reader::error::Result<Vec<u8>> {
    let numbers = dataset.read_slice::<Raw<N>>(slice)?;
    Ok(numbers.iter().flat_map(|Raw(bytes)| *bytes).collect())
}

impl std::fmt::Debug for DatasetRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatasetRows").field("shape", &self.shape).finish_non_exhaustive()
    }
}

impl Rows for DatasetRows {
    fn path(&self) -> &Path {
        self.source.path()
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&mut self, row: &mut [u8]) -> Result<(), FileError> {
        if self.at == self.chunk.len() {
            if self.next == self.shape.rows {
                let problem = Problem::PastEnd { rows: self.shape.rows };
                return Err(FileError::new(self.source.path(), problem));
            }
            self.fill()?;
        }
        let Some(bytes) = self.chunk.get(self.at..self.at + row.len()) else {
            let problem = format!("expected rows of {} bytes, found fewer", row.len());
            return Err(FileError::new(self.source.path(), Problem::Foreign { problem }));
        };
        row.copy_from_slice(bytes);
        self.at += row.len();
        Ok(())
    }

    fn rewind(&mut self) -> Result<(), FileError> {
        self.chunk.clear();
        (self.at, self.next) = (0, 0);
        Ok(())
    }
}
