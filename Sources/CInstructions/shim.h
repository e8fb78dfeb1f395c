#pragma once
#include <stddef.h>

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
