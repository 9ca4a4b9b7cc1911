//! Spans of the crate tracing. Without the feature `tracing`, the macros add nothing to the code.

/// Opens a span that lasts to the end of the block.
macro_rules! span {
    ($($name_and_fields:tt)*) => {
        #[cfg(feature = "tracing")]
        let _span = tracing::info_span!(target: "vex", $($name_and_fields)*).entered();
    };
}

/// Searches a view in a span that records the results and the work.
macro_rules! search_span {
    ($view:expr, $params:expr, $search:expr) => {{
        #[cfg(feature = "tracing")]
        let span = tracing::debug_span!(
            target: "vex",
            "search",
            dim = $view.dim(),
            k = $params.k,
            ef_search = $params.ef_search,
            found = tracing::field::Empty,
            distances = tracing::field::Empty,
            reranked = tracing::field::Empty,
            hops = tracing::field::Empty,
            by_vectors = tracing::field::Empty,
            end = tracing::field::Empty,
        )
        .entered();
        let found = $search;
        #[cfg(feature = "tracing")]
        if let Ok(Found { stats, .. }) = &found {
            span.record("found", stats.found)
                .record("distances", stats.distances)
                .record("reranked", stats.reranked)
                .record("hops", stats.hops)
                .record("by_vectors", stats.by_vectors)
                .record("end", tracing::field::debug(stats.end));
        }
        found
    }};
}

pub(crate) use {search_span, span};
