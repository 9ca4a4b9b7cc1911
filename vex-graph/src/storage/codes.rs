//! Owned codes.

use alloc::vec::Vec;

use vex_kernels::Metric;

use super::{AlignedVec, bytes, growth, held, reserve, reserve_exact};
use crate::build::Executor;
use crate::codes::Encoder;
use crate::element::Float;
use crate::{Codes, Elements, NodeId, OutOfMemory, Quantization, Rows, Terms};

/// The codes of the first rows of a graph, in rows that begin on cache lines.
#[derive(Debug)]
pub(crate) struct CodeRows {
    quantization: Quantization,
    mean: Vec<f32>,
    rows: AlignedVec<u8>,
    terms: Vec<Terms>,
    encoder: Encoder,
}

/// A worker's share of the rows: the first of them, their codes and terms.
type Task<'c> = (usize, &'c mut [u8], &'c mut [Terms], Encoder);

impl CodeRows {
    /// No codes yet. The mean is zero.
    pub(crate) fn new(quantization: Quantization, metric: Metric, dim: usize) -> Result<Self, OutOfMemory> {
        let mut mean = Vec::new();
        reserve_exact(&mut mean, dim)?;
        mean.resize(dim, 0.0);
        let encoder = Encoder::new(quantization, metric, dim)?;
        Ok(Self { quantization, mean, rows: AlignedVec::new(), terms: Vec::new(), encoder })
    }

    /// Bytes of the codes of `count` vectors that are coded at once.
    pub(crate) fn exact_bytes(quantization: Quantization, dim: usize, count: usize) -> usize {
        let rows = AlignedVec::<u8>::exact_bytes(count.saturating_mul(quantization.row_bytes(dim)));
        let (mean, encoder) = (bytes::<f32>(dim), bytes::<f32>(quantization.query_len(dim)));
        rows.saturating_add(bytes::<Terms>(count)).saturating_add(mean + encoder)
    }

