#pragma once
#include <oneapi/dnnl/dnnl.h>

// oneDNN takes its threads from OpenMP, whose header lies in a folder of the C compiler that Swift does not search.
extern void omp_set_num_threads(int count);
