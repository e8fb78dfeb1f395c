import ArgumentParser

/// The name of a published size of network.
enum PublishedSize: String, CaseIterable, ExpressibleByArgument {
  case small = "S"
  case base = "B"
  case large = "L"
  case extraLarge = "XL"
}
