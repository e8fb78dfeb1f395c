#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __AVX512F__
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

// Sixteen numbers at a time. Swift has neither bfloat16 nor the instructions that load and store a part of a register.
#define SPRINT_INLINE static inline __attribute__((always_inline))
typedef float sprint_floats __attribute__((ext_vector_type(16)));
typedef uint32_t sprint_words __attribute__((ext_vector_type(16)));
typedef uint16_t sprint_halves __attribute__((ext_vector_type(16)));

SPRINT_INLINE sprint_floats sprint_widen(sprint_halves halves) {
  return __builtin_bit_cast(sprint_floats, __builtin_convertvector(halves, sprint_words) << 16);
}

// Loads sixteen bfloat16 numbers.
SPRINT_INLINE sprint_floats sprint_load_bfloat16(const void *source) {
  sprint_halves halves;
  memcpy(&halves, source, sizeof halves);
  return sprint_widen(halves);
}

// Rounds sixteen numbers to the nearest bfloat16 numbers, ties to even. The instruction takes numbers below 1.2e-38 for
// zero.
SPRINT_INLINE sprint_halves sprint_rounded(sprint_floats values) {
#ifdef __AVX512BF16__
  return __builtin_bit_cast(sprint_halves, _mm512_cvtneps_pbh(__builtin_bit_cast(__m512, values)));
#else
  sprint_words words = __builtin_bit_cast(sprint_words, values);
  sprint_words rounded = (words + 0x7fff + ((words >> 16) & 1)) >> 16;
  sprint_words isNaN = (sprint_words)((words & 0x7fffffff) > 0x7f800000);
  rounded = (isNaN & ((words >> 16) | 0x40)) | (~isNaN & rounded);
  return __builtin_convertvector(rounded, sprint_halves);
#endif
}

SPRINT_INLINE void sprint_store_bfloat16(sprint_floats values, void *target) {
  sprint_halves halves = sprint_rounded(values);
  memcpy(target, &halves, sizeof halves);
}

// The same for the first `lanes` of sixteen numbers, fewer than sixteen; the others are loaded as zero. A call in their
// place would empty all registers of the loop around it.

SPRINT_INLINE sprint_floats sprint_load_part(const void *source, size_t lanes) {
#ifdef __AVX512F__
  return __builtin_bit_cast(sprint_floats, _mm512_maskz_loadu_ps((__mmask16)((1u << lanes) - 1), source));
#else
  sprint_floats part = {0};
  memcpy(&part, source, lanes * sizeof(float));
  return part;
#endif
}

SPRINT_INLINE void sprint_store_part(sprint_floats values, void *target, size_t lanes) {
#ifdef __AVX512F__
  _mm512_mask_storeu_ps(target, (__mmask16)((1u << lanes) - 1), __builtin_bit_cast(__m512, values));
#else
  memcpy(target, &values, lanes * sizeof(float));
#endif
}

SPRINT_INLINE sprint_floats sprint_load_part_bfloat16(const void *source, size_t lanes) {
#if defined(__AVX512BW__) && defined(__AVX512VL__)
  __m256i part = _mm256_maskz_loadu_epi16((__mmask16)((1u << lanes) - 1), source);
  return sprint_widen(__builtin_bit_cast(sprint_halves, part));
#else
  sprint_halves part = {0};
  memcpy(&part, source, lanes * sizeof(uint16_t));
  return sprint_widen(part);
#endif
}

SPRINT_INLINE void sprint_store_part_bfloat16(sprint_floats values, void *target, size_t lanes) {
  sprint_halves halves = sprint_rounded(values);
#if defined(__AVX512BW__) && defined(__AVX512VL__)
  _mm256_mask_storeu_epi16(target, (__mmask16)((1u << lanes) - 1), __builtin_bit_cast(__m256i, halves));
#else
  memcpy(target, &halves, lanes * sizeof(uint16_t));
#endif
}
