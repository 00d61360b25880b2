import AWSClient
import HTTPTransport
import SandboxServing

/// The templates that the catalog service offers.
struct TemplateCatalog: Sendable {
    struct Question: Sendable {
        var variable: String
        var label: String
        var kind = "string"
        var isRequired = false
        var preset = ""
        var options: [String] = []
    }

    struct Version: Sendable {
        var template: String
        var revision: Int
        var name: String
        var dockerCompose: String
        var rancherCompose: String
        var questions: [Question] = []
        var oldest: ServerVersion?
        var newest: ServerVersion?

        /// `library:infra*ecr:1`.
        var id: String { "\(template):\(revision)" }
    }

    struct Template: Sendable {
        /// `library:infra*ecr`, `community:ecr`.
        var id: String
        var name: String
        var description: String
        var category: String
        var versions: [Version]

        var catalog: String { String(id.prefix { $0 != ":" }) }
        private var rest: Substring { id.dropFirst(catalog.count + 1) }
        /// `infra`, `project` or nothing.
        var base: String { rest.contains("*") ? String(rest.prefix { $0 != "*" }) : "" }
        var folder: String { rest.contains("*") ? String(rest.dropFirst(base.count + 1)) : String(rest) }
    }

    var templates: [Template]

    func latest(_ id: String) -> Version? { templates.first { $0.id == id }?.versions.last }

    // MARK: - What there is

    static let library = TemplateCatalog(templates: ecr + infrastructure + projects)

    private static func compose(
        _ service: String, image: String, labels: [(String, String)] = [], environment: [String] = []
    ) -> String {
        var text = "version: '2'\nservices:\n  \(service):\n    image: \(image)\n"
        if !environment.isEmpty {
            text += "    environment:\n"
            for name in environment { text += "      \(name.uppercased()): ${\(name)}\n" }
        }
        if !labels.isEmpty {
            text += "    labels:\n"
            for (name, value) in labels { text += "      \(name): '\(value)'\n" }
        }
        return text
    }

    private static func scale(_ service: String) -> String {
        "version: '2'\nservices:\n  \(service):\n    scale: 1\n    start_on_create: true\n"
    }

    private static let ecrLabels = [
        ("io.rancher.container.create_agent", "true"), ("io.rancher.container.agent.role", "environment"),
        ("io.rancher.container.pull_image", "always"),
    ]

    private static let ecrQuestions = [
        Question(variable: "aws_access_key_id", label: "AWS Access Key ID"),
        Question(variable: "aws_secret_access_key", label: "AWS Secret Access Key", kind: "password"),
        Question(variable: "aws_region", label: "AWS Region", isRequired: true, preset: "us-east-1"),
        Question(
            variable: "auto_create", label: "Auto create registry", kind: "boolean", preset: "false",
            options: ["true", "false"]),
        Question(
            variable: "log_level", label: "Log level", kind: "enum", preset: "INFO",
            options: ["DEBUG", "INFO", "ERROR"]),
    ]

    private static let otherEnvironment = [
        Question(
            variable: "registry_in_which_environment", label: "Registry in which environment", kind: "enum",
            preset: "current", options: ["current", "other"]),
        Question(variable: "environment_api_endpoint", label: "Environment API endpoint"),
        Question(variable: "environment_api_access_key", label: "Environment API access key"),
        Question(variable: "environment_api_secret_key", label: "Environment API secret key", kind: "password"),
    ]

    private static func ecrVersion(
        _ template: String, _ revision: Int, _ name: String, _ image: String, oldest: ServerVersion? = nil,
        newest: ServerVersion? = nil, questions: [Question] = []
    ) -> Version {
        let all = ecrQuestions + questions
        return Version(
            template: template, revision: revision, name: name,
            dockerCompose: compose("ecr-updater", image: image, labels: ecrLabels, environment: all.map(\.variable)),
            rancherCompose: scale("ecr-updater"), questions: all, oldest: oldest, newest: newest)
    }

