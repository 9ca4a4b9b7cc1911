//! What is measured: a function of a query and a row, and the loop that times it.

use std::hint::black_box;
use std::ops::Range;

use crate::clock;
use crate::element::Element;
use crate::rows::Workload;

/// One way to compute a distance, ready to be timed.
pub(crate) trait Contender<E: Element> {
    /// The instruction set that runs, as the library itself reports it.
    fn level(&self) -> &str;

    /// The distance, smaller nearer whatever the library returns, to be held against the reference.
    fn value(&self, query: &[E::Query], row: &[E::Row]) -> f64;

    /// Ticks for the rows of `ids`, one call each.
    fn time(&self, work: &Workload<E>, ids: Range<usize>) -> u64;

    /// Whether it computes four rows in one call, and [`time`](Self::time) does.
    fn is_batch(&self) -> bool;
}

/// A contender that computes one row a call: `call` is timed, `value` makes a distance of what it returns.
pub(crate) fn single<E, O>(
    level: impl Into<String>,
    call: impl Fn(&[E::Query], &[E::Row]) -> O + 'static,
    value: impl Fn(O) -> f64 + 'static,
) -> Option<Box<dyn Contender<E>>>
where
    E: Element,
    O: 'static,
{
    Some(Box::new(Single { level: level.into(), call, value }))
}

/// A contender that computes four rows a call.
pub(crate) fn batch_of_4<E, O>(
    level: impl Into<String>,
    call: impl Fn(&[E::Query], [&[E::Row]; 4]) -> [O; 4] + 'static,
    value: impl Fn(O) -> f64 + 'static,
) -> Option<Box<dyn Contender<E>>>
where
    E: Element,
    O: Copy + 'static,
{
    Some(Box::new(Batch { level: level.into(), call, value }))
}

struct Single<C, V> {
    level: String,
    call: C,
    value: V,
}

impl<E, O, C, V> Contender<E> for Single<C, V>
where
    E: Element,
    C: Fn(&[E::Query], &[E::Row]) -> O,
    V: Fn(O) -> f64,
{
    fn level(&self) -> &str {
        &self.level
    }

    fn value(&self, query: &[E::Query], row: &[E::Row]) -> f64 {
        (self.value)((self.call)(query, row))
    }

    #[inline(never)]
    fn time(&self, work: &Workload<E>, ids: Range<usize>) -> u64 {
        let (ids, query) = (work.ids(ids), work.query());
        let start = clock::start();
        for id in ids {
            black_box((self.call)(black_box(query), work.rows.row(*id)));
        }
        clock::stop() - start
    }

    fn is_batch(&self) -> bool {
        false
    }
}

struct Batch<C, V> {
    level: String,
    call: C,
    value: V,
}

impl<E, O, C, V> Contender<E> for Batch<C, V>
where
    E: Element,
    O: Copy,
    C: Fn(&[E::Query], [&[E::Row]; 4]) -> [O; 4],
    V: Fn(O) -> f64,
{
    fn level(&self) -> &str {
        &self.level
    }

    fn value(&self, query: &[E::Query], row: &[E::Row]) -> f64 {
        (self.value)((self.call)(query, [row; 4])[3])
    }

    #[inline(never)]
    fn time(&self, work: &Workload<E>, ids: Range<usize>) -> u64 {
        let (ids, query) = (work.ids(ids), work.query());
        let start = clock::start();
        let row = |id| work.rows.row(id);
        for [a, b, c, d] in ids.as_chunks().0 {
            // Not by `map` of the array: the compiler calls it, which takes longer than the distances.
            black_box((self.call)(black_box(query), [row(*a), row(*b), row(*c), row(*d)]));
        }
        clock::stop() - start
    }

    fn is_batch(&self) -> bool {
        true
    }
}
