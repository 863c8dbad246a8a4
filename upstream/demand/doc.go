// Package demand works out what an upstream has to be asked for so that clients
// get the posts that their filters ask for, and what can be said to a client whose
// posts it does not bring. It is all computation: no goroutine, no clock, no I/O.
//
// # From filters to terms
//
// A filter is multiplied out to its alternatives (see [filter.Alternatives]), and
// of each alternative is known what its posts have: words, users, places. So
// the posts of an alternative all come if the upstream is asked for any one term
// that they all have. A term is
//
//   - of v1.1 ([V1]): a phrase of track, an id of follow, a box of locations. An
//     alternative asks for its user if it has one, else for a phrase of its words, as
//     many as fit in 60 bytes, else for the box around its place. A post from:12 is
//     found by follow=12; a phrase, a hashtag and url: by their words. Languages,
//     levels and all that is negated are left to the clients' own filters;
//   - of X ([X]): a rule, which is the alternative itself as far as a rule can say
//     it and it fits: posts are paid for there, so what narrows it stays. sample:
//     is left out. A box is one only if its tiles fit in the rule.
//
// What has neither words, users nor places, such as from:name or bio: on v1.1,
// cannot be asked for; its posts come when others' terms bring them. A number
// behind from:, to: and retweets_of: is taken for an id, although somebody's name may
// be that number. On X a followed user's posts are those that from:, to: and
// retweets_of: find, and not those that only begin with the name.
//
// What is in force is always a superset: every post that a served filter matches
// matches something that is asked for. The tests hold that against the matcher
// that clients are served by.
//
// # Which terms
//
// Every alternative counts for its term as often as clients have it: clients
// without a key one by one, those of one key (an address) once together, and a key
// only for as many terms as [Config].PerKey says, by default a quarter of what the
// operator leaves; [Force.Share] tells a client that its key asks for more. What is read is bounded, the shortest filters first, so that clients
// with huge filters cost little and keep nobody from being served. A term
// is counted for all that it brings: "go" for those who want "go lang" too; of boxes
// the thousand that are wanted most are held against one another. Then
//
//   - the operator's own terms always stay and are never counted against; what they
//     bring takes up no room. Those that are new push the least used out at once;
//   - what was taken in less than Floor ago stays;
//   - then the most used are taken, as long as there is room: 400 phrases, 5,000
//     ids, 25 boxes, or 1,000 rules. What is in force counts for a tenth more, so that
//     two terms that are wanted about as much do not take turns;
//   - what another term in force brings is left out, and so is, after Linger, what
//     nobody wants any more.
//
// What the upstream turns out to refuse ([Planner.Refuse]) is left alone for an hour,
// so that one client's filter keeps nobody else's out.
//
// Where the operator asks for nothing in particular every post comes while nothing is
// asked for, and so nothing is as long as somebody wants them all: that is a client
// without a filter, or with nothing but languages and what must not be there.
//
// The outcome depends on nothing but the filters, the config and what was in force
// before: neither on the order of maps nor on chance.
//
// # When
//
// A change waits Debounce for others. The budget is Changes in a Window: after each
// change the next waits the longer the more of the budget is used up, so that one
// client that comes to a quiet gateway is served at once, and a crowd that comes and
// goes makes a few changes with many terms each. What only lets terms go leaves one
// change over. On v1.1 each change is a new stream, and the upstream allows 5 connects
// in 5 minutes; on X it is an edit of rules, and a wider budget is right.
//
// [Planner.Plan] is called when filters have changed and at Step.Again. What it read and
// weighed is kept, so that a plan costs what has changed and a glance at the rest: with
// 50,000 filters of which 200 are not the same some 30 ms, and nothing for the list it
// saw last (BenchmarkCrowd). It takes
// what it decides for granted; whoever makes the change knows when it is in force,
// and that [Force] is what clients are told of.
//
// # Told
//
// [Force.Judge] says of one filter what the upstream does for it, with the terms of
// clients or, from [NewForce], without:
//
//	certain to bring nothing   refused, with what would help: other languages than
//	                           come, a filter level where posts have none, something
//	                           negated that all posts have, a place where none are
//	by chance                  warned of: track=rust while the upstream is asked for
//	                           go brings posts that hold both
//	all of it                  nothing
//
// Certain is what follows from the documented meaning of both. follow=1 does not rule
// out from:2, who may answer 1; nor does track=go rule out anything but -go; nor
// locations a box elsewhere, as a country shares a border with both. Where terms are
// taken in for clients only languages and levels rule anything out, and where posts
// come for a reason that is not known ([Config].OwnElse) only levels do.
//
// A [Teller] remembers of which filters all posts come, for the gap events of
// clients that are connected: one when that ends, one when it begins again.
package demand
