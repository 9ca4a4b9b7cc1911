//! Time in ticks of the time stamp counter, and how many core cycles a tick is.
//!
//! The counter runs at one frequency while the core changes its own, so ticks are not cycles. A chain of
//! dependent multiplications, whose length in cycles is known, is timed beside the kernels in every round.

use std::arch::asm;
use std::arch::x86_64::{__rdtscp, _mm_lfence, _rdtsc};
use std::time::{Duration, Instant};

/// The counter, read after everything before it has finished.
#[inline(always)]
#[allow(unused_unsafe)]
pub(crate) fn start() -> u64 {
    // SAFETY: every x86-64 processor has a time stamp counter and SSE2.
    unsafe {
        _mm_lfence();
        let now = _rdtsc();
        _mm_lfence();
        now
    }
}

/// The counter, read after the timed code has finished and before anything after it starts.
#[inline(always)]
#[allow(unused_unsafe)]
pub(crate) fn stop() -> u64 {
    let mut processor = 0;
    // SAFETY: as in `start`; `rdtscp` is as old as the AVX that every level but the scalar one needs.
    unsafe {
        let now = __rdtscp(&mut processor);
        _mm_lfence();
        now
    }
}

/// Core cycles of [`chain`]: 32 dependent multiplications of three cycles, 200 times.
pub(crate) const CHAIN_CYCLES: u64 = 200 * 32 * 3;

/// Ticks of a chain whose cycles are known.
///
/// Multiplications, because a dependent addition of a constant, the usual choice, takes no cycle at all on
/// cores that fold it while renaming (Intel since Golden Cove); `imul` has taken three on every Intel core
/// since 2008 and every AMD core since Zen.
#[inline(never)]
pub(crate) fn chain() -> u64 {
    let begin = start();
    // SAFETY: works on two scratch registers.
    unsafe {
        asm!(
            "2:",
            ".rept 32",
            "imul {x}, {x}",
            ".endr",
            "dec {n}",
            "jnz 2b",
            x = inout(reg) 3u64 => _,
            n = inout(reg) 200u64 => _,
            options(nomem, nostack),
        );
    }
    stop() - begin
}

/// Ticks in a second, over a twentieth of one.
pub(crate) fn ticks_per_second() -> f64 {
    let (instant, ticks) = (Instant::now(), start());
    while instant.elapsed() < Duration::from_millis(50) {}
    (stop() - ticks) as f64 / instant.elapsed().as_secs_f64()
}

/// Ticks of one contender over the rounds of a run, with those of the [`chain`] beside it.
#[derive(Clone, Default)]
pub(crate) struct Samples {
    ticks: Vec<f64>,
    cycles: Vec<f64>,
}

impl Samples {
    /// A batch of `calls` that took `ticks`, in a round whose chain took `chain` ticks.
    pub(crate) fn push(&mut self, ticks: u64, calls: usize, chain: u64) {
        let ticks = ticks as f64 / calls as f64;
        self.ticks.push(ticks);
        self.cycles.push(ticks * CHAIN_CYCLES as f64 / chain as f64);
    }

    pub(crate) fn minimum_ticks(&self) -> f64 {
        self.ticks.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(crate) fn median_ticks(&self) -> f64 {
        median(&self.ticks)
    }

    /// By the chain of the same round, so that a change of the core's clock does not show.
    pub(crate) fn median_cycles(&self) -> f64 {
        median(&self.cycles)
    }
}

/// The fastest batch is the one that nothing disturbed, for the kernel as for the chain. Both are sought within
/// tenths of the run, since over the whole of it the clock may have changed between the one and the other.
pub(crate) fn minimum_cycles(samples: &Samples, chain: &[u64]) -> f64 {
    const PARTS: usize = 10;
    let part = |length: usize, index: usize| index * length / PARTS..(index + 1) * length / PARTS;
    let cycles = (0..PARTS).filter_map(|index| {
        let fastest = chain[part(chain.len(), index)].iter().min()?;
        let ticks = samples.ticks[part(samples.ticks.len(), index)].iter().copied().min_by(f64::total_cmp)?;
        Some(ticks * CHAIN_CYCLES as f64 / *fastest as f64)
    });
    cycles.fold(f64::INFINITY, f64::min)
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
