import MusterModel

/// `key_pairs`: public keys for the first login to instances.
enum KeyPairsSection: Section {
    static let schema = SectionSchema(
        name: "key_pairs", summary: "A public key for the first login to instances.",
        fields: [
            ArgumentSchema(
                "public_key", .string, isRequired: true, semantics: .publicKey,
                "The key as OpenSSH writes it, RSA or ED25519; from a file with ${file(\"…\")}."),
            ArgumentSchema(
                "name", .string, constraints: [.length(1, 255)],
                "The name in AWS, unique in the account and region; the key of the map if it is left out."),
            SectionFields.tags("the key pair"),
        ],
        principalTypes: ["aws.key_pair"],
        example: """
            key_pairs:
              operator:
                public_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKXlJ0DOMYqoXtGuYt+7gcOqNWHkPsH0UC9EjgNGoTDi operator
            """)

    static func lower(_ definition: Definition, region: String?) -> LoweringResult {
        let body = definition.body
        var result = LoweringResult()
        var pair = Draft(principal: "aws.key_pair", of: definition, renamed: ["name": "key_name"])
        pair.set("key_name", definition.remoteName.value, at: body["name"]?.range)
        pair.set("public_key", body["public_key"])
        pair.setTags(body["tags"], inherited: definition.inheritedTags, &result.diagnostics)
        result.append(pair)
        return result
    }
}
