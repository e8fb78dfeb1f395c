#pragma once
#include <stddef.h>

// Predefined macros say which instructions the compiler may use, builtins which ones the CPU has. Swift sees neither.

#define SPRINT_NEEDS(name) if (!__builtin_cpu_supports(name)) return name;

// Returns the first extension that this program was built for and the CPU lacks, or NULL. Call it before any is used.
static inline const char *sprint_missing_instructions(void) {
  __builtin_cpu_init();
#ifdef __SSE4_2__
  SPRINT_NEEDS("sse4.2")
#endif
#ifdef __AVX__
  SPRINT_NEEDS("avx")
#endif
#ifdef __AVX2__
  SPRINT_NEEDS("avx2")
#endif
#ifdef __FMA__
  SPRINT_NEEDS("fma")
#endif
#ifdef __BMI2__
  SPRINT_NEEDS("bmi2")
#endif
#ifdef __AVX512F__
  SPRINT_NEEDS("avx512f")
#endif
#ifdef __AVX512BW__
  SPRINT_NEEDS("avx512bw")
#endif
#ifdef __AVX512DQ__
  SPRINT_NEEDS("avx512dq")
#endif
#ifdef __AVX512VL__
  SPRINT_NEEDS("avx512vl")
#endif
#ifdef __AVX512VBMI__
  SPRINT_NEEDS("avx512vbmi")
#endif
#ifdef __AVX512VNNI__
  SPRINT_NEEDS("avx512vnni")
#endif
#ifdef __AVX512BF16__
  SPRINT_NEEDS("avx512bf16")
#endif
#ifdef __AVX512FP16__
  SPRINT_NEEDS("avx512fp16")
#endif
#ifdef __AVXVNNI__
  SPRINT_NEEDS("avxvnni")
#endif
#ifdef __AMX_TILE__
  SPRINT_NEEDS("amx-tile")
#endif
  return NULL;
}
