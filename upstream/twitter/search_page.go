package twitter

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/upstream"
)

// answerBody is what an answer may hold.
type answerBody struct {
	Statuses *[]json.RawMessage `json:"statuses"`
	Metadata *struct {
		NextResults string `json:"next_results"`
	} `json:"search_metadata"`
}

// judge makes a page or an error of an answer to a question for count posts. A
// full page without next_results may still not be the last: the server is asked
// once more, and an empty page settles it.
func (a *account) judge(answer *http.Response, raw []byte, count int, bearer string, now time.Time) (*upstream.Page, error) {
	if answer.StatusCode != http.StatusOK {
		return nil, a.refused(answer, raw, bearer, now)
	}
	var in answerBody
	if json.Unmarshal(raw, &in) != nil || in.Statuses == nil {
		return nil, a.refused(answer, raw, bearer, now)
	}
	page := &upstream.Page{More: true, Items: make([]upstream.Item, 0, len(*in.Statuses))}
	for _, one := range *in.Statuses {
		item, code := readItem(one)
		if code == 130 || code == 131 {
			// An error in the place of a post: the page is not whole.
			e := &upstream.SearchError{Class: upstream.HTTP, Status: answer.StatusCode, Code: code, Message: "an error in the middle of a page"}
			e.Hint = hintFor(e, answer, now, a.app, a.veil(bearer))
			return nil, e
		}
		if item.Event != nil {
			page.Items = append(page.Items, item)
		}
	}
	if in.Metadata != nil {
		page.Named = in.Metadata.NextResults != ""
		page.More = in.Metadata.NextResults != "" || count > 0 && len(*in.Statuses) >= count
		page.NextMaxID = nextMaxID(in.Metadata.NextResults)
	}
	page.More = page.More && len(page.Items) > 0
	return page, nil
}

// itemBody is what readItem looks at besides what decode finds.
type itemBody struct {
	Code     int         `json:"code"`
	ID       json.Number `json:"id"`
	IDStr    string      `json:"id_str"`
	Text     *string     `json:"text"`
	FullText *string     `json:"full_text"`
	Metadata struct {
		ResultType string `json:"result_type"`
	} `json:"metadata"`
}

func (b *itemBody) id() string { return cmp.Or(b.IDStr, b.ID.String()) }

// readItem reads one entry of a page. What is no JSON object has no Event. code
// is that of an error in the place of a post.
func readItem(raw json.RawMessage) (item upstream.Item, code int) {
	e := decode(raw)
	if e == nil {
		return item, 0
	}
	var extra itemBody
	_ = json.Unmarshal(raw, &extra) // members of other types stay zero
	item.Event = e
	if e.Kind == fanout.KindOther && extra.id() != "" && (extra.Text != nil || extra.FullText != nil) {
		// On a page of posts an author may be missing; on a stream it would be none.
		e.Kind, e.Post = fanout.KindPost, &filter.Post{Key: filter.Key{Source: Name, ID: extra.id()}}
	}
	if e.Kind != fanout.KindPost {
		return item, extra.Code
	}
	item.Popular = extra.Metadata.ResultType == "popular"
	item.ID, _ = strconv.ParseUint(e.Post.Key.ID, 10, 64)
	return item, 0
}

// nextMaxID reads next_results: "?max_id=123&q=…". Only that much of it is used:
// it drops most of the parameters.
func nextMaxID(next string) uint64 {
	if len(next) > 0 && next[0] == '?' {
		next = next[1:]
	}
	values, err := url.ParseQuery(next)
	if err != nil {
		return 0
	}
	id, _ := strconv.ParseUint(values.Get("max_id"), 10, 64)
	return id
}
