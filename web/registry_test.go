package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"linli/devices"
)

func (l deviceList) ids() string {
	var ids []string
	for _, d := range l.Devices {
		ids = append(ids, d.ID)
	}
	return strings.Join(ids, " ")
}

func TestCommunities(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	const nantong = `{"id":"nantong","name":{"zh":"南川园"}}`
	got := ask[devices.Community](s, 200, "POST", "/api/v1/communities", nantong)
	if got.Name.EN != "南川园" {
		t.Errorf("got %+v; a name in one language stands for both", got)
	}
	ask[devices.Community](s, 200, "POST", "/api/v1/communities", nantong)
	s.refused(http.StatusConflict, "", "POST", "/api/v1/communities", `{"id":"nantong","name":{"zh":"别的"}}`)
	s.refused(http.StatusBadRequest, "id", "POST", "/api/v1/communities", `{"id":"Nan Tong","name":{"zh":"a"}}`)
	const planned = `{"id":"nantong","name":{"zh":"南川园"},"estates":[{"id":"e1","name":{"zh":"一区","en":"1"}}],"plan":{"width_m":100,"height_m":50,"shapes":[{"kind":"place","estate":"e1","points":[[0,0],[9,9]]}]}}`
	if got := ask[devices.Community](s, 200, "PUT", "/api/v1/communities/nantong", planned); got.Plan == nil || len(got.Plan.Shapes) != 1 {
		t.Errorf("the plan is %+v", got.Plan)
	}
	s.refused(http.StatusBadRequest, "id", "PUT", "/api/v1/communities/hegang", planned)
	s.refused(http.StatusBadRequest, "plan shape 1", "PUT", "/api/v1/communities/nantong", strings.Replace(planned, "[9,9]", "[9,99]", 1))
	list := ask[struct{ Communities []devices.Community }](s, 200, "GET", "/api/v1/communities", "")
	if len(list.Communities) != 2 || list.Communities[0].ID != "nantong" {
		t.Errorf("got %+v", list)
	}
}

func TestDeviceLife(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	const band = `{"id":"wb-1","community":"tianjin","type":"wearable_band"}`
	first := ask[credentials](s, 200, "POST", "/api/v1/devices", band)
	if diff := cmp.Diff(credentials{"wb-1", "wb-1", first.Secret, "linli/telemetry/tianjin/wearable_band/wb-1"}, first); diff != "" || len(first.Secret) < 26 {
		t.Errorf("credentials (-want +got):\n%s", diff)
	}
	verify := func(secret string) bool { return s.web.Registry.Verify(s.web.Registry.Device("wb-1"), secret) }
	if !verify(first.Secret) {
		t.Error("the secret is not accepted when the request has returned")
	}
	if again := ask[credentials](s, 200, "POST", "/api/v1/devices", band); again.Secret != "" || !verify(first.Secret) {
		t.Errorf("the same again: %+v, want no secret and the old one still right", again)
	}
	s.refused(http.StatusConflict, "", "POST", "/api/v1/devices", `{"id":"wb-1","community":"tianjin","type":"sos_button"}`)
	s.refused(http.StatusBadRequest, "community", "POST", "/api/v1/devices", `{"id":"wb-2","community":"nowhere","type":"wearable_band"}`)
	s.refused(http.StatusBadRequest, "type", "POST", "/api/v1/devices", `{"id":"wb-2","community":"tianjin","type":"toaster"}`)
	s.refused(http.StatusBadRequest, "body", "POST", "/api/v1/devices", `{"id":"wb-2","community":"tianjin","type":"wearable_band","state":"active","secret_hash":"x"}`)

	rotated := ask[credentials](s, 200, "POST", "/api/v1/devices/wb-1/rotate", "")
	if verify(first.Secret) || !verify(rotated.Secret) {
		t.Error("after rotate the old secret is still right, or the new one wrong")
	}
	heir := ask[credentials](s, 200, "POST", "/api/v1/devices/wb-1/replace", `{"with":"wb-9"}`)
	if heir.ID != "wb-9" || heir.Secret == "" {
		t.Errorf("replace: %+v", heir)
	}
	revoked := ask[devices.Device](s, 200, "POST", "/api/v1/devices/wb-9/revoke", "")
	if revoked.State != devices.Revoked || revoked.Replaces != "wb-1" {
		t.Errorf("revoke: %+v", revoked)
	}
	for _, action := range []string{"rotate", "revoke"} {
		s.refused(http.StatusNotFound, "", "POST", "/api/v1/devices/none/"+action, "")
	}
	s.refused(http.StatusNotFound, "", "GET", "/api/v1/devices/none", "")
	for _, path := range []string{"/api/v1/devices", "/api/v1/devices/ws-1"} {
		if _, _, body := s.do(s.request("GET", path, "")); strings.Contains(body, "secret") {
			t.Errorf("%s shows a secret or its hash: %s", path, body)
		}
	}
}

