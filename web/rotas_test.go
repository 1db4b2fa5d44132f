package web

import (
	"net/http"
	"testing"

	"linli/bus"
	"linli/people"
)

func TestARotaIsNotRemovedWhileAStepWouldTellNobody(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	put := func(p people.Person) {
		t.Helper()
		if err := s.web.People.PutPerson(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	guard := people.Person{ID: "guard", Community: "tianjin", Name: "钱", Reach: []bus.Address{{Channel: "sms", To: "1"}}}
	put(guard)
	rota := func() {
		t.Helper()
		ask[rota](s, http.StatusOK, "PUT", "/api/v1/rotas/desk", `{"community":"tianjin","role":"property_duty","layers":[{"people":["guard"],"turn":"daily","since":"2026-01-05"}]}`)
	}
	rota()
	left := ask[withoutRota](s, http.StatusOK, "GET", "/api/v1/rotas/desk/without", "")
	if len(left.Instead) != 0 || len(left.Steps) == 0 {
		t.Errorf("without the rota: %+v", left)
	}
	alone := 0
	for _, step := range left.Steps {
		if step.Nobody != (len(step.Tell) == 1) {
			t.Errorf("%s step %d tells %v, nobody %v", step.Plan, step.Step, step.Tell, step.Nobody)
		}
		if step.Nobody {
			alone++
		}
	}
	if left.Nobody != (alone > 0) || alone == 0 {
		t.Errorf("%d steps would tell nobody: %+v", alone, left)
	}
	s.refused(http.StatusConflict, "", "DELETE", "/api/v1/rotas/desk", "")
	ask[removed](s, http.StatusOK, "DELETE", "/api/v1/rotas/desk?anyway=true", "")

	rota()
	guard.Roles = []people.Role{people.Duty} // now the role itself names somebody
	put(guard)
	if left := ask[withoutRota](s, http.StatusOK, "GET", "/api/v1/rotas/desk/without", ""); left.Nobody || len(left.Instead) != 1 || left.Instead[0].Name != "钱" {
		t.Errorf("with others of the role: %+v", left)
	}
	ask[removed](s, http.StatusOK, "DELETE", "/api/v1/rotas/desk", "")
}
