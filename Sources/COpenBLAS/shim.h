#pragma once
#include <cblas.h>
#include <stddef.h>

// The LAPACK inside OpenBLAS, under its Fortran names: its C interface is a package of its own. Matrices are stored
// column by column, every argument is an address, and the lengths of texts follow at the end.

/// Eigenvalues in ascending order, and vectors in the columns of `a`, of a symmetric matrix, by divide and conquer.
void dsyevd_(
    const char *jobz, const char *uplo, const blasint *n, double *a, const blasint *lda, double *w, double *work,
    const blasint *lwork, blasint *iwork, const blasint *liwork, blasint *info, size_t jobz_length, size_t uplo_length);

/// Singular values in descending order of a matrix, which is overwritten, by divide and conquer.
void dgesdd_(
    const char *jobz, const blasint *m, const blasint *n, double *a, const blasint *lda, double *s, double *u,
    const blasint *ldu, double *vt, const blasint *ldvt, double *work, const blasint *lwork, blasint *iwork,
    blasint *info, size_t jobz_length);
