package sim

import (
	"fmt"
	"net/http"
)

// The problem types of API v2, as its documentation has them. The host in the type
// is the older one for some, as it is on the real wire.
const (
	problemTypes    = "https://api.x.com/2/problems/"
	oldProblemTypes = "https://api.twitter.com/2/problems/"
)

// problems are the bodies of refusals, by type.
var problems = map[string]string{
	"invalid-request":            `{"errors":[{"parameters":{},"message":"%s"}],"title":"Invalid Request","detail":"One or more parameters to your request was invalid.","type":"` + oldProblemTypes + `invalid-request"}`,
	"client-forbidden":           `{"client_id":"1","title":"Client Forbidden","detail":"This request must be made using an approved developer account that is enrolled in the requested endpoint.%s","reason":"client-not-enrolled","required_enrollment":"Appropriate Level of API Access","type":"` + oldProblemTypes + `client-forbidden"}`,
	"unsupported-authentication": `{"title":"Unsupported Authentication","detail":"Authenticating with OAuth 1.0a User Context is forbidden for this endpoint.%s","status":403,"type":"` + problemTypes + `unsupported-authentication"}`,
	"usage-capped":               `{"title":"UsageCapExceeded","detail":"Usage cap exceeded: Monthly product cap%s","period":"Monthly","scope":"Product","type":"` + problemTypes + `usage-capped"}`,
	"rate-limit-exceeded":        `{"title":"Too Many Requests","detail":"Too Many Requests%s","status":429,"type":"` + problemTypes + `rate-limit-exceeded"}`,
	"streaming-connection":       `{"title":"ConnectionException","detail":"This stream is currently at the maximum allowed connection limit.%s","connection_issue":"TooManyConnections","type":"` + problemTypes + `streaming-connection"}`,
	"operational-disconnect":     `{"title":"operational-disconnect","disconnect_type":"UpstreamOperationalDisconnect","detail":"This stream has been disconnected upstream for operational reasons.%s","type":"` + problemTypes + `operational-disconnect"}`,
	"internal-error":             `{"title":"Internal Error","detail":"Something went wrong.%s","type":"` + problemTypes + `internal-error"}`,
	"rule-cap":                   `{"title":"RulesCapExceeded","detail":"Rule cap exceeded.%s","type":"` + problemTypes + `rule-cap"}`,
	"resource-unavailable":       `{"title":"Resource Unavailable","detail":"%s","type":"` + problemTypes + `resource-unavailable"}`,
	"about:blank":                `{"title":"Unauthorized","detail":"Unauthorized%s","status":401,"type":"about:blank"}`,
}

// problemText is the body of a problem with a word more.
func problemText(kind, more string) string { return fmt.Sprintf(problems[kind], more) }

// problemOf is a refusal with such a body.
func problemOf(status int, kind, more string) *refusal {
	return &refusal{status: status, body: problemText(kind, more), kind: "application/problem+json"}
}

// notFound is the entry of errors for a post that is not there, or not any more.
func notFound(id, parameter string) string {
	return fmt.Sprintf(`{"value":%q,"detail":"Could not find tweet with %s: [%s].","title":"Not Found Error","resource_type":"tweet","parameter":%q,"resource_id":%q,"type":"%sresource-not-found"}`,
		id, parameter, id, parameter, id, problemTypes)
}

// ending is the fault of a stream that tells why it ends, as v2 does: errors
// without data, then the end.
func ending(kind string) op {
	raw := []byte(`{"errors":[` + problemText(kind, "") + `]}`)
	return func(st *stream) error {
		if err := st.line(raw); err != nil {
			return err
		}
		return closing(st)
	}
}

// unauthorized is what v2 says to a token that is none.
func unauthorized() *refusal { return problemOf(http.StatusUnauthorized, "about:blank", "") }
