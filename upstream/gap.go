package upstream

import "aviary/fanout"

// GapEvent makes the KindGap event that tells a loss. Publish writes its JSON:
// it holds the position that the event takes in the log.
func GapEvent(l fanout.Loss) *fanout.Event {
	return &fanout.Event{Kind: fanout.KindGap, Loss: &l}
}
