//! How an index is saved.

use std::io::{self, Write};
use std::path::Path;

use vex_format::{Meta, Store, WriteError, Writer};
use vex_graph::{Exact, NodeId, VectorError};

use crate::error::owned;
use crate::generation::Generation;
use crate::trace::span;
use crate::{Index, Output, SaveError, SaveProblem, paths};

/// How an index is saved. By default all vectors are stored, as [`Store::All`] says. An index that
/// was opened replaces only the file that it comes from. One that was built replaces whatever file
/// is there, the first time: see [`Index::save`].
#[derive(Clone, Copy, Debug, Default)]
pub struct SaveOptions {
    store: Store,
    overwrite: bool,
}

impl SaveOptions {
    /// Sets how the vectors are stored, or that they are not.
    pub fn store(mut self, store: Store) -> Self {
        self.store = store;
        self
    }

    /// Replaces the file whatever it holds, instead of failing with [`SaveProblem::Conflict`].
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }
}

impl From<Store> for SaveOptions {
    fn from(store: Store) -> Self {
        Self::default().store(store)
    }
}

impl Index {
    /// Saves the index to a file. A reader of `path` finds either the old file or the complete new
    /// one, never a part. [`Output`] describes how.
    ///
    /// Two programs may open an index, change it, and save it one after the other. The second save
    /// is refused, since it would undo the changes of the first:
    ///
    /// - An index that was opened replaces the file that it was opened from, and any file that it
    ///   was saved to since. Another file is replaced only with [`SaveOptions::overwrite`].
    /// - An index that was built replaces whatever is there the first time. After that it replaces
    ///   the file that it has saved there.
    ///
    /// # Errors
    /// - The operating system refuses.
    /// - There is something at `path` that is not a regular file.
    /// - Another writer [writes the same file](crate::SaveProblem::Locked).
    /// - The file holds [another index](crate::SaveProblem::Conflict) than this one knows.
    ///
    /// After an error the file at `path` is as it was, and the temporary file is gone. The
    /// exception is [`NotDurable`](crate::SaveProblem::NotDurable).
    ///
    /// # Complexity
    /// Reads the index twice, for its checksums and for the file, on one thread. Then waits until
    /// the bytes are on the disk. If vectors were inserted one by one, it takes nine bytes of
    /// memory for each vector, and eight more if some are equal.
    ///
    /// # Examples
    /// ```
    /// use vex::{Index, SaveOptions, SaveProblem};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("two.vex");
    /// Index::builder(2).build_from([(1, [0.0, 1.0]), (2, [1.0, 0.0])])?.save(&path)?;
    /// let (mut one, mut other) = (Index::open(&path)?, Index::open(&path)?);
    /// one.insert(3, [1.0, 1.0])?;
    /// one.save(&path)?;
    /// other.insert(4, [2.0, 2.0])?;
    /// assert!(matches!(other.save(&path).unwrap_err().problem, SaveProblem::Conflict { .. }));
    /// other.save_with(&path, SaveOptions::default().overwrite(true))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), SaveError> {
        self.save_with(path, SaveOptions::default())
    }

    /// [Saves](Self::save) the index with options. A [`Store`](crate::Store) alone says how the
    /// vectors are stored.
    ///
    /// # Errors
    /// As [`save`](Self::save), and:
    ///
    /// - Neither vectors nor codes would be left.
    /// - The vectors are beyond the range of f16, as which they are to be stored.
    /// - [`open`](Self::open) would refuse the file.
    pub fn save_with(
        &self,
        path: impl AsRef<Path>,
        options: impl Into<SaveOptions>,
    ) -> Result<(), SaveError> {
        self.save_output(Output::create(path)?, options)
    }

    /// [Saves](Self::save) the index to a file that was locked beforehand, for instance before the
    /// vectors were read.
    ///
    /// # Errors
    /// As [`save_with`](Self::save_with), except for what [`Output::create`] has checked before.
    ///
    /// # Examples
    /// ```
    /// use vex::{Index, Output, SaveOptions};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("two.vex");
    /// // Whoever else wants to write this file is refused from now on.
    /// let output = Output::create(&path)?;
    /// let index = Index::builder(2).build_from([(1, [0.0, 1.0]), (2, [1.0, 0.0])])?;
    /// index.save_output(output, SaveOptions::default().overwrite(true))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save_output(&self, output: Output, options: impl Into<SaveOptions>) -> Result<(), SaveError> {
        span!("save", path = %output.path().display());
        let path = owned(output.path());
        self.write_to(output, options.into()).map_err(|problem| SaveError { path, problem })
    }

    fn write_to(&self, output: Output, options: SaveOptions) -> Result<(), SaveProblem> {
        self.lineage().check_writable()?;
        // No other writer that locks can write between this check and the rename.
        if !options.overwrite {
            self.lineage().check_target(output.target())?;
        }
        self.with_writer(options.store, |writer| {
            let (target, generation) = (paths::copy(output.target())?, Generation::of(writer.header()));
            // This comes before the rename, after which nothing may fail.
            self.lineage().reserve()?;
            let saved = output.publish(|out: &mut dyn Write| -> io::Result<()> {
                writer.write_to(&mut |bytes: &[u8]| out.write_all(bytes))
            });
            // In both cases the new file has the name.
            if matches!(saved, Ok(()) | Err(SaveProblem::NotDurable(_))) {
                self.lineage().saved(target, generation);
            }
            saved
        })
    }

    /// Writes the bytes of the file to any writer: a socket, a compressor, or a `Vec`, which
    /// [`MappedIndex::from_bytes`](crate::MappedIndex::from_bytes) opens. To write a file, use
    /// [`save`](Self::save), which never leaves a part of a file.
    ///
    /// # Errors
    /// If the writer fails, or as [`save_with`](Self::save_with) about how the vectors are stored.
    ///
    /// # Complexity
    /// Reads the index twice, for its checksums and for the bytes.
    ///
    /// # Examples
    /// ```
    /// use vex::{Index, MappedIndex, Store};
    ///
    /// let index = Index::builder(2).build_from([(1, [0.0, 1.0]), (2, [1.0, 0.0])])?;
    /// let mut bytes = Vec::new();
    /// index.save_to(&mut bytes, Store::All)?;
    /// assert_eq!(MappedIndex::from_bytes(&bytes)?.search([0.1, 0.9], 1)?[0].key, 1);
    /// # Ok::<(), vex::Error>(())
    /// ```
    pub fn save_to(&self, mut out: impl Write, store: Store) -> Result<(), SaveProblem> {
        span!("save");
        self.lineage().check_writable()?;
        self.with_writer(store, |writer| {
            writer.write_to(&mut |bytes: &[u8]| out.write_all(bytes))?;
            Ok(out.flush()?)
        })
    }

    /// Calls `write` with the writer of the file.
    fn with_writer(
        &self,
        store: Store,
        write: impl FnOnce(&Writer<'_>) -> Result<(), SaveProblem>,
    ) -> Result<(), SaveProblem> {
        let (params, sequence) = (*self.params(), self.sequence());
        let meta = Meta::new(params).sequence(sequence).store(store);
        let view = self.graph().view();
        let writer = Writer::new(&view, self.node_keys(), &meta).map_err(|error| match error {
            WriteError::Range { node, position } => {
                SaveProblem::Range { key: self.node_keys()[node as usize], position }
            }
            WriteError::Terms { node } => {
                let node = self.too_long().unwrap_or(node);
                SaveProblem::Terms { key: self.node_keys()[node as usize] }
            }
            error => SaveProblem::Format(error),
        })?;
        write(&writer)
    }

    /// The first node whose vector would be refused for its length today. Such a vector shifts the
    /// mean, which spoils the codes of all others.
    fn too_long(&self) -> Option<NodeId> {
        let view = self.graph().view();
        let is_too_long = |id: &NodeId| {
            let checked = Exact::new(view.rows(), view.rows().row(*id), &mut []);
            matches!(checked, Err(VectorError::TooLong { .. }))
        };
        (0..view.count() as NodeId).find(is_too_long)
    }
}
