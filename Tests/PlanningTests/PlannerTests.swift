import Diagnostics
import MusterModel
import Planning
import Testing

@Suite struct PlannerTests {
    private func actions(_ plan: Plan) -> [String] {
        plan.changes.map { "\($0.action.symbol) \($0.address.name)" }
    }

    private func applied(_ declarations: [Declaration]) throws -> SimulatedCloud {
        var cloud = SimulatedCloud()
        try cloud.apply(cloud.plan(declarations).plan)
        cloud.log = []
        return cloud
    }

    @Test("What is new is created, dependencies first")
    func create() throws {
        var cloud = SimulatedCloud()
        let declarations = [
            group("web", network: "main"), network(), rule("web", port: 443, from: "0.0.0.0/0"),
        ]
        let plan = try cloud.plan(declarations).plan
        #expect(actions(plan) == ["+ web", "+ main", "+ web/443/0.0.0.0/0"])
        try cloud.apply(plan)
        #expect(cloud.log == ["create main", "create web", "create web/443/0.0.0.0/0"])
        #expect(try cloud.plan(declarations).plan.isEmpty)
    }

    @Test("Groups that name each other are created, replaced and destroyed")
    func mutualGroups() throws {
        let before = [
            group("a"), group("b"), rule("a", port: 1, from: "b"), rule("b", port: 2, from: "a"),
            machine("m", ["groups": .list([output(address(SimulatedCloud.group, "a"))])]),
        ]
        var cloud = try applied(before)
        var after = before
        after[0] = group("a", description: "new words")
        let plan = try cloud.plan(after).plan
        #expect(actions(plan) == ["+/- a", "~ m", "+/- a/1/b", "~ b/2/a"])
        try cloud.apply(plan)
        #expect(cloud.objects.values.contains { $0.arguments["name"] == "a-g2" })
        #expect(try cloud.plan(after).plan.isEmpty)
        let destroy = try cloud.plan(after) { $0.isDestroy = true }.plan
        try cloud.apply(destroy)
        #expect(cloud.objects.isEmpty && cloud.snapshot.records.isEmpty)
    }