    private static let ecr = [
        Template(
            id: "community:ecr", name: "ECR Credential Updater",
            description: "Updates the credentials of ECR registries",
            category: "Amazon",
            versions: ["1.0.0", "1.0.1", "1.1.0"].enumerated().map { revision, name in
                ecrVersion(
                    "community:ecr", revision, "v\(name)", "objectpartners/rancher-ecr-credentials:\(name)",
                    newest: ServerVersion(1, 4, 99))
            }),
        Template(
            id: "library:infra*ecr", name: "ECR Credential Updater",
            description: "Updates the credentials of ECR registries", category: "Amazon",
            versions: [
                ecrVersion(
                    "library:infra*ecr", 0, "v0.1.0", "rancher/rancher-ecr-credentials:v2.0.0",
                    oldest: ServerVersion(1, 5), newest: ServerVersion(1, 6, 12)),
                ecrVersion(
                    "library:infra*ecr", 1, "v2.0.1", "rancher/rancher-ecr-credentials:v2.0.1",
                    oldest: ServerVersion(1, 6, 13), questions: otherEnvironment),
            ]),
    ]

    private static let infrastructure = [
        "network-services", "ipsec", "scheduler", "healthcheck", "k8s", "swarm", "mesos", "windows",
    ].map { folder in
        let id = "library:infra*\(folder)"
        let version = Version(
            template: id, revision: 0, name: "v0.1.0",
            dockerCompose: compose(folder, image: "rancher/\(folder):v0.1.0"),
            rancherCompose: scale(folder))
        return Template(
            id: id, name: folder, description: "Infrastructure of environments", category: "Rancher services",
            versions: [version])
    }

    private static let projects = ["cattle", "kubernetes", "mesos", "swarm", "windows"].map { folder in
        let id = "library:project*\(folder)"
        let version = Version(template: id, revision: 0, name: "v0.1.0", dockerCompose: "", rancherCompose: "")
        return Template(
            id: id, name: folder.prefix(1).uppercased() + folder.dropFirst(), description: "Environment template",
            category: "Environment", versions: [version])
    }

    /// The stacks of an environment template, each with its template.
    static func stacks(of project: String) -> [(name: String, template: String)] {
        let base = ["network-services", "ipsec", "scheduler", "healthcheck"]
        let own =
            ["kubernetes": ["k8s"], "mesos": ["mesos"], "swarm": ["swarm"], "windows": ["windows"]][project] ?? []
        return (base + own).map { ($0, "library:infra*\($0)") }
    }
}

extension RancherServer {
    /// `/v1-catalog`: a service beside the server.
    mutating func catalogAnswer(_ context: inout RequestContext) throws(APIFailure) -> HTTPResponse {
        let segments = context.segments
        try identify(&context)
        let own = "\(context.origin)/v1-catalog"
        switch (context.method, segments.first?.lowercased(), segments.count) {
        case ("GET", "catalogs", 1):
            return catalogList("catalog", ["library", "community"].map { catalogJSON($0, own) }, own)
        case ("GET", "catalogs", 2):
            guard ["library", "community"].contains(segments[1]) else { return catalogError(404) }
            return response(catalogJSON(segments[1], own), status: 200)
        case ("POST", "templates", 1):
            guard context.parameter("action") == "refresh" else { return catalogError(404) }
            return HTTPResponse(status: 204)
        case ("GET", "templates", 1):
            let shown = catalog.templates.filter { isOffered($0, context) }.map { templateJSON($0, own, context) }
            return catalogList("template", shown, own)
        case ("GET", "templates", 2):
            if let template = catalog.templates.first(where: { $0.id == segments[1] }) {
                return response(templateJSON(template, own, context), status: 200)
            }
            for template in catalog.templates {
                guard let version = template.versions.first(where: { $0.id == segments[1] }) else { continue }
                return response(versionJSON(version, template, own), status: 200)
            }
            return catalogError(404)
        default: return catalogError(404)
        }
    }

    private func catalogError(_ status: Int) -> HTTPResponse {
        response(
            ["type": "error", "status": .string(String(status)), "code": "Not Found", "message": "Not Found"],
            status: status)
    }

    private func catalogList(_ type: String, _ data: [JSONValue], _ own: String) -> HTTPResponse {
        response(
            [
                "type": "collection", "resourceType": .string(type),
                "links": ["self": .string("\(own)/\(type)s")], "data": .array(data),
            ], status: 200)
    }

