//! Work that is no kernel, compiled for an instruction set.

use super::hadamard::hadamard;
use super::ops::FloatOps;
#[cfg(target_arch = "aarch64")]
use crate::cpu::Neon;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
use crate::cpu::{Avx2, Avx512};
use crate::cpu::{Isa, Portable, Task, Token};

/// What [`Isa::run`] runs.
///
/// A trait, since a closure cannot ask to be inlined.
pub trait Work {
    /// What comes of it.
    type Output;

    /// Does it. This and what it calls has to be `#[inline(always)]`: what is not inlined is compiled for what the target guarantees.
    fn run(self) -> Self::Output;
}

impl Isa {
    /// Does work compiled for this instruction set, or for what the target guarantees if this machine lacks it: loops over many elements
    /// that the compiler vectorises, and that no kernel here is for.
    ///
    /// Rust neither fuses nor reorders what is computed, so the result is the same on every instruction set.
    ///
    /// ```
    /// use vex_kernels::{Isa, Work};
    ///
    /// struct Double<'a>(&'a mut [f32]);
    ///
    /// impl Work for Double<'_> {
    ///     type Output = ();
    ///
    ///     #[inline(always)]
    ///     fn run(self) {
    ///         self.0.iter_mut().for_each(|element| *element *= 2.0);
    ///     }
    /// }
    ///
    /// let mut vector = [3.0; 100];
    /// Isa::detect().run(Double(&mut vector));
    /// assert_eq!(vector, [6.0; 100]);
    /// ```
    #[inline]
    pub fn run<W: Work>(self, work: W) -> W::Output {
        self.run_task(Plain(work))
    }

    /// The orthogonal Walsh-Hadamard transform of 2ᵏ elements, k ≥ 4, in place: H x / √(2ᵏ), where H₁ = (1) and
    /// H₂ₙ = (Hₙ Hₙ; Hₙ −Hₙ). Its own inverse. The same bits on every instruction set.
    ///
    /// # Panics
    /// If there are fewer than sixteen elements, or no power of two.
    #[inline]
    pub fn hadamard(self, vector: &mut [f32]) {
        self.run_task(Hadamard(vector));
    }

    #[inline]
    fn run_task<T: AnyTask>(self, task: T) -> T::Output {
        let done = match self {
            #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
            Isa::Avx512 => Avx512::try_run(task),
            #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
            Isa::Avx2 => Avx2::try_run(task),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => Neon::try_run(task),
            _ => Err(task),
        };
        match done {
            Ok(output) => output,
            Err(task) => AnyTask::run(task, Portable),
        }
    }
}

/// What every instruction set can do.
pub(crate) trait AnyTask: Sized {
    type Output;

    fn run<I: FloatOps>(self, isa: I) -> Self::Output;
}

impl<I: FloatOps, T: AnyTask> Task<I> for T {
    type Output = T::Output;

    #[inline(always)]
    fn run(self, isa: I) -> T::Output {
        AnyTask::run(self, isa)
    }
}

struct Plain<W>(W);

impl<W: Work> AnyTask for Plain<W> {
    type Output = W::Output;

    #[inline(always)]
    fn run<I: FloatOps>(self, _: I) -> W::Output {
        self.0.run()
    }
}

struct Hadamard<'v>(&'v mut [f32]);

impl AnyTask for Hadamard<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: FloatOps>(self, isa: I) {
        hadamard(isa, self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::Work;
    use crate::Isa;

    struct Squares<'v>(&'v [f32]);

    impl Work for Squares<'_> {
        type Output = [u32; 16];

        #[inline(always)]
        fn run(self) -> [u32; 16] {
            let mut sums = [0.0f32; 16];
            for chunk in self.0.chunks(16) {
                sums.iter_mut().zip(chunk).for_each(|(sum, element)| *sum += element * element);
            }
            sums.map(f32::to_bits)
        }
    }

    #[test]
    fn every_instruction_set_computes_the_same() {
        let vector: [f32; 333] = core::array::from_fn(|i| (i as f32 * 0.37) % 2.9 - 1.1);
        for isa in Isa::ALL {
            assert_eq!(isa.run(Squares(&vector)), Squares(&vector).run(), "{isa}");
        }
    }
}
