/// How a listing's pages are linked.
package struct AWSPagination: Sendable {
    /// What a page says and the next request repeats.
    package struct Token: Sendable {
        /// The member (or, of `rest-xml` calls, the query parameter) of the request.
        package var request: String
        /// Where the answer has it.
        package var response: [String]

        package init(_ request: String, from response: String...) {
            self.request = request
            self.response = response
        }
    }

    package var tokens: [Token]
    /// The member that says `true` while there is more; without one the first token says so by being there.
    package var moreFlag: String?
    /// More pages than this are an error: a listing that never ends must not run for ever.
    package var maxPages: Int

    package init(_ tokens: Token..., moreFlag: String? = nil, maxPages: Int = 10_000) {
        self.tokens = tokens
        self.moreFlag = moreFlag
        self.maxPages = maxPages
    }

    /// Every listing of EC2.
    package static let ec2 = AWSPagination(Token("NextToken", from: "nextToken"))
    /// autoscaling, cloudwatch, sns and the JSON services.
    package static let nextToken = AWSPagination(Token("NextToken", from: "NextToken"))
    /// The JSON services with names in lower case (ecr).
    package static let lowerNextToken = AWSPagination(Token("nextToken", from: "nextToken"))
    /// rds, elasticache.
    package static let marker = AWSPagination(Token("Marker", from: "Marker"))
    package static let iam = AWSPagination(Token("Marker", from: "Marker"), moreFlag: "IsTruncated")
    package static let elbv2 = AWSPagination(Token("Marker", from: "NextMarker"))
    package static let tagging = AWSPagination(Token("PaginationToken", from: "PaginationToken"))
    package static let hostedZones = AWSPagination(Token("marker", from: "NextMarker"), moreFlag: "IsTruncated")
    package static let recordSets = AWSPagination(
        Token("name", from: "NextRecordName"), Token("type", from: "NextRecordType"),
        Token("identifier", from: "NextRecordIdentifier"), moreFlag: "IsTruncated")
    package static let s3Objects = AWSPagination(
        Token("continuation-token", from: "NextContinuationToken"), moreFlag: "IsTruncated")

    /// What the next request repeats; nothing after the last page.
    func next(after output: AWSOutput) -> [(name: String, value: String)] {
        if let moreFlag, output.text(at: [moreFlag]) != "true" { return [] }
        return tokens.compactMap { token in output.text(at: token.response).map { (token.request, $0) } }
    }

    /// Whether a page says that more follows.
    func promisesMore(_ output: AWSOutput) -> Bool {
        moreFlag.map { output.text(at: [$0]) == "true" } ?? false
    }
}

extension AWSOperation {
    /// The request for the page that the tokens name.
    func continued(with tokens: [(name: String, value: String)], of pagination: AWSPagination) -> AWSOperation {
        var next = self
        for token in pagination.tokens {
            let value = tokens.first { $0.name == token.request }?.value
            if next.rest != nil {
                next.rest?.query.removeAll { $0.name == token.request }
                if let value { next.rest?.query.append(.init(token.request, .string(value))) }
            } else {
                next.input[token.request] = value.map { .string($0) }
            }
        }
        return next
    }
}

extension AWSClient {
    /// Every page, handed to `body` as it arrives.
    ///
    /// - Throws: what `call` throws; `unreadable` where a token repeats itself or the pages do not end, since half a
    ///   listing would look as if the rest were gone.
    package func forEachPage(
        of operation: AWSOperation, _ pagination: AWSPagination, _ body: (AWSOutput) throws(AWSError) -> Void
    ) async throws(AWSError) {
        var request = operation
        var seen: Set<String> = []
        for _ in 0..<pagination.maxPages {
            let page = try await call(request)
            try body(page)
            let tokens = pagination.next(after: page)
            guard !tokens.isEmpty else {
                guard !pagination.promisesMore(page) else {
                    throw brokenListing(operation, "the answer promises more, but not where", page)
                }
                return
            }
            let key = tokens.map { "\($0.name)=\($0.value)" }.joined(separator: "\n")
            guard seen.insert(key).inserted else {
                throw brokenListing(operation, "the answer repeats a page token it already gave", page)
            }
            request = operation.continued(with: tokens, of: pagination)
        }
        throw brokenListing(operation, "more than \(pagination.maxPages) pages", nil)
    }

    /// All pages of a listing.
    package func pages(of operation: AWSOperation, _ pagination: AWSPagination) async throws(AWSError) -> [AWSOutput] {
        var pages: [AWSOutput] = []
        try await forEachPage(of: operation, pagination) { pages.append($0) }
        return pages
    }

    /// The elements of a listing in XML: the children of the element at `path` on every page.
    package func list(
        _ operation: AWSOperation, _ pagination: AWSPagination, at path: String...
    ) async throws(AWSError) -> [XMLElement] {
        var elements: [XMLElement] = []
        try await forEachPage(of: operation, pagination) { page in
            elements += path.reduce(page.xml) { $0[$1] }.items
        }
        return elements
    }

    /// The elements of a listing in JSON: of the array at `path` on every page.
    package func listJSON(
        _ operation: AWSOperation, _ pagination: AWSPagination, at path: String...
    ) async throws(AWSError) -> [JSONValue] {
        var elements: [JSONValue] = []
        try await forEachPage(of: operation, pagination) { page in
            elements += path.reduce(page.json) { $0[$1] }.items
        }
        return elements
    }

    private func brokenListing(_ operation: AWSOperation, _ reason: String, _ page: AWSOutput?) -> AWSError {
        AWSError(
            .unreadable, service: operation.service.name, operation: operation.name,
            region: region(of: operation), message: "the listing cannot be followed: \(reason)",
            requestID: page?.requestID)
    }
}
