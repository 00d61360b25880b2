import Testing

@Suite(.serialized, .enabled(if: conformanceEndpoint != nil, "MUSTER_TEST_ENDPOINT names no emulator"))
struct ConformanceTests {
    private static let rows: [ConformanceRow] =
        networkConformance + computeConformance + identityConformance + dnsConformance

    @Test("Each type can be made, found, read, changed, repaired and deleted", arguments: rows)
    func conformance(of row: ConformanceRow) async throws {
        let lab = ConformanceLab(endpoint: try #require(conformanceEndpoint))
        do {
            try await row.run(in: lab)
        } catch {
            Issue.record(error)
        }
        try await lab.tearDown()
    }
}
