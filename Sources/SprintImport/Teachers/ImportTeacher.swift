import SprintData
import SprintFormats
import SprintKernels
import SprintVision

/// A teacher that looks at the pictures of an import, and the data sets of what it says.
struct ImportTeacher: Sendable {
  /// What is stored of the teacher's output.
  private struct Part: Sendable {
    let group: TeacherGroup
    let extents: [Int]
    let isHalf: Bool
    let description: String
    let values: @Sendable (DINOv2Output) -> [Float]
  }

  private let request: TeacherRequest
  private let network: DINOv2Network
  private let fingerprint: String
  private let isMirrored: Bool
  private let parts: [Part]

  /// The blocks whose attention HASTE aligns with: the last ones. arXiv 2505.16792.
  private static let attentionBlocks = 4

  /// Reads the weights.
  ///
  /// - Parameters:
  ///   - grid: G; the teacher sees pictures of G x G of its patches
  ///   - isHalf: whether features and attention are stored as float16, instead of float32
  ///   - mirrored: whether it sees the mirrored pictures too
  init(_ request: TeacherRequest, grid: Int, isHalf: Bool, mirrored: Bool) throws {
    (self.request, isMirrored) = (request, mirrored)
    network = try DINOv2Network(path: request.path, grid: grid, positions: .antialiased)
    fingerprint = try SafetensorsCollection(path: request.path).fingerprint
    try Self.check(network, request)
    let (patches, width, depth) = (network.patches, network.width, network.depth)
    let features = [
      Part(
        group: .features, extents: [patches, width], isHalf: isHalf, description: "x_norm_patchtokens",
        values: \.patchTokens),
      Part(
        group: .classTokens, extents: [width], isHalf: false, description: "x_norm_clstoken", values: \.classToken),
    ]
    let attention = Part(
      group: .attention, extents: [Self.attentionBlocks, network.heads, patches, patches], isHalf: isHalf,
      description: "softmax(q k / 8) of blocks \(depth - Self.attentionBlocks) to \(depth - 1), counted from 0",
      values: \.attention)
    parts = (request.hasFeatures ? features : []) + (request.hasAttention ? [attention] : [])
  }

  /// Throws unless the network is the one that its name tells, and has enough blocks.
  private static func check(_ network: DINOv2Network, _ request: TeacherRequest) throws {
    if let letter = network.letter, let named = request.name.wholeMatch(of: /dinov2-([sblg])/)?.1, named != letter {
      throw FileError.unusable(
        path: request.path, problem: "holds DINOv2 of size \(letter), not \(named); name it dinov2-\(letter)")
    }
    guard !request.hasAttention || network.depth >= attentionBlocks else {
      throw FileError.unusable(
        path: request.path,
        problem: "has \(network.depth) blocks, expected at least \(attentionBlocks), whose attention is stored")
    }
  }

  /// The data sets, of the pictures and then of the mirrored ones.
  var sets: [ImportedSet] {
    let attributes = [
      "network": "DINOv2" + (network.letter.map { "-\($0.uppercased())" } ?? ""), "sha256": fingerprint,
      "image": "\(network.side) x \(network.side)",
    ]
    return (isMirrored ? [false, true] : [false]).flatMap { mirrored in
      parts.map { part in
        ImportedSet(
          name: part.group.path(request.name, mirrored: mirrored), extents: part.extents,
          element: part.isHalf ? .float16 : .float32,
          attributes: attributes.merging(["output": part.description]) { $1 })
      }
    }
  }

  /// Shows pictures to the teacher, one on each worker at a time, and stores what it says.
  ///
  /// - Parameters:
  ///   - count: of the pictures
  ///   - picture: returns a picture
  ///   - store: gets the index of a picture, and an entry for each data set
  func look(
    at count: Int, mirrored: Bool, _ workers: Workers, _ picture: @Sendable (Int) -> Picture,
    store: @Sendable (Int, _ entries: [Entry]) -> Void
  ) {
    let blocks = request.hasAttention ? Self.attentionBlocks : 0
    network.run(count, attentionBlocks: blocks, workers) {
      DINOv2Input.forAlignment(picture($0), side: network.side)
    } take: { index, output in
      store(
        index,
        parts.map {
          Entry(
            set: $0.group.path(request.name, mirrored: mirrored), isHalf: $0.isHalf, values: $0.values(output))
        })
    }
  }

  /// What a teacher says of a picture, for one data set.
  struct Entry: Sendable {
    let set: String
    let isHalf: Bool
    var values: [Float]
  }
}
