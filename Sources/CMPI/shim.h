#pragma once
#include <mpi.h>

// OpenMPI defines these handles as macros with casts, which Swift does not import.
static inline MPI_Comm sprint_mpi_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Datatype sprint_mpi_byte(void) { return MPI_BYTE; }
static inline MPI_Request sprint_mpi_no_request(void) { return MPI_REQUEST_NULL; }
static inline MPI_Errhandler sprint_mpi_errors_return(void) { return MPI_ERRORS_RETURN; }
static inline MPI_Status *sprint_mpi_no_status(void) { return MPI_STATUS_IGNORE; }
static inline MPI_Status *sprint_mpi_no_statuses(void) { return MPI_STATUSES_IGNORE; }
