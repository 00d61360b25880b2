import HTTPTransport
import Testing

@testable import AWSClient

@Suite struct AWSPaginationTests {
    private func page(_ ids: [String], next: String?) -> HTTPResponse {
        HTTPResponse(
            200,
            "<DescribeVpcsResponse><vpcSet>" + ids.map { "<item><vpcId>\($0)</vpcId></item>" }.joined() + "</vpcSet>"
                + (next.map { "<nextToken>\($0)</nextToken>" } ?? "") + "</DescribeVpcsResponse>")
    }

    private func failure(_ world: FakeWorld, _ pagination: AWSPagination = .ec2) async -> AWSError? {
        do {
            _ = try await world.client().pages(of: AWSOperation(.ec2, "DescribeVpcs"), pagination)
            return nil
        } catch {
            return error
        }
    }

    @Test("Pages are followed by their token to the end, an empty token being the end")
    func follows() async throws {
        let world = FakeWorld { _, number in
            .success(page(["v\(number)a", "v\(number)b"], next: ["t=1", "t/2", ""][number - 1]))
        }
        let operation = AWSOperation(.ec2, "DescribeVpcs", ["MaxResults": 2])
        let vpcs = try await world.client().list(operation, .ec2, at: "vpcSet")
        #expect(vpcs.map { $0["vpcId"].text } == ["v1a", "v1b", "v2a", "v2b", "v3a", "v3b"])
        #expect(
            world.requests.map { String($0.bodyText.dropFirst("Action=DescribeVpcs&Version=2016-11-15&".count)) } == [
                "MaxResults=2", "MaxResults=2&NextToken=t%3D1", "MaxResults=2&NextToken=t%2F2",
            ])
    }

    @Test("A token that comes again ends the listing with an error, not with half of it")
    func repeatedToken() async {
        let world = FakeWorld { _, _ in .success(page(["v"], next: "same")) }
        let error = await failure(world)
        #expect(error?.kind == .unreadable && error?.message.contains("repeats a page token") == true)
        #expect(world.requests.count == 2)
    }

    @Test("Tokens that go round in a circle are noticed")
    func circle() async {
        let world = FakeWorld { _, number in .success(page(["v"], next: "t\(number % 3)")) }
        #expect(await failure(world)?.kind == .unreadable)
        #expect(world.requests.count == 4)
    }

    @Test("Pages that never end are given up")
    func endless() async {
        let world = FakeWorld { _, number in .success(page(["v"], next: "t\(number)")) }
        var pagination = AWSPagination.ec2
        pagination.maxPages = 7
        #expect(await failure(world, pagination)?.message.contains("more than 7 pages") == true)
        #expect(world.requests.count == 7)
    }

    @Test("A page that promises more without saying where is an error")
    func brokenPromise() async {
        let world = FakeWorld { _, _ in
            .success(HTTPResponse(200, "<XResponse><XResult><IsTruncated>true</IsTruncated></XResult></XResponse>"))
        }
        do {
            _ = try await world.client().pages(of: AWSOperation(.iam, "ListRoles"), .iam)
            Issue.record("accepted")
        } catch {
            #expect(error.message.contains("promises more"))
        }
    }

    @Test("IAM ends when it says so, even where it leaves a marker behind")
    func truncatedFlag() async throws {
        let world = FakeWorld { _, number in
            .success(
                HTTPResponse(
                    200,
                    "<XResponse><XResult><Roles><member/></Roles><IsTruncated>\(number == 1)</IsTruncated>"
                        + "<Marker>m</Marker></XResult></XResponse>"))
        }
        #expect(try await world.client().list(AWSOperation(.iam, "ListRoles"), .iam, at: "Roles").count == 2)
        #expect(world.requests[1].bodyText.hasSuffix("&Marker=m"))
    }

    @Test("Record sets continue by name, type and identifier in the query")
    func recordSets() async throws {
        let world = FakeWorld { _, number in
            let next = [
                "<IsTruncated>true</IsTruncated><NextRecordName>a.b.</NextRecordName><NextRecordType>A</NextRecordType>"
                    + "<NextRecordIdentifier>i</NextRecordIdentifier>",
                "<IsTruncated>true</IsTruncated><NextRecordName>c.</NextRecordName><NextRecordType>MX</NextRecordType>",
                "<IsTruncated>false</IsTruncated>",
            ][number - 1]
            return .success(
                HTTPResponse(
                    200,
                    "<ListResourceRecordSetsResponse><ResourceRecordSets><ResourceRecordSet/></ResourceRecordSets>\(next)"
                        + "</ListResourceRecordSetsResponse>"))
        }
        let operation = AWSOperation(
            .route53, "ListResourceRecordSets",
            rest: RESTRoute("GET", "/2013-04-01/hostedzone/\("Z1")/rrset", query: [.init("maxitems", 300)]))
        let sets = try await world.client().list(operation, .recordSets, at: "ResourceRecordSets")
        #expect(sets.count == 3)
        #expect(
            world.requests.map { $0.url.split(separator: "?").last.map(String.init) } == [
                "maxitems=300", "identifier=i&maxitems=300&name=a.b.&type=A", "maxitems=300&name=c.&type=MX",
            ])
    }

    @Test("JSON listings are followed too")
    func json() async throws {
        let world = FakeWorld { _, number in
            .success(HTTPResponse(200, number == 1 ? #"{"L":[1],"NextToken":"n"}"# : #"{"L":[2],"NextToken":null}"#))
        }
        let items = try await world.client().listJSON(AWSOperation(.acm, "ListCertificates"), .nextToken, at: "L")
        #expect(items == [.integer(1), .integer(2)])
        #expect(world.requests.map(\.bodyText) == ["{}", #"{"NextToken":"n"}"#])
    }

    @Test("A page that fails fails the listing")
    func failingPage() async {
        let world = FakeWorld { _, number in
            number == 1 ? .success(page(["v"], next: "t")) : .success(.ec2Error("UnauthorizedOperation", status: 403))
        }
        #expect(await failure(world)?.kind == .unauthorized)
    }
}
