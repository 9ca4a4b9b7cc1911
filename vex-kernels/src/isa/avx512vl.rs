//! x86-64-v4 with lines of two 256-bit registers, for processors that halve everything of 512 bits and convert f16 slower then: AMD's
//! fourth generation widens eight at a time twice a cycle, sixteen once in a cycle and a half.

type Avx512Vl = super::avx2::By256<true>;

super::float::compile_float!(
    @distances Avx512Vl,
    (#[target_feature(
        enable = "sse,sse2,fxsr,sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi1,bmi2,fma,lzcnt,f16c,avx512f,avx512bw,avx512cd,avx512dq,avx512vl"
    )])
);
