// Package objects is the objects of Twitter's v1.1 API and of X's API v2 as they are
// on the wire, for the conversions from one to the other: whoever has posts of
// another kind fills them in.
//
//	Status, User, Media, Place          v1.1
//	Envelope, Tweet, UserV2, …          v2
//
// Reading is lenient: a member of another type than expected stays empty, and
// members that are not named here are not kept. Writing leaves out what is not
// known where the API leaves it out, and writes the nulls that v1.1 clients look for.
package objects
