//! If any allocation of an operation fails, the operation returns an error and changes nothing.
//!
//! An allocation failure that is not an error ends the process. So every operation runs in
//! processes of its own. These let the first allocation of the calling thread fail, then the
//! second, and so on. Each fails twice: once alone, and once with all later ones. Allocations that
//! start threads are excluded, as the documentation of `vex` says.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::error::Error;
use std::fmt::Display;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use support::Random;
use vex::{Builder, Coding, Hit, Index, MappedIndex, Quantization, Scratch, SearchParams, exact_batch};

/// Which allocation requests of a thread are refused.
#[derive(Clone, Copy)]
struct Plan {
    is_armed: bool,
    /// Requests so far.
    requests: u64,
    first_refused: u64,
    /// Whether only the first is refused, or all from it on.
    is_once: bool,
    refused: u64,
}

const GRANTED: Plan =
    Plan { is_armed: false, requests: 0, first_refused: u64::MAX, is_once: false, refused: 0 };

thread_local! {
    /// Constant and without a destructor, so that its first use does not allocate.
    static PLAN: Cell<Plan> = const { Cell::new(GRANTED) };
}

fn is_granted() -> bool {
    let mut plan = PLAN.get();
    if !plan.is_armed {
        return true;
    }
    let request = plan.requests;
    plan.requests += 1;
    let is_refused = if plan.is_once { request == plan.first_refused } else { request >= plan.first_refused };
    plan.refused += u64::from(is_refused);
    PLAN.set(plan);
    !is_refused
}

struct Refusing;

// SAFETY: every request goes to the system's allocator unchanged, or is answered by null, as an
// allocator refuses. Nothing here allocates or unwinds.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !is_granted() {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller keeps the promises that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !is_granted() {
            return std::ptr::null_mut();
        }
        // SAFETY: as above, and all blocks come from the system's allocator.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

fn arm(first_refused: u64, is_once: bool) {
    PLAN.set(Plan { is_armed: true, first_refused, is_once, ..GRANTED });
}

/// Ends the refusals. Returns the number of requests, and how many of them were refused.
fn disarm() -> (u64, u64) {
    let Plan { requests, refused, .. } = PLAN.replace(GRANTED);
    (requests, refused)
}

/// An allocation that fails.
#[derive(Clone, Copy)]
struct Failure {
    /// Its number, counted from zero, without allocations that start threads.
    n: u64,
    is_once: bool,
}

impl Failure {
    /// Runs `work` and grants its first `before` requests. Returns whether a request was refused.
    fn inject<T, E: Error + 'static>(
        self,
        before: u64,
        work: impl FnOnce() -> Result<T, E>,
    ) -> (Result<T, E>, bool) {
        arm(before + self.n, self.is_once);
        let result = work();
        let (_, refused) = disarm();
        if let Err(error) = &result {
            let message = support::messages(error).join(": ");
            assert!(message.contains("alloc") || message.contains("memory"), "{message}");
        }
        (result, refused > 0)
    }
}

/// The outcome of an allocation that fails.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    /// The operation returned an error, and changed nothing.
    Value,
    /// The operation succeeded without that memory.
    Done,
    /// There is no such allocation.
    Over,
}

impl Outcome {
    fn of<T, E>((result, was_refused): (Result<T, E>, bool)) -> Self {
        match (result, was_refused) {
            (Err(_), true) => Self::Value,
            (Ok(_), true) => Self::Done,
            (Ok(_), false) => Self::Over,
            (Err(_), false) => panic!("an error without a failure"),
        }
    }
}

const DIM: usize = 24;

fn vectors(count: usize, seed: u64) -> Vec<(u64, Vec<f32>)> {
    let mut random = Random(seed);
    (0..count).map(|i| (1_000 + 3 * i as u64, (0..DIM).map(|_| random.element()).collect())).collect()
}

fn builder() -> Builder {
    Index::builder(DIM).m(6).ef_construction(30).quantization(Quantization::Sq8).threads(1)
}

/// The indexes, vectors and files of the operations.
struct Bench {
    folder: tempfile::TempDir,
    index: Index,
    queries: Vec<Vec<f32>>,
    params: SearchParams,
    /// The allocations of the calling thread when it starts as many threads as the index.
    starting: [u64; 4],
}