    private func catalogJSON(_ name: String, _ own: String) -> JSONValue {
        let url =
            name == "library"
            ? "https://git.rancher.io/rancher-catalog.git" : "https://git.rancher.io/community-catalog.git"
        return [
            "id": .string(name), "type": "catalog", "name": .string(name), "url": .string(url), "branch": "master",
            "state": "active", "links": ["self": .string("\(own)/catalogs/\(name)")],
        ]
    }

    private func isOffered(_ template: TemplateCatalog.Template, _ context: RequestContext) -> Bool {
        if let wanted = context.parameter("catalogId"), wanted != template.catalog { return false }
        if let wanted = context.parameter("templateBase_eq"), wanted != template.base { return false }
        if let wanted = context.parameter("category"), wanted.lowercased() != template.category.lowercased() {
            return false
        }
        return !offered(template, context).isEmpty
    }

    /// The versions that go with a server.
    private func offered(_ template: TemplateCatalog.Template, _ context: RequestContext) -> [TemplateCatalog.Version] {
        guard let wanted = context.parameter("rancherVersion").flatMap({ ServerVersion($0) }) else {
            return template.versions
        }
        return template.versions.filter { version in
            (version.oldest.map { wanted >= $0 } ?? true) && (version.newest.map { wanted <= $0 } ?? true)
        }
    }

    private func templateJSON(
        _ template: TemplateCatalog.Template, _ own: String, _ context: RequestContext
    ) -> JSONValue {
        let versions = offered(template, context)
        let links = versions.map { JSONValue.Member($0.name, .string("\(own)/templates/\($0.id)")) }
        let url = "\(own)/templates/\(template.id)"
        return [
            "id": .string(template.id), "type": "template", "name": .string(template.name),
            "catalogId": .string(template.catalog), "templateBase": .string(template.base),
            "folderName": .string(template.folder), "description": .string(template.description),
            "defaultVersion": .optional(versions.last?.name), "versionLinks": .object(links),
            "defaultTemplateVersionId": .optional(versions.last?.id), "category": .string(template.category),
            "categories": [.string(template.category)], "labels": [:],
            "links": [
                "self": .string(url), "icon": .string("\(url)?image"), "readme": .string("\(url)?readme"),
                "project": .string(url),
            ],
        ]
    }

    private func versionJSON(
        _ version: TemplateCatalog.Version, _ template: TemplateCatalog.Template, _ own: String
    ) -> JSONValue {
        var files: [JSONValue.Member] = []
        if template.base == "project" {
            files.append(.init("project.yml", .string(projectFile(template))))
        } else {
            files.append(.init("docker-compose.yml", .string(version.dockerCompose)))
            files.append(.init("rancher-compose.yml", .string(version.rancherCompose)))
            files.append(.init("README.md", .string("# \(template.name)\n")))
        }
        let questions = version.questions.map { question -> JSONValue in
            [
                "variable": .string(question.variable), "label": .string(question.label),
                "type": .string(question.kind), "required": .boolean(question.isRequired),
                "default": .string(question.preset), "options": .strings(question.options),
            ]
        }
        let later = template.versions.filter { $0.revision > version.revision }.map {
            JSONValue.Member($0.name, .string("\(own)/templates/\($0.id)"))
        }
        return [
            "id": .string(version.id), "type": "templateVersion", "version": .string(version.name),
            "revision": .integer(Int64(version.revision)), "files": .object(files), "questions": .array(questions),
            "upgradeVersionLinks": .object(later), "minimumRancherVersion": .optional(version.oldest?.text),
            "maximumRancherVersion": .optional(version.newest?.text), "templateId": .string(template.id),
            "links": [
                "self": .string("\(own)/templates/\(version.id)"),
                "template": .string("\(own)/templates/\(template.id)"),
            ],
        ]
    }

    private func projectFile(_ template: TemplateCatalog.Template) -> String {
        var text = "name: \(template.name)\ndescription: \(template.description)\nstacks:\n"
        for stack in TemplateCatalog.stacks(of: template.folder) {
            text += "- name: \(stack.name)\n  template_id: '\(stack.template)'\n"
        }
        return text
    }
}
