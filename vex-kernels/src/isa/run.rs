//! Plain Rust, compiled for an instruction set.

#[cfg(any(all(target_arch = "x86_64", target_feature = "sse2"), target_arch = "aarch64"))]
use super::Capabilities;
use crate::Level;

/// Calls a function as compiled for a level, or what is there for every machine.
macro_rules! on_level {
    ($level:expr, $function:ident($argument:expr), $portable:expr) => {
        match $level {
            #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
            // SAFETY: here and below, the capability covers every feature that it is compiled with.
            Level::Avx512 if Capabilities::detect().avx512() => unsafe {
                super::avx512::$function($argument)
            },
            #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
            // SAFETY: as above.
            Level::Avx2 if Capabilities::detect().avx2() => unsafe { super::avx2::$function($argument) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: as above.
            Level::Neon if Capabilities::detect().neon() => unsafe { super::neon::$function($argument) },
            _ => $portable,
        }
    };
}

/// What [`Level::run`] runs.
///
/// A trait, since a closure cannot ask to be inlined.
pub trait Work {
    /// What comes of it.
    type Output;

    /// Does it. This and what it calls has to be `#[inline(always)]`: what is not inlined is compiled for what the target guarantees.
    fn run(self) -> Self::Output;
}

impl Level {
    /// Does work compiled for this level, or for what the target guarantees if this machine lacks the level: loops over many elements
    /// that the compiler vectorises, and that no kernel here is for.
    ///
    /// Rust neither fuses nor reorders what is computed, so the result is the same at every level.
    ///
    /// ```
    /// use vex_kernels::{Level, Work};
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
    /// Level::detect().run(Double(&mut vector));
    /// assert_eq!(vector, [6.0; 100]);
    /// ```
    #[inline]
    pub fn run<W: Work>(self, work: W) -> W::Output {
        on_level!(self, run(work), work.run())
    }

    /// The orthogonal Walsh-Hadamard transform of 2ᵏ elements, k ≥ 4, in place: H x / √(2ᵏ), where H₁ = (1) and
    /// H₂ₙ = (Hₙ Hₙ; Hₙ −Hₙ). Its own inverse. The same bits at every level.
    ///
    /// # Panics
    /// If there are fewer than sixteen elements, or no power of two.
    #[inline]
    pub fn hadamard(self, vector: &mut [f32]) {
        // SAFETY: every target has the portable one.
        on_level!(self, hadamard(vector), unsafe { super::portable::hadamard(vector) })
    }
}

#[cfg(test)]
mod tests {
    use super::Work;
    use crate::Level;

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
    fn every_level_computes_the_same() {
        let vector: [f32; 333] = core::array::from_fn(|i| (i as f32 * 0.37) % 2.9 - 1.1);
        for level in Level::ALL {
            assert_eq!(level.run(Squares(&vector)), Squares(&vector).run(), "{level}");
        }
    }
}