    @Test("Users move to a successor when its children are there, and the old children go when the users have moved")
    func successorWithChildren() throws {
        var cloud = SimulatedCloud()
        func platform(_ description: String) -> [Declaration] {
            [
                group("web", description: description), rule("web", port: 80, from: "10.0.0.0/8"), group("db"),
                rule("db", port: 3306, from: "web"),
                machine("m", ["groups": .list([output(address(SimulatedCloud.group, "web"))])]),
            ]
        }
        try cloud.apply(cloud.plan(platform("")).plan)
        cloud.log = []
        try cloud.apply(cloud.plan(platform("other")).plan)
        func place(_ entry: String) throws -> Int { try #require(cloud.log.firstIndex(of: entry), "\(cloud.log)") }
        for user in ["update m", "update db/3306/web"] {
            #expect(try place("create web/80/10.0.0.0/8") < place(user))
            #expect(try place(user) < place("delete web/80/10.0.0.0/8 (old)"))
        }
        #expect(try cloud.plan(platform("other")).plan.isEmpty)
    }

    @Test("A foreign child of an exclusive parent is drift and planned for removal; a foreign tag is neither")
    func foreign() throws {
        let declarations = [group("a"), rule("a", port: 1, from: "10.0.0.0/8")]
        var cloud = try applied(declarations)
        let id = try #require(cloud.snapshot.records[address(SimulatedCloud.group, "a")]?.id)
        cloud.objects["rul-foreign"] = (
            SimulatedCloud.rule, ["group_id": .string(id.rawValue), "port": 23, "source": "0.0.0.0/0"], [:]
        )
        cloud.objects[id]?.arguments["tags"] = ["team": "others"]
        let plan = try cloud.plan(declarations).plan
        #expect(actions(plan) == ["- a/rul-foreign"])
        #expect(plan.drift.map(\.kind) == [.foreign])
        try cloud.apply(plan)
        #expect(cloud.objects["rul-foreign"] == nil)
        #expect(try cloud.plan(declarations).plan.isEmpty)
    }

    @Test("A field that the user owns and somebody else changed is drift, and is put back")
    func drift() throws {
        let declarations = [network("main", ["tags": ["Name": "main"]])]
        var cloud = try applied(declarations)
        let id = try #require(cloud.objects.keys.first)
        cloud.objects[id]?.arguments["tags"] = ["Name": "theirs"]
        let plan = try cloud.plan(declarations).plan
        #expect(plan.drift.first?.attributes.map(\.path) == ["tags.Name"])
        #expect(plan.drift.first?.attributes.first?.before == "main")
        #expect(plan.drift.first?.attributes.first?.after == "theirs")
        #expect(actions(plan) == ["~ main"])
    }

    @Test("What the user left to its default and somebody else changed is drift, as it is a change of the plan")
    func driftOfDefault() throws {
        var cloud = try applied([network()])
        #expect(try cloud.plan([network()]).plan.drift.isEmpty)
        let id = try #require(cloud.objects.keys.first)
        cloud.objects[id]?.arguments["dns"] = false
        let plan = try cloud.plan([network()]).plan
        #expect(plan.changes.map(\.action) == [.update])
        #expect(plan.drift.flatMap(\.attributes).map(\.path) == ["dns"])
        #expect(plan.drift.first?.attributes.first?.after == false)
        // Who ignores it does not hear of it.
        var ignoring = network()
        ignoring.lifecycle.ignoreChanges = ["dns"]
        #expect(try cloud.plan([ignoring]).plan.drift.isEmpty)
    }

    @Test("What an unfinished change of ours has not reached is no drift, and is planned again")
    func unfinished() throws {
        let declarations = [network("main", ["tags": ["Name": "main"]])]
        var cloud = try applied(declarations)
        let id = try #require(cloud.objects.keys.first)
        let address = try #require(cloud.snapshot.records.keys.first)
        cloud.objects[id]?.arguments["tags"] = ["Name": "before"]
        cloud.snapshot.records[address]?.isIncomplete = true
        let plan = try cloud.plan(declarations).plan
        #expect(plan.drift.isEmpty)
        #expect(actions(plan) == ["~ main"])
    }

    @Test("What is gone is created again")
    func gone() throws {
        let declarations = [network()]
        var cloud = try applied(declarations)
        cloud.objects = [:]
        let plan = try cloud.plan(declarations).plan
        #expect(plan.changes.map(\.reason) == [.gone])
        try cloud.apply(plan)
        #expect(try cloud.plan(declarations).plan.isEmpty)
    }

    @Test("An argument that cannot change replaces its resource and those that need the new one, with the reason")
    func replacementChain() throws {
        var cloud = try applied([network(), group("web", network: "main"), machine("m")])
        let after = [network(cidr: "10.1.0.0/16"), group("web", network: "main"), machine("m")]
        let plan = try cloud.plan(after).plan
        let web = try #require(plan.changes.first { $0.address.name == "web" })
        #expect(web.action.isReplacement)
        #expect(web.why.map(\.address.name) == ["web", "main"])
        try cloud.apply(plan)
        #expect(try cloud.plan(after).plan.isEmpty)
    }

    @Test("What is held by something that stays is replaced by a successor, to which that moves")
    func held() throws {
        func declarations(_ cidr: String) -> [Declaration] {
            [network(cidr: cidr), gateway(), group("web", network: "main"), network("other", cidr: cidr)]
        }
        var cloud = try applied(declarations("10.0.0.0/16"))
        let plan = try cloud.plan(declarations("10.1.0.0/16")).plan
        let actions = Dictionary(uniqueKeysWithValues: plan.changes.map { ($0.address.name, $0.action) })
        // Who is not held goes first as ever.
        #expect(
            actions == [
                "main": .replaceCreateFirst, "way-main": .update, "web": .replaceCreateFirst,
                "other": .replaceDeleteFirst,
            ])
        try cloud.apply(plan)
        #expect(cloud.log.filter { $0.hasSuffix("main") || $0.hasSuffix("main (old)") }.last == "delete main (old)")
        #expect(try cloud.plan(declarations("10.1.0.0/16")).plan.isEmpty)
    }

