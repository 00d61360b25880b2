/// How to speak to one AWS service: its protocol, version and names.
package struct AWSService: Sendable, Hashable {
    package enum WireProtocol: Sendable, Hashable {
        /// Form in, XML out, every list flattened.
        case ec2
        /// Form in, XML out.
        case query
        /// `version` is 1.0 or 1.1; `target` precedes the operation in `X-Amz-Target`.
        case json(version: String, target: String)
        case restXML
    }

    /// A short lower-case name, such as `ec2` or `elbv2`.
    package let name: String
    /// As in `AWS_ENDPOINT_URL_<ID>`, lower-case as in the configuration file: `elastic_load_balancing_v2`.
    package let identifier: String
    /// The first part of the regional host name.
    package let endpointPrefix: String
    package let signingName: String
    package let apiVersion: String
    package let wire: WireProtocol
    /// The namespace of XML bodies that are sent.
    package let xmlNamespace: String?
    /// One endpoint for each partition, signed for that partition's own region.
    package let isGlobal: Bool

    package init(
        _ name: String, identifier: String? = nil, endpointPrefix: String? = nil, signingName: String? = nil,
        apiVersion: String, wire: WireProtocol, xmlNamespace: String? = nil, isGlobal: Bool = false
    ) {
        self.name = name
        self.identifier = identifier ?? name
        self.endpointPrefix = endpointPrefix ?? name
        self.signingName = signingName ?? name
        self.apiVersion = apiVersion
        self.wire = wire
        self.xmlNamespace = xmlNamespace
        self.isGlobal = isGlobal
    }
}

extension AWSService {
    package static let ec2 = AWSService("ec2", apiVersion: "2016-11-15", wire: .ec2)
    package static let autoscaling = AWSService(
        "autoscaling", identifier: "auto_scaling", apiVersion: "2011-01-01", wire: .query)
    package static let cloudwatch = AWSService(
        "cloudwatch", endpointPrefix: "monitoring", signingName: "monitoring", apiVersion: "2010-08-01", wire: .query)
    package static let sns = AWSService("sns", apiVersion: "2010-03-31", wire: .query)
    package static let elbv2 = AWSService(
        "elbv2", identifier: "elastic_load_balancing_v2", endpointPrefix: "elasticloadbalancing",
        signingName: "elasticloadbalancing", apiVersion: "2015-12-01", wire: .query)
    package static let rds = AWSService("rds", apiVersion: "2014-10-31", wire: .query)
    package static let elasticache = AWSService("elasticache", apiVersion: "2015-02-02", wire: .query)
    package static let iam = AWSService("iam", apiVersion: "2010-05-08", wire: .query, isGlobal: true)
    package static let sts = AWSService("sts", apiVersion: "2011-06-15", wire: .query)
    package static let route53 = AWSService(
        "route53", identifier: "route_53", apiVersion: "2013-04-01", wire: .restXML,
        xmlNamespace: "https://route53.amazonaws.com/doc/2013-04-01/", isGlobal: true)
    package static let s3 = AWSService(
        "s3", apiVersion: "2006-03-01", wire: .restXML, xmlNamespace: "http://s3.amazonaws.com/doc/2006-03-01/")
    package static let acm = AWSService(
        "acm", apiVersion: "2015-12-08", wire: .json(version: "1.1", target: "CertificateManager"))
    package static let ecr = AWSService(
        "ecr", endpointPrefix: "api.ecr", apiVersion: "2015-09-21",
        wire: .json(version: "1.1", target: "AmazonEC2ContainerRegistry_V20150921"))
    package static let ssm = AWSService(
        "ssm", apiVersion: "2014-11-06", wire: .json(version: "1.1", target: "AmazonSSM"))
    package static let secretsmanager = AWSService(
        "secretsmanager", identifier: "secrets_manager", apiVersion: "2017-10-17",
        wire: .json(version: "1.1", target: "secretsmanager"))
    package static let resourcegroupstaggingapi = AWSService(
        "resourcegroupstaggingapi", identifier: "resource_groups_tagging_api", endpointPrefix: "tagging",
        signingName: "tagging", apiVersion: "2017-01-26",
        wire: .json(version: "1.1", target: "ResourceGroupsTaggingAPI_20170126"))

    /// Every service above, in the order of the documentation.
    package static let all: [AWSService] = [
        .ec2, .autoscaling, .cloudwatch, .sns, .elbv2, .rds, .elasticache, .iam, .sts, .route53, .s3, .acm, .ecr, .ssm,
        .secretsmanager, .resourcegroupstaggingapi,
    ]
}
