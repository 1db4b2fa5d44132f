package bus

// Sweep is one round of the janitor.
var Sweep = (*Bus).sweep

// Expire is one round of the cleaning of CORE.
var Expire = (*Bus).expire

const ExpireLimit = expireLimit
