/// The order of names by their bytes in UTF-8, as Python sorts them; Swift's own takes canonically equal texts for one.
enum NameOrder {
  static func isBefore(_ first: String, _ second: String) -> Bool {
    first.utf8.lexicographicallyPrecedes(second.utf8)
  }

  static func isSame(_ first: String, _ second: String) -> Bool { first.utf8.elementsEqual(second.utf8) }
}
