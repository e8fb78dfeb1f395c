import CHDF5

/// An identifier of the library, closed at the end of its life.
struct Identifier: ~Copyable {
  let id: hid_t
  private let close: (hid_t) -> herr_t

  init(_ id: hid_t, _ close: @escaping (hid_t) -> herr_t) { (self.id, self.close) = (id, close) }

  deinit { if id >= 0 { _ = close(id) } }
}

// Valid HDF5 of any kind, by the library's own calls. What the library refuses to write is left out.

extension Recipe {
  /// Returns a type of elements: that of a good file, or another.
  mutating func type(_ usual: hid_t) -> Identifier {
    let (float, integer) = (sprint_h5t_float_le(), sprint_h5t_int64_le())
    func copied(_ type: hid_t, _ change: (hid_t) -> Void) -> hid_t {
      let copy = H5Tcopy(type)
      change(copy)
      return copy
    }
    let size = Int(number(4) % 70_000)
    let made: hid_t
    switch next() % 20 {
    case 1: made = sprint_h5t_half_le()
    case 2: made = H5Tcopy(sprint_h5t_double_le())
    case 3: made = H5Tcopy(integer)
    case 4: made = copied(integer) { H5Tset_size($0, max(1, size % 9)) }
    case 5, 6: made = copied(sprint_h5t_string()) { H5Tset_size($0, max(1, size)) }
    case 7, 8: made = copied(sprint_h5t_string()) { H5Tset_size($0, -1) }
    case 9: made = H5Tvlen_create(float)
    case 10:
      made = H5Tcreate(H5T_COMPOUND, 16)
      H5Tinsert(made, "a", 0, float)
      H5Tinsert(made, "b", 8, integer)
    case 11: made = H5Tcreate(H5T_OPAQUE, max(1, size))
    case 12:
      var extents = [hsize_t(max(1, size % 9))]
      made = H5Tarray_create2(float, 1, &extents)
    case 13: made = copied(float) { H5Tset_order($0, H5T_ORDER_BE) }
    case 14: made = H5Tenum_create(integer)
    case 15: made = H5Tvlen_create(H5Tcopy(sprint_h5t_string()))
    default: made = H5Tcopy(usual)
    }
    return Identifier(made >= 0 ? made : H5Tcopy(usual), H5Tclose)
  }

  /// Returns a shape: that of a good file, or another.
  mutating func extents(_ usual: [UInt64]) -> [hsize_t] {
    switch next() % 8 {
    case 5: return []
    case 6: return (0..<Int(next()) % 33).map { _ in number(1) }
    case 7: return usual.map { _ in number(1) }
    case 4: return usual.map { number($0) }
    default: return usual
    }
  }

  /// Adds an attribute to an object.
  mutating func addAttribute(_ object: hid_t, _ name: String, _ usual: hid_t, _ shape: [UInt64]) {
    let type = type(usual)
    let extents = extents(shape)
    let isNull = next() % 16 == 15
    let space = Identifier(isNull ? H5Screate(H5S_NULL) : Self.space(extents), H5Sclose)
    // The library encodes all of an attribute as it creates it.
    let bytes = H5Sget_simple_extent_npoints(space.id).multipliedReportingOverflow(by: hssize_t(H5Tget_size(type.id)))
    guard space.id >= 0, !bytes.overflow, bytes.partialValue < 1 << 22 else { return }
    let attribute = Identifier(H5Acreate2(object, name, type.id, space.id, 0, 0), H5Aclose)
    guard attribute.id >= 0 else { return }
    withValues(type.id, space.id) { _ = H5Awrite(attribute.id, type.id, $0) }
  }

  /// Adds a data set, or a link in its place.
  mutating func addDataset(_ file: hid_t, _ name: String, _ usual: hid_t, _ shape: [UInt64]) {
    let other = Scratch.path("other.h5")
    switch next() % 24 {
    case 20: _ = H5Lcreate_soft(pick(["/", name, "/labels", "/latents", "/nothing"]), file, name, 0, 0)
    case 21: _ = H5Lcreate_external(pick([other, Scratch.path("input.h5"), "/nothing"]), "/latents", file, name, 0, 0)
    case 22: _ = H5Lcreate_hard(file, "/", file, name, 0, 0)
    case 23: break
    default: createDataset(file, name, usual, shape, other)
    }
  }

