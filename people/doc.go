// Package people says who lives in a community, who looks after whom, and who is on duty when: elders with their contact circles,
// staff with their roles, rotas with layers and overrides. Directory is a copy in memory of the people bucket that answers "who is
// to be told, and how are they reached" at a moment.
//
// It must not know rules, alerts, readings, or how a channel speaks.
package people
