module aviary/bench

go 1.26.0
