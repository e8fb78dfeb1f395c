// swift-tools-version: 6.1
import Foundation
import PackageDescription

// The instruction set to build for: that of this machine unless SPRINT_MARCH says otherwise, e.g. `x86-64-v3`.
let architecture = ProcessInfo.processInfo.environment["SPRINT_MARCH"] ?? "native"
// launch/fuzz.sh sets SPRINT_FUZZ to the name of a reader. libFuzzer then sees which code of any module an input
// reaches.
let isFuzzing = ProcessInfo.processInfo.environment["SPRINT_FUZZ"] != nil
let fuzzer = isFuzzing ? ["-sanitize=fuzzer", "-parse-as-library"] : []
// launch/package.sh sets SPRINT_STATIC to link Swift's runtime and Foundation into the program. Only the link differs.
// The modules are compiled for a dynamic Foundation, so the libraries of the static one are named here.
let isStatic = ProcessInfo.processInfo.environment["SPRINT_STATIC"] != nil
let foundation = [
  "Foundation", "FoundationEssentials", "FoundationInternationalization", "_FoundationICU", "CoreFoundation",
  "_FoundationCShims", "_FoundationCollections",
]
let runtime: [LinkerSetting] =
  isStatic
  ? [
    .unsafeFlags(
      ["-static-stdlib"]
        + (["--start-group"] + foundation.map { "-l\($0)" } + ["--end-group"]).flatMap { ["-Xlinker", $0] })
  ] : []
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .unsafeFlags(["-Xcc", "-march=\(architecture)", "-Xcc", "-DSPRINT_MARCH=\(architecture)"] + fuzzer),
]

/// Settings of tests whose own code computes little: without optimization they compile in half the time.
let unoptimized = settings + [.unsafeFlags(["-Onone"])]

/// A module of the house and the modules below it that it imports.
func module(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

func tests(of name: String, _ dependencies: [Target.Dependency] = [], computing: Bool = false) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.init(stringLiteral: name), "SprintTestSupport"] + dependencies,
    swiftSettings: computing ? settings : unoptimized)
}

let package = Package(
  name: "sprint",
  products: [
    .executable(name: "sprint", targets: ["sprint"]),
    // Tests preload this library into `sprint` to kill it or to make its system calls fail.
    .library(name: "FaultInjector", type: .dynamic, targets: ["FaultInjector"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
  ],
  targets: [
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
    .systemLibrary(name: "CMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5-serial", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "CJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
    .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CInstructions"),
    module("SprintKernels", ["COpenBLAS", "COneDNN", "CInstructions"]),
    module("SprintCommunication", ["CMPI", "SprintKernels"]),
    module(
      "SprintFormats",
      [
        "CHDF5", "CPNG", "CJPEG", "CZip", "CZlib", .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["TensorBoard/event.proto"]),
    module("SprintModel", ["SprintKernels"]),
    module("SprintDiffusion", ["SprintModel"]),
    module("SprintVision", ["SprintFormats", "SprintKernels"]),
    module("SprintData", ["SprintFormats", "SprintKernels"]),
    module(
      "SprintImport",
      [
        "SprintData", "SprintVision", "SprintCommunication", "SprintFormats", "SprintKernels",
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    module(
      "SprintTraining",
      [
        "SprintDiffusion", "SprintModel", "SprintCommunication", "SprintData", "SprintVision", "SprintFormats",
        "SprintKernels", "Yams",
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    module(
      "SprintInstruments",
      [
        "SprintTraining", "SprintDiffusion", "SprintModel", "SprintCommunication", "SprintData", "SprintVision",
        "SprintFormats", "SprintKernels",
      ]),
    .executableTarget(
      name: "sprint",
      dependencies: [
        "SprintInstruments", "SprintImport", "SprintTraining", "SprintDiffusion", "SprintModel", "SprintCommunication",
        "SprintVision", "SprintFormats", "SprintKernels",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings, linkerSettings: runtime),
    .target(
      name: "SprintTestSupport",
      dependencies: ["SprintKernels", "SprintCommunication", "SprintModel", "SprintFormats"],
      path: "Tests/SprintTestSupport",
      swiftSettings: settings),
    .target(
      name: "FaultInjector", path: "Tests/FaultInjector", swiftSettings: settings,
      linkerSettings: [
        .unsafeFlags(["malloc", "calloc", "realloc"].flatMap { ["-Xlinker", "--defsym=\($0)=counted_\($0)"] })
      ]),
    tests(of: "SprintKernels", computing: true),
    tests(of: "SprintCommunication"),
    tests(of: "SprintFormats"),
    tests(of: "SprintModel", computing: true),
    tests(of: "SprintDiffusion", computing: true),
    tests(of: "SprintVision", computing: true),
    tests(of: "SprintData"),
    tests(of: "SprintImport", ["SprintCommunication", "SprintData"]),
    tests(of: "SprintTraining", ["SprintCommunication"]),
    tests(of: "SprintInstruments", ["SprintTraining", "SprintCommunication"]),
    .testTarget(
      name: "sprintTests",
      dependencies: ["sprint", "FaultInjector", "SprintVision", "SprintFormats", "SprintKernels", "SprintTestSupport"],
      swiftSettings: unoptimized),
  ]
)

if isFuzzing {
  package.targets.append(
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "CHDF5", "SprintInstruments", "SprintTraining", "SprintData", "SprintModel", "SprintFormats", "SprintKernels",
      ],
      path: "Tests/Fuzz", swiftSettings: settings,
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]))
}

// The articles as pages: SPRINT_DOCS=1 swift package generate-documentation --target sprint
if ProcessInfo.processInfo.environment["SPRINT_DOCS"] != nil {
  package.dependencies.append(.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"))
}
