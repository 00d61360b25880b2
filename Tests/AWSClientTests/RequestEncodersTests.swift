import HTTPTransport
import Testing

@testable import AWSClient

@Suite struct RequestEncodersTests {
    private func ec2(_ input: AWSInput) -> String {
        String(decoding: FormBodyEncoder.encode(input, action: "A", version: "V", .ec2), as: UTF8.self)
    }

    private func query(_ input: AWSInput) -> String {
        String(decoding: FormBodyEncoder.encode(input, action: "A", version: "V", .query), as: UTF8.self)
    }

    private func json(_ input: AWSInput) -> String {
        String(decoding: JSONBodyEncoder.encode(input), as: UTF8.self)
    }

    @Test("ec2 flattens every list and names nested members by dots")
    func ec2Form() {
        let input: AWSInput = [
            "VpcId": .strings(["vpc-1", "vpc-2"]),
            "Filter": [["Name": "tag:Name", "Value": ["a b", "c/d"]]],
            "TagSpecification": [
                ["ResourceType": "vpc", "Tag": [["Key": "k", "Value": "ä"], ["Key": "l", "Value": ""]]]
            ],
            "MaxResults": 1000, "DryRun": false, "UserData": .blob([1, 2, 3]), "Nothing": nil, "Empty": [],
            "ValidUntil": .timestamp(Timestamp(secondsSinceEpoch: 0)),
            "LaunchTemplateData": ["BlockDeviceMapping": [["Ebs": ["VolumeSize": 8]]]],
        ]
        #expect(
            ec2(input) == """
                Action=A&Version=V&VpcId.1=vpc-1&VpcId.2=vpc-2&Filter.1.Name=tag%3AName&Filter.1.Value.1=a+b&\
                Filter.1.Value.2=c%2Fd&TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key=k&\
                TagSpecification.1.Tag.1.Value=%C3%A4&TagSpecification.1.Tag.2.Key=l&TagSpecification.1.Tag.2.Value=&\
                MaxResults=1000&DryRun=false&UserData=AQID&ValidUntil=1970-01-01T00%3A00%3A00Z&\
                LaunchTemplateData.BlockDeviceMapping.1.Ebs.VolumeSize=8
                """)
    }

    @Test("The form of a list makes no difference to ec2")
    func ec2ListForms() {
        #expect(ec2(["X": .strings(["a"], as: .flat)]) == ec2(["X": .strings(["a"], as: .members("Y"))]))
    }

    @Test("query writes members, named members, flat lists, maps and cleared lists")
    func queryForm() {
        let input: AWSInput = [
            "Names": ["a", "b"],
            "SubnetIds": .strings(["s-1"], as: .members("SubnetIdentifier")),
            "Filters": .list(
                [["Name": "db-instance-id", "Values": .strings(["x"], as: .members("Value"))]], as: .members("Filter")),
            "Flat": .strings(["f"], as: .flat),
            "Attributes": .map(["b": "2", "a": "1"]),
            "Cleared": [], "Absent": nil, "Flag": true, "Ratio": 0.5, "Whole": 3.0,
        ]
        #expect(
            query(input) == """
                Action=A&Version=V&Names.member.1=a&Names.member.2=b&SubnetIds.SubnetIdentifier.1=s-1&\
                Filters.Filter.1.Name=db-instance-id&Filters.Filter.1.Values.Value.1=x&Flat.1=f&\
                Attributes.entry.1.key=a&Attributes.entry.1.value=1&Attributes.entry.2.key=b&\
                Attributes.entry.2.value=2&Cleared=&Flag=true&Ratio=0.5&Whole=3
                """)
    }

    @Test("json writes numbers for times, keeps empty lists and escapes what it must")
    func jsonBody() {
        let input: AWSInput = [
            "Text": "a\"b\\c\n\u{1}/ä", "List": [1, 2], "Empty": [], "Map": .map(["k": "v"]), "Nothing": nil,
            "Time": .timestamp(Timestamp(millisecondsSinceEpoch: 1_500)),
            "Whole": .timestamp(Timestamp(secondsSinceEpoch: 7)), "Blob": .blob([255]), "Flag": false,
            "Nested": ["A": nil, "B": "c"],
        ]
        #expect(
            json(input)
                == #"{"Text":"a\"b\\c\n\u0001/ä","List":[1,2],"Empty":[],"Map":{"k":"v"},"Time":1.5,"Whole":7,"#
                + #""Blob":"/w==","Flag":false,"Nested":{"B":"c"}}"#)
        #expect(json([:]) == "{}")
    }

    @Test("What the JSON writer writes, the JSON reader reads")
    func jsonRoundTrip() throws {
        let text = "all of: \u{0}\u{1f}\"\\/\u{2028}😀 \u{7f}"
        let document = try JSONValue(parsing: JSONBodyEncoder.encode(["t": .string(text)]))
        #expect(document["t"].string == text)
    }

    @Test("XML bodies have a namespace, named and flat lists, and escape markup")
    func xmlBody() {
        let input: AWSInput = [
            "ChangeBatch": [
                "Comment": "a<b>&\"c\"",
                "Changes": .list(
                    [["Action": "UPSERT", "ResourceRecordSet": ["TTL": 60, "Name": nil]]], as: .members("Change")),
            ],
            "Tag": .list([["Key": "k"], ["Key": "l"]], as: .flat),
        ]
        let body = XMLBodyEncoder.encode(input, root: "Request", namespace: "https://example.com/")
        #expect(
            String(decoding: body, as: UTF8.self)
                == "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Request xmlns=\"https://example.com/\"><ChangeBatch>"
                + "<Comment>a&lt;b&gt;&amp;&quot;c&quot;</Comment><Changes><Change><Action>UPSERT</Action>"
                + "<ResourceRecordSet><TTL>60</TTL></ResourceRecordSet></Change></Changes></ChangeBatch>"
                + "<Tag><Key>k</Key></Tag><Tag><Key>l</Key></Tag></Request>")
    }

    @Test("What the XML writer writes, the XML reader reads")
    func xmlRoundTrip() throws {
        let text = " <&>\"' \r\n\t😀 ]]> "
        let body = XMLBodyEncoder.encode(["T": .string(text)], root: "R", namespace: nil)
        #expect(try XMLElement(parsing: body)["T"].text == text)
    }

    // MARK: - Whole requests

    private func subject(_ operation: AWSOperation, _ endpoints: AWSEndpoints = AWSEndpoints()) throws
        -> SigV4Signer.Subject
    {
        let found = try #require(
            endpoints.endpoint(for: operation.service, region: "eu-west-1", bucket: operation.rest?.bucket))
        return RequestBuilder(operation: operation, endpoint: found.endpoint, hostHasBucket: found.hostHasBucket)
            .subject
    }

    @Test("A JSON service gets its target and version in headers")
    func jsonRequest() throws {
        let subject = try subject(AWSOperation(.ecr, "DescribeRepositories", ["maxResults": 5]))
        #expect(subject.method == "POST" && subject.path == "/")
        #expect(subject.headers["X-Amz-Target"] == "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories")
        #expect(subject.headers["Content-Type"] == "application/x-amz-json-1.1")
        #expect(subject.headers["Host"] == "api.ecr.eu-west-1.amazonaws.com")
        #expect(String(decoding: subject.body, as: UTF8.self) == #"{"maxResults":5}"#)
    }

    @Test("A form service gets its version and content type")
    func formRequest() throws {
        let subject = try subject(AWSOperation(.elbv2, "DescribeLoadBalancers"))
        #expect(subject.headers["Content-Type"] == "application/x-www-form-urlencoded; charset=utf-8")
        #expect(String(decoding: subject.body, as: UTF8.self) == "Action=DescribeLoadBalancers&Version=2015-12-01")
    }

    @Test("A route's path is encoded where it is interpolated, its query canonical, its body XML")
    func restRequest() throws {
        let zone = "Z/1 ä"
        let operation = AWSOperation(
            .route53, "ChangeResourceRecordSets", ["ChangeBatch": ["Comment": "c"]],
            rest: RESTRoute(
                "POST", "/2013-04-01/hostedzone/\(zone)/rrset/",
                query: [.init("b", 2), .init("a", "x y"), .init("n", nil)],
                bodyRoot: "ChangeResourceRecordSetsRequest"))
        let subject = try subject(operation)
        #expect(subject.path == "/2013-04-01/hostedzone/Z%2F1%20%C3%A4/rrset/")
        #expect(subject.query == "a=x%20y&b=2")
        #expect(subject.headers["Content-Type"] == "application/xml")
        #expect(String(decoding: subject.body, as: UTF8.self).contains("doc/2013-04-01/\"><ChangeBatch>"))
    }

    @Test(
        "An S3 bucket goes into the host where it can, else into the path",
        arguments: [
            ("bucket", nil, "bucket.s3.eu-west-1.amazonaws.com", "/a/b%20c"),
            ("bucket.with.dots", nil, "s3.eu-west-1.amazonaws.com", "/bucket.with.dots/a/b%20c"),
            ("bucket", "http://127.0.0.1:5000", "127.0.0.1:5000", "/bucket/a/b%20c"),
            ("bucket", "http://127.0.0.1:5000/base/", "127.0.0.1:5000", "/base/bucket/a/b%20c"),
        ] as [(String, String?, String, String)])
    func s3Request(_ bucket: String, _ url: String?, _ host: String, _ path: String) throws {
        var endpoints = AWSEndpoints()
        endpoints.explicitURL = url
        let key = "a/b c"
        let operation = AWSOperation(.s3, "GetObject", rest: RESTRoute("GET", "/\(key: key)", bucket: bucket))
        let subject = try subject(operation, endpoints)
        #expect(subject.headers["Host"] == host)
        #expect(subject.path == path)
    }
}
