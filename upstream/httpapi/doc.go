// Package httpapi is what sources have in common that speak to a provider's HTTP
// API: how an answer is read, how a refusal is put into words, how many
// requests may go out, and what must never be told.
//
//	Line      the network connection under a stream, closed when its user says so; its
//	          reads leave Go's scheduler in peace
//	Stream    the messages of an answer that does not end, and how it ended
//	Veil      blanks secrets in whatever comes back
//	Summary   what an error body says, be it JSON of several shapes, HTML or text
//	Budget    the requests that a rate limit window holds, by the server's headers
//	          and of other processes with the same credentials (Note, Heed)
//	Pace      keeps requests apart
//
// The functions on answers read Date, Retry-After and the x-rate-limit headers by
// the server's own clock, so that they hold whatever ours says.
package httpapi