    @Test("What is held and may not be created first cannot be replaced, and the plan says why")
    func heldAndDeletedFirst() throws {
        var main = network()
        main.lifecycle.createBeforeDestroy = false
        let cloud = try applied([main, gateway()])
        main.arguments["cidr"] = "10.1.0.0/16"
        let refusals = try cloud.plan([main, gateway()]).refusals
        #expect(refusals.map(\.code) == ["plan.held"])
        #expect(refusals.first?.detail.contains("s:aws.gateway/way-main") ?? false)
    }

    @Test("Who takes the name of what is replaced takes the name of the successor in the same plan")
    func successorName() throws {
        func declarations(_ description: String) -> [Declaration] {
            let user = machine("m", ["boot": output(address(SimulatedCloud.group, "web"), "name")])
            return [group("web", description: description), user]
        }
        var cloud = try applied(declarations("one"))
        try cloud.apply(cloud.plan(declarations("two")).plan)
        #expect(cloud.log == ["create web", "update m", "delete web (old)"])
        #expect(cloud.snapshot.records[address(SimulatedCloud.machine, "m")]?.arguments["boot"] == "web-g2")
        #expect(try cloud.plan(declarations("two")).plan.isEmpty)
    }

    @Test("What is replaced by a successor goes when those who hold it through others have followed")
    func followers() throws {
        func declarations(_ description: String, _ size: Value) -> [Declaration] {
            let template = machine(
                "launch", ["groups": [output(address(SimulatedCloud.group, "web"))], "size": size])
            // Its address is known when the launch has changed.
            let fleet = machine("fleet", ["boot": output(address(SimulatedCloud.machine, "launch"), "address")])
            return [group("web", description: description), template, fleet]
        }
        var cloud = try applied(declarations("one", "small"))
        try cloud.apply(cloud.plan(declarations("two", "large")).plan)
        #expect(cloud.log == ["create web", "update launch", "update fleet", "delete web (old)"])
    }

