import AWSClient
import SandboxServing

extension RancherServer {
    /// The rows of a server that has just started for the first time.
    mutating func begin(at now: Int64) {
        hasBegun = true
        self.now = now
        startedAt = now
        insert(.account, owner: nil, state: "active", ["name": "admin", "kind": "admin"], uuid: "admin")
        insert(.account, owner: nil, state: "inactive", ["name": "system", "kind": "system"], uuid: "system")
        insert(
            .account, owner: nil, state: "inactive", ["name": "superadmin", "kind": "superadmin"], uuid: "superadmin")
        insert(.account, owner: nil, state: "active", ["name": "token", "kind": "token"], uuid: "token")
        addProjectTemplates()
        addDefaultProject()
        insert(
            .account, owner: nil, state: "active", ["name": "System Service", "kind": "service"],
            uuid: "machineServiceAccount")
        if let key = configuration.key {
            insert(
                .apiKey, owner: 1, state: "active",
                ["name": "sandbox", "publicValue": .string(key.access), "secretValue": .string(key.secret)])
        }
    }

    private mutating func addDefaultProject() {
        let template = living(.projectTemplate).first { $0.name == "Cattle" }?.id.text()
        let id = insert(
            .project, owner: nil, state: "active",
            [
                "name": "Default", "kind": "project", "hasInfrastructure": true,
                "projectTemplateId": .optional(template),
                "servicesPortRange": ["startPort": 49_153, "endPort": 65_535],
            ], uuid: "adminProject")
        entities[id]?.owner = id.number
        insert(
            .projectMember, owner: id.number, state: "active",
            [
                "externalId": "1a1", "externalIdType": "rancher_id", "role": "owner", "name": "admin",
                "projectId": .string(id.text()),
            ])
    }

    /// The catalog's, public.
    private mutating func addProjectTemplates() {
        guard version.apis.contains(.v2) else { return }
        for template in catalog.templates where template.base == "project" {
            guard let version = template.versions.last else { continue }
            let stacks = TemplateCatalog.stacks(of: template.folder).map { stack -> JSONValue in
                ["type": "catalogTemplate", "name": .string(stack.name), "templateId": .string(stack.template)]
            }
            insert(
                .projectTemplate, owner: nil, state: "active",
                [
                    "name": .string(template.name), "description": .string(template.description), "isPublic": true,
                    "externalId": .string("catalog://\(version.id)"), "stacks": .array(stacks),
                ])
        }
    }
}
