//! What happens on the caller's thread while an index is built.

use std::ops::ControlFlow;
use std::time::Instant;

use pyo3::prelude::*;

use crate::error::Result;
use crate::parallel::SIGNALS;

/// Calls a callback of Python's now and then, and looks for signals: so that Ctrl-C ends a build.
///
/// Python's lock must be released. It is taken ten times a second at most, since another thread may
/// hold it for milliseconds.
pub(crate) struct Watch {
    callback: Option<Py<PyAny>>,
    last: Option<Instant>,
    failed: Option<PyErr>,
}

impl Watch {
    pub(crate) fn new(callback: Option<Py<PyAny>>) -> Self {
        Self { callback, last: None, failed: None }
    }

    /// Calls the callback with what `arguments` makes, if the last call was long ago or this is the
    /// end. An exception ends the work.
    pub(crate) fn beat<A>(&mut self, is_end: bool, arguments: impl FnOnce() -> A) -> ControlFlow<()>
    where
        A: for<'py> pyo3::call::PyCallArgs<'py>,
    {
        if !is_end && self.last.is_some_and(|last| last.elapsed() < SIGNALS) {
            return ControlFlow::Continue(());
        }
        let called = Python::attach(|py| {
            py.check_signals()?;
            self.callback.as_ref().map_or(Ok(()), |callback| callback.call1(py, arguments()).map(drop))
        });
        self.last = Some(Instant::now());
        match called {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    /// The result of the work, or the exception that ended it.
    pub(crate) fn end<T, E>(self, result: Result<T, E>) -> Result<T>
    where
        crate::error::Failure: From<E>,
    {
        match self.failed {
            Some(error) => Err(error.into()),
            None => Ok(result?),
        }
    }
}
