import Foundation
import SprintFormats

/// A `dataset.json`: `{"labels": [["00000/img-mean-std-00000000.npy", 6], ...]}`.
struct DatasetJSON {
  /// A file, its class, and its place in the list.
  struct Entry {
    var name: String
    let label: Int
    let place: Int
  }

  /// The entries in ascending order of the names; paths have `/` between their parts.
  let entries: [Entry]

  private static let form = #"{"labels": [["FILE", CLASS], ...]}"#

  /// Parses a table; an error names the first entry that does not fit.
  init(_ json: Data, of path: String) throws {
    func unusable(_ problem: String, _ remedy: ImportRemedy? = nil) -> FileError {
      .unusable(path: path, problem: problem, remedy: remedy)
    }
    let document: Document
    do { document = try JSONDecoder().decode(Document.self, from: json) } catch let unfit as UnfitEntry {
      throw unusable(unfit.problem)
    } catch DecodingError.dataCorrupted(let context) {
      if let other = FileError.otherKind(path, expected: .json) { throw other }
      let reason = context.underlyingError.map { ": \(($0 as NSError).userInfo[NSDebugDescriptionErrorKey] ?? $0)" }
      throw unusable("is no JSON\(reason ?? ""); expected \(Self.form)")
    } catch { throw unusable("is not \(Self.form)") }
    guard let pairs = document.pairs else { throw unusable("says `labels: null`", .nameLabels) }
    guard !pairs.isEmpty else { throw unusable("`labels` is empty, expected \(Self.form)") }
    let listed = pairs.enumerated().map { Entry(name: SampleFiles.plain($1.name), label: $1.label, place: $0) }
    if let bad = listed.first(where: { !Self.staysBelow($0.name) }) {
      throw unusable("`labels[\(bad.place)]` names `\(bad.name)`, which is not below its folder")
    }
    if let bad = listed.first(where: { Int32(exactly: $0.label) == nil }) {
      throw unusable("`labels[\(bad.place)]` gives \(bad.name) the impossible class \(bad.label)")
    }
    let isAscending = zip(listed, listed.dropFirst()).allSatisfy { NameOrder.isBefore($0.name, $1.name) }
    entries =
      isAscending
      ? listed
      : listed.sorted {
        NameOrder.isSame($0.name, $1.name) ? $0.place < $1.place : NameOrder.isBefore($0.name, $1.name)
      }
    if let (one, other) = zip(entries, entries.dropFirst()).first(where: { NameOrder.isSame($0.name, $1.name) }) {
      throw unusable("names `\(one.name)` twice: in `labels[\(one.place)]` and `labels[\(other.place)]`")
    }
  }

  private static func staysBelow(_ name: String) -> Bool {
    !name.hasPrefix("/") && !name.split(separator: "/").contains("..")
  }

  private struct UnfitEntry: Error {
    let problem: String
  }

  private struct Document: Decodable {
    let pairs: [Pair]?

    private enum Key: String, CodingKey { case labels }

    init(from decoder: any Decoder) throws {
      guard let object = try? decoder.container(keyedBy: Key.self) else {
        throw UnfitEntry(problem: "is \(Value(decoder).kind), expected \(form)")
      }
      guard object.contains(.labels) else { throw UnfitEntry(problem: "has no `labels`, expected \(form)") }
      guard try !object.decodeNil(forKey: .labels) else {
        pairs = nil
        return
      }
      guard (try? object.nestedUnkeyedContainer(forKey: .labels)) != nil else {
        let found = (try? object.decode(Value.self, forKey: .labels))?.kind ?? "something else"
        throw UnfitEntry(problem: "`labels` is \(found), expected \(form)")
      }
      pairs = try object.decode([Pair].self, forKey: .labels)
    }
  }

  private struct Pair: Decodable {
    let name: String
    let label: Int

    init(from decoder: any Decoder) throws {
      func unfit(_ found: String) -> UnfitEntry {
        UnfitEntry(problem: "`labels[\(decoder.codingPath.last?.intValue ?? 0)]` \(found)")
      }
      guard var list = try? decoder.unkeyedContainer() else {
        throw unfit("is \(Value(decoder).description), expected [\"FILE\", CLASS]")
      }
      guard let name = try? list.decode(String.self) else {
        throw unfit("begins with \(Value(next: &list)), expected the name of a file")
      }
      guard let label = try? list.decode(Int.self) else {
        throw unfit("gives `\(name)` the class \(Value(next: &list)), expected a whole number")
      }
      (self.name, self.label) = (name, label)
    }
  }

  /// A value of JSON, for messages.
  private struct Value: Decodable, CustomStringConvertible {
    let kind: String
    let description: String

    init(from decoder: any Decoder) { self.init(decoder) }

    init(_ decoder: any Decoder) {
      if let list = try? decoder.unkeyedContainer() {
        (kind, description) = ("a list", "a list of \(list.count ?? 0)")
      } else if (try? decoder.container(keyedBy: AnyKey.self)) != nil {
        (kind, description) = ("a dictionary", "a dictionary")
      } else {
        let value = try? decoder.singleValueContainer()
        description =
          if value?.decodeNil() == true { "null" } else if let text = try? value?.decode(String.self) {
            "\"\(text.prefix(40))\", a text"
          } else if let truth = try? value?.decode(Bool.self) { "\(truth)" } else {
            (try? value?.decode(Double.self)).map { "\($0)" } ?? "something else"
          }
        kind = description
      }
    }

    /// The next value of a list, or nothing at its end.
    init(next list: inout any UnkeyedDecodingContainer) {
      if !list.isAtEnd, let value = try? list.decode(Value.self) {
        self = value
      } else {
        (kind, description) = list.isAtEnd ? ("nothing", "nothing") : ("null", "null")
      }
    }
  }

  private struct AnyKey: CodingKey {
    let stringValue: String
    let intValue: Int? = nil

    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
