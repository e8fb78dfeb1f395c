/// Returns the middle one of some numbers (of two in the middle the higher), or NaN for none.
package func median(_ values: [Double]) -> Double { values.isEmpty ? .nan : values.sorted()[values.count / 2] }
