package import MusterModel

/// JSON Schemas (draft 2020-12) of the documents that muster prints.
package enum PlanSchema {
    package static func jsonSchema() -> Value { .map([:]) }
}
package enum DriftSchema {
    package static func jsonSchema() -> Value { .map([:]) }
}
package enum StateSchema {
    package static func listJSONSchema() -> Value { .map([:]) }
    package static func showJSONSchema() -> Value { .map([:]) }
}
package enum ValidateSchema {
    package static func jsonSchema() -> Value { .map([:]) }
}
package enum OutputsSchema {
    package static func jsonSchema() -> Value { .map([:]) }
}
package enum EventSchema {
    package static func jsonSchema() -> Value { .map([:]) }
}
