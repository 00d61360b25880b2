/// Pieces of POSIX shell that several scripts share. Each stands on its own and needs nothing but a base system and curl.
enum Snippets {
    /// A message on stderr, and the end.
    static let die = "die() { echo \"muster: $*\" >&2; exit 1; }\n"

    /// `meta PATH` prints what the metadata service of EC2 says, with a session token where it gives one.
    static let metadata = """
        meta() {
            token=$(curl -fsS -m 3 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' \\
                http://169.254.169.254/latest/api/token 2>/dev/null) || token=
            curl -fsS -m 5 ${token:+-H "X-aws-ec2-metadata-token: $token"} "http://169.254.169.254/latest/meta-data/$1"
        }

        """

    /// `flatten` turns JSON on stdin into lines of a path, a tab and a value, such as `data.0.state` and `active`. Reading
    /// from one quote to the next, every other piece is a string.
    static let flatten = #"""
        flatten() {
            LC_ALL=C awk '
            BEGIN { RS = "\"" }
            {
                if (inside) {
                    text = text $0
                    if ($0 ~ /(^|[^\\])(\\\\)*\\$/) { text = text "\""; next }
                    inside = 0
                    gsub(/\\\\/, "\001", text)
                    gsub(/\\"/, "\"", text)
                    gsub(/\\\//, "/", text)
                    gsub(/\001/, "\\\\", text)
                    if (kind[depth] == "{" && wants_key[depth]) key[depth] = text
                    else tell(text)
                } else {
                    structure($0)
                    inside = 1
                    text = ""
                }
            }
            function structure(piece, i, c) {
                for (i = 1; i <= length(piece); i++) {
                    c = substr(piece, i, 1)
                    if (c == "{" || c == "[") { kind[++depth] = c; wants_key[depth] = 1; key[depth] = 0 }
                    else if (c == ":") wants_key[depth] = 0
                    else if (c == "," || c == "}" || c == "]") {
                        if (word != "") { tell(word); word = "" }
                        if (c != ",") depth--
                        else if (kind[depth] == "{") wants_key[depth] = 1
                        else key[depth]++
                    } else if (c !~ /[ \t\r\n]/) word = word c
                }
            }
            function tell(value, i, path) {
                path = key[1]
                for (i = 2; i <= depth; i++) path = path "." key[i]
                print path "\t" value
            }'
        }

        """#

    /// `curl_word TEXT` prints the text as a quoted word of curl's configuration.
    static let curlWord = #"curl_word() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"; }"# + "\n"
}
