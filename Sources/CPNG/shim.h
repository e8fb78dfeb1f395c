#pragma once
#include <png.h>
#include <string.h>

// The version and the pixel format are macros that Swift does not import.
static inline png_image sprint_png_rgb_image(unsigned width, unsigned height) {
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    image.format = PNG_FORMAT_RGB;
    image.width = width;
    image.height = height;
    return image;
}
