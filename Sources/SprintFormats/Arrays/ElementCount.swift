/// Returns how many elements an array of a shape has, or nil where they are more than any file holds.
///
/// Callers also multiply part of the extents, such as those of one entry of an empty array. So an extent of zero does
/// not excuse a large one beside it.
func elementCount(of shape: [Int]) -> Int? {
  var product = 1
  for extent in shape {
    let (next, overflow) = product.multipliedReportingOverflow(by: max(1, extent))
    guard extent >= 0, !overflow, next < 1 << 56 else { return nil }
    product = next
  }
  return shape.contains(0) ? 0 : product
}
