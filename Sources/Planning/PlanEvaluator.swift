import Expressions
import MusterModel

/// Evaluates the deferred parts of values, as far as a plan can.
enum PlanEvaluator {
    /// - Parameter resolve: What an output or a secret is; nil when that is not known yet.
    static func evaluate(
        _ value: Value, resolve: (Expression) -> Value?
    ) throws(EvaluationFailure) -> Value {
        try value.replacingDeferred { (deferred) throws(EvaluationFailure) -> Value in
            try Evaluator.evaluate(deferred.expression) { (leaf) throws(EvaluationFailure) -> Value? in
                resolve(leaf)
            }
        }
    }
}
