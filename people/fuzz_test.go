package people

import (
	"strings"
	"testing"
	"time"

	"linli/devices"
)

type anywhere struct{}

func (anywhere) Community(id string) *devices.Community { return &devices.Community{ID: id} }

func FuzzImport(f *testing.F) {
	f.Add("people: [{id: a, community: c, name: a, circle: [{person: b, relation: x}], away: true, quiet: {from: 22:00, to: 07:00}}]")
	f.Add("rotas: [{id: a, community: c, role: manager, layers: [{people: [b], turn: daily, since: 2026-01-05}]}]")
	f.Add("people: {a: b}\nrotas: 3\n")
	f.Add("people: &x [{id: a}]\nrotas: *x\n")
	f.Add("<<: {people: [{id: a}]}\n")
	f.Add("---\n---\n")
	d := &Directory{communities: anywhere{}}
	f.Fuzz(func(t *testing.T, file string) {
		r, err := d.Import(t.Context(), strings.NewReader(file), time.Unix(0, 0), true)
		if (err != nil) != (len(r.Bad) > 0) {
			t.Errorf("error %v with %d mistakes", err, len(r.Bad))
		}
	})
}
