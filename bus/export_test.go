package bus

// Sweep is one round of the janitor.
var Sweep = (*Bus).sweep
