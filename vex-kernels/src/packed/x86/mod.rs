//! The operations on packed codes for x86-64.

mod avx2;
mod avx2_vnni;
mod avx512;
mod avx512_vnni;
