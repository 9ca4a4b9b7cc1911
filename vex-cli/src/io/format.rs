//! The formats of files, and which file is read as which.

use std::fmt;
use std::path::Path;

use super::error::{FileError, Problem};
use super::source::STDIN;
use super::stored::Stored;

/// A format of files with vectors, ids or rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    Npy,
    Fvecs,
    Bvecs,
    Ivecs,
    Fbin,
    U8bin,
    I8bin,
    Ibin,
    Csv,
    Jsonl,
    Parquet,
    Arrow,
    Hdf5,
}

/// Every extension with its format. The first of a format is its name.
const EXTENSIONS: [(&str, Format); 19] = [
    ("npy", Format::Npy),
    ("fvecs", Format::Fvecs),
    ("bvecs", Format::Bvecs),
    ("ivecs", Format::Ivecs),
    ("fbin", Format::Fbin),
    ("u8bin", Format::U8bin),
    ("i8bin", Format::I8bin),
    ("ibin", Format::Ibin),
    ("csv", Format::Csv),
    ("tsv", Format::Csv),
    ("txt", Format::Csv),
    ("jsonl", Format::Jsonl),
    ("ndjson", Format::Jsonl),
    ("parquet", Format::Parquet),
    ("arrow", Format::Arrow),
    ("feather", Format::Arrow),
    ("ipc", Format::Arrow),
    ("hdf5", Format::Hdf5),
    ("h5", Format::Hdf5),
];

impl Format {
    /// The format that the extension of a name stands for.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_ascii_lowercase();
        EXTENSIONS.iter().find(|(known, _)| *known == extension).map(|(_, format)| *format)
    }

    /// The extensions, for a message.
    pub(crate) fn extensions() -> String {
        EXTENSIONS.map(|(extension, _)| format!(".{extension}")).join(", ")
    }

    /// The name that `--format` has for it.
    pub(crate) fn name(self) -> &'static str {
        EXTENSIONS.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }

    /// The type of the numbers, for the formats that have one.
    pub(crate) fn stored(self) -> Option<Stored> {
        match self {
            Self::Fvecs | Self::Fbin => Some(Stored::F32),
            Self::Bvecs | Self::U8bin => Some(Stored::U8),
            Self::I8bin => Some(Stored::I8),
            Self::Ivecs | Self::Ibin => Some(Stored::I32),
            Self::Npy | Self::Csv | Self::Jsonl | Self::Parquet | Self::Arrow | Self::Hdf5 => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a file is read for. It decides which dataset or column is taken if none was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Vectors,
    Queries,
    Ids,
    /// Whatever is there, to be converted.
    Any,
}

impl Role {
    /// The names of a column or a dataset, the most usual one first.
    pub(crate) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Vectors | Self::Any => {
                &["vector", "vectors", "embedding", "embeddings", "emb", "train", "base"]
            }
            Self::Queries => {
                &["query", "queries", "test", "vector", "vectors", "embedding", "embeddings", "emb"]
            }
            Self::Ids => &["neighbors", "ids", "neighbours", "indices"],
        }
    }
}

/// A file to be read, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    pub(crate) path: &'a Path,
    /// The format, where the name does not tell.
    pub(crate) format: Option<Format>,
    /// The column or dataset.
    pub(crate) column: Option<&'a str>,
    pub(crate) role: Role,
}

impl<'a> Input<'a> {
    /// A file that is read as its name says.
    pub(crate) fn new(path: &'a Path, role: Role) -> Self {
        Self { path, format: None, column: None, role }
    }

    /// The format of the file.
    ///
    /// # Errors
    /// If neither its extension nor the caller tells.
    pub(crate) fn format(&self) -> Result<Format, FileError> {
        let named = if self.path == Path::new(STDIN) { None } else { Format::of(self.path) };
        named.or(self.format).ok_or_else(|| match self.path == Path::new(STDIN) {
            true => FileError::new(Path::new("standard input"), Problem::NoFormat),
            false => FileError::new(self.path, Problem::UnknownFormat),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extension_may_be_in_capitals() {
        assert_eq!(Format::of(Path::new("a.b/vectors.FBIN")), Some(Format::Fbin));
        assert_eq!(Format::of(Path::new("vectors.Feather")), Some(Format::Arrow));
        for name in ["vectors", ".npy", "npy", "vectors.npz", "vectors.npy.gz", "vectors."] {
            assert_eq!(Format::of(Path::new(name)), None, "{name}");
        }
    }

    #[test]
    fn names_of_formats_are_their_extensions() {
        use clap::ValueEnum;
        for format in Format::value_variants() {
            assert_eq!(Format::of(Path::new(&format!("a.{format}"))), Some(*format));
            assert_eq!(format.to_possible_value().unwrap().get_name(), format.name());
        }
    }

    #[test]
    fn extension_goes_before_the_format_that_was_given() {
        let input = |name| Input { format: Some(Format::Ibin), ..Input::new(Path::new(name), Role::Ids) };
        assert_eq!(input("a.npy").format().unwrap(), Format::Npy);
        assert_eq!(input("a.bin").format().unwrap(), Format::Ibin);
        assert_eq!(input("-").format().unwrap(), Format::Ibin);
        let message = |name| Input::new(Path::new(name), Role::Ids).format().unwrap_err().to_string();
        assert_eq!(message("-"), "standard input: expected --format, since it has no extension");
        assert!(
            message("a.npz").starts_with("a.npz: unknown extension: expected --format, or one of .npy, ")
        );
    }
}