/// More than one thread, but so little work that the crate rayon allocates nothing to wake them.
const THREADS: usize = 3;

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut index = builder().build_from(vectors(270, 1)).unwrap();
        // These nodes are not sorted by level yet, so a save allocates memory to sort them.
        for (key, vector) in &vectors(300, 1)[270..] {
            index.insert(*key, vector).unwrap();
        }
        for (key, _) in vectors(300, 1).iter().step_by(9) {
            index.delete(*key).unwrap();
        }
        index.save(folder.path().join("old.vex")).unwrap();
        let queries: Vec<Vec<f32>> = vectors(40, 2).into_iter().map(|(_, vector)| vector).collect();
        let params = SearchParams::new(10).ef_search(40);
        let none: &[Vec<f32>] = &[];
        let starting = [0, 0, 0, THREADS].map(|threads| {
            if threads == 0 {
                return 0;
            }
            // The first call makes tables.
            index.searcher().search_many(none, &params, Some(threads)).unwrap();
            arm(u64::MAX, true);
            index.searcher().search_many(none, &params, Some(threads)).unwrap();
            disarm().0
        });
        assert!(starting[THREADS] > 0);
        Self { folder, index, queries, params, starting }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("old.vex")
    }

    /// The answers of an index.
    fn answers(&self, index: &Index) -> Vec<Vec<Hit>> {
        self.queries.iter().map(|query| index.search(query, 10).unwrap()).collect()
    }

    /// Tries a change of an index, which either succeeds or changes nothing.
    fn change<E: Error + 'static>(
        &mut self,
        failure: Failure,
        threads: usize,
        change: impl FnOnce(&mut Index) -> Result<(), E>,
    ) -> Outcome {
        let (before, params, len) = (self.answers(&self.index), *self.index.params(), self.index.len());
        let (starting, index) = (self.starting[threads], &mut self.index);
        let outcome = Outcome::of(failure.inject(starting, || change(index)));
        if outcome == Outcome::Value {
            assert_eq!((self.index.params(), self.index.len()), (&params, len));
            assert!(self.answers(&self.index) == before);
        }
        outcome
    }

    /// Tries a change of a copy, which has no room to grow.
    fn change_copy<E: Error + 'static>(
        &self,
        failure: Failure,
        change: impl FnOnce(&mut Index) -> Result<(), E>,
    ) -> Outcome {
        let mut copy = Index::open(self.path()).unwrap();
        let (before, counts) = (self.answers(&copy), [copy.len(), copy.graph().count()]);
        let outcome = Outcome::of(failure.inject(0, || change(&mut copy)));
        if outcome == Outcome::Value {
            assert_eq!([copy.len(), copy.graph().count()], counts);
            assert!(self.answers(&copy) == before);
        }
        outcome
    }

    /// Tries to save an index of which nothing was deleted yet.
    fn save_without_deleted(&mut self) {
        self.index = builder().build_from(vectors(100, 4)).unwrap();
        self.index.save(self.path()).unwrap();
    }

    fn save(&self, failure: Failure) -> Outcome {
        let before = fs::read(self.path()).unwrap();
        let path = self.path();
        let outcome = Outcome::of(failure.inject(0, || self.index.save(&path)));
        // The file holds this index already.
        assert!(fs::read(&path).unwrap() == before);
        assert_eq!(fs::read_dir(self.folder.path()).unwrap().count(), 1);
        outcome
    }

    /// Saves through a link to the longest possible name, where there is no file yet.
    fn save_by_link(&self, failure: Failure) -> Outcome {
        let name = "n".repeat(255);
        let target = self.folder.path().join(&name);
        #[cfg(unix)]
        let path = self.folder.path().join("link");
        #[cfg(unix)]
        std::os::unix::fs::symlink(&name, &path).unwrap();
        #[cfg(not(unix))]
        let path = target.clone();
        let before = fs::read_dir(self.folder.path()).unwrap().count();
        let outcome = Outcome::of(failure.inject(0, || self.index.save(&path)));
        let is_saved = outcome != Outcome::Value;
        assert_eq!(target.is_file(), is_saved);
        assert_eq!(fs::read_dir(self.folder.path()).unwrap().count(), before + usize::from(is_saved));
        if is_saved {
            assert!(fs::read(&target).unwrap() == fs::read(self.path()).unwrap());
            fs::remove_file(target).unwrap();
        }
        #[cfg(unix)]
        fs::remove_file(path).unwrap();
        outcome
    }

    fn build_with(&self, failure: Failure, count: usize, threads: usize) -> Outcome {
        let all = vectors(count, 3);
        let mut given = all.iter();
        let fill = |to: &mut [f32]| {
            let (key, vector) = given.next().unwrap();
            to.copy_from_slice(vector);
            Ok::<u64, std::convert::Infallible>(*key)
        };
        let go_on = |_| ControlFlow::Continue(());
        let builder = builder().quantization(Quantization::Sq2x2).threads(threads);
        let result = failure.inject(self.starting[threads], || builder.build_with(count, fill, go_on));
        if let Ok(index) = &result.0 {
            assert_eq!(index.len(), count);
        }
        Outcome::of(result)
    }

    fn build_from(&self, failure: Failure) -> Outcome {
        let all = vectors(300, 3);
        // Borrowed, since the caller's own vectors are not part of the build.
        let given = all.iter().map(|(key, vector)| (*key, vector));
        Outcome::of(failure.inject(0, || builder().build_from(given)))
    }

    fn build_without_codes(&self, failure: Failure) -> Outcome {
        // The vectors are around two centers, and nearer to each other than codes can distinguish.
        // Each center has more vectors than a search has candidates: otherwise all are reranked,
        // and none is in doubt.
        let centres = vectors(2, 5);
        let mut all = vectors(500, 3);
        for (row, (_, vector)) in all.iter_mut().enumerate() {
            let (_, centre) = &centres[row % 2];
            vector.iter_mut().zip(centre).for_each(|(element, at)| *element = at + 1e-3 * *element);
        }
        let given = all.iter().map(|(key, vector)| (*key, vector));
        let result = failure.inject(0, || builder().quantization(Coding::Auto).build_from(given));
        if let Ok(index) = &result.0 {
            assert_eq!(index.given_up_codes().len(), 1);
        }
        Outcome::of(result)
    }

    fn exact_batch(&self, failure: Failure, threads: usize) -> Outcome {
        let queries: Vec<&[f32]> = self.queries.iter().map(|query| &query[..]).collect();
        let rows = self.index.graph().view();
        let go_on = |_| ControlFlow::Continue(());
        let find = || exact_batch(rows.rows(), &queries, 10, Some(threads), go_on);
        Outcome::of(failure.inject(self.starting[threads], find))
    }

    fn verify_on(&self, failure: Failure, threads: usize) -> Outcome {
        let index = MappedIndex::read(self.path()).unwrap();
        Outcome::of(failure.inject(self.starting[threads], || index.verify_on(Some(threads))))
    }

    fn search_many(&self, failure: Failure, threads: usize) -> Outcome {
        let search = || self.index.searcher().search_many(&self.queries, &self.params, Some(threads));
        let result = failure.inject(self.starting[threads], search);
        if let Ok(found) = &result.0 {
            assert_eq!(found.len(), self.queries.len());
        }
        Outcome::of(result)
    }

    /// Fails the allocations of a worker, from one query to the next.
    fn search_many_in_a_worker(&self, failure: Failure) -> Outcome {
        /// A query that starts the refusals on the thread that reads it.
        struct Query<'q>(&'q [f32], Option<Failure>, &'q std::sync::atomic::AtomicU64);
        impl AsRef<[f32]> for Query<'_> {
            fn as_ref(&self) -> &[f32] {
                let (_, refused) = disarm();
                self.2.fetch_add(refused, std::sync::atomic::Ordering::Relaxed);
                if let Some(Failure { n, is_once }) = self.1 {
                    arm(n, is_once);
                }
                self.0
            }
        }
        let refused = std::sync::atomic::AtomicU64::new(0);
        // This is the first query of a share, at which the scratch grows. If it fails, the worker
        // ends its share, and then itself.
        let share = self.queries.len().div_ceil(THREADS);
        let queries = self
            .queries
            .iter()
            .enumerate()
            .map(|(position, query)| Query(query, Some(failure).filter(|_| position == share), &refused));
        let queries: Vec<_> = queries.collect();
        let result = self.index.searcher().search_many(&queries, &self.params, Some(THREADS));
        if let Err(error) = &result {
            assert!(error.to_string().contains("allocate"), "{error}");
            return Outcome::Value;
        }
        Outcome::of((result, refused.into_inner() > 0))
    }

    fn searches(&self, failure: Failure) -> Outcome {
        let query = &self.queries[0];
        let search = || -> Result<(), vex::SearchError> {
            self.index.search(query, 10)?;
            self.index.searcher().exact(query, 10)?;
            let scratch = &mut Scratch::new();
            self.index.searcher().search_filtered(query, &self.params, |key| key % 2 == 0, scratch)?;
            self.index.searcher().search_radius(query, 1.0, &self.params, &mut Scratch::new())?;
            let scratch = &mut Scratch::new();
            let mut pages = self.index.searcher().pages(query, &self.params, scratch)?;
            pages.next_page(10)?;
            pages.next().transpose()?;
            self.index.searcher().check_codes(5)?;
            Ok(())
        };
        Outcome::of(failure.inject(0, search))
    }

    fn open(&self, failure: Failure) -> Outcome {
        let path = self.path();
        let result = failure.inject(0, || Index::open(&path));
        if let Ok(index) = &result.0 {
            assert_eq!(index.len(), self.index.len());
        }
        Outcome::of(result)
    }

    fn open_mapped(&self, failure: Failure) -> Outcome {
        let path = self.path();
        let open = || -> Result<(), vex::OpenError> {
            MappedIndex::read(&path)?;
            // SAFETY: here and below, the file is in the test's own folder, and is only ever
            // replaced by a rename.
            unsafe { MappedIndex::open(&path) }?;
            // SAFETY: as above.
            unsafe { MappedIndex::open_near(&path) }?;
            Ok(())
        };
        Outcome::of(failure.inject(0, open))
    }

    fn run(&mut self, operation: &str, failure: Failure) -> Outcome {
        let new = vec![0.25; DIM];
        let (free, taken) = (7, self.index.node_keys()[1]);
        let taken = if self.index.get(taken).is_some() { taken } else { self.index.node_keys()[2] };
        match operation {
            "save" => self.save(failure),
            "save, by a link" => self.save_by_link(failure),
            "open" => self.open(failure),
            "open, mapped" => self.open_mapped(failure),
            "insert" => self.change_copy(failure, |index| index.insert(free, &new)),
            "insert, without a free slot" => {
                self.save_without_deleted();
                self.change_copy(failure, |index| index.insert(free, &new))
            }
            "upsert" => self.change_copy(failure, |index| index.upsert(taken, &new).map(drop)),
            "delete" => {
                self.save_without_deleted();
                let key = self.index.node_keys()[0];
                self.change_copy(failure, |index| index.delete(key).map(drop))
            }
            "searches" => self.searches(failure),
            "search_many, 1 thread" => self.search_many(failure, 1),
            "search_many, 3 threads" => self.search_many(failure, THREADS),
            "search_many, in a worker" => self.search_many_in_a_worker(failure),
            "exact_batch, 1 thread" => self.exact_batch(failure, 1),
            "exact_batch, 3 threads" => self.exact_batch(failure, THREADS),
            "build_from, 1 thread" => self.build_from(failure),
            "build_from, codes given up" => self.build_without_codes(failure),
            "build_with, 1 thread" => self.build_with(failure, 300, 1),
            "build_with, 3 threads" => self.build_with(failure, 100, THREADS),
            "verify_on, 1 thread" => self.verify_on(failure, 1),
            "verify_on, 3 threads" => self.verify_on(failure, THREADS),
            "compact_on, 1 thread" => self.change(failure, 1, |index| index.compact_on(Some(1))),
            "compact_on, 3 threads" => {
                self.index = builder().build_from(vectors(100, 4)).unwrap();
                self.change(failure, THREADS, |index| index.compact_on(Some(THREADS)))
            }
            "requantize_on, 1 thread" => {
                self.change(failure, 1, |index| index.requantize_on(Quantization::Sq2x2, Some(1)))
            }
            "requantize_on, 3 threads" => {
                self.change(failure, THREADS, |index| index.requantize_on(Quantization::Sq2x2, Some(THREADS)))
            }
            _ => panic!("{operation}"),
        }
    }
}

