import Testing

/// `#expect` cannot call a mutating method; this compares what it answered.
func expect<Value: Equatable>(_ value: Value, _ wanted: Value, at location: SourceLocation = #_sourceLocation) {
    #expect(value == wanted, sourceLocation: location)
}
