extension AdamWConfiguration {
  init(_ reader: ConfigurationReader) throws {
    self.init()
    beta1 = try reader.number("beta1", default: beta1, "a number from 0 to below 1") { $0 >= 0 && $0 < 1 }
    beta2 = try reader.number("beta2", default: beta2, "a number from 0 to below 1") { $0 >= 0 && $0 < 1 }
    epsilon = try reader.number("epsilon", default: epsilon, "a number from 1e-30 to 1", in: 1e-30...1)
    weightDecay = try reader.number("weight_decay", default: weightDecay, "a number from 0 to 1000", in: 0...1000)
  }
}
