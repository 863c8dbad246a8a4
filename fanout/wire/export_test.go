package wire

// Encode is for benchmarks: a block is built only once for each event.
var Encode = encode
