/// A moment of wall-clock time, in milliseconds since 1970-01-01T00:00:00Z. Leap seconds do not exist here.
///
/// Written by hand, because Foundation's formatters cost more at start than everything else in this target.
package struct Timestamp: Sendable, Hashable, Comparable {
    package var millisecondsSinceEpoch: Int64

    package init(millisecondsSinceEpoch: Int64) {
        self.millisecondsSinceEpoch = millisecondsSinceEpoch
    }

    package init(secondsSinceEpoch: Int64) {
        self.init(millisecondsSinceEpoch: secondsSinceEpoch &* 1_000)
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.millisecondsSinceEpoch < right.millisecondsSinceEpoch
    }

    package static func + (time: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(millisecondsSinceEpoch: time.millisecondsSinceEpoch + duration.wholeMilliseconds)
    }

    package static func - (time: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(millisecondsSinceEpoch: time.millisecondsSinceEpoch - duration.wholeMilliseconds)
    }

    package static func - (later: Timestamp, earlier: Timestamp) -> Duration {
        .milliseconds(later.millisecondsSinceEpoch - earlier.millisecondsSinceEpoch)
    }

    // MARK: - Writing

    /// `20150830T123600Z`, as signatures want it.
    package var basicDateTime: String {
        let (date, time) = (civilDate, civilTime)
        return Self.padded(date.year, 4) + Self.padded(date.month) + Self.padded(date.day) + "T"
            + Self.padded(time.hour) + Self.padded(time.minute) + Self.padded(time.second) + "Z"
    }

    /// `20150830`.
    package var basicDate: String {
        let date = civilDate
        return Self.padded(date.year, 4) + Self.padded(date.month) + Self.padded(date.day)
    }

    /// `2015-08-30T12:36:00Z`, without the fraction.
    package var iso8601: String {
        let (date, time) = (civilDate, civilTime)
        return Self.padded(date.year, 4) + "-" + Self.padded(date.month) + "-" + Self.padded(date.day) + "T"
            + Self.padded(time.hour) + ":" + Self.padded(time.minute) + ":" + Self.padded(time.second) + "Z"
    }

    private static func padded(_ number: Int64, _ width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    // MARK: - Reading

    /// ISO 8601 with a zone or `Z` (`2015-08-30T12:36:00.123Z`, `…+02:00`); without a zone it is taken as UTC.
    package init?(iso8601 text: String) {
        var reader = DigitReader(text)
        guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2), reader.skip("-"),
            let day = reader.number(2), reader.skip("T") || reader.skip(" "), let hour = reader.number(2),
            reader.skip(":"), let minute = reader.number(2), reader.skip(":"), let second = reader.number(2)
        else { return nil }
        var milliseconds: Int64 = 0
        if reader.skip(".") {
            guard let fraction = reader.fraction() else { return nil }
            milliseconds = fraction
        }
        var offsetMinutes: Int64 = 0
        if !reader.skip("Z"), !reader.isAtEnd, !reader.skip("UTC") {
            let sign: Int64 = reader.skip("+") ? 1 : -1
            guard sign == 1 || reader.skip("-"), let hours = reader.number(2) else { return nil }
            _ = reader.skip(":")
            guard let minutes = reader.number(2) else { return nil }
            offsetMinutes = sign * (hours * 60 + minutes)
        }
        guard reader.isAtEnd,
            let seconds = Self.seconds(year, month, day, hour, minute, second)
        else { return nil }
        self.init(millisecondsSinceEpoch: (seconds - offsetMinutes * 60) * 1_000 + milliseconds)
    }

    /// `20150830T123600Z`.
    package init?(basicDateTime text: String) {
        var reader = DigitReader(text)
        guard let year = reader.number(4), let month = reader.number(2), let day = reader.number(2), reader.skip("T"),
            let hour = reader.number(2), let minute = reader.number(2), let second = reader.number(2),
            reader.skip("Z"), reader.isAtEnd, let seconds = Self.seconds(year, month, day, hour, minute, second)
        else { return nil }
        self.init(secondsSinceEpoch: seconds)
    }

    /// The form of HTTP's `Date`: `Sun, 30 Aug 2015 12:36:00 GMT`.
    package init?(httpDate text: String) {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = Int64(parts[1]), let year = Int64(parts[3]),
            let month = months.firstIndex(of: String(parts[2]))
        else { return nil }
        let time = parts[4].split(separator: ":").compactMap { Int64($0) }
        guard time.count == 3, let seconds = Self.seconds(year, Int64(month) + 1, day, time[0], time[1], time[2])
        else { return nil }
        self.init(secondsSinceEpoch: seconds)
    }

    // MARK: - The calendar

    private static func seconds(
        _ year: Int64, _ month: Int64, _ day: Int64, _ hour: Int64, _ minute: Int64, _ second: Int64
    ) -> Int64? {
        guard (1...9_999).contains(year), (1...12).contains(month), (1...31).contains(day), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        // Days from civil: years begin in March, so that a leap day is the last of its year.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return days * 86_400 + hour * 3_600 + minute * 60 + second
    }

    private var secondsSinceEpoch: Int64 {
        let quotient = millisecondsSinceEpoch / 1_000
        return millisecondsSinceEpoch % 1_000 < 0 ? quotient - 1 : quotient
    }

    private var civilTime: (hour: Int64, minute: Int64, second: Int64) {
        let second = ((secondsSinceEpoch % 86_400) + 86_400) % 86_400
        return (second / 3_600, second / 60 % 60, second % 60)
    }

    private var civilDate: (year: Int64, month: Int64, day: Int64) {
        let seconds = secondsSinceEpoch
        let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400 + 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}

extension Duration {
    /// Rounded towards zero.
    package var wholeMilliseconds: Int64 {
        components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
    }

    package var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}

private struct DigitReader {
    private var rest: Substring.UTF8View

    init(_ text: String) {
        rest = text[...].utf8
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func number(_ width: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<width {
            guard let byte = rest.popFirst(), (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - 0x30)
        }
        return value
    }

    /// Milliseconds of a fraction of any length.
    mutating func fraction() -> Int64? {
        var value: Int64 = 0
        var count = 0
        while let byte = rest.first, (0x30...0x39).contains(byte) {
            if count < 3 { value = value * 10 + Int64(byte - 0x30) }
            count += 1
            rest.removeFirst()
        }
        guard count > 0 else { return nil }
        for _ in min(count, 3)..<3 { value *= 10 }
        return value
    }

    mutating func skip(_ text: String) -> Bool {
        guard rest.starts(with: text.utf8) else { return false }
        rest.removeFirst(text.utf8.count)
        return true
    }
}
