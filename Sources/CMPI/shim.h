#pragma once
#include <errno.h>
#include <mpi.h>
#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

// <sys/uio.h> declares it for _GNU_SOURCE alone.
ssize_t process_vm_readv(
    pid_t, const struct iovec *, unsigned long, const struct iovec *, unsigned long, unsigned long);

// Whether this process may read the memory of process `pid`. The kernel checks the permission before the address, at
// which there is nothing to read.
static inline bool sprint_mpi_may_read(pid_t pid) {
  char byte;
  struct iovec own = {&byte, 1}, other = {(void *)1, 1};
  return process_vm_readv(pid, &own, 1, &other, 1, 0) >= 0
    || (errno != EPERM && errno != EACCES && errno != ENOSYS);
}

// OpenMPI defines these handles as macros with casts, which Swift does not import.
static inline MPI_Comm sprint_mpi_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Datatype sprint_mpi_byte(void) { return MPI_BYTE; }
static inline MPI_Request sprint_mpi_no_request(void) { return MPI_REQUEST_NULL; }
static inline MPI_Errhandler sprint_mpi_errors_return(void) { return MPI_ERRORS_RETURN; }
static inline MPI_Status *sprint_mpi_no_status(void) { return MPI_STATUS_IGNORE; }
static inline MPI_Status *sprint_mpi_no_statuses(void) { return MPI_STATUSES_IGNORE; }
