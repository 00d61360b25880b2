import ArgumentParser
import Diagnostics

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Write a small workspace to start from.",
        discussion: "Files that are there are never overwritten.")

    @Argument(help: "The folder.") var directory = "specs"

    func run() async throws {
        let console = Console(environment: ProcessEnvironment.current)
        try await perform(console) {
            let files = [("muster.yaml", SampleWorkspace.workspace), ("network.yaml", SampleWorkspace.network)]
            for (name, _) in files where LocalFile.exists(LocalFile.join(directory, name)) {
                throw CommandFailure(
                    code: "init.exists", summary: "There is a workspace already",
                    detail: "\(LocalFile.join(directory, name)) exists, and is left as it is.",
                    hint: "Name another folder: muster init DIR.")
            }
            do throws(LocalFile.Failure) {
                try LocalFile.makeFolder(directory)
                for (name, text) in files {
                    try LocalFile.write(LocalFile.join(directory, name), Array(text.utf8))
                }
            } catch {
                throw CommandFailure(
                    code: "init.failed", summary: "The workspace cannot be written",
                    detail: "\(directory): \(error.message).")
            }
            console.write(
                """
                Wrote \(LocalFile.join(directory, "muster.yaml")) and \(LocalFile.join(directory, "network.yaml")).
                Next: muster validate -C \(directory), then muster plan -C \(directory).

                """)
            return .success
        }
    }
}

/// What `muster init` writes: one VPC with two subnets and a security group.
enum SampleWorkspace {
    static let workspace = """
        # A workspace: where the state lives, and the stacks. A stack is a spec file with values.
        workspace: sample
        region: us-east-1
        state: muster.db
        tags: { ManagedBy: muster }
        stacks:
          network: network.yaml

        """

    static let network = """
        # "muster plan" shows what this would make. Every section is described by "muster schema reference".
        variables:
          office_cidr: { type: string, default: 203.0.113.0/24, description: where SSH may come from }

        vpc:
          main:
            cidr_block: 10.0.0.0/16
            enable_dns_hostnames: true
            internet_gateway: true
            subnets:
              public-a: { cidr_block: 10.0.1.0/24, availability_zone: us-east-1a, route_table: public }
              public-b: { cidr_block: 10.0.2.0/24, availability_zone: us-east-1b, route_table: public }
            route_tables:
              public:
                routes:
                  - { destination: 0.0.0.0/0, to: internet_gateway }

        security_groups:
          web:
            vpc: main
            ingress:
              - { port: 443, from: [any] }
              - { port: 22, from: ["${var.office_cidr}"] }

        outputs:
          vpc_id: ${vpc.main.id}

        """
}
