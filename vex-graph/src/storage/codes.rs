//! Owned codes: see [`distance::codes`](crate::distance::codes).

use alloc::vec::Vec;

use vex_kernels::Metric;

use super::{AlignedVec, bytes, growth, held, reserve, reserve_exact};
use crate::construct::Executor;
use crate::distance::codes::Encoder;
use crate::distance::codes::{centre, centre_bytes};
use crate::{Codes, Elements, NodeId, OutOfMemory, Quantization, Rows, Terms};

/// The codes of the first rows of a graph. Each begins on a cache line.
#[derive(Debug)]
pub(crate) struct CodeRows {
    quantization: Quantization,
    mean: Vec<f32>,
    planes: [AlignedVec<u8>; 2],
    terms: Vec<Terms>,
    encoder: Encoder,
}

/// A worker's share of the rows: the first of them, their codes in the planes, and their correction
/// terms.
type Task<'c> = (usize, [&'c mut [u8]; 2], &'c mut [Terms], Encoder);

impl CodeRows {
    /// No codes yet. The mean is zero.
    pub(crate) fn new(quantization: Quantization, metric: Metric, dim: usize) -> Result<Self, OutOfMemory> {
        let mut mean = Vec::new();
        reserve_exact(&mut mean, dim)?;
        mean.resize(dim, 0.0);
        let encoder = Encoder::new(quantization, metric, dim)?;
        let planes = [const { AlignedVec::new() }; 2];
        Ok(Self { quantization, mean, planes, terms: Vec::new(), encoder })
    }

    /// Bytes of the codes of `count` vectors that are coded at once.
    pub(crate) fn exact_bytes(quantization: Quantization, dim: usize, count: usize) -> usize {
        let planes = quantization
            .plane_bytes(dim)
            .map(|bytes| AlignedVec::<u8>::exact_bytes(count.saturating_mul(bytes)));
        let rows = planes[0].saturating_add(planes[1]);
        let (mean, encoder) = (bytes::<f32>(dim), bytes::<f32>(quantization.query_len(dim)));
        rows.saturating_add(bytes::<Terms>(count)).saturating_add(mean + encoder)
    }

    /// At most this many bytes more are needed while vectors are coded: to find their center, and
    /// for an encoder for each worker.
    pub(crate) fn coding_bytes(dim: usize, workers: usize) -> usize {
        let encoder = bytes::<f32>(Quantization::Sq2x2.query_len(dim)).saturating_add(size_of::<Task<'_>>());
        // A short list of tasks has room for four.
        workers.max(4).saturating_mul(encoder).saturating_add(centre_bytes(dim))
    }

    /// A copy of the codes of a view.
    pub(crate) fn copy_of(codes: &Codes<'_>, metric: Metric) -> Result<Self, OutOfMemory> {
        let mut copy = Self::new(codes.quantization(), metric, codes.dim())?;
        copy.mean.copy_from_slice(codes.mean());
        for (to, plane) in copy.planes.iter_mut().zip(codes.planes()) {
            to.reserve_exact(plane.len())?;
            to.extend_from_slice(plane);
        }
        reserve(&mut copy.terms, codes.count())?;
        copy.terms.extend_from_slice(codes.terms());
        Ok(copy)
    }

    /// Codes for all of `rows`, around their mean.
    pub(crate) fn of_rows(
        quantization: Quantization,
        rows: &Rows<'_>,
        executor: &dyn Executor,
    ) -> Result<Self, OutOfMemory> {
        let mut codes = Self::new(quantization, rows.metric(), rows.dim())?;
        let (count, plane_bytes) = (rows.count(), quantization.plane_bytes(rows.dim()));
        for (plane, bytes) in codes.planes.iter_mut().zip(plane_bytes) {
            plane.reserve_exact(count.saturating_mul(bytes))?;
            plane.extend_with(count * bytes, 0);
        }
        reserve_exact(&mut codes.terms, count)?;
        codes.terms.resize(count, Terms::default());
        codes.mean = centre(rows)?;

        // Each worker codes a run of rows, and writes to its own part of the planes.
        let workers = executor.workers().clamp(1, count.max(1));
        let share = count.div_ceil(workers).max(1);
        let mut tasks: Vec<Task<'_>> = Vec::new();
        reserve(&mut tasks, workers)?;
        let [mut first, mut second] = codes.planes.each_mut().map(AlignedVec::as_mut_slice);
        for (index, terms) in codes.terms.chunks_mut(share).enumerate() {
            let planes = [&mut first, &mut second];
            let mut ends = plane_bytes.iter().map(|bytes| bytes * terms.len());
            let planes =
                planes.map(|plane| plane.split_off_mut(..ends.next().unwrap_or(0)).unwrap_or_default());
            let encoder = Encoder::new(quantization, rows.metric(), rows.dim())?;
            tasks.push((index * share, planes, terms, encoder));
        }
        executor.run(&mut tasks, |(first, planes, terms, encoder)| {
            for (index, terms) in terms.iter_mut().enumerate() {
                let row = row_mut(planes.each_mut().map(|plane| &mut **plane), plane_bytes, index);
                *terms = encoder.encode(rows.row((*first + index) as NodeId), &codes.mean, row);
            }
        });
        drop(tasks);
        Ok(codes)
    }

    /// Codes all rows again, around another mean.
    pub(crate) fn encode_around(&mut self, mean: Vec<f32>, rows: &Rows<'_>) {
        self.mean = mean;
        for id in 0..self.terms.len() as NodeId {
            self.set(id, rows.row(id));
        }
    }

    pub(crate) fn quantization(&self) -> Quantization {
        self.quantization
    }

    /// Drops all rows but the first `count`.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.terms.truncate(count);
        for (plane, bytes) in self.planes.iter_mut().zip(self.quantization.plane_bytes(self.mean.len())) {
            plane.truncate(count * bytes);
        }
    }

