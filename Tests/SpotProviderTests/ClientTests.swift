import HTTPTransport
import MusterModel
import SpotClient
import Testing

@Suite struct ClientTests {
    private typealias Answer = RecordingSpot.Answer

    @Test("Every request names the account and carries the token, which is in no text")
    func account() async throws {
        let spot = RecordingSpot(.items(#"{"id":"sig-1"}"#))
        #expect(try await spot.client.groups().map { $0["id"] } == ["sig-1"])
        _ = try await spot.client.update("sig-1", ["a": nil], [("autoApplyTags", "true")])
        try await spot.client.delete("sig-1/../x")
        #expect(
            spot.transcript == """
                GET /aws/ec2/group?accountId=act-1
                PUT /aws/ec2/group/sig-1?accountId=act-1&autoApplyTags=true {"group":{"a":null}}
                DELETE /aws/ec2/group/sig-1%2F..%2Fx?accountId=act-1

                """)
        #expect(Set(spot.authorizations) == ["Bearer \(RecordingSpot.token)"])
        let credentials = spot.client.credentials
        var dumped = ""
        dump(credentials, to: &dumped)
        #expect(!"\(credentials)\(String(reflecting: credentials))\(dumped)".contains(RecordingSpot.token))
    }

    private static let failures: [(Answer, SpotError.Kind, String)] = [
        (
            .error(400, "VALIDATION_ERROR", "\\\"name\\\" is required", field: "group.name"), .invalid,
            "Spot says: group.name: \"name\" is required."
        ),
        (
            .error(400, "GROUP_DOESNT_EXIST", "Group sig-1 doesn't exist"), .notFound,
            "Spot says: Group sig-1 doesn't exist."
        ),
        (.error(404, "NOT_FOUND", "none"), .notFound, "Spot says: none."),
        (
            .error(401, "UNAUTHORIZED", "token \(RecordingSpot.token) is bad"), .badCredentials,
            "Spot says: token ••• is bad."
        ),
        (.error(403, "FORBIDDEN", "no"), .notPermitted, "Spot says: no."),
        (.error(409, "CONFLICT", "busy"), .conflict, "Spot says: busy."),
        (.error(500, "INTERNAL", "oops"), .outcomeUnknown, "Spot says: oops."),
        (.error(503, "UNAVAILABLE", "later"), .unavailable, "Spot says: later."),
        (
            .init(200, "<html><title>Sign in</title> \(RecordingSpot.token)</html>"), .outcomeUnknown,
            "What https://api.spotinst.io answers (200) does not come from Spot: a page that says: Sign in •••"
        ),
        (
            .init(302, "", headers: ["Location": "https://login.test/x?y"]), .notSpot,
            "https://api.spotinst.io sends to https://login.test/x instead."
        ),
        (
            .init(503, "<html>no backend</html>"), .unavailable,
            "What stands before https://api.spotinst.io answers 503."
        ),
        (.init(504, ""), .outcomeUnknown, "What stands before https://api.spotinst.io answers 504."),
        (.items(), .outcomeUnknown, "https://api.spotinst.io answers without a group."),
    ]

    @Test("Each failure of a change has its class and its sentence, and is sent once", arguments: failures.indices)
    func failure(_ index: Int) async throws {
        let (answer, kind, sentence) = ClientTests.failures[index]
        let spot = RecordingSpot(answer)
        do throws(SpotError) {
            _ = try await spot.client.create(["name": "x"])
            Issue.record("no failure")
        } catch {
            #expect(error.kind == kind)
            #expect(error.message == sentence)
        }
        #expect(spot.transcript == "POST /aws/ec2/group?accountId=act-1 {\"group\":{\"name\":\"x\"}}\n")
    }

    @Test("What is refused for now comes again after the time that is asked for; nothing else that changes does")
    func throttled() async throws {
        let spot = RecordingSpot(
            .init(429, "", headers: ["Retry-After": "3"]), .error(429, "SLOW", "slow"), .items(#"{"id":"sig-1"}"#))
        _ = try await spot.client.create(["name": "x"])
        #expect(spot.pauses == [.seconds(3), .zero])
        let reads = RecordingSpot(.init(502, ""), .error(500, "X", "x"), .items())
        #expect(try await reads.client.groups().isEmpty)
    }

    @Test("A change asks for leave each time, and is not sent without")
    func leave() async throws {
        let spot = RecordingSpot(.items(#"{"id":"sig-1"}"#))
        await #expect(throws: SpotError.self) { try await spot.client.create(["name": "x"], asking: { false }) }
        #expect(spot.transcript.isEmpty)
    }

    @Test("A list of which only a part is told is an error, and a group that is gone is none")
    func lists() async throws {
        await #expect { try await RecordingSpot(.items(#"{"id":"sig-1"}"#, count: 2)).client.groups() } throws: {
            ($0 as? SpotError)?.kind == .notSpot
        }
        #expect(try await RecordingSpot(.error(400, "GROUP_DOESNT_EXIST", "none")).client.group("sig-1") == nil)
    }

    @Test("Credentials are read from a file in any of its forms")
    func file() {
        #expect(SpotCredentialsFile("token = abc\naccount=act-1\n").token == "abc")
        #expect(SpotCredentialsFile("token = abc\naccount=act-1\n").account == "act-1")
        let sections = SpotCredentialsFile("[other]\ntoken = no\n[default]\n# token = x\ntoken=yes\r\n")
        #expect(sections.token == "yes" && sections.account == nil)
        #expect(SpotCredentialsFile(#"{"token":"abc","account":"act-2"}"#).account == "act-2")
        #expect(SpotCredentialsFile("").token == nil)
    }

    @Test(
        "Addresses are told apart from what is none",
        arguments: [
            ("https://api.spotinst.io/", "https://api.spotinst.io"), ("http://H:80/a/", "http://h:80/a"),
            ("api.spotinst.io", nil), ("https://", nil), ("https://a@b", nil), ("https://h?x", nil),
        ])
    func address(_ text: String, _ expected: String?) { #expect(SpotEndpoint(text)?.text == expected) }
}
