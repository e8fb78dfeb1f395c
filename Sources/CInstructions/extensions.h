// The extensions of the instruction set that the compiler may use, one SPRINT_EXTENSION(name) each. Included where that
// macro is defined.

#ifdef __SSE4_2__
SPRINT_EXTENSION("sse4.2")
#endif
#ifdef __AVX__
SPRINT_EXTENSION("avx")
#endif
#ifdef __AVX2__
SPRINT_EXTENSION("avx2")
#endif
#ifdef __FMA__
SPRINT_EXTENSION("fma")
#endif
#ifdef __BMI2__
SPRINT_EXTENSION("bmi2")
#endif
#ifdef __AVX512F__
SPRINT_EXTENSION("avx512f")
#endif
#ifdef __AVX512BW__
SPRINT_EXTENSION("avx512bw")
#endif
#ifdef __AVX512DQ__
SPRINT_EXTENSION("avx512dq")
#endif
#ifdef __AVX512VL__
SPRINT_EXTENSION("avx512vl")
#endif
#ifdef __AVX512VBMI__
SPRINT_EXTENSION("avx512vbmi")
#endif
#ifdef __AVX512VNNI__
SPRINT_EXTENSION("avx512vnni")
#endif
#ifdef __AVX512BF16__
SPRINT_EXTENSION("avx512bf16")
#endif
#ifdef __AVX512FP16__
SPRINT_EXTENSION("avx512fp16")
#endif
#ifdef __AVXVNNI__
SPRINT_EXTENSION("avxvnni")
#endif
#ifdef __AMX_TILE__
SPRINT_EXTENSION("amx-tile")
#endif