    @Test("Members of a serial group are replaced one after the other")
    func serial() throws {
        let nodes = { (image: String) in
            (1...3).map { machine("node\($0)", ["image": .string(image)], serialGroup: "nodes") }
        }
        var cloud = try applied(nodes("ami-1"))
        try cloud.apply(cloud.plan(nodes("ami-2")).plan)
        #expect(
            cloud.log == [
                "delete node1", "create node1", "delete node2", "create node2", "delete node3", "create node3",
            ])
    }

    @Test("Placement is kept as long as it is among the candidates")
    func placement() throws {
        func node(_ subnets: [String]) -> Declaration {
            let values = subnets.map { output(address(SimulatedCloud.network, $0)) }
            var declaration = machine("node", ["network_id": values[0]])
            declaration.candidates = ["network_id": values]
            return declaration
        }
        let cloud = try applied([network("a"), node(["a"])])
        let plan = try cloud.plan([network("a"), network("b"), node(["b", "a"])]).plan
        #expect(actions(plan) == ["+ b"])
    }

    @Test("A protected resource refuses to go, even when its definition is taken out")
    func protection() throws {
        var declaration = network()
        declaration.lifecycle.preventDestroy = true
        let cloud = try applied([declaration])
        #expect(try cloud.plan([]).refusals.map(\.code) == ["plan.protected"])
        #expect(try cloud.plan([declaration]) { $0.isDestroy = true }.refusals.map(\.code) == ["plan.protected"])
    }

    @Test("Ignored changes are neither shown nor put back")
    func ignored() throws {
        var declaration = machine("m", ["tags": ["a": "1"]])
        declaration.lifecycle.ignoreChanges = ["size"]
        var cloud = try applied([declaration])
        let id = try #require(cloud.objects.keys.first)
        cloud.objects[id]?.arguments["size"] = "huge"
        #expect(try cloud.plan([declaration]).plan.isEmpty)
        declaration.arguments["tags"] = ["a": "2"]
        try cloud.apply(cloud.plan([declaration]).plan)
        #expect(cloud.objects[id]?.arguments["size"] == "huge")
    }

    @Test("Taking a tag out removes it; taking out an argument with a default puts the default back")
    func removal() throws {
        var cloud = try applied([network("main", ["tags": ["a": "1", "b": "2"], "dns": false])])
        let id = try #require(cloud.objects.keys.first)
        cloud.objects[id]?.arguments["tags"] = ["a": "1", "b": "2", "foreign": "x"]
        let after = [network("main", ["tags": ["a": "1"]])]
        try cloud.apply(cloud.plan(after).plan)
        #expect(cloud.objects[id]?.arguments["tags"] == ["a": "1", "foreign": "x"])
        #expect(cloud.objects[id]?.arguments["dns"] == true)
        #expect(try cloud.plan(after).plan.isEmpty)
    }

    @Test("A secret is compared by its digest and never stands in a plan")
    func secrets() throws {
        let secret = Value.deferred(
            Deferred(.template([.literal("password="), .secret(SecretReference(name: "db", source: "env:DB"))])))
        let declarations = [machine("m", ["script": secret])]
        var cloud = SimulatedCloud()
        let create = try cloud.plan(declarations).plan
        try cloud.apply(create)
        let again = try cloud.plan(declarations).plan
        #expect(again.isEmpty)
        let id = try #require(cloud.objects.keys.first)
        cloud.objects[id]?.arguments["script"] = "password=other"
        let changed = try cloud.plan(declarations).plan
        #expect(changed.changes.first?.attributes.map(\.isHidden) == [true])
        #expect(changed.drift.first?.attributes.map(\.path) == ["script"])
        for plan in [create, changed] {
            let text = String(reflecting: plan)
            #expect(!text.contains("hunter2") && !text.contains("password=other"))
        }
    }

    @Test(
        "A policy of what exists that grants more is a hazard; one that grants the same or less is none",
        arguments: [
            (#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/x"}"#, false),
            (#"{"Sid":"x","Effect":"Allow","Action":["S3:getobject"],"Resource":"*"}"#, true),
            (#"{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b/*"}"#, false),
            (#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}"#, true),
            (
                #"{"Effect":"Allow","Action":"s3:Get?","Resource":["arn:aws:s3:::b/*"],"Condition":{"Bool":{"a":"true"}}}"#,
                false
            ),
            (#"{"Effect":"Allow","NotAction":"s3:Get*","Resource":"arn:aws:s3:::b/*"}"#, true),
        ])
    func widening(statement: String, isWider: Bool) throws {
        let denial = #"{"Effect":"Deny","Action":"s3:GetSecret","Resource":"*"}"#
        func declared(_ statements: String) -> [Declaration] {
            [machine("m", ["policy": .string(#"{"Version":"2012-10-17","Statement":[\#(statements)]}"#)])]
        }
        var cloud = SimulatedCloud()
        let old = #"{"Effect":"Allow","Action":["s3:Get*"],"Resource":"arn:aws:s3:::b/*"}"#
        let made = try cloud.plan(declared("\(old),\(denial)")).plan
        #expect(made.hazards.isEmpty)
        try cloud.apply(made)
        let changed = try cloud.plan(declared("\(statement),\(denial)")).plan
        #expect(changed.hazards.map(\.kind) == (isWider ? [.iamWidening] : []))
        #expect(try cloud.plan(declared(statement)).plan.hazards.map(\.kind) == [.iamWidening])
        #expect(try cloud.plan([machine("m", [:])]).plan.hazards.isEmpty)
    }

    @Test("A secret in what the cloud shows is a hazard, and one in what it keeps to itself is none")
    func exposure() throws {
        let secret = Value.deferred(Deferred(.secret(SecretReference(name: "db", source: "env:DB"))))
        var cloud = SimulatedCloud()
        let kept = try cloud.plan([machine("m", ["script": secret])]).plan
        #expect(kept.hazards.isEmpty)
        let declarations = [machine("m", ["boot": secret])]
        let shown = try cloud.plan(declarations).plan
        #expect(shown.hazards.map(\.kind) == [.secretExposure])
        #expect(shown.hazards.first?.text.contains("boot holds the secret db") == true)
        try cloud.apply(shown)
        #expect(try cloud.plan(declarations).plan.hazards.isEmpty)
    }

    @Test(
        "Disks that go with a machine are a loss of data when it goes, and those that stay are none",
        arguments: [(nil, true), (true, true), (false, false)])
    func disks(goesWithIt: Bool?, isLost: Bool) throws {
        var disk: [String: Value] = ["device": "a"]
        disk["goes_with_it"] = goesWithIt.map { .bool($0) }
        let cloud = try applied([machine("m", ["disks": [.map(disk)]])])
        let expected: [Hazard.Kind] = isLost ? [.dataLoss] : []
        #expect(try cloud.plan([]).plan.hazards.map(\.kind) == expected)
        let replaced = [machine("m", ["image": "ami-2", "disks": [.map(disk)]])]
        #expect(try cloud.plan(replaced).plan.hazards.map(\.kind) == expected)
        #expect(try applied([machine("m")]).plan([]).plan.hazards.isEmpty)
    }

    @Test("Another secret behind the same reference is an update with two sides, so that a call is made")
    func rotatedSecret() throws {
        let secret = Value.deferred(Deferred(.secret(SecretReference(name: "db", source: "env:DB"))))
        let declarations = [machine("m", ["script": secret])]
        var cloud = try applied(declarations)
        let rotated = try cloud.plan(declarations) {
            $0.secrets = SecretDigests(text: { _ in "rotated" }, digest: SimulatedCloud.digest)
        }.plan
        let step = try #require(rotated.steps.first)
        #expect(step.operation == .update)
        #expect(step.prior["script"] == nil)
        #expect(step.desired["script"] == secret)

        let id = try #require(cloud.objects.keys.first)
        cloud.objects[id]?.arguments["script"] = "edited by hand"
        let repair = try #require(try cloud.plan(declarations).plan.steps.first)
        #expect(repair.prior["script"] == nil)
    }

    @Test("A choice that only muster knows makes a change in place a replacement")
    func replaceOnChange() throws {
        let cloud = try applied([machine("m", ["boot": "one", "boot_replace_on_change": true])])
        let replaced = try cloud.plan([machine("m", ["boot": "two", "boot_replace_on_change": true])]).plan
        #expect(replaced.changes.map(\.action) == [.replaceDeleteFirst])
        #expect(replaced.changes.first?.attributes.map(\.forcesReplacement) == [true])
        let updated = try cloud.plan([machine("m", ["boot": "two", "boot_replace_on_change": false])]).plan
        #expect(updated.changes.map(\.action) == [.update])
        let other = try cloud.plan([machine("m", ["boot": "one", "boot_replace_on_change": true, "size": "l"])]).plan
        #expect(other.changes.map(\.action) == [.update])
    }

    @Test("Elements whose key cannot change neither come nor go in place, and change in place")
    func keyedElements() throws {
        let disks: (Value...) -> Value = { .list($0) }
        let cloud = try applied([machine("m", ["disks": disks(["device": "a", "size": 1])])])
        let grown = try cloud.plan([machine("m", ["disks": disks(["device": "a", "size": 2])])]).plan
        #expect(grown.changes.map(\.action) == [.update])
        #expect(grown.changes.first?.attributes.map(\.path) == ["disks[a].size"])
        let more = disks(["device": "a", "size": 1], ["device": "b", "size": 1])
        let added = try cloud.plan([machine("m", ["disks": more])]).plan
        #expect(added.changes.map(\.action) == [.replaceDeleteFirst])
        #expect(added.changes.first?.attributes.map(\.path) == ["disks[b]"])
        #expect(added.changes.first?.attributes.map(\.forcesReplacement) == [true])
    }

    @Test("A secret that cannot be read is assumed unchanged, and that is said")
    func unreadableSecret() throws {
        let secret = Value.deferred(Deferred(.secret(SecretReference(name: "db", source: "env:DB"))))
        let declarations = [machine("m", ["script": secret])]
        let cloud = try applied(declarations)
        let plan = try cloud.plan(declarations) {
            $0.secrets = SecretDigests(text: { _ in nil }, digest: SimulatedCloud.digest)
        }.plan
        #expect(plan.isEmpty)
        #expect(plan.notes.count == 1)
    }

    @Test("A digest of another machine's key says nothing: the secret is assumed unchanged")
    func otherKey() throws {
        let secret = Value.deferred(Deferred(.secret(SecretReference(name: "db", source: "env:DB"))))
        let declarations = [machine("m", ["script": secret])]
        let cloud = try applied(declarations)
        let plan = try cloud.plan(declarations) {
            $0.observations = Observations()
            $0.isRefreshed = false
            $0.secrets = SecretDigests(text: { _ in "hunter2" }, digest: { "other:\(SimulatedCloud.digest($0))" })
        }.plan
        #expect(plan.isEmpty)
        #expect(plan.notes.count == 1)
    }

    @Test("Only what is selected is planned; what it needs comes along")
    func selection() throws {
        let cloud = SimulatedCloud()
        let declarations = [network("a"), network("b"), group("web", network: "a")]
        let plan = try cloud.plan(declarations) {
            $0.selection = Selection(only: [address(SimulatedCloud.group, "web")])
        }.plan
        #expect(actions(plan) == ["+ web", "+ a"])
        let refused = try cloud.plan(declarations) {
            $0.selection = Selection(except: [address(SimulatedCloud.network, "a")])
        }
        #expect(refused.refusals.map(\.code) == ["plan.not-selected"])
    }

    @Test("What something outside of the run stands on cannot be deleted")
    func stillUsed() throws {
        var user = group("web", network: "main")
        user.address = address(SimulatedCloud.group, "web", stack: "other")
        let cloud = try applied([network(), user])
        let result = try cloud.plan([network(), user]) {
            $0.isDestroy = true
            $0.selection = Selection(stacks: ["s"])
        }
        #expect(result.refusals.map(\.code) == ["plan.still-used"])
    }

    @Test("A plan of the same input is the same")
    func deterministic() throws {
        let cloud = SimulatedCloud()
        let declarations = (0..<50).flatMap { index in
            [group("g\(index)"), rule("g\(index)", port: index, from: "g\((index * 7 + 1) % 50)")]
        }
        let first = try cloud.plan(declarations).plan
        for _ in 0..<5 { #expect(try cloud.plan(declarations.shuffled()).plan == first) }
    }

    @Test("A move keeps the object")
    func move() throws {
        var cloud = try applied([network("old")])
        let plan = try cloud.plan([network("new")]) {
            $0.moves = [address(SimulatedCloud.network, "new"): address(SimulatedCloud.network, "old")]
        }.plan
        #expect(actions(plan) == ["> new"])
        try cloud.apply(plan)
        #expect(cloud.objects.count == 1)
        #expect(try cloud.plan([network("new")]).plan.isEmpty)
    }

    @Test("An object named by import is adopted, and its differences are put right")
    func adoption() throws {
        var cloud = SimulatedCloud()
        cloud.objects["net-9"] = (SimulatedCloud.network, ["cidr": "10.0.0.0/16", "dns": false, "tags": [:]], [:])
        let target = address(SimulatedCloud.network, "main")
        let plan = try cloud.plan([network()]) {
            $0.imports = [ImportDeclaration(address: target, id: "net-9")]
            $0.observations.imports[target] = .some(
                Observation(id: "net-9", arguments: ["cidr": "10.0.0.0/16", "dns": false, "tags": [:]]))
        }.plan
        #expect(plan.steps.map(\.operation) == [.adopt, .update])
        try cloud.apply(plan)
        #expect(cloud.objects["net-9"]?.arguments["dns"] == true)
        #expect(try cloud.plan([network()]).plan.isEmpty)
    }

    @Test("An interrupted replacement leaves a predecessor that the next plan deletes")
    func deposed() throws {
        var cloud = try applied([group("a")])
        let plan = try cloud.plan([group("a", description: "x")]).plan
        var half = plan
        half.steps = [plan.steps[0]]
        try cloud.apply(half)
        let rest = try cloud.plan([group("a", description: "x")]).plan
        #expect(rest.changes.map(\.reason) == [.deposed])
        try cloud.apply(rest)
        #expect(cloud.objects.count == 1)
        #expect(try cloud.plan([group("a", description: "x")]).plan.isEmpty)
    }
}
