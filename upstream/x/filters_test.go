package x_test

import (
	"net/url"

	"aviary/fanout/filter"
)

// filters look at every part of a post that v1.1 and v2 share.
var filters = func() map[string]*filter.Filter {
	all := map[string]*filter.Filter{}
	for _, q := range []string{
		"track=football", "track=%23go", "track=music+live", "track=%24GOAL", "track=example.com", "track=twitter.com", "track=weather,cooking&language=en,de",
		"language=ja", "locations=-0.6,51.2,0.4,51.7", "locations=-180,-90,180,90", "follow=1000000,1007919,1015838,1023757,1031676,1039595,1047514",
	} {
		v, _ := url.ParseQuery(q)
		f, err := filter.Parse(v)
		if err != nil {
			panic(err)
		}
		all[q] = f
	}
	return all
}()
