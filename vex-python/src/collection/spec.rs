//! What a search of a collection asks for.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString};
use vex_db::{Filter, Scroll, Search, Snapshot};

use crate::collection::values;
use crate::error::Result;

/// What a search asks for, besides the query.
pub(crate) struct Spec {
    pub(crate) k: usize,
    pub(crate) ef_search: Option<usize>,
    pub(crate) slack: Option<f32>,
    pub(crate) diverse: Option<f32>,
    pub(crate) filter: Option<Filter>,
    pub(crate) fetch: Fetch,
    /// The name of the vector that is compared.
    pub(crate) by: Option<String>,
}

/// Which fields are returned.
pub(crate) enum Fetch {
    All,
    Fields(Vec<String>),
}

impl Spec {
    pub(crate) fn read(
        k: usize,
        condition: Option<&str>,
        params: Option<&Bound<'_, PyAny>>,
        fetch: Option<&Bound<'_, PyAny>>,
        ef_search: Option<usize>,
        slack: Option<f32>,
        diverse: Option<f32>,
        by: Option<String>,
    ) -> Result<Self> {
        let fetch = fetch.map_or(Ok(Fetch::Fields(Vec::new())), Fetch::read)?;
        Ok(Self { k, ef_search, slack, diverse, filter: values::filter(condition, params)?, fetch, by })
    }

    /// The search of a snapshot for a query.
    pub(crate) fn search<'s>(&self, view: &'s Snapshot, query: &'s [f32]) -> vex_db::Result<Search<'s>> {
        Ok(self.apply(match &self.by {
            Some(by) => view.vector(by)?.search(query),
            None => view.search(query),
        }))
    }

    /// The search of a snapshot for rows that are like some and unlike others.
    pub(crate) fn recommend<'s>(
        &self,
        view: &'s Snapshot,
        like: &[&str],
        unlike: &[&str],
    ) -> vex_db::Result<Search<'s>> {
        Ok(self.apply(match &self.by {
            Some(by) => view.vector(by)?.recommend(like, unlike)?,
            None => view.recommend(like, unlike)?,
        }))
    }

    fn apply<'s>(&self, search: Search<'s>) -> Search<'s> {
        let mut search = search.k(self.k);
        if let Some(ef_search) = self.ef_search {
            search = search.ef_search(ef_search);
        }
        if let Some(slack) = self.slack {
            search = search.slack(slack);
        }
        if let Some(share) = self.diverse {
            search = search.diverse(share);
        }
        if let Some(filter) = &self.filter {
            search = search.filter(filter.clone());
        }
        match &self.fetch {
            Fetch::All => search.fetch_all(),
            Fetch::Fields(fields) => search.fetch(fields),
        }
    }
}

impl Fetch {
    /// True for all fields, one name, or some.
    pub(crate) fn read(fetch: &Bound<'_, PyAny>) -> Result<Self> {
        if let Ok(all) = fetch.cast::<PyBool>() {
            return Ok(if all.is_true() { Self::All } else { Self::Fields(Vec::new()) });
        }
        if let Ok(name) = fetch.cast::<PyString>() {
            return Ok(Self::Fields(vec![name.extract()?]));
        }
        let names = fetch.try_iter()?.map(|name| name?.extract::<String>());
        Ok(Self::Fields(names.collect::<PyResult<_>>()?))
    }

    pub(crate) fn of_scroll<'s>(&self, scroll: Scroll<'s>) -> Scroll<'s> {
        match self {
            // The default.
            Self::All => scroll,
            Self::Fields(fields) => scroll.fetch(fields),
        }
    }
}
