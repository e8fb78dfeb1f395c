import SprintKernels

// Inception v3 (arXiv 1512.00567) as the graph of 2015-12-05 has it, under torchvision's names, with pytorch-fid's
// changes: average pools leave out the padding, and the last block uses a max pool.

/// A convolution with batch norm and rectifier.
struct InceptionUnitPlan {
  let name: String
  let height, width: Int
  var stride = 1
  /// Whether zeros around the source keep its extents.
  var isPadded = true
}

/// A step of a branch.
enum InceptionStepPlan {
  /// Units that read the same source; the target is their outputs one behind the other.
  case units([InceptionUnitPlan])
  case pooling(Pooling, stride: Int, padding: Int)

  static func unit(_ name: String, _ height: Int, _ width: Int) -> InceptionStepPlan {
    .units([InceptionUnitPlan(name: name, height: height, width: width)])
  }

  /// 3 x 3 without padding.
  static func narrowing(_ name: String, stride: Int) -> InceptionStepPlan {
    .units([InceptionUnitPlan(name: name, height: 3, width: 3, stride: stride, isPadded: false)])
  }

  /// 1 x 3 and 3 x 1 side by side.
  static func fork(_ wide: String, _ high: String) -> InceptionStepPlan {
    .units([
      InceptionUnitPlan(name: wide, height: 1, width: 3), InceptionUnitPlan(name: high, height: 3, width: 1),
    ])
  }

  static let halvingPool = pooling(.largest, stride: 2, padding: 0)
}

/// Branches that read the same source; the target is their outputs one behind the other.
struct InceptionBlockPlan {
  /// What stands before the names of its units.
  let name: String
  let branches: [[InceptionStepPlan]]

  /// The name of the first convolution, which reads the picture.
  static let firstUnit = "Conv2d_1a_3x3"
  /// Whether the first branch gives the spatial features.
  var isSpatial: Bool { name == "Mixed_6d." }

  static let network =
    [stem] + ["5b", "5c", "5d"].map(InceptionBlockPlan.a) + [b("6a")]
    + ["6b", "6c", "6d", "6e"].map(InceptionBlockPlan.c) + [d("7a"), e("7b", .mean), e("7c", .largest)]

  private init(_ name: String, _ branches: [InceptionStepPlan]...) { (self.name, self.branches) = (name, branches) }

  private static let stem = InceptionBlockPlan(
    "",
    [
      .narrowing(firstUnit, stride: 2), .narrowing("Conv2d_2a_3x3", stride: 1), .unit("Conv2d_2b_3x3", 3, 3),
      .halvingPool, .unit("Conv2d_3b_1x1", 1, 1), .narrowing("Conv2d_4a_3x3", stride: 1), .halvingPool,
    ])

  private static func a(_ number: String) -> InceptionBlockPlan {
    InceptionBlockPlan(
      "Mixed_\(number).",
      [.unit("branch1x1", 1, 1)],
      [.unit("branch5x5_1", 1, 1), .unit("branch5x5_2", 5, 5)],
      [.unit("branch3x3dbl_1", 1, 1), .unit("branch3x3dbl_2", 3, 3), .unit("branch3x3dbl_3", 3, 3)],
      pooled(.mean))
  }

  private static func b(_ number: String) -> InceptionBlockPlan {
    InceptionBlockPlan(
      "Mixed_\(number).",
      [.narrowing("branch3x3", stride: 2)],
      [.unit("branch3x3dbl_1", 1, 1), .unit("branch3x3dbl_2", 3, 3), .narrowing("branch3x3dbl_3", stride: 2)],
      [.halvingPool])
  }

  private static func c(_ number: String) -> InceptionBlockPlan {
    InceptionBlockPlan(
      "Mixed_\(number).",
      [.unit("branch1x1", 1, 1)],
      [.unit("branch7x7_1", 1, 1), .unit("branch7x7_2", 1, 7), .unit("branch7x7_3", 7, 1)],
      [
        .unit("branch7x7dbl_1", 1, 1), .unit("branch7x7dbl_2", 7, 1), .unit("branch7x7dbl_3", 1, 7),
        .unit("branch7x7dbl_4", 7, 1), .unit("branch7x7dbl_5", 1, 7),
      ],
      pooled(.mean))
  }

  private static func d(_ number: String) -> InceptionBlockPlan {
    InceptionBlockPlan(
      "Mixed_\(number).",
      [.unit("branch3x3_1", 1, 1), .narrowing("branch3x3_2", stride: 2)],
      [
        .unit("branch7x7x3_1", 1, 1), .unit("branch7x7x3_2", 1, 7), .unit("branch7x7x3_3", 7, 1),
        .narrowing("branch7x7x3_4", stride: 2),
      ],
      [.halvingPool])
  }

  private static func e(_ number: String, _ pooling: Pooling) -> InceptionBlockPlan {
    InceptionBlockPlan(
      "Mixed_\(number).",
      [.unit("branch1x1", 1, 1)],
      [.unit("branch3x3_1", 1, 1), .fork("branch3x3_2a", "branch3x3_2b")],
      [.unit("branch3x3dbl_1", 1, 1), .unit("branch3x3dbl_2", 3, 3), .fork("branch3x3dbl_3a", "branch3x3dbl_3b")],
      pooled(pooling))
  }

  private static func pooled(_ pooling: Pooling) -> [InceptionStepPlan] {
    [.pooling(pooling, stride: 1, padding: 1), .unit("branch_pool", 1, 1)]
  }
}
