//! The arguments that say how files of vectors are read.

use std::path::Path;

use crate::human;
use crate::io::{Format, Input, Role};

/// The formats of vectors, for the help of the commands that read them.
pub(crate) const FORMATS: &str =
    "  .npy                  2-D array of float16, 32 or 64, int8, uint8 or bool, in C or Fortran order
  .fvecs .bvecs         rows of float32 or uint8, each after its int32 length
  .fbin .u8bin .i8bin   uint32 rows, uint32 columns, then float32, uint8 or int8
  .csv .tsv .txt        numbers in columns, or all in one, with or without a header
  .jsonl                a line for each row: an array, or an object that has one
  .parquet .arrow       a column of lists; .feather is .arrow
  .hdf5                 a dataset, as the files of ann-benchmarks have
  a folder              all its files, in the order of their names
  -                     standard input, with --format";

#[derive(Debug, clap::Args)]
pub(crate) struct Reading {
    /// Format of standard input, and of files whose extension tells none
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Column, or HDF5 dataset, that has the vectors [default: vector, embedding, train or test]
    ///
    /// Of a table without a column of such a name, it is the only one of lists.
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
}

impl Reading {
    pub(crate) fn input<'a>(&'a self, path: &'a Path, role: Role) -> Input<'a> {
        Input { path, format: self.format, column: self.column.as_deref(), role }
    }

    /// An argument that was given, for commands that do not always read a file.
    pub(crate) fn given(&self) -> Option<&'static str> {
        self.format.map(|_| "--format").or(self.column.as_ref().map(|_| "--column"))
    }

    /// The arguments as they are typed, with a space before each, for commands that are printed.
    pub(crate) fn arguments(&self) -> String {
        let format = self.format.map(|format| format!(" --format {format}"));
        let column = self.column.as_ref().map(|name| format!(" --column {}", human::argument(name.as_ref())));
        [format, column].into_iter().flatten().collect()
    }

    /// A file whose columns are not those of the vectors.
    pub(crate) fn input_without_column<'a>(&'a self, path: &'a Path, role: Role) -> Input<'a> {
        Input { column: None, ..self.input(path, role) }
    }
}
