// Package web is the gateway's live page: three static files and an icon,
// compiled into the program. There is no build step and nothing is loaded from
// anywhere else.
//
// Posts are hostile text. The page puts them into text nodes only, links nowhere
// but to https addresses, shows no pictures, and is served with a policy that
// forbids inline script and style, other origins, framing, and assigning strings
// to markup (Trusted Types).
package web
