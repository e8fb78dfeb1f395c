/// The middle one of some numbers, the higher one of two.
package func median(_ values: [Double]) -> Double { values.isEmpty ? .nan : values.sorted()[values.count / 2] }