    /// At most so many bytes more are needed while they are coded: a mean and its sums, and an encoder for each worker.
    pub(crate) fn coding_bytes(dim: usize, workers: usize) -> usize {
        let encoder = bytes::<f32>(Quantization::Sq4.query_len(dim)).saturating_add(size_of::<Task<'_>>());
        // A short list of tasks has room for four.
        workers.max(4).saturating_mul(encoder).saturating_add(bytes::<f64>(dim) + bytes::<f32>(dim))
    }

    /// A copy of the codes of a view.
    pub(crate) fn copy_of(codes: &Codes<'_>, metric: Metric) -> Result<Self, OutOfMemory> {
        let mut copy = Self::new(codes.quantization(), metric, codes.dim())?;
        copy.mean.copy_from_slice(codes.mean());
        copy.rows.reserve_exact(codes.rows().len())?;
        copy.rows.extend_from_slice(codes.rows());
        reserve(&mut copy.terms, codes.count())?;
        copy.terms.extend_from_slice(codes.terms());
        Ok(copy)
    }

    /// Codes for all of `rows`, around their mean.
    pub(crate) fn of_rows(
        quantization: Quantization,
        rows: &Rows<'_>,
        executor: &impl Executor,
    ) -> Result<Self, OutOfMemory> {
        let mut codes = Self::new(quantization, rows.metric(), rows.dim())?;
        let (count, row_bytes) = (rows.count(), quantization.row_bytes(rows.dim()));
        codes.rows.reserve_exact(count.saturating_mul(row_bytes))?;
        codes.rows.extend_with(count * row_bytes, 0);
        reserve_exact(&mut codes.terms, count)?;
        codes.terms.resize(count, Terms::default());
        codes.mean = Self::mean_of(rows)?;

        let share = count.div_ceil(executor.workers()).max(1);
        let mut tasks: Vec<Task<'_>> = Vec::new();
        reserve(&mut tasks, executor.workers())?;
        let shares =
            codes.rows.as_mut_slice().chunks_mut(share * row_bytes).zip(codes.terms.chunks_mut(share));
        for (index, (codes, terms)) in shares.enumerate() {
            let encoder = Encoder::new(quantization, rows.metric(), rows.dim())?;
            tasks.push((index * share, codes, terms, encoder));
        }
        executor.run(&mut tasks, |(first, rows_of_codes, terms, encoder)| {
            for (index, (row, terms)) in rows_of_codes.chunks_mut(row_bytes).zip(terms.iter_mut()).enumerate()
            {
                *terms = encoder.encode(rows.row((*first + index) as NodeId), &codes.mean, row);
            }
        });
        drop(tasks);
        Ok(codes)
    }

    /// The mean of all of `rows`.
    pub(crate) fn mean_of(rows: &Rows<'_>) -> Result<Vec<f32>, OutOfMemory> {
        let mut sums: Vec<f64> = Vec::new();
        reserve(&mut sums, rows.dim())?;
        sums.resize(rows.dim(), 0.0);
        let mut mean = Vec::new();
        reserve_exact(&mut mean, rows.dim())?;
        for id in 0..rows.count() as NodeId {
            match rows.row(id) {
                Elements::F32(row) => add(&mut sums, row),
                Elements::F16(row) => add(&mut sums, row),
                _ => unreachable!("codes are of floating-point vectors"),
            }
        }
        mean.extend(sums.iter().map(|sum| (sum / rows.count().max(1) as f64) as f32));
        Ok(mean)
    }

    /// Codes all rows anew, around another mean.
    pub(crate) fn encode_around(&mut self, mean: Vec<f32>, rows: &Rows<'_>) {
        self.mean = mean;
        let row_bytes = self.quantization.row_bytes(rows.dim());
        let codes = self.rows.as_mut_slice().chunks_mut(row_bytes);
        for (id, (row, terms)) in codes.zip(&mut self.terms).enumerate() {
            *terms = self.encoder.encode(rows.row(id as NodeId), &self.mean, row);
        }
    }

    pub(crate) fn quantization(&self) -> Quantization {
        self.quantization
    }

    /// Makes room for `additional` more rows.
    pub(crate) fn reserve(&mut self, additional: usize) -> Result<(), OutOfMemory> {
        let bytes = self.quantization.row_bytes(self.mean.len());
        self.rows.reserve(additional.saturating_mul(bytes))?;
        reserve(&mut self.terms, additional)
    }

    /// Appends the code of a vector, as it is stored, into room that was reserved.
    pub(crate) fn push(&mut self, vector: Elements<'_>) {
        let start = self.rows.len();
        self.rows.extend_with(self.quantization.row_bytes(self.mean.len()), 0);
        let row = &mut self.rows.as_mut_slice()[start..];
        let terms = self.encoder.encode(vector, &self.mean, row);
        self.terms.push(terms);
    }

    /// Overwrites the code of a node by that of another vector, as it is stored.
    pub(crate) fn set(&mut self, id: NodeId, vector: Elements<'_>) {
        let row_bytes = self.quantization.row_bytes(self.mean.len());
        let row = &mut self.rows.as_mut_slice()[id as usize * row_bytes..][..row_bytes];
        self.terms[id as usize] = self.encoder.encode(vector, &self.mean, row);
    }

    /// Bytes that it holds, and those of the new places of what one more code would move.
    pub(crate) fn memory(&self) -> [usize; 2] {
        let encoder = bytes::<f32>(self.quantization.query_len(self.mean.len()));
        let growth = self.rows.growth(self.quantization.row_bytes(self.mean.len())) + growth(&self.terms);
        [self.rows.held() + held(&self.terms) + held(&self.mean) + encoder, growth]
    }

    pub(crate) fn view(&self) -> Codes<'_> {
        Codes::new(self.quantization, self.rows.as_slice(), &self.terms, &self.mean).expect("rows are whole")
    }
}

fn add(sums: &mut [f64], row: &[impl Float]) {
    for (sum, element) in sums.iter_mut().zip(row) {
        *sum += f64::from(element.widen());
    }
}
