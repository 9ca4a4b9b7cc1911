//! What x86-64 does with a line of codes.

mod avx2;
mod avx2_vnni;
mod avx512;
mod avx512_vnni;