/// Every operation, and the fewest allocations of it that must fail.
const OPERATIONS: [(&str, u64); 24] = [
    ("save", 5),
    ("save, by a link", 10),
    ("open", 12),
    ("open, mapped", 0),
    ("insert", 8),
    ("insert, without a free slot", 10),
    ("upsert", 8),
    ("delete", 1),
    ("searches", 20),
    ("search_many, 1 thread", 40),
    ("search_many, 3 threads", 2),
    ("search_many, in a worker", 5),
    ("exact_batch, 1 thread", 6),
    ("exact_batch, 3 threads", 2),
    ("build_from, 1 thread", 30),
    ("build_from, codes given up", 35),
    ("build_with, 1 thread", 30),
    ("build_with, 3 threads", 20),
    ("verify_on, 1 thread", 0),
    ("verify_on, 3 threads", 0),
    ("compact_on, 1 thread", 30),
    ("compact_on, 3 threads", 20),
    ("requantize_on, 1 thread", 5),
    ("requantize_on, 3 threads", 7),
];

const OPERATION: &str = "VEX_TEST_OPERATION";
const FIRST: &str = "VEX_TEST_FIRST";
const ONCE: &str = "VEX_TEST_ONCE";

/// The work of the processes that the test below starts. Allocations fail one after the other, from
/// a given one on.
#[test]
fn in_a_process_of_its_own() {
    let Ok(operation) = env::var(OPERATION) else { return };
    let (first, is_once) = (env::var(FIRST).unwrap().parse().unwrap(), env::var(ONCE).is_ok());
    let tell = |what: &dyn Display| {
        let mut out = std::io::stdout();
        writeln!(out, "{what}").and_then(|()| out.flush()).unwrap();
    };
    let mut bench = Bench::new();
    for n in first.. {
        tell(&format_args!("allocation {n}"));
        let outcome = bench.run(&operation, Failure { n, is_once });
        tell(&format_args!("outcome {outcome:?}"));
        if outcome == Outcome::Over {
            return;
        }
    }
}

