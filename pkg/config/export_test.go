package config

// PlaceRun lets a test say that a home is on a network file system, since none
// can be mounted in a test.
var PlaceRun = placeRun
