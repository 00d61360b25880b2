import Lowering
import MusterModel
import Testing

struct ControlPlaneTests {
    private static let node = MachineTests.node

    private static let controlPlane = """
        rancher:
          main:
            url: https://rancher.test:8443/
            environments: { prod: {} }
        control_nodes:
          ctl: { count: 2, \(node), target_group: "arn:aws:x", rancher_server: { db_host: db, db_password: x } }
          other: { \(node) }
        dns:
          rancher.test: { type: A, value: 10.0.0.1 }
        """

    private func awaited(_ spec: String) -> [String]? {
        let lowered = SpecText(spec).lower().declarations
        return lowered.first { $0.address.type == "rancher.server" }?.dependsOn.compactMap {
            guard case .path(let path) = $0.target, case .name(let text) = path.first else { return nil }
            return text
        }.sorted()
    }

    @Test("A Rancher server waits for the nodes that are it and for its record, so that it is destroyed before them")
    func controlPlane() {
        let nodes = ["ctl1", "ctl2"].flatMap { ["prod:aws.instance/\($0)", "prod:aws.target_group_attachment/\($0)"] }
        let record = awaited(Self.controlPlane)?.filter { $0.contains("dns_record") }
        #expect(record?.count == 1)
        #expect(awaited(Self.controlPlane).map { Set($0).subtracting(record ?? []) } == Set(nodes))
        let elsewhere = Self.controlPlane.replacing("https://rancher.test:8443/", with: "https://other.test")
        #expect(awaited(elsewhere) == nodes.sorted())
        let second = Self.controlPlane.replacing("  main:", with: "  second: { url: \"https://b.test\" }\n  main:")
        #expect(awaited(second)?.contains { $0.contains("aws.instance") } == false)
        let circle = Self.controlPlane.replacing("db_host: db,", with: "db_host: \"${rancher.main.id}\",")
        #expect(awaited(circle)?.contains { $0.contains("aws.instance") } == false)
    }
}
