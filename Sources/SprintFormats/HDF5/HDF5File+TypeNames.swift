import CHDF5

// The types of elements in words, for messages and descriptions.

extension HDF5NumberType: CustomStringConvertible {
  /// The type as Python names it.
  package var description: String {
    switch kind {
    case .float: "float\(8 * bytes)"
    case .bfloat16: "bfloat16"
    case .signed: "int\(8 * bytes)"
    case .unsigned: "uint\(8 * bytes)"
    }
  }

  /// Whether the numbers have fractions.
  package var isFloat: Bool { kind == .float || kind == .bfloat16 }
}

extension HDF5File {
  /// Returns the name of a type, in the plural where it is none of numbers.
  static func name(of type: Handle) -> String {
    locked {
      if let number = HDF5NumberType(type.id) { return "\(number)" }
      let bits = 8 * H5Tget_size(type.id)
      return switch H5Tget_class(type.id) {
      case H5T_STRING: "texts"
      case H5T_FLOAT: "floats of \(bits) bits in a layout of their own"
      case H5T_INTEGER, H5T_ENUM, H5T_BITFIELD: "whole numbers of \(bits) bits in a layout of their own"
      case H5T_COMPOUND: "records of \(max(0, H5Tget_nmembers(type.id))) fields"
      case H5T_OPAQUE: "opaque elements of \(bits / 8) bytes\(bits == 16 ? ", as Python stores bfloat16" : "")"
      case H5T_VLEN: "lists"
      case H5T_ARRAY: "arrays"
      case H5T_REFERENCE: "references"
      default: "an unknown type"
      }
    }
  }
}