func TestDeviceList(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	for _, id := range []string{"wb-1", "wb-2", "wb-3"} {
		ask[credentials](s, 200, "POST", "/api/v1/devices", `{"id":"`+id+`","community":"tianjin","type":"wearable_band"}`)
	}
	ask[devices.Device](s, 200, "POST", "/api/v1/devices/wb-2/revoke", "")
	for query, want := range map[string]string{
		"": "wb-1 wb-2 wb-3 ws-1", "?type=wearable_band": "wb-1 wb-2 wb-3", "?community=nowhere": "", "?state=active": "wb-1 wb-3 ws-1",
		"?limit=4": "wb-1 wb-2 wb-3 ws-1", "?cursor=wb-2": "wb-3 ws-1", "?cursor=wb": "wb-1 wb-2 wb-3 ws-1", "?cursor=zz": "",
	} {
		if got := ask[deviceList](s, 200, "GET", "/api/v1/devices"+query, ""); got.ids() != want || got.Next != "" {
			t.Errorf("%s: %q, next %q; want %q", query, got.ids(), got.Next, want)
		}
	}
	first := ask[deviceList](s, 200, "GET", "/api/v1/devices?limit=2&type=wearable_band", "")
	second := ask[deviceList](s, 200, "GET", "/api/v1/devices?limit=2&type=wearable_band&cursor="+first.Next, "")
	if first.ids() != "wb-1 wb-2" || second.ids() != "wb-3" || second.Next != "" {
		t.Errorf("pages %q and %q", first.ids(), second.ids())
	}
}

func TestDeviceImport(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	type report struct {
		DryRun       bool `json:"dry_run"`
		Rows, Added  int
		Unchanged    int
		Bad          []devices.BadCell
		Issued       []credentials
		Error        *detail
		BadCellCount int `json:"bad_cells"`
	}
	const rows = "id,community,type\nwb-1,tianjin,wearable_band\nwb-2,tianjin,wearable_band\n"
	if got := ask[report](s, 200, "POST", "/api/v1/devices/import?dry_run=1", rows); got.Added != 2 || got.Issued != nil || s.web.Registry.Device("wb-1") != nil {
		t.Errorf("dry run: %+v", got)
	}
	got := ask[report](s, 200, "POST", "/api/v1/devices/import", rows)
	if len(got.Issued) != 2 || !s.web.Registry.Verify(s.web.Registry.Device("wb-2"), got.Issued[1].Secret) || got.Issued[0].Topic == "" {
		t.Errorf("import: %+v", got)
	}
	if got := ask[report](s, 200, "POST", "/api/v1/devices/import", rows); got.Unchanged != 2 || got.Added != 0 {
		t.Errorf("again: %+v", got)
	}
	bad := ask[report](s, 422, "POST", "/api/v1/devices/import?dry_run=1", "id,community,type\nwb-3,nowhere,toaster\n")
	if len(bad.Bad) != 2 || bad.Bad[0].Line != 2 || bad.Bad[0].Column != "community" || bad.Error == nil {
		t.Errorf("bad rows: %+v", bad)
	}
	ask[report](s, 422, "POST", "/api/v1/devices/import", "id,id\n")
}

func TestPeople(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	ask[person](s, 200, "PUT", "/api/v1/people/p-1", `{"community":"tianjin","name":"王芳"}`)
	ask[person](s, 200, "PUT", "/api/v1/people/p-1", `{"id":"p-1","community":"tianjin","name":"王芳","away":true}`)
	s.refused(http.StatusBadRequest, "id", "PUT", "/api/v1/people/p-1", `{"id":"p-2","community":"tianjin","name":"王芳"}`)
	s.refused(http.StatusBadRequest, "community", "PUT", "/api/v1/people/p-2", `{"community":"nowhere","name":"王芳"}`)
	list := ask[struct{ People []person }](s, 200, "GET", "/api/v1/people?community=tianjin", "").People
	if len(list) != 1 || list[0].ID != "p-1" || list[0].Name != "王芳" || !list[0].Away || list[0].AwaySince == nil {
		t.Errorf("people: %+v", list)
	}
}
