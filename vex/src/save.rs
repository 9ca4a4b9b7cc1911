//! How an index is saved.

use std::io::{self, Write};
use std::path::Path;

use vex_format::{Meta, Store, WriteError, Writer};
use vex_graph::{Exact, NodeId, VectorError};

use crate::error::owned;
use crate::lineage::Generation;
use crate::trace::span;
use crate::{Index, Output, SaveError, SaveProblem, paths};

/// How an index is saved. The default is [`Store::All`], and to replace only what the index comes
/// from.
#[derive(Clone, Copy, Debug, Default)]
pub struct SaveOptions {
    store: Store,
    overwrite: bool,
}

impl SaveOptions {
    /// What to keep of the vectors.
    pub fn store(mut self, store: Store) -> Self {
        self.store = store;
        self
    }

    /// Replace the file whatever it holds, instead of failing with [`SaveProblem::Conflict`].
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
    /// Saves the index. A reader of `path` finds the file that was there before or the complete new
    /// one, never a part: the bytes go to a temporary file in the same folder, reach the disk, and
    /// then take the name: see [`Output`].
    ///
    /// Of two programs that open an index, change it and save it one after the other, the second is
    /// refused: an index that was opened replaces what it was opened from, or what it was saved as
    /// since, and any other file only if it is [told to](SaveOptions::overwrite). An index that was
    /// built replaces whatever is there the first time, and after that what it has saved there.
    ///
    /// # Errors
    /// If the operating system refuses, what is there is not a regular file, another writer [writes
    /// the same file](crate::SaveProblem::Locked), or [another index](crate::SaveProblem::Conflict)
    /// is there than this one knows. What was at the path is then as it was, but for
    /// [`NotDurable`](crate::SaveProblem::NotDurable), and the temporary file is gone.
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

    /// [Saves](Self::save) the index as the options say; a [`Store`](crate::Store) says what to
    /// keep of its vectors.
    ///
    /// # Errors
    /// As [`save`](Self::save), and if neither vectors nor codes would be left, f16 cannot hold the
    /// vectors, or the file would be one that [`open`](Self::open) refuses.
    pub fn save_with(
        &self,
        path: impl AsRef<Path>,
        options: impl Into<SaveOptions>,
    ) -> Result<(), SaveError> {
        self.save_output(Output::create(path)?, options)
    }

    /// [Saves](Self::save) the index to a file that was locked before, for instance before the
    /// vectors were read.
    ///
    /// # Errors
    /// As [`save_with`](Self::save_with), but for what [`Output::create`] has refused before.
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
        // Nobody who locks can write between this and the rename.
        if !options.overwrite {
            self.lineage().check_target(output.target())?;
        }
        self.with_writer(options.store, |writer| {
            let (target, generation) = (paths::copy(output.target())?, Generation::of(writer.header()));
            self.lineage().reserve()?;
            let saved = output.publish(|out: &mut dyn Write| -> io::Result<()> {
                writer.write_to(&mut |bytes: &[u8]| out.write_all(bytes))
            });
            if matches!(saved, Ok(()) | Err(SaveProblem::NotDurable(_))) {
                self.lineage().saved(target, generation);
            }
            saved
        })
    }

    /// Writes the bytes of the file to any writer: a socket, a compressor, or a `Vec`, which
    /// [`MappedIndex::from_bytes`](crate::MappedIndex::from_bytes) opens. A file is better
    /// [saved](Self::save), which leaves none that is half written.
    ///
    /// # Errors
    /// If the writer fails, or as [`save_with`](Self::save_with) for what is to be kept of the
    /// vectors.
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

    /// Does something with the writer of the file.
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

    /// The first node whose vector would be refused for its length today: it spoils the codes of
    /// all others by their mean.
    fn too_long(&self) -> Option<NodeId> {
        let view = self.graph().view();
        let is_too_long = |id: &NodeId| {
            let checked = Exact::new(view.rows(), view.rows().row(*id), &mut []);
            matches!(checked, Err(VectorError::TooLong { .. }))
        };
        (0..view.count() as NodeId).find(is_too_long)
    }
}