    /// Moves rows to other places: see [`swap_rows`](super::swap_rows).
    pub(crate) fn swap_rows(&mut self, swaps: &[NodeId]) {
        super::swap_rows(&mut self.terms, 1, swaps);
        for (plane, bytes) in self.planes.iter_mut().zip(self.quantization.plane_bytes(self.mean.len())) {
            super::swap_rows(plane.as_mut_slice(), bytes, swaps);
        }
    }

    /// Makes room for `additional` more rows.
    pub(crate) fn reserve(&mut self, additional: usize) -> Result<(), OutOfMemory> {
        for (plane, bytes) in self.planes.iter_mut().zip(self.quantization.plane_bytes(self.mean.len())) {
            plane.reserve(additional.saturating_mul(bytes))?;
        }
        reserve(&mut self.terms, additional)
    }

    /// Appends the code of a vector, as it is stored, into room that was reserved.
    pub(crate) fn push(&mut self, vector: Elements<'_>) {
        for (plane, bytes) in self.planes.iter_mut().zip(self.quantization.plane_bytes(self.mean.len())) {
            plane.extend_with(bytes, 0);
        }
        self.terms.push(Terms::default());
        self.set(self.terms.len() as NodeId - 1, vector);
    }

    /// Replaces the code of a node by that of another vector, as it is stored.
    pub(crate) fn set(&mut self, id: NodeId, vector: Elements<'_>) {
        let planes = self.planes.each_mut().map(AlignedVec::as_mut_slice);
        let row = row_mut(planes, self.quantization.plane_bytes(self.mean.len()), id as usize);
        self.terms[id as usize] = self.encoder.encode(vector, &self.mean, row);
    }

    /// Bytes held, and bytes of the new memory that one more code would move them to.
    pub(crate) fn memory(&self) -> [usize; 2] {
        let encoder = bytes::<f32>(self.quantization.query_len(self.mean.len()));
        let plane_bytes = self.quantization.plane_bytes(self.mean.len());
        let planes =
            self.planes.iter().zip(plane_bytes).map(|(plane, bytes)| [plane.held(), plane.growth(bytes)]);
        planes.fold([held(&self.terms) + held(&self.mean) + encoder, growth(&self.terms)], |sum, plane| {
            [sum[0] + plane[0], sum[1] + plane[1]]
        })
    }

    pub(crate) fn view(&self) -> Codes<'_> {
        let planes = self.planes.each_ref().map(AlignedVec::as_slice);
        Codes::of_planes(self.quantization, planes, &self.terms, &self.mean)
    }
}

/// A row of codes in both planes.
fn row_mut(planes: [&mut [u8]; 2], plane_bytes: [usize; 2], index: usize) -> [&mut [u8]; 2] {
    let mut bytes = plane_bytes.into_iter();
    planes.map(|plane| {
        let bytes = bytes.next().unwrap_or(0);
        &mut plane[index * bytes..][..bytes]
    })
}
