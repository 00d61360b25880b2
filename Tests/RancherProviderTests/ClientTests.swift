import HTTPTransport
import MusterModel
import ProviderKit
import RancherClient
import TestSupport
import Testing

@Suite struct ClientTests {
    @Test(
        "Addresses of a server are one address, however a client writes them",
        arguments: [
            ("https://rancher.test", "https://rancher.test"), ("HTTPS://Rancher.TEST/", "https://rancher.test"),
            ("http://h:8080/v1/projects/1a5/schemas", "http://h:8080"), ("http://h/v2-beta/", "http://h"),
            ("https://h/rancher/v1", "https://h/rancher"),
        ])
    func address(_ text: String, _ expected: String) { #expect(RancherServerURL(text)?.text == expected) }

    @Test(
        "What is no address is none",
        arguments: ["rancher.test", "ftp://h", "https://", "https://user@h", "http://a b"])
    func noAddress(_ text: String) { #expect(RancherServerURL(text) == nil) }

    @Test("A list is read over all its pages, by the marker and not by the link")
    func pages() async throws {
        let first =
            #"{"data":[{"id":"1a5"}],"pagination":{"next":"http:\/\/elsewhere\/v2-beta\/projects?limit=1000&marker=m1000"}}"#
        let rancher = RecordingRancher(["GET /projects": [.init(200, first), .list(#"{"id":"1a6"}"#)]])
        let listed = try await rancher.client().list(RancherPath("projects"))
        #expect(listed.map(\.id) == ["1a5", "1a6"])
        #expect(
            await rancher.takeTranscript()
                == "GET /v2-beta/projects?limit=1000\nGET /v2-beta/projects?limit=1000&marker=m1000\n")
    }

    @Test("A list that is cut off and does not say where it goes on is an error")
    func cutOff() async throws {
        let cut = #"{"data":[],"pagination":{"next":null,"partial":true}}"#
        let rancher = RecordingRancher(["GET /projects": [.init(200, cut)]])
        await #expect { try await rancher.client().list(RancherPath("projects")) } throws: {
            ($0 as? RancherError)?.kind == .notRancher
        }
    }

    @Test("The key goes with every request, and never into a text")
    func key() async throws {
        let rancher = RecordingRancher(["GET /projects": [.list()]])
        let key = RancherCredentials(accessKey: "AK", secretKey: "hidden")
        _ = try await rancher.client(key).list(RancherPath("projects"))
        #expect(await rancher.keys == ["Basic QUs6aGlkZGVu", "Basic QUs6aGlkZGVu"])
        var dumped = ""
        dump(key, to: &dumped)
        #expect(!"\(key)\(String(reflecting: key))\(dumped)".contains("hidden"))
    }

    private static let failures: [(RecordingRancher.Answer, RancherError.Kind, String)] = [
        (.error(422, "NotUnique", field: "name"), .alreadyExists, "\"name\" has a value that is taken already."),
        (.error(400, "ServerAddressUsed"), .alreadyExists, "The environment has a registry with this address already."),
        (.error(422, "MissingRequired", field: "email"), .invalid, "Rancher wants \"email\", which is missing."),
        (
            .error(422, "InvalidCharacters", field: "name"), .invalid,
            "\"name\" has a character that Rancher does not take there."
        ),
        (.error(422, "ActionNotAvailable"), .wrongState, "The object's state does not allow this action."),
        (.error(405, "Method not allowed"), .wrongState, "Rancher says Method not allowed."),
        (.error(409, "Conflict"), .wrongState, "Rancher says Conflict."),
        (.error(401, "Unauthorized"), .badCredentials, "Rancher does not accept the API key."),
        (
            .error(403, "Forbidden"), .notPermitted, "The API key may not do this, or there is no such environment."
        ),
        (.error(500, "Internal Server Error"), .outcomeUnknown, "Rancher says Internal Server Error."),
        (
            .init(200, "<html><title>Sign in</title><body>Please log in</body></html>"), .notRancher,
            "What http://rancher.test:8080 answers (200) does not come from Rancher: a page that says: Sign in Please log in"
        ),
        (
            .init(302, "", headers: ["Location": "https://login.test/x?y"]), .notRancher,
            "http://rancher.test:8080 sends to https://login.test/x instead."
        ),
        (
            .init(503, "<html>no backend</html>"), .unavailable,
            "http://rancher.test:8080 is not up: what stands before it answers 503."
        ),
        (
            .init(504, ""), .outcomeUnknown, "http://rancher.test:8080 is not up: what stands before it answers 504."
        ),
    ]

    @Test("Each failure of a change has its class and its sentence", arguments: failures.indices)
    func failure(_ index: Int) async throws {
        let (answer, kind, sentence) = ClientTests.failures[index]
        let rancher = RecordingRancher(["POST /projects": [answer]])
        let client = try rancher.client()
        do throws(RancherError) {
            _ = try await client.create(RancherPath("projects"), ["name": "x"])
            Issue.record("no failure")
        } catch {
            #expect(error.kind == kind)
            #expect(error.message == sentence)
        }
        #expect(await rancher.takeTranscript() == "POST /v2-beta/projects {\"name\":\"x\"}\n", "it was sent once")
    }

    @Test("A read is sent again where that helps")
    func repeated() async throws {
        let rancher = RecordingRancher(["GET /projects": [.init(502, ""), .init(503, ""), .list()]])
        #expect(try await rancher.client().list(RancherPath("projects")).isEmpty)
    }

    @Test("A server that is starting is not up, and a page of somebody else is an error")
    func ping() async throws {
        #expect(try await RecordingRancher(["GET /ping": [.init(200, "pong")]]).client().isUp())
        #expect(try await !RecordingRancher(["GET /ping": [.init(503, "")]]).client().isUp())
        let portal = RecordingRancher(["GET /ping": [.init(200, "<html>Welcome</html>")]])
        await #expect(throws: RancherError.self) { try await portal.client().isUp() }
    }
}
