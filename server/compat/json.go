package compat

import "encoding/json"

// The walkers here take JSON apart that is known to be valid: the hub holds no
// other. At anything else they stop. Keys with escapes are passed as they are
// written; none of ours has any.

// members calls each with every member of an object.
func members(raw []byte, each func(name string, value []byte)) {
	if len(raw) == 0 || raw[0] != '{' {
		return
	}
	for i := space(raw, 1); i < len(raw) && raw[i] == '"'; {
		end := value(raw, i)
		colon := space(raw, end)
		if end < i+2 || colon >= len(raw) || raw[colon] != ':' {
			return
		}
		name := string(raw[i+1 : end-1])
		i = space(raw, colon+1)
		if end = value(raw, i); end == i {
			return
		}
		each(name, raw[i:end])
		if i = space(raw, end); i < len(raw) && raw[i] == ',' {
			i = space(raw, i+1)
		}
	}
}

// items calls each with every value of an array.
func items(raw []byte, each func(value []byte)) {
	if len(raw) == 0 || raw[0] != '[' {
		return
	}
	for i := space(raw, 1); i < len(raw) && raw[i] != ']'; {
		end := value(raw, i)
		if end == i {
			return
		}
		each(raw[i:end])
		if i = space(raw, end); i < len(raw) && raw[i] == ',' {
			i = space(raw, i+1)
		} else {
			return
		}
	}
}

// text is a member of an object that is a text or a number; "" if there is none.
func text(raw []byte, key string) (s string) {
	members(raw, func(name string, value []byte) {
		if name != key || len(value) == 0 {
			return
		}
		if value[0] != '"' {
			s = string(value)
		} else if json.Unmarshal(value, &s) != nil {
			s = ""
		}
	})
	return s
}

func space(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\t' || raw[i] == '\n' || raw[i] == '\r') {
		i++
	}
	return i
}

// value is where the value that begins at i ends.
func value(raw []byte, i int) int {
	depth := 0
	for ; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			for i++; i < len(raw) && raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return min(i+1, len(raw))
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // the end of a number in front of it
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\n', '\r', ':':
			if depth == 0 {
				return i
			}
		}
	}
	return min(i, len(raw)) // a text that does not end leads beyond
}
