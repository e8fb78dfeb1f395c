/// Every n-th element of a sequence, where n doubles as often as needed to keep few: all of up to 4096, else at least
/// half as many.
struct ThinnedSample<Element> {
  private static var limit: Int { 4096 }
  private(set) var elements: [Element] = []
  private var stride = 1
  /// How many elements there are in all.
  private(set) var count = 0

  /// Adds the next element of the sequence.
  mutating func add(_ element: Element) {
    defer { count += 1 }
    guard count % stride == 0 else { return }
    elements.append(element)
    guard elements.count > Self.limit else { return }
    elements = elements.indices.filter { $0 % 2 == 0 }.map { elements[$0] }
    stride *= 2
  }
}
