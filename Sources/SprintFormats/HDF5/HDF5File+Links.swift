import CHDF5
import Foundation

// Where a data set lies: in this file, or in another one. sprint follows links itself, because the header of a data set
// has to be checked before the library opens it, in whatever file it is.

extension HDF5File {
  /// A link on the way to an object, and where it leads, with the names that follow it.
  private enum Link {
    case within(String)
    case into(file: String, String)
  }

  /// Opens a data set.
  func dataset(_ name: String) throws -> Handle { try dataset(name, from: nil, afterLinks: 0) }

  /// - Parameter origin: the link that led to `name`, in words
  private func dataset(_ name: String, from origin: String?, afterLinks count: Int) throws -> Handle {
    guard count <= Self.mostLinks else {
      throw FileError.unexpected(
        path: path, name: name, found: "behind more than \(Self.mostLinks) links", expected: "a data set")
    }
    switch try firstLink(to: name, from: origin) {
    case nil: return try openedHere(name)
    case .within(let next): return try dataset(next, from: "`\(name)` of \(path)", afterLinks: count + 1)
    case .into(let file, let next):
      guard followsOtherFiles else { throw elsewhere(name) }
      return try HDF5File(reading: try found(file, for: name), followsOtherFiles: true)
        .dataset(next, from: "`\(name)` of \(path)", afterLinks: count + 1)
    }
  }

  /// The error of a file whose data sets have to lie in it.
  func elsewhere(_ name: String) -> FileError {
    .unexpected(path: path, name: name, found: "in another file", expected: "numbers in this file")
  }

  /// As many links as the library follows.
  private static let mostLinks = 16

  /// Returns the first link on the way to `name` that is more than a name in its group.
  private func firstLink(to name: String, from origin: String?) throws -> Link? {
    let parts = name.split(separator: "/")
    for index in parts.indices {
      let (group, link) = (Self.joined(parts[..<index]), Self.joined(parts[...index]))
      guard Self.locked({ H5Lexists(file.id, link, sprint_h5p_default()) > 0 }) else {
        throw FileError.unexpected(
          path: path, name: name, found: origin.map { "missing, though \($0) links to it" } ?? "missing",
          expected: "a data set")
      }
      var info = H5L_info_t()
      try check("look at `\(link)`") { H5Lget_info(file.id, link, &info, sprint_h5p_default()) }
      let rest = Self.joined(parts[(index + 1)...])
      switch info.type {
      case H5L_TYPE_HARD: continue
      case H5L_TYPE_SOFT:
        let target = try target(of: link, info.u.val_size).softPath
        return .within((target.hasPrefix("/") ? target : "\(group)/\(target)") + rest)
      case H5L_TYPE_EXTERNAL:
        let (file, object) = try target(of: link, info.u.val_size).external(path, link)
        return .into(file: file, object + rest)
      default:
        throw FileError.unexpected(path: path, name: link, found: "a link of an unknown kind", expected: "a data set")
      }
    }
    return nil
  }

  private static func joined(_ parts: ArraySlice<Substring>) -> String { parts.map { "/\($0)" }.joined() }

  /// What a link stores.
  private struct LinkTarget {
    let bytes: [UInt8]

    /// The path that a soft link stands for.
    var softPath: String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }

    /// The file and the path in it that an external link stands for.
    func external(_ path: String, _ name: String) throws -> (file: String, object: String) {
      var (flags, file, object) = (UInt32(0), UnsafePointer<CChar>?.none, UnsafePointer<CChar>?.none)
      return try bytes.withUnsafeBytes { bytes in
        try HDF5File.check(path, "read the link `\(name)`") {
          H5Lunpack_elink_val(bytes.baseAddress, bytes.count, &flags, &file, &object)
        }
        guard let file, let object else { throw FileError.hdf5(path, cannot: "read the link `\(name)`") }
        return (String(cString: file), String(cString: object))
      }
    }
  }

  private func target(of link: String, _ size: Int) throws -> LinkTarget {
    var bytes = [UInt8](repeating: 0, count: size)
    try check("read the link `\(link)`") { H5Lget_val(file.id, link, &bytes, size, sprint_h5p_default()) }
    return LinkTarget(bytes: bytes)
  }

  /// Returns the path of a linked file. As for the library, a relative one starts at the folder of this file, or else
  /// at the current one, and a file that has moved along with this one is beside it.
  private func found(_ linked: String, for name: String) throws -> String {
    let folder = (path as NSString).deletingLastPathComponent
    let real = (Self.path { into, _ in realpath(path, into) != nil } as NSString).deletingLastPathComponent
    let folders = folder == real ? [folder] : [folder, real]
    let beside = folders.map { $0.isEmpty ? linked : "\($0)/\(linked)" }
    let moved = (folder.isEmpty ? "." : folder) + "/" + (linked as NSString).lastPathComponent
    let all = linked.hasPrefix("/") ? [linked, moved] : beside + [linked]
    let places = all.enumerated().filter { !all[..<$0].contains($1) }.map(\.element)
    guard let place = places.first(where: { access($0, F_OK) == 0 }) else {
      throw FileError.unexpected(
        path: path, name: name,
        found: "a link into `\(linked)`, which is neither at \(places.joined(separator: ", nor at "))",
        expected: "a file")
    }
    return place
  }

  /// Returns the paths of the files besides this one in which a data set lies; none for a data set in this file, or for
  /// a name that the file does not have.
  package func otherFiles(of name: String) throws -> [String] {
    guard has(name) else { return [] }
    let dataset = try dataset(name)
    let properties = try opened("read the layout of `\(name)`", H5Pclose) { H5Dget_create_plist(dataset.id) }
    let isHere = try hasSameFile(dataset, name)
    return Self.locked {
      let linked = isHere ? [] : [Self.path { H5Fget_name(dataset.id, $0, $1) >= 0 }]
      return linked + Self.externalFiles(properties)
    }
  }

  /// Returns the path that a call of the library writes into the memory it gets.
  static func path(_ write: (UnsafeMutablePointer<CChar>, Int) -> Bool) -> String {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let isWritten = bytes.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.map { write($0, Int(PATH_MAX)) } ?? false
    }
    return isWritten ? String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : ""
  }
}
