#pragma once
#include <png.h>
#include <setjmp.h>
#include <stdio.h>

// libpng leaves a function that fails by longjmp, which must not cross Swift. Each of these functions comes back,
// with 0 where it failed.

typedef struct {
    png_structp png;
    png_infop info;
} sprint_png_rows;

static inline void sprint_png_failed(png_structp png, png_const_charp text) {
    (void)text;
    png_longjmp(png, 1);
}

static inline void sprint_png_warned(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

// Begins a picture of 8-bit grey (1 channel) or red, green and blue (3). `comment` is the contents of a tEXt chunk.
static inline int sprint_png_begin(sprint_png_rows *rows, FILE *file, unsigned width, unsigned height, int channels,
                                   const unsigned char *comment, size_t comment_length) {
    rows->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, sprint_png_failed, sprint_png_warned);
    rows->info = rows->png ? png_create_info_struct(rows->png) : NULL;
    if (!rows->info || setjmp(png_jmpbuf(rows->png))) return 0;
    png_init_io(rows->png, file);
    png_set_IHDR(rows->png, rows->info, width, height, 8, channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info_before_PLTE(rows->png, rows->info);
    if (comment_length) png_write_chunk(rows->png, (png_const_bytep) "tEXt", comment, comment_length);
    const png_byte perceptual = PNG_sRGB_INTENT_PERCEPTUAL;
    png_write_chunk(rows->png, (png_const_bytep) "sRGB", &perceptual, 1);
    png_write_info(rows->png, rows->info);
    return 1;
}

static inline int sprint_png_row(sprint_png_rows *rows, const unsigned char *row) {
    if (setjmp(png_jmpbuf(rows->png))) return 0;
    png_write_row(rows->png, row);
    return 1;
}

static inline int sprint_png_end(sprint_png_rows *rows) {
    if (setjmp(png_jmpbuf(rows->png))) return 0;
    png_write_end(rows->png, rows->info);
    return 1;
}

static inline void sprint_png_free(sprint_png_rows *rows) { png_destroy_write_struct(&rows->png, &rows->info); }
