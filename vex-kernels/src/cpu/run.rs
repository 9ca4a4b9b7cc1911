//! Work in plain Rust, compiled for an instruction set.

use super::{Isa, Work};

/// Runs an expression as compiled for an instruction set, or for what every machine has if this one
/// lacks the set. Inside the expression, the name before it is the token.
macro_rules! run_on {
    ($isa:expr, |$token:ident| $work:expr) => {
        match $isa {
            #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
            isa @ $crate::Isa::Avx512 if isa.is_available() => {
                $crate::cpu::run_on! { @on Avx512, $token, $work }
            }
            #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
            isa @ $crate::Isa::Avx2 if isa.is_available() => {
                $crate::cpu::run_on! { @on Avx2, $token, $work }
            }
            #[cfg(target_arch = "aarch64")]
            isa @ $crate::Isa::Neon if isa.is_available() => {
                $crate::cpu::run_on! { @on Neon, $token, $work }
            }
            _ => $crate::cpu::run_on! { @on Portable, $token, $work },
        }
    };
    (@on $isa:ident, $token:ident, $work:expr) => {{
        let $token = <$crate::cpu::$isa as $crate::cpu::Token>::here();
        $crate::cpu::Token::run_here($token, $work)
    }};
}
pub(crate) use run_on;

impl Isa {
    /// Runs work as compiled for this instruction set, or for what the target guarantees if this
    /// machine lacks the set. It is meant for loops over many elements that the compiler
    /// vectorizes, and that no kernel here computes.
    ///
    /// Rust neither fuses nor reorders floating-point operations, so the result is the same on
    /// every instruction set.
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
        run_on!(self, |_token| work)
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
