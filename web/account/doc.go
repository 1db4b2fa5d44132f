// Package account knows who may log in and how far each of them reaches: users with a role, scoped to communities or to elders;
// their sessions and API tokens; and how often a wrong password may be tried.
//
// Users and tokens lie in the users bucket, sessions in the sessions bucket. Lookups are answered by copies in memory, so a request
// costs no I/O and what is ended here or in another process is ended everywhere at once. Secrets are kept as hashes only.
//
// It must not know HTTP, devices or alerts: web asks a Principal whether something is within its reach.
package account
