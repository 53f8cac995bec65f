// Package quota asks the Anthropic API how much of the user's allowance is used
// (GET /api/oauth/usage) and keeps the answer.
//
// It reads a credential of the client, so it does nothing unless the user turned
// it on (COORDINATOR_QUOTA=on). An answer is good for 120 s; however many ask,
// one request is in flight. After a 429 it keeps silent for as long as the
// server says, at least a minute, and meanwhile serves the last answer.
//
// The credential is read anew for each request, is sent to the one base URL only,
// is never followed through a redirect, and appears in no error and no log.
package quota