#[derive(Default)]
struct Tally {
    tried: u64,
    values: u64,
    done: u64,
    aborts: u64,
}

impl Tally {
    fn run(&mut self, operation: &str, is_once: bool) {
        let mut first = 0;
        loop {
            let mut child = Command::new(env::current_exe().unwrap());
            child.args(["--exact", "in_a_process_of_its_own", "--nocapture", "--test-threads=1"]);
            child.env(OPERATION, operation).env(FIRST, first.to_string());
            if is_once {
                child.env(ONCE, "1");
            }
            let output = child.output().unwrap();
            let (out, err) =
                (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
            let told = |what| out.lines().filter(|line| line.ends_with(what)).count() as u64;
            let (values, done) = (told("outcome Value"), told("outcome Done"));
            self.values += values;
            self.done += done;
            self.tried += values + done;
            if output.status.success() {
                assert_eq!(told("outcome Over"), 1, "{operation}: {out}");
                return;
            }
            assert!(err.contains("memory allocation of"), "{operation}: {out}{err}");
            self.tried += 1;
            self.aborts += 1;
            first += values + done + 1;
        }
    }
}

#[test]
fn every_allocation_of_every_operation_can_fail() {
    assert!(Path::new(&env::current_exe().unwrap()).is_file());
    let mut aborts = 0;
    println!("{:28}  {:>6}  {:>6}  {:>12}  {:>6}", "operation", "tried", "values", "done without", "aborts");
    for (operation, least) in OPERATIONS {
        let mut tally = Tally::default();
        tally.run(operation, true);
        assert!(tally.tried >= least, "{operation}: {} allocations, expected {least}", tally.tried);
        tally.run(operation, false);
        let Tally { tried, values, done, aborts: ended } = tally;
        println!("{operation:28}  {tried:>6}  {values:>6}  {done:>12}  {ended:>6}");
        aborts += ended;
    }
    assert_eq!(aborts, 0);
}
