//! Errors as Python exceptions, with the text that they have in Rust.

use std::convert::Infallible;
use std::error::Error;
use std::io;

use pyo3::create_exception;
use pyo3::exceptions::{
    PyException, PyFileExistsError, PyFileNotFoundError, PyKeyError, PyMemoryError, PyValueError,
};
use pyo3::prelude::*;
use vex::{BuildError, InsertError, ManyError, OpenProblem, SaveProblem, SearchError, ThreadsError, graph};

create_exception!(
    vex_index,
    VexError,
    PyException,
    "An error that no exception of Python's fits: a damaged file, a file that another program has\n\
     locked, an index that may not be changed.\n\n\
     Arguments that do not fit raise ValueError or TypeError, keys and ids that are missing raise\n\
     KeyError, what the system refuses raises OSError, and memory that runs out MemoryError."
);

/// An error on its way to Python: what `?` turns the errors of all layers into.
pub(crate) struct Failure(PyErr);

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self(error)
    }
}

// What cannot fail has an error all the same.
impl From<Infallible> for Failure {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Failure {
    /// An argument that does not fit.
    pub(crate) fn value(text: impl Into<String>) -> Self {
        Self(PyValueError::new_err(text.into()))
    }

    /// A key or an id that is missing.
    pub(crate) fn missing(text: impl Into<String>) -> Self {
        Self(PyKeyError::new_err(text.into()))
    }

    /// Memory for so many results.
    pub(crate) fn memory(what: &str) -> Self {
        Self(PyMemoryError::new_err(format!("could not allocate {what}")))
    }
}

/// Which exception an error is.
enum Class<'e> {
    Value,
    Memory,
    Missing,
    NoFile,
    FileExists,
    Io(&'e io::Error),
    Vex,
}

/// The message of an error and those of its causes. Some messages end with their cause already.
fn text(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

fn raise(error: &dyn Error, class: Class<'_>) -> Failure {
    let text = text(error);
    Failure(match class {
        Class::Value => PyValueError::new_err(text),
        Class::Memory => PyMemoryError::new_err(text),
        Class::Missing => PyKeyError::new_err(text),
        Class::NoFile => PyFileNotFoundError::new_err(text),
        Class::FileExists => PyFileExistsError::new_err(text),
        Class::Vex => VexError::new_err(text),
        Class::Io(error) => of_io(error, text),
    })
}

/// The subclass of `OSError` for an error of the system, with its number.
fn of_io(error: &io::Error, text: String) -> PyErr {
    let raised = PyErr::from(io::Error::new(error.kind(), text));
    // On Windows the number is another one than Python's.
    let Some(number) = error.raw_os_error().filter(|_| cfg!(unix)) else { return raised };
    match Python::attach(|py| raised.value(py).setattr("errno", number)) {
        Ok(()) => raised,
        Err(error) => error,
    }
}

impl From<vex_db::ReembedError<PyErr>> for Failure {
    fn from(error: vex_db::ReembedError<PyErr>) -> Self {
        match error {
            vex_db::ReembedError::Embed(error) => Self(error),
            vex_db::ReembedError::Collection(error) => error.into(),
            error => Self::value(format!("embed: {error}")),
        }
    }
}

/// Each type of error, with the function that classes it.
macro_rules! raised {
    ($($Error:ty: $class:expr;)*) => {$(
        impl From<$Error> for Failure {
            fn from(error: $Error) -> Self {
                let class: fn(&$Error) -> Class<'_> = $class;
                raise(&error, class(&error))
            }
        }
    )*};
}

raised! {
    io::Error: |error| Class::Io(error);
    vex::ParamsError: |_| Class::Value;
    vex::NameError: |_| Class::Value;
    vex::OutOfMemory: |_| Class::Memory;
    vex::DeleteError: of_delete;
    InsertError: of_insert;
    vex::ExtendError: |error| of_insert(&error.error);
    SearchError: of_search;
    ManyError: of_many;
    BuildError<vex::VectorError>: of_build;
    BuildError: of_build;
    ThreadsError: of_threads;
    vex::OpenError: |error| of_open(&error.problem);
    vex::SaveError: |error| of_save(&error.problem);
    vex::VerifyProblem: of_verify;
    vex_db::Error: of_collection;
    vex_db::ParseError: |_| Class::Value;
}

fn of_delete(error: &vex::DeleteError) -> Class<'_> {
    match error {
        vex::DeleteError::OutOfMemory(_) => Class::Memory,
        _ => Class::Vex,
    }
}

fn of_insert(error: &InsertError) -> Class<'_> {
    let of_graph = |error: &graph::InsertError| match error {
        graph::InsertError::Vector(_) | graph::InsertError::Full { .. } => Class::Value,
        _ => Class::Memory,
    };
    match error {
        InsertError::DuplicateKey(_) => Class::Value,
        InsertError::Graph(error) | InsertError::Update(graph::UpdateError::Insert(error)) => of_graph(error),
        InsertError::OutOfMemory(_) => Class::Memory,
        _ => Class::Vex,
    }
}

