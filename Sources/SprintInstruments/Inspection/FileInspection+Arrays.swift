import Foundation
import SprintFormats

extension FileInspection {
  /// An npy array; throws if its header cannot be read.
  static func npy(_ path: String) throws -> FileInspection {
    let file = try RandomAccessFile(reading: path)
    let head = Data(try file.bytes(at: 0, count: min(try file.size, NPYSummary.headBytes)))
    guard let summary = NPYSummary(head: head) else {
      throw FileError.unusable(path: path, problem: "an npy array whose header cannot be read")
    }
    // An array of plain numbers is as long as its header says.
    if !summary.hasObjects { _ = try summary.isReadable ? NPYArray(path: path) : nil }
    return FileInspection(
      what: "npy array of \(summary.typeName) \(summary.shape)\(summary.isFortran ? ", in Fortran order" : "")",
      notes: summary.hasObjects ? conversion(path, .npy) : [])
  }

  /// An npz archive with its arrays.
  static func npz(_ path: String) throws -> FileInspection {
    let archive = try ZipArchive(reading: path)
    let entries = try archive.names.map { name in
      let (head, size) = try archive.beginning(of: name, count: NPYSummary.headBytes)
      let label = name.hasSuffix(".npy") ? String(name.dropLast(4)) : name
      guard let summary = NPYSummary(head: head) else {
        return Entry(name: label, type: "no npy array, \(Self.size(size))")
      }
      return Entry(name: label, type: summary.typeName, shape: summary.shape)
    }
    let isSamples = entries.count == 1 && entries[0].name == "arr_0" && entries[0].type == "uint8"
    return FileInspection(
      what: "npz archive of \(count(entries.count, "array"))",
      notes: isSamples ? ["images for an evaluation, as `sprint sample` writes them"] : [], entries: entries)
  }

  /// A pickle, with the command that converts it.
  static func pickle(_ path: String, _ kind: FileKind) -> FileInspection {
    FileInspection(what: kind.rawValue, notes: conversion(path, kind))
  }

  private static func conversion(_ path: String, _ kind: FileKind) -> [String] {
    let command = Pickle.conversion(of: path, kind) ?? ""
    return [Pickle.reason, "\(Pickle.conversionPurpose):", command]
  }

  /// The index of tensors in several safetensors files.
  static func index(_ path: String) throws -> FileInspection {
    let index = try SafetensorsIndex(path: path)
    let missing = index.missing
    let counts = index.shards.values.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    var notes = missing.isEmpty ? [] : ["missing: \(listed(missing))"]
    if missing.isEmpty {
      do { notes.append("all shards are here: \(try SafetensorsCollection(path: path).files.count) tensors") } catch {
        notes.append("cannot be read: \(problem(error, of: path))")
      }
    }
    return FileInspection(
      what: "index of \(count(index.shards.count, "tensor")) in \(count(index.names.count, "safetensors file"))",
      notes: notes,
      entries: index.names.map { Entry(name: $0, type: count(counts[$0, default: 0], "tensor")) })
  }
}

extension NPYSummary {
  /// The name of the element type in words, where it has one.
  fileprivate var typeName: String {
    let names = [
      "f2": "float16", "f4": "float32", "f8": "float64", "i1": "int8", "i2": "int16", "i4": "int32", "i8": "int64",
      "u1": "uint8", "u2": "uint16", "u4": "uint32", "u8": "uint64", "b1": "bool", "c8": "complex64",
      "c16": "complex128",
    ]
    if hasObjects { return "Python's objects (a pickle)" }
    if type == "|V2" { return "2 bytes without a meaning (|V2, bfloat16?)" }
    guard let name = names[String(type.dropFirst())] else { return type }
    return type.hasPrefix(">") ? "\(name), big-endian," : name
  }

  /// Whether sprint computes with such arrays.
  fileprivate var isReadable: Bool { !isFortran && NumberType(numpy: type) != nil }
}
