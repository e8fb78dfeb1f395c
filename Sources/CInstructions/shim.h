#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

// Swift sees neither the compiler's predefined macros, which say what it may use, nor the builtins that say what the
// CPU has.

#define SPRINT_TEXT(name) #name
#define SPRINT_TEXT_OF(macro) SPRINT_TEXT(macro)
#ifndef SPRINT_MARCH
#define SPRINT_MARCH unknown
#endif

// Returns the architecture that Package.swift passed to the compiler, e.g. "native" or "x86-64-v3".
static inline const char *sprint_architecture(void) { return SPRINT_TEXT_OF(SPRINT_MARCH); }

// Returns the extensions that this program was built for, each followed by a space.
static inline const char *sprint_extensions(void) {
  return ""
#define SPRINT_EXTENSION(name) name " "
#include "extensions.h"
#undef SPRINT_EXTENSION
      ;
}

// Returns the first extension that this program was built for and the CPU lacks, or NULL. Call it before any of them is
// used.
static inline const char *sprint_missing_instructions(void) {
  __builtin_cpu_init();
#define SPRINT_EXTENSION(name) if (!__builtin_cpu_supports(name)) return name;
#include "extensions.h"
#undef SPRINT_EXTENSION
  return NULL;
}

// Sixteen bfloat16 numbers at a time. Swift has neither the type nor the conversions of whole registers.
typedef float sprint_floats __attribute__((ext_vector_type(16)));
typedef uint32_t sprint_words __attribute__((ext_vector_type(16)));
typedef uint16_t sprint_halves __attribute__((ext_vector_type(16)));

// Loads sixteen bfloat16 numbers.
static inline __attribute__((always_inline)) sprint_floats sprint_widen_bfloat16(const void *source) {
  sprint_halves halves;
  memcpy(&halves, source, sizeof halves);
  return __builtin_bit_cast(sprint_floats, __builtin_convertvector(halves, sprint_words) << 16);
}

// Rounds sixteen numbers to the nearest bfloat16 numbers, ties to even, and stores them. The instruction takes numbers
// below 1.2e-38 for zero.
static inline __attribute__((always_inline)) void sprint_store_bfloat16(sprint_floats values, void *target) {
#ifdef __AVX512BF16__
  __m256bh halves = _mm512_cvtneps_pbh(__builtin_bit_cast(__m512, values));
#else
  sprint_words words = __builtin_bit_cast(sprint_words, values);
  sprint_words rounded = (words + 0x7fff + ((words >> 16) & 1)) >> 16;
  sprint_words isNaN = (sprint_words)((words & 0x7fffffff) > 0x7f800000);
  rounded = (isNaN & ((words >> 16) | 0x40)) | (~isNaN & rounded);
  sprint_halves halves = __builtin_convertvector(rounded, sprint_halves);
#endif
  memcpy(target, &halves, sizeof halves);
}
