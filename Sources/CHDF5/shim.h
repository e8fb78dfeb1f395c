#pragma once
#include <hdf5.h>

// Macros that expand to a library call or a cast; Swift does not import those.
static inline hid_t sprint_h5t_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t sprint_h5t_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t sprint_h5t_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t sprint_h5t_float_le(void) { return H5T_IEEE_F32LE; }
static inline hid_t sprint_h5t_double_le(void) { return H5T_IEEE_F64LE; }
// IEEE half precision: this version of the library has no name for it. The fields are those of h5py.
static inline hid_t sprint_h5t_half_le(void) {
    hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    if (type >= 0 && H5Tset_fields(type, 15, 10, 5, 0, 10) >= 0 && H5Tset_size(type, 2) >= 0
        && H5Tset_ebias(type, 15) >= 0)
        return type;
    return H5I_INVALID_HID;
}
static inline hid_t sprint_h5t_int64_le(void) { return H5T_STD_I64LE; }
// A conversion that changes nothing, from a text of variable length to bytes: what the file stores is the text's length
// and place. The library's own conversion copies a text into room for the length that the reference claims.
static herr_t sprint_h5t_as_stored(hid_t from, hid_t to, H5T_cdata_t *data, size_t count, size_t stride,
    size_t other_stride, void *values, void *others, hid_t properties) {
    if (data->command == H5T_CONV_INIT)
        data->need_bkg = H5T_BKG_NO;
    return 0;
}
static inline herr_t sprint_h5t_register_as_stored(hid_t text, hid_t bytes) {
    return H5Tregister(H5T_PERS_SOFT, "as stored", text, bytes, sprint_h5t_as_stored);
}
static inline hid_t sprint_h5t_string(void) { return H5T_C_S1; }
static inline hid_t sprint_h5p_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t sprint_h5p_dataset_access(void) { return H5P_DATASET_ACCESS; }
static inline hid_t sprint_h5p_dataset_create(void) { return H5P_DATASET_CREATE; }
static inline hid_t sprint_h5p_group_create(void) { return H5P_GROUP_CREATE; }
static inline hid_t sprint_h5p_file_create(void) { return H5P_FILE_CREATE; }
static inline hid_t sprint_h5p_default(void) { return H5P_DEFAULT; }
static inline unsigned sprint_h5f_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned sprint_h5f_exclusive(void) { return H5F_ACC_EXCL; }
static inline hid_t sprint_h5s_all(void) { return H5S_ALL; }
static inline haddr_t sprint_haddr_undefined(void) { return HADDR_UNDEF; }
// Stops the library from printing its error stack: sprint has messages of its own.
static inline herr_t sprint_h5e_silence(void) { return H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }
static inline size_t sprint_h5t_variable(void) { return H5T_VARIABLE; }
