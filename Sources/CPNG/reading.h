#pragma once
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

// libpng reports errors by longjmp, which must not leave C. Its simple interface would convert colours by the gamma
// that a file names; these functions take the numbers as they are.
typedef struct {
    png_structp png;
    png_infop info;
    const unsigned char *bytes;
    size_t count, place;
    unsigned width, height, bits_per_pixel;
    // What is wrong, after a function has returned 0.
    char problem[128];
} sprint_png_reader;

static void sprint_png_fail(png_structp png, png_const_charp text) {
    sprint_png_reader *reader = (sprint_png_reader *)png_get_error_ptr(png);
    snprintf(reader->problem, sizeof reader->problem, "%s", text);
    png_longjmp(png, 1);
}

static void sprint_png_ignore(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static void sprint_png_take(png_structp png, png_bytep target, size_t count) {
    sprint_png_reader *reader = (sprint_png_reader *)png_get_io_ptr(png);
    if (count > reader->count - reader->place) png_error(png, "the file ends too early");
    memcpy(target, reader->bytes + reader->place, count);
    reader->place += count;
}

// Reads up to the first pixels; returns 0 if that fails.
static inline __attribute__((noinline)) int sprint_png_open(
    sprint_png_reader *reader, const unsigned char *bytes, size_t count) {
    memset(reader, 0, sizeof *reader);
    reader->bytes = bytes;
    reader->count = count;
    reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader, sprint_png_fail, sprint_png_ignore);
    reader->info = reader->png ? png_create_info_struct(reader->png) : NULL;
    if (!reader->info) {
        snprintf(reader->problem, sizeof reader->problem, "no memory for libpng");
        return 0;
    }
    if (setjmp(png_jmpbuf(reader->png))) return 0;
    png_set_read_fn(reader->png, reader, sprint_png_take);
    png_read_info(reader->png, reader->info);
    reader->width = png_get_image_width(reader->png, reader->info);
    reader->height = png_get_image_height(reader->png, reader->info);
    reader->bits_per_pixel =
        png_get_bit_depth(reader->png, reader->info) * png_get_channels(reader->png, reader->info);
    return 1;
}

// Reads the pixels as width x height x 3 bytes: the higher byte of 16 bits, without alpha; returns 0 if that fails.
static inline __attribute__((noinline)) int sprint_png_read(sprint_png_reader *reader, unsigned char *pixels) {
    if (setjmp(png_jmpbuf(reader->png))) return 0;
    png_set_expand(reader->png);
    png_set_strip_16(reader->png);
    png_set_gray_to_rgb(reader->png);
    png_set_strip_alpha(reader->png);
    const int passes = png_set_interlace_handling(reader->png);
    png_read_update_info(reader->png, reader->info);
    const size_t pitch = (size_t)3 * reader->width;
    if (png_get_rowbytes(reader->png, reader->info) != pitch) png_error(reader->png, "its rows are no RGB");
    for (int pass = 0; pass < passes; pass++)
        for (unsigned row = 0; row < reader->height; row++)
            png_read_row(reader->png, pixels + row * pitch, NULL);
    return 1;
}

// Returns the contents of the chunk eXIf as it was found before the pixels; NULL if there is none.
static inline __attribute__((noinline)) const unsigned char *sprint_png_exif(sprint_png_reader *reader, size_t *count) {
    png_bytep exif = NULL;
    png_uint_32 length = 0;
    if (setjmp(png_jmpbuf(reader->png))) return NULL;
    if (!png_get_eXIf_1(reader->png, reader->info, &length, &exif)) return NULL;
    *count = length;
    return exif;
}

static inline void sprint_png_close(sprint_png_reader *reader) {
    png_destroy_read_struct(&reader->png, &reader->info, NULL);
}
