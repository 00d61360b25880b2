import Testing

@testable import AWSClient

@Suite struct TimestampTests {
    @Test(
        "A moment is written and read in every form",
        arguments: [
            (0, "1970-01-01T00:00:00Z", "19700101T000000Z"),
            (1_440_938_160, "2015-08-30T12:36:00Z", "20150830T123600Z"),
            (951_782_400, "2000-02-29T00:00:00Z", "20000229T000000Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z", "20240229T235959Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z", "21000301T000000Z"),
            (-1, "1969-12-31T23:59:59Z", "19691231T235959Z"),
        ] as [(Int64, String, String)])
    func timestamps(_ seconds: Int64, _ iso8601: String, _ basic: String) {
        let time = Timestamp(secondsSinceEpoch: seconds)
        #expect(time.iso8601 == iso8601 && time.basicDateTime == basic && time.basicDate == String(basic.prefix(8)))
        #expect(Timestamp(iso8601: iso8601) == time && Timestamp(basicDateTime: basic) == time)
    }

    @Test("Every day of four centuries is one day after the day before")
    func calendar() throws {
        var previous = try #require(Timestamp(iso8601: "1999-12-31T00:00:00Z"))
        for _ in 0..<146_097 {
            let next = previous + .seconds(86_400)
            #expect(Timestamp(iso8601: next.iso8601) == next)
            previous = next
        }
        #expect(previous.iso8601 == "2399-12-31T00:00:00Z")
    }

    @Test("Fractions and offsets are understood")
    func isoVariants() {
        func milliseconds(_ text: String) -> Int64? { Timestamp(iso8601: text)?.millisecondsSinceEpoch }
        #expect(milliseconds("1970-01-01T00:00:01.5Z") == 1_500)
        #expect(milliseconds("1970-01-01T00:00:01.123456789Z") == 1_123)
        #expect(milliseconds("1970-01-01T02:00:00+02:00") == 0)
        #expect(milliseconds("1969-12-31T22:30:00-0130") == 0)
        #expect(milliseconds("1970-01-01T00:00:00") == 0)
        #expect(milliseconds("1970-01-01T00:00:00UTC") == 0)
        for bad in [
            "", "1970", "1970-13-01T00:00:00Z", "1970-01-01T25:00:00Z", "1970-01-01T00:00:00Zx",
            "1970-01-01T00:00:00.Z",
        ] {
            #expect(milliseconds(bad) == nil)
        }
    }

    @Test("HTTP's date is understood")
    func httpDate() {
        #expect(Timestamp(httpDate: "Sun, 30 Aug 2015 12:36:00 GMT") == Timestamp(secondsSinceEpoch: 1_440_938_160))
        #expect(Timestamp(httpDate: "yesterday") == nil)
        #expect(Timestamp(httpDate: "Sun, 30 Foo 2015 12:36:00 GMT") == nil)
    }

    @Test("A secret is never shown")
    func secret() {
        let credentials = AWSCredentials(
            accessKeyID: "AKID", secretAccessKey: "hunter2", sessionToken: "hunter3", source: "test")
        var dumped = ""
        dump(credentials, to: &dumped)
        for text in ["\(credentials)", String(reflecting: credentials), dumped, "\(credentials.secretAccessKey)"] {
            #expect(!text.contains("hunter") && text.contains("•••"))
        }
    }
}
