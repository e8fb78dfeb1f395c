import Foundation
import SprintFormats

/// Goes on with a run whose folder holds an event file: records with valid checksums, or bytes as they come.
func readEvents(_ bytes: UnsafeBufferPointer<UInt8>) {
  var recipe = Recipe(bytes)
  let step = Int(recipe.number(3) % (1 << 53))
  var contents = Data()
  while !recipe.isOver {
    let isFramed = recipe.next() % 4 != 3
    let event = Data((0..<Int(recipe.next())).map { _ in recipe.next() })
    contents.append(isFramed ? framed(event, claiming: recipe.number(UInt64(event.count))) : event)
  }
  let folder = Scratch.path("tensorboard")
  mkdir(folder, 0o700)
  contents.withUnsafeBytes { _ = Scratch.write($0, to: "tensorboard/events.out.tfevents.1.host") }
  if let file = try? TensorBoardFile(folder: folder, after: step) { try? file.add([("loss", 1)], step: step + 1) }
  for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] { unlink("\(folder)/\(name)") }
}

private func framed(_ event: Data, claiming count: UInt64) -> Data {
  let head = withUnsafeBytes(of: count.littleEndian) { Data($0) }
  return head + maskedChecksum(head) + event + maskedChecksum(event)
}

private func maskedChecksum(_ data: Data) -> Data {
  var value = ~UInt32(0)
  for byte in data {
    value ^= UInt32(byte)
    for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
  }
  value = ~value
  return withUnsafeBytes(of: ((value >> 15 | value << 17) &+ 0xa282_ead8).littleEndian) { Data($0) }
}
