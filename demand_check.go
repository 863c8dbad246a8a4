package main

// checkDemand judges whether terms can be taken in for clients.
func (s *settings) checkDemand(found *problems) {
	if s.Demand != "on" {
		return
	}
	switch {
	case s.Source == "file":
		found.add("DEMAND", "is on, and a capture cannot be asked for anything; set it to off, or %sSOURCE to sim, twitter or x", prefix)
	case s.Source == "x" && s.Track == "" && s.Follow == "" && s.Locations == "" && s.XRulesFile == "" && s.Role != roleEdge:
		found.add("DEMAND", "is on, and while clients ask for nothing X has no rule to stream for; set at least one of %sTRACK, %sFOLLOW, %sLOCATIONS and %sX_RULES_FILE", prefix, prefix, prefix, prefix)
	}
}
