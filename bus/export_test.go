package bus

// Sweep is one round of the janitor.
var Sweep = (*Bus).sweep

// Expire is one round of the cleaning of CORE.
var Expire = (*Bus).expire

// Committed is what Commit makes of an answer.
var Committed = committed

const ExpireLimit = expireLimit
