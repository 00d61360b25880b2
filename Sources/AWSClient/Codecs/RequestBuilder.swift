import HTTPTransport
import TextEncodings

/// The request of an operation before it is signed: a pure function.
struct RequestBuilder {
    let operation: AWSOperation
    let endpoint: AWSEndpoint
    let hostHasBucket: Bool

    var subject: SigV4Signer.Subject {
        let service = operation.service
        var headers: HTTPHeaders = ["Host": endpoint.host]
        switch service.wire {
        case .ec2, .query:
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
            let body = FormBodyEncoder.encode(
                operation.input, action: operation.name, version: service.apiVersion,
                service.wire == .ec2 ? .ec2 : .query)
            return subject("POST", path: "/", headers, body)
        case .json(let version, let target):
            headers["Content-Type"] = "application/x-amz-json-\(version)"
            headers["X-Amz-Target"] = "\(target).\(operation.name)"
            return subject("POST", path: "/", headers, JSONBodyEncoder.encode(operation.input))
        case .restXML: return restXML(headers)
        }
    }

    private func restXML(_ headers: HTTPHeaders) -> SigV4Signer.Subject {
        let route = operation.rest ?? RESTRoute("GET", "/")
        var headers = headers
        for field in route.headers.fields { headers.append(field.name, field.value) }
        var body = route.payload ?? []
        if let root = route.bodyRoot {
            headers["Content-Type"] = "application/xml"
            body = XMLBodyEncoder.encode(operation.input, root: root, namespace: operation.service.xmlNamespace)
        }
        var path = route.path.encoded
        if let bucket = route.bucket, !hostHasBucket {
            path = "/" + PercentEncoding.encode(bucket) + (path == "/" ? "" : path)
        }
        let query = route.query.compactMap { field -> String? in
            guard field.value != .absent else { return nil }
            return PercentEncoding.encode(field.name) + "=" + PercentEncoding.encode(field.value.scalarText ?? "")
        }
        var subject = subject(route.method, path: path, headers, body)
        subject.query = SigV4Signer.canonicalQuery(query.joined(separator: "&"))
        return subject
    }

    private func subject(
        _ method: String, path: String, _ headers: HTTPHeaders, _ body: [UInt8]
    ) -> SigV4Signer.Subject {
        SigV4Signer.Subject(method: method, path: endpoint.basePath + path, headers: headers, body: body)
    }
}