fn of_search(error: &SearchError) -> Class<'_> {
    match error {
        SearchError::Query(_) => Class::Value,
        SearchError::OutOfMemory(_) => Class::Memory,
        _ => Class::Vex,
    }
}

fn of_many(error: &ManyError) -> Class<'_> {
    match error {
        ManyError::Query { error, .. } => of_search(error),
        ManyError::OutOfMemory(_) => Class::Memory,
        ManyError::Threads(error) => of_threads(error),
        _ => Class::Vex,
    }
}

fn of_build<E: std::fmt::Debug + std::fmt::Display>(error: &BuildError<E>) -> Class<'_> {
    match error {
        BuildError::DuplicateKey { .. } => Class::Value,
        BuildError::Graph(
            graph::BuildError::Params(_)
            | graph::BuildError::Vector { .. }
            | graph::BuildError::Source { .. }
            | graph::BuildError::Full { .. },
        ) => Class::Value,
        BuildError::Graph(graph::BuildError::OutOfMemory(_))
        | BuildError::OutOfMemory(_)
        | BuildError::MemoryLimit(_) => Class::Memory,
        BuildError::Threads(error) => of_threads(error),
        BuildError::Codes(error) => of_search(error),
        _ => Class::Vex,
    }
}

fn of_threads(error: &ThreadsError) -> Class<'_> {
    match error {
        ThreadsError::None => Class::Value,
        _ => Class::Vex,
    }
}

fn of_open(problem: &OpenProblem) -> Class<'_> {
    match problem {
        OpenProblem::Io(error) => Class::Io(error),
        OpenProblem::OutOfMemory(_) => Class::Memory,
        _ => Class::Vex,
    }
}

fn of_save(problem: &SaveProblem) -> Class<'_> {
    match problem {
        SaveProblem::Io(error) | SaveProblem::Folder { error, .. } | SaveProblem::NotDurable(error) => {
            Class::Io(error)
        }
        SaveProblem::Range { .. } | SaveProblem::Format(_) => Class::Value,
        _ => Class::Vex,
    }
}

fn of_verify(problem: &vex::VerifyProblem) -> Class<'_> {
    match problem {
        vex::VerifyProblem::Threads(error) => of_threads(error),
        _ => Class::Vex,
    }
}

fn of_collection(error: &vex_db::Error) -> Class<'_> {
    use vex_db::Error;
    match error {
        Error::Schema(_)
        | Error::NoThreads
        | Error::Row { .. }
        | Error::Filter(_)
        | Error::UnknownField { .. }
        | Error::UnknownVector { .. }
        | Error::NothingLiked => Class::Value,
        Error::Vector { error, .. } | Error::NamedVector { error, .. } => match error {
            graph::InsertError::Vector(_) | graph::InsertError::Full { .. } => Class::Value,
            _ => Class::Memory,
        },
        Error::NoRow { .. } | Error::NoVector { .. } => Class::Missing,
        Error::Query(error) => of_search(error),
        Error::Segment(error) => of_open(&error.problem),
        Error::Save(error) => of_save(&error.problem),
        Error::Build(error) => of_build(error),
        Error::Io { error, .. } => Class::Io(error),
        Error::Missing { .. } => Class::NoFile,
        Error::Exists { .. } => Class::FileExists,
        _ => Class::Vex,
    }
}