  private mutating func createDataset(
    _ file: hid_t, _ name: String, _ usual: hid_t, _ shape: [UInt64], _ other: String
  ) {
    let type = type(usual)
    let extents = extents(shape)
    let space = Identifier(Self.space(extents), H5Sclose)
    let properties = Identifier(H5Pcreate(sprint_h5p_dataset_create()), H5Pclose)
    switch next() % 12 {
    case 6: H5Pset_layout(properties.id, H5D_COMPACT)
    case 7, 8, 9: cut(properties.id, extents)
    case 10: H5Pset_external(properties.id, other, off_t(number(0) % (1 << 40)), number(4096))
    case 11: H5Pset_virtual(properties.id, space.id, pick([other, ".", "/nothing"]), "/latents", space.id)
    default: break
    }
    if next() % 8 == 7 { H5Pset_alloc_time(properties.id, H5D_ALLOC_TIME_LATE) }
    if next() % 8 == 7 { H5Pset_fill_time(properties.id, H5D_FILL_TIME_NEVER) }
    let dataset = Identifier(H5Dcreate2(file, name, type.id, space.id, 0, properties.id, 0), H5Dclose)
    guard dataset.id >= 0, next() % 8 != 7 else { return }
    // The library follows a view of itself for ever when it writes.
    guard H5Pget_layout(properties.id) != H5D_VIRTUAL else { return }
    // As it replaces values of variable length, the library trusts the old references, here bytes of another file.
    guard H5Pget_external_count(properties.id) <= 0 || !Self.hasVariableLength(type.id) else { return }
    withValues(type.id, space.id) { _ = H5Dwrite(dataset.id, type.id, 0, 0, 0, $0) }
  }

  private mutating func cut(_ properties: hid_t, _ extents: [hsize_t]) {
    var piece = extents.map { max(1, min(number(min($0, 64)), $0)) }
    H5Pset_chunk(properties, Int32(piece.count), &piece)
    // Not nbit and scaleoffset: with some types the library's own writing of them reads outside its memory.
    for _ in 0..<next() % 3 {
      switch next() % 4 {
      case 0: H5Pset_fletcher32(properties)
      case 1: H5Pset_deflate(properties, 1)
      case 2: H5Pset_shuffle(properties)
      default: H5Pset_filter(properties, 32_017, 1, 0, nil)
      }
    }
  }

  private static func hasVariableLength(_ type: hid_t) -> Bool {
    H5Tdetect_class(type, H5T_VLEN) > 0 || H5Tis_variable_str(type) > 0
  }

  private static func space(_ extents: [hsize_t]) -> hid_t {
    extents.isEmpty ? H5Screate(H5S_SCALAR) : H5Screate_simple(Int32(extents.count), extents, nil)
  }

  /// Calls `body` with values for all elements, unless they are many.
  private mutating func withValues(_ type: hid_t, _ space: hid_t, _ body: (UnsafeRawPointer?) -> Void) {
    let count = H5Sget_simple_extent_npoints(space)
    guard count > 0, count < 1 << 16, Int(count) * H5Tget_size(type) <= 1 << 16 else { return }
    let bytes = bytes(Int(count) * H5Tget_size(type))
    guard H5Tis_variable_str(type) > 0 else {
      if H5Tdetect_class(type, H5T_VLEN) > 0 {
        return [UInt8](repeating: 0, count: bytes.count).withUnsafeBytes { body($0.baseAddress) }
      }
      return bytes.withUnsafeBytes { body($0.baseAddress) }
    }
    (bytes.map { max(1, $0) } + [0]).withUnsafeBufferPointer { text in
      [UnsafeRawPointer?](repeating: UnsafeRawPointer(text.baseAddress), count: Int(count)).withUnsafeBytes {
        body($0.baseAddress)
      }
    }
  }
}
