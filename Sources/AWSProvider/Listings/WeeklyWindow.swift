/// A window as RDS and ElastiCache write it: `mon:01:30-mon:02:30`, in either case. Editors read the pattern too, and
/// know no flag inside of one.
let weeklyWindow = "\(weekday):[0-9]{2}:[0-9]{2}-\(weekday):[0-9]{2}:[0-9]{2}"

private let weekday =
    "([Mm][Oo][Nn]|[Tt][Uu][Ee]|[Ww][Ee][Dd]|[Tt][Hh][Uu]|[Ff][Rr][Ii]|[Ss][Aa][Tt]|[Ss][Uu][Nn])"
